"""The address guard: what may be connected to by address, name, port and the operator's word."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest

from crawler import network
from crawler.network import AddressGuard, AddressRefused, FetchOptions, find_refusal, granted_place


def words(text: str) -> list[str]:
    return text.split()


PUBLIC = words("""
1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
168.63.129.15 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.0.9 192.0.0.10 192.0.1.0
192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0
203.0.112.255 203.0.114.0 223.255.255.255 2000:: 2001:200:: 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1
2606:4700:4700::1111 2a00:1450:4001:81b::200e 2003:: 3ffe:ffff:: 3fff:1000:: 2620:4f:8000::1 ::ffff:1.1.1.1
::ffff:0101:0101 0:0:0:0:0:ffff:1.1.1.1 64:ff9b::101:101 64:ff9b::1.1.1.1 2002:101:101::1 2606:4700::5efe:1.1.1.1
2606:4700::7f00:1
""")
PRIVATE = words("""
10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.0 127.0.0.1 127.8.8.8 127.255.255.255 172.16.0.0
172.31.255.255 192.0.0.0 192.0.0.8 192.0.0.11 192.0.0.170 192.0.0.255 192.0.2.1 192.88.99.1 192.168.0.0 192.168.1.1
192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.9 240.0.0.0 240.0.0.1 255.255.255.254 ::1
0:0:0:0:0:0:0:1 0000:0000:0000:0000:0000:0000:0000:0001 ::127.0.0.1 ::7f00:1 ::1.1.1.1 ::ffff:127.0.0.1
::ffff:7f00:1 ::FFFF:7F00:1 0:0:0:0:0:ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:192.168.1.1 ::ffff:0:127.0.0.1
::ffff:0:1.1.1.1 64:ff9b::127.0.0.1 64:ff9b::a00:1 100::1 100:0:0:1::1 200::1 1fff:: 2001:1::1 2001:2::1 2001:3::1
2001:10::1 2001:20::1 2001:30::1 2001:1ff:ffff::1 2001:db8::1 2001:db8:ffff::1 2002:7f00:1:: 2002:a00:1::1
2002:c0a8:101::1 3fff::1 3fff:fff:ffff::1 4000:: 5f00::1 8000:: e000::1 fc00::1 fd00::1 fd00:ec1:ffff::1
fdff:ffff::1 fec0::1 feff::1 2606:4700::5efe:10.0.0.1 2606:4700::200:5efe:127.0.0.1 fd00::5efe:192.168.0.1
""")
NEVER = words("""
0.0.0.0 0.0.0.1 0.255.255.255
::2 100.100.100.200 168.63.129.16 169.254.0.0 169.254.169.254 169.254.170.2 169.254.255.255
192.0.0.192 224.0.0.0 224.0.0.1 239.255.255.250 255.255.255.255 :: 0:0:0:0:0:0:0:0 ::0.0.0.0 fe80::1 fe80::5efe:10.0.0.1
febf::1 ff02::1 ff0e::1 ffff:: fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fe80::1%eth0 fe80::1%1 ::1%lo
2606:4700:4700::1111%eth0 ::ffff:0.0.0.0 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::FFFF:A9FE:A9FE ::169.254.169.254
::ffff:0:169.254.169.254 ::ffff:224.0.0.1 ::ffff:168.63.129.16 64:ff9b::169.254.169.254 64:ff9b::a9fe:a9fe
64:ff9b:1::1 64:ff9b:1::a9fe:a9fe 2002:a9fe:a9fe:: 2002:e000:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
2001:0:a9fe:a9fe::1 2606:4700::5efe:169.254.169.254 fd00::5efe:100.100.100.200
""")
NO_ADDRESSES = words("""
gazette.example localhost 127.1 127.0.1 0x7f.1 0x7f000001 0x7f.0x0.0x0.0x1 0177.0.0.1 017700000001 2130706433 0 00000000
127.0.0.01 127.0.0.1. 127.0.0.1:80 127.0.0 256.0.0.1 1.2.3.4.5 ①②⑦.⓪.⓪.① １２７.0.0.1 127。0。0。1 127%2e0%2e0%2e1
[::1] ::1] :::1 ::ffff:127.1 ::ffff:0x7f.1 1::2::3 12345::1 ::1%
""")
LOCAL_NAMES = words("""
localhost LOCALHOST localhost. ip6-localhost intranet inside.
www.localhost localhost.localdomain printer.local nas.LOCAL. intranet.internal
router.home.arpa
""")
METADATA_NAMES = ["metadata.google.internal", "Metadata.Google.Internal.", "metadata.goog", "instance-data"]
PORTS = [0, 1, 22, 25, 53, 110, 143, 389, 465, 587, 993, 2049, 4190, 5060, 6000, 6667, 6697, 10080]


def test_the_tables_are_large_and_without_doubles() -> None:
    every = [*PUBLIC, *PRIVATE, *NEVER, *NO_ADDRESSES]
    assert len(set(every)) == len(every) >= 200


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_always_be_reached(address: str) -> None:
    assert find_refusal(address, allow_private=False) is None
    assert find_refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_sources_word(address: str) -> None:
    refusal = find_refusal(address, allow_private=False)
    assert refusal is not None
    assert refusal.startswith(f"{address} is not a public address: ")
    assert find_refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached(address: str) -> None:
    for allow_private in (False, True):
        refusal = find_refusal(address, allow_private=allow_private)
        assert refusal is not None
        assert refusal.startswith(f"{address} is never connected to: ")


@pytest.mark.parametrize("text", [*NO_ADDRESSES, ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    for allow_private in (False, True):
        assert find_refusal(text, allow_private=allow_private) == f"{text} is no IP address"


def test_nothing_is_allowed_that_python_knows_not_to_be_global() -> None:
    """The other way round its releases differ; this way they agree but for two addresses, which are not hit."""
    for number in range(0, 1 << 32, 0x0001_0101):
        address = str(IPv4Address(number))
        if find_refusal(address, allow_private=False) is None:
            assert ip_address(address).is_global, address


def _info(address: str, port: int, *scope: int) -> tuple[object, ...]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, *scope))


@pytest.mark.parametrize("scope", [(), (0, 0)])
def test_guard_opens_no_socket_to_a_private_address(scope: tuple[int, ...]) -> None:
    address = "::1" if scope else "127.0.0.1"
    with pytest.raises(AddressRefused, match=f"refused to connect: {address} is not a public address"):
        AddressGuard(allow_private=False).open_socket(_info(address, 80, *scope))


def test_guard_opens_a_socket_where_the_source_says_private() -> None:
    with AddressGuard(allow_private=True).open_socket(_info("127.0.0.1", 80)) as opened:
        assert opened.family == socket.AF_INET


def test_guard_refuses_an_interface_that_is_given_as_a_number() -> None:
    guard = AddressGuard(allow_private=True)
    with pytest.raises(AddressRefused, match="::1%3 is never connected to: it names a network interface"):
        guard.open_socket(_info("::1", 80, 0, 3))
    guard.open_socket(_info("::1", 80, 0, 0)).close()


@pytest.mark.parametrize("port", PORTS)
def test_guard_opens_no_socket_to_other_protocols_ports(port: int) -> None:
    for allow_private in (False, True):
        with pytest.raises(AddressRefused, match=f"port {port} belongs to another protocol than HTTP"):
            AddressGuard(allow_private).open_socket(_info("1.1.1.1", port))


@pytest.mark.parametrize("port", [80, 443, 591, 3000, 5000, 8000, 8008, 8080, 8081, 8443, 8888, 65_535])
def test_ports_of_web_servers_are_open(port: int) -> None:
    AddressGuard(allow_private=False).open_socket(_info("1.1.1.1", port)).close()


def test_guard_takes_the_operators_place_for_that_request_and_port_only() -> None:
    guard = AddressGuard(allow_private=False)
    token = granted_place.set(("127.0.0.1", 22))
    try:
        guard.open_socket(_info("127.0.0.1", 22)).close()
        with pytest.raises(AddressRefused):
            guard.open_socket(_info("127.0.0.1", 8443))
        with pytest.raises(AddressRefused):
            guard.open_socket(_info("127.0.0.2", 22))
    finally:
        granted_place.reset(token)
    with pytest.raises(AddressRefused):
        guard.open_socket(_info("127.0.0.1", 22))


def test_the_proxy_itself_may_be_anywhere() -> None:
    guard = FetchOptions(proxy="http://127.0.0.1:6000").guard
    guard.open_socket(_info("127.0.0.1", 6000)).close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The system's resolver: these names with their addresses, and literal addresses in every notation it knows."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int | None, family: int, kind: int, protocol: int, flags: int) -> list[Any]:
        if host not in known:
            return real(host, port, family, kind, protocol, flags | socket.AI_NUMERICHOST)
        return [_info(address, port or 0, *((0, 0) if ":" in address else ())) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def judge(host: str, port: int = 80, *, allow_private: bool = False, proxied: bool = True) -> str | None:
    try:
        asyncio.run(AddressGuard(allow_private, proxied=proxied).check_target(host, port))
    except AddressRefused as error:
        return str(error)
    return None


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    "host", [*PRIVATE, *NEVER, *NO_ADDRESSES[1:], *LOCAL_NAMES, *METADATA_NAMES, "", "a b", "a..b"]
)
def test_a_proxy_is_not_asked_for_what_is_not_public(host: str) -> None:
    assert (judge(host) or "").startswith("refused to ask the proxy for it: ")


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("host", [*PUBLIC, "gazette.example", "gazette.example.", "xn--bcher-kva.example", "a_b.test"])
def test_a_proxy_is_asked_for_public_addresses_and_names_that_only_it_knows(host: str) -> None:
    assert judge(host) is None


def test_a_proxy_is_not_asked_for_names_that_resolve_to_a_refused_address(names: dict[str, list[str]]) -> None:
    names["two.example"] = ["1.1.1.1", "2606:4700::1", "10.0.0.1"]
    names["six.example"] = ["::1"]
    names["cloud.example"] = ["169.254.169.254"]
    names["open.example"] = ["1.1.1.1", "2606:4700::1"]
    assert "two.example: 10.0.0.1 is not a public address: private use" in (judge("two.example") or "")
    assert "six.example: ::1 is not a public address" in (judge("six.example") or "")
    assert judge("two.example", allow_private=True) is None
    assert "cloud.example: 169.254.169.254 is never connected to" in (judge("cloud.example", allow_private=True) or "")
    assert judge("open.example") is None


@pytest.mark.usefixtures("names")
def test_a_proxy_is_not_asked_for_other_protocols_ports() -> None:
    assert "port 25 belongs to another protocol than HTTP" in (judge("gazette.example", 25) or "")


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("name", LOCAL_NAMES)
def test_local_names_need_the_sources_word_with_and_without_a_proxy(name: str) -> None:
    for proxied in (True, False):
        assert f"{name} is not a public address: a name of this machine" in (judge(name, proxied=proxied) or "")
    assert judge(name, allow_private=True, proxied=False) is None


@pytest.mark.parametrize("name", METADATA_NAMES)
def test_metadata_services_are_never_asked_for_by_name(name: str) -> None:
    for proxied in (True, False):
        assert f"{name} is never connected to" in (judge(name, allow_private=True, proxied=proxied) or "")


def test_the_operators_place_makes_up_for_a_local_name_but_means_nothing_to_a_proxy() -> None:
    token = granted_place.set(("127.0.0.1", 80))
    try:
        assert judge("wiki.internal", proxied=False) is None
        assert judge("wiki.internal", proxied=True) is not None
    finally:
        granted_place.reset(token)


def test_lookups_for_a_proxy_are_remembered_for_a_while(
    names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = AddressGuard(allow_private=False, proxied=True)
    names["a.example"] = ["1.1.1.1"]
    asyncio.run(guard.check_target("a.example", 80))
    names["a.example"] = ["10.0.0.1"]
    asyncio.run(guard.check_target("a.example", 80))

    monkeypatch.setattr(network, "REMEMBERED_SECONDS", 0.0)
    names["b.example"] = ["1.1.1.1"]
    asyncio.run(guard.check_target("b.example", 80))
    names["b.example"] = ["10.0.0.1"]
    with pytest.raises(AddressRefused, match=r"b\.example: 10\.0\.0\.1"):
        asyncio.run(guard.check_target("b.example", 80))
