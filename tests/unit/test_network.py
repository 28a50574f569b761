"""The address guard: what may be connected to, by literal address, by mapped address, by the operator's word."""

from __future__ import annotations

import socket

import pytest

from crawler.network import AddressGuard, AddressRefused, find_refusal, granted_place

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.9",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "240.0.0.1",
    "::1",
    "fc00::1",
    "fec0::1",
    "2001:db8::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
]
NEVER = [
    "0.0.0.0",
    "::",
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "224.0.0.1",
    "ff02::1",
    "::ffff:169.254.169.254",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_always_be_reached(address: str) -> None:
    assert find_refusal(address, allow_private=False) is None
    assert find_refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_sources_word(address: str) -> None:
    refusal = find_refusal(address, allow_private=False)
    assert refusal is not None
    assert address in refusal
    assert find_refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", [*NEVER, "gazette.example", ""])
def test_some_addresses_are_never_reached(address: str) -> None:
    assert find_refusal(address, allow_private=False) is not None
    assert find_refusal(address, allow_private=True) is not None


def _info(address: str, port: int) -> tuple[object, ...]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


def test_guard_opens_no_socket_to_a_private_address() -> None:
    with pytest.raises(AddressRefused, match=r"127\.0\.0\.1 is not a public address"):
        AddressGuard(allow_private=False).open_socket(_info("127.0.0.1", 80))


def test_guard_opens_a_socket_where_the_source_says_private() -> None:
    with AddressGuard(allow_private=True).open_socket(_info("127.0.0.1", 80)) as opened:
        assert opened.family == socket.AF_INET


def test_guard_takes_the_operators_place_for_that_request_and_port_only() -> None:
    guard = AddressGuard(allow_private=False)
    token = granted_place.set(("127.0.0.1", 8443))
    try:
        guard.open_socket(_info("127.0.0.1", 8443)).close()
        with pytest.raises(AddressRefused):
            guard.open_socket(_info("127.0.0.1", 22))
    finally:
        granted_place.reset(token)
    with pytest.raises(AddressRefused):
        guard.open_socket(_info("127.0.0.1", 8443))
