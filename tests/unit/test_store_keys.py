"""Keys and the order of listings, for stores that sort by whole keys and for those that list folder by folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import StoreRefused
from jobs.store import StoredObject
from jobs.store.keys import check_key, fault_of_key, in_byte_order, start_after

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = st.text(alphabet="a-.0é", min_size=1, max_size=3).filter(lambda name: name not in {".", ".."})
KEYS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


def without_conflicts(found: Iterable[str]) -> list[str]:
    """Leave out keys that are the folder of another one."""
    found = set(found)
    return [key for key in found if not any(other.startswith(key + "/") for other in found)]


def by_folder(key: str) -> list[bytes]:
    return [name.encode() for name in key.split("/")]


def objects(keys: Iterable[str]) -> list[StoredObject]:
    return [StoredObject(key, 1, None) for key in keys]


@given(st.lists(KEYS, max_size=14).map(without_conflicts), st.sampled_from(["", "a", "a/", "a-", "a/a", "a/-"]))
def test_both_orders_become_byte_order(keys: list[str], prefix: str) -> None:
    wanted = sorted((key for key in keys if key.startswith(prefix)), key=str.encode)
    listed = objects(sorted(wanted, key=by_folder))
    assert [one.key for one in in_byte_order(listed, prefix=prefix, by_folder=True)] == wanted
    for either in (True, False):
        assert [one.key for one in in_byte_order(objects(wanted), prefix=prefix, by_folder=either)] == wanted


@given(st.lists(KEYS, max_size=14).map(without_conflicts), KEYS | st.sampled_from(["a/", "a-/", "a/a/"]), st.data())
def test_listing_after_a_key_leaves_none_out(keys: list[str], after: str, data: st.DataObject) -> None:
    prefix = after[: data.draw(st.integers(0, len(after)))]
    begin = start_after(prefix, after)
    assert begin == "" or begin.encode() <= after.encode()
    # A server that lists by folder also passes over the folder whose very name it was given.
    listed = {
        key
        for key in keys
        if not begin or (by_folder(key) > by_folder(begin.rstrip("/")) and not key.startswith(begin.rstrip("/") + "/"))
    }
    if begin.endswith("/"):
        listed |= {key for key in keys if key.startswith(begin)}
    assert {key for key in keys if key.startswith(prefix) and key.encode() > after.encode()} <= listed


def test_one_log_is_read_on_without_reading_it_again() -> None:
    assert start_after("log/gazette/", "log/gazette/000000000123") == "log/gazette/00000000012"


def test_a_flat_folder_is_passed_on_at_once() -> None:
    listed = iter(objects(f"log/gazette/{number:012d}" for number in range(1000)))
    first = next(in_byte_order(listed, prefix="log/gazette/", by_folder=True))
    assert first.key == "log/gazette/000000000000"
    assert next(listed).key == "log/gazette/000000000001"


@pytest.mark.parametrize("keys", [["b", "a"], ["a", "a"], ["b/1", "c/1", "a/1"]])
def test_a_listing_without_order_is_refused(keys: list[str]) -> None:
    with pytest.raises(StoreRefused, match="out of order"):
        list(in_byte_order(objects(keys), prefix="", by_folder=True))


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("", "empty part"),
        ("a/../b", r"\.\."),
        ("a\0b", "control"),
        ("\ud800", "Unicode"),
        ("é" * 600, "1200 bytes"),
        ("é" * 128, "255 bytes"),
        (".tmp/x", "kept for files being written"),
    ],
)
def test_fault_of_key(key: str, fault: str) -> None:
    with pytest.raises(StoreRefused, match=fault) as caught:
        check_key(key)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("key", ["a", "a/b c", "é" * 127, ".tmpx/a", "a/.tmp/b", "...", "a/" * 100 + "b"])
def test_keys(key: str) -> None:
    assert fault_of_key(key) is None
