"""What is shown of a capture, within which bounds: kinds of bytes, addresses that hold assets, turns."""

from __future__ import annotations

import threading

import pytest

from jobs.room.endpoints import TookTooLong
from jobs.room.raw import turns
from jobs.room.raw.media import FONTS, PICTURES, find_kind, is_text
from jobs.room.raw.shelf import put_in
from jobs.room.raw.turns import take_turn

MARK = "asset-0123456789abcdef-"


def test_addresses_are_put_in_by_number() -> None:
    text = f'<img src="{MARK}1"><img src="{MARK}0"><p>{MARK}x</p>'
    assert put_in(text, MARK, ["a", "b"], 1_000) == f'<img src="b"><img src="a"><p>{MARK}x</p>'
    assert put_in(f'"{MARK}7"', MARK, ["a"], 1_000) == '"data:,"'


def test_a_page_that_names_one_picture_a_thousand_times_does_not_grow_without_end() -> None:
    text = "".join(f'<img src="{MARK}0">' for _ in range(1_000))
    whole = put_in(text, MARK, ["data:" + "A" * 10_000], 200_000)
    assert len(whole) <= 200_000 + len(text)
    assert 0 < whole.count("AAAA") < len(whole)
    assert whole.count('"data:,"') + whole.count('"data:A') == 1_000


@pytest.mark.parametrize(
    ("stated", "body", "kind"),
    [
        ("image/png", b"", "image/png"),
        ("image/jpg", b"", "image/jpeg"),
        ("application/octet-stream", b"wOF2....", "font/woff2"),
        (None, b"\x89PNG\r\n\x1a\n", "image/png"),
        (None, b"<html>", ""),
        ("application/font-woff", b"", "font/woff"),
        ("text/html", b"\x89PNG\r\n\x1a\n", "text/html"),  # what was said counts
    ],
)
def test_kinds_are_few(stated: str | None, body: bytes, kind: str) -> None:
    assert find_kind(stated, body) == kind


def test_no_kind_that_is_shown_as_it_is_can_run_anything() -> None:
    assert all(one.startswith(("image/", "font/")) for one in PICTURES | FONTS)
    assert is_text("text/html")  # as its text
    assert is_text("application/rss+xml")
    assert not is_text("application/pdf")
    assert not is_text("")


def test_no_more_than_some_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(turns, "_AT_ONCE", threading.BoundedSemaphore(1))
    with take_turn(), pytest.raises(TookTooLong), take_turn():
        pass
    with take_turn():
        pass
