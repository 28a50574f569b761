"""Content codings and character encodings: sound, damaged, hostile."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import brotli
import pytest
import zstandard

from config.errors import ExtractError
from crawler.encoding import decode_html, inflate

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = ("<p>Entry is free, and the library will stay open until 8 pm.</p>\n" * 400).encode()
LIMIT = 1_000_000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("name", CODINGS)
def test_each_coding_is_undone(name: str) -> None:
    assert inflate(CODINGS[name](TEXT), [name.upper()], limit=LIMIT) == TEXT


@pytest.mark.parametrize("name", CODINGS)
def test_the_limit_is_exact(name: str) -> None:
    packed = CODINGS[name](TEXT)
    assert inflate(packed, [name], limit=len(TEXT)) == TEXT
    with pytest.raises(ExtractError, match="more than"):
        inflate(packed, [name], limit=len(TEXT) - 1)


@pytest.mark.parametrize("name", CODINGS)
def test_a_bomb_is_refused(name: str) -> None:
    bomb = CODINGS[name](bytes(30_000_000))
    assert len(bomb) < 100_000
    with pytest.raises(ExtractError, match="more than 1000000 bytes"):
        inflate(bomb, [name], limit=LIMIT)


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("damage", ["cut", "flipped", "rubbish", "doubled limit"])
def test_damage_is_an_extract_error(name: str, damage: str) -> None:
    packed = CODINGS[name](TEXT)
    damaged = {
        "cut": packed[: len(packed) // 2],
        "flipped": b"\xff\xff\xff\xff" + packed[4:],
        "rubbish": b"<html>not packed at all</html>",
        "doubled limit": packed[:1],
    }[damage]
    with pytest.raises(ExtractError, match=r"damaged|ends before"):
        inflate(damaged, [name], limit=LIMIT)


def test_several_members_are_one_body() -> None:
    packed = gzip.compress(TEXT) + gzip.compress(b"<p>second</p>")
    assert inflate(packed, ["gzip"], limit=LIMIT) == TEXT + b"<p>second</p>"


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_body_of_very_many_empty_members_is_refused(name: str) -> None:
    with pytest.raises(ExtractError, match="more than 100"):
        inflate(CODINGS[name](b"") * 5_000, [name], limit=LIMIT)


def test_what_follows_the_first_member_may_be_padding_or_rubbish() -> None:
    assert inflate(gzip.compress(TEXT) + bytes(512), ["gzip"], limit=LIMIT) == TEXT
    assert inflate(gzip.compress(TEXT) + b"rubbish", ["gzip"], limit=LIMIT) == TEXT


def test_deflate_without_its_wrapper_as_some_servers_send_it() -> None:
    assert inflate(raw_deflate(TEXT), ["deflate"], limit=LIMIT) == TEXT


def test_codings_are_undone_from_the_last_to_the_first() -> None:
    packed = brotli.compress(gzip.compress(TEXT))
    assert inflate(packed, ["gzip, br"], limit=LIMIT) == TEXT
    assert inflate(packed, ["gzip", "br"], limit=LIMIT) == TEXT
    assert inflate(TEXT, ["identity", ""], limit=LIMIT) == TEXT


def test_an_empty_body_has_nothing_to_undo() -> None:
    assert inflate(b"", ["gzip"], limit=LIMIT) == b""


def test_unknown_and_too_many_codings_are_refused() -> None:
    with pytest.raises(ExtractError, match="'compress', expected one of gzip"):
        inflate(TEXT, ["compress"], limit=LIMIT)
    with pytest.raises(ExtractError, match="found 5 content codings"):
        inflate(TEXT, ["gzip"] * 5, limit=LIMIT)
    with pytest.raises(ExtractError, match="at most 10"):
        inflate(TEXT, [], limit=10)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"\xef\xbb\xbfna\xc3\xafve", "text/html; charset=iso-8859-1", "naïve"),
        ("naïve".encode("utf-16"), None, "naïve"),
        (b"na\xefve", "text/html; charset=ISO-8859-1", "naïve"),
        (b"na\xc3\xafve", "text/html; charset=utf-8", "naïve"),
        (b"it\x92s", "text/html; charset=latin1", "it’s"),
        (b'<meta charset="windows-1256">\xdf', "text/html", '<meta charset="windows-1256">ك'),
        (b'<meta charset="utf-16">na\xc3\xafve', None, '<meta charset="utf-16">naïve'),
        (b'<meta charset="iso-8859-1">na\xc3\xafve', None, '<meta charset="iso-8859-1">naïve'),
        (b'<meta charset="iso-8859-1">na\xefve', None, '<meta charset="iso-8859-1">naïve'),
        (b"na\xc3\xafve", None, "naïve"),
        (b"na\xc3\xafve \xc3", None, "naïve \ufffd"),
        (b"plain", "text/html; charset=hex", "plain"),
        (b"plain", "text/html; charset=no-such", "plain"),
        (b"\xff na\xc3\xafve", "text/html; charset=utf-8", "\ufffd naïve"),
    ],
)  # fmt: skip
def test_the_encoding_is_found_in_order(body: bytes, content_type: str | None, expected: str) -> None:
    assert decode_html(body, content_type) == expected


def test_an_undeclared_encoding_is_detected() -> None:
    text = "Сообщается, что новая библиотека открыта для всех жителей города каждый день. " * 20
    assert decode_html(text.encode("cp1251"), None) == text
