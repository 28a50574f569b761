"""Pages whose bytes are hostile: encodings that lie, NULs, marks without end, bombs and damage in content codings."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import brotli
import zstandard

from tests.hostile.case import MB, Hostile, page

if TYPE_CHECKING:
    from collections.abc import Callable

_HUGE = 100 * MB
_LETTERS = "Größe, café, naïve – “quoted” words. " * 100


def _squeezed_zeros() -> bytes:
    return gzip.compress(bytes(_HUGE), mtime=0)


def _brotli_bomb() -> bytes:
    squeezer = brotli.Compressor(quality=5)
    return b"".join([*(squeezer.process(b"<p>" * MB) for _ in range(100)), squeezer.finish()])


def _zstd_bomb() -> bytes:
    squeezer = zstandard.ZstdCompressor().compressobj()
    return b"".join([*(squeezer.compress(b"<p>" * MB) for _ in range(100)), squeezer.flush()])


def _many_members(count: int) -> bytes:
    return b"".join([gzip.compress(b"<p>one", mtime=0)] * count)


def _squeezed() -> list[Hostile]:
    whole = page("<p>more</p>" * 1_000)
    cases: dict[str, tuple[tuple[str, ...], Callable[[], bytes]]] = {
        "a gzip bomb": (("gzip",), _squeezed_zeros),
        "a gzip bomb of gzip bombs": (("gzip", "gzip"), lambda: gzip.compress(_squeezed_zeros(), mtime=0)),
        "a deflate bomb": (("deflate",), lambda: zlib.compress(bytes(_HUGE))),
        "a brotli bomb": (("br",), _brotli_bomb),
        "a zstd bomb": (("zstd",), _zstd_bomb),
        "1000 gzip members": (("gzip",), lambda: _many_members(1_000)),
        "99 gzip members before 10 MB": (("gzip",), lambda: _many_members(99) + b"\0" * (10 * MB)),
        "1000 zstd frames": (("zstd",), lambda: zstandard.compress(b"<p>one") * 1_000),
        "empty brotli blocks": (("br",), lambda: b"\x0b\x00\x80" + b"\x06" * MB),
        "stored deflate blocks": (("deflate",), lambda: b"\x78\x9c" + b"\x00\x00\x00\xff\xff" * 2_000_000),
        "codings in codings": (
            ("gzip", "br", "deflate", "zstd"),
            lambda: zstandard.compress(zlib.compress(brotli.compress(gzip.compress(whole, mtime=0), quality=4))),
        ),
        "a thousand codings": ((", ".join(["gzip"] * 1_000),), lambda: gzip.compress(whole, mtime=0)),
        "an unknown coding": (("lzma",), lambda: whole),
        "a coding that lies": (("br",), lambda: gzip.compress(whole, mtime=0)),
        "gzip that is none": (("gzip",), lambda: whole),
        "gzip cut off": (("gzip",), lambda: gzip.compress(whole, mtime=0)[:-200]),
        "gzip of a wrong checksum": (("gzip",), lambda: gzip.compress(whole, mtime=0)[:-8] + bytes(8)),
        "brotli cut off": (("br",), lambda: brotli.compress(whole, quality=4)[:-20]),
        "zstd with a window of 1 GB": (("zstd",), lambda: b"\x28\xb5\x2f\xfd\x00\xa0" + b"\x02\x00\x10a" * 10_000),
        "gzip headers that never end": (("gzip",), lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (5 * MB)),
    }
    return [Hostile(name, build, codings=codings) for name, (codings, build) in cases.items()]


def _encoded() -> list[Hostile]:
    whole = page(f"<p>{_LETTERS}</p>").decode()
    unstated = "text/html"
    cases: dict[str, tuple[str | None, Callable[[], bytes]]] = {
        "invalid UTF-8": (
            "text/html; charset=utf-8",
            lambda: page("") + b"<p>" + b"\xff\xfe\xc3(\xe2\x28\xa1" * 300_000,
        ),
        "invalid UTF-8 unstated": (unstated, lambda: page("") + b"\xff\xc3(\xe2\x28\xa1\xf0\x80" * 200_000),
        "overlong UTF-8": (unstated, lambda: b"\xc0\xbcscript\xc0\xbe\xe0\x80\xbc" * 50_000 + page("")),
        "surrogates in UTF-8": (unstated, lambda: page("<p>" + "\ud83d\ude00\ud800" * 100_000)),
        "UTF-16 with its mark": (unstated, lambda: ("\ufeff" + whole).encode("utf-16-le")),
        "UTF-16 without its mark": ("text/html; charset=utf-16", lambda: whole.encode("utf-16-le")),
        "UTF-16 unstated": (unstated, lambda: whole.encode("utf-16-be")),
        "UTF-32 with its mark": (unstated, lambda: ("\ufeff" + whole).encode("utf-32-le")),
        "UTF-32 unstated": (unstated, lambda: whole.encode("utf-32-be")),
        "half a UTF-16 character": ("text/html; charset=utf-16le", lambda: whole.encode("utf-16-le") + b"\x00"),
        "surrogates in UTF-16": (unstated, lambda: b"\xff\xfe" + b"<\x00p\x00>\x00" + b"\x00\xd8" * MB),
        "UTF-7": ("text/html; charset=utf-7", lambda: whole.encode("utf-7")),
        "an encoding that is none": ("text/html; charset=klingon", lambda: whole.encode("utf-8")),
        "an encoding of 1 MB": ("text/html; charset=" + "x" * 8_000, lambda: whole.encode("utf-8")),
        "an encoding that is a compressor": ("text/html; charset=zlib_codec", lambda: zlib.compress(whole.encode())),
        "header against meta": (
            "text/html; charset=iso-8859-1",
            lambda: whole.replace("<head>", '<head><meta charset="utf-8">').encode(),
        ),
        "meta against bytes": (unstated, lambda: b'<meta charset="shift_jis">' + whole.encode("cp1252", "replace")),
        "shift_jis over windows-1252": ("text/html; charset=shift_jis", lambda: whole.encode("cp1252", "replace")),
        "ISO-2022-JP that switches": (
            "text/html; charset=iso-2022-jp",
            lambda: page("") + b"\x1b$B0l\x1b(B<p>a\x1b$B</p>" * 100_000,
        ),
        "random bytes as an encoding to guess": (unstated, lambda: page("") + bytes(range(128, 256)) * 5_000),
        "guessing among Cyrillics": (unstated, lambda: page("") + ("Съешь ещё этих " * 20_000).encode("koi8-r")),
        "declarations of encodings": (unstated, lambda: b"<meta a=" * 50_000 + whole.encode("cp1252", "replace")),
        "a NUL": (unstated, lambda: whole.replace("Library", "Lib\0rary").encode()),
        "NULs everywhere": (unstated, lambda: b"<p>a\0" * 100_000 + whole.replace(" ", "\0 ").encode()),
        "NULs after a while": (unstated, lambda: page("<p>" + "\0" * (5 * MB))),
        "nothing but NULs": (unstated, lambda: bytes(5 * MB)),
        "control characters": (unstated, lambda: page("<p>" + "".join(map(chr, range(1, 32))) * 50_000)),
        "escape sequences": (unstated, lambda: page("<p>" + "\x1b[2J\x1b]0;x\x07" * 100_000)),
        "bidirectional marks": (unstated, lambda: page("<p>" + "\u202e\u2066a\u2069\u202c" * 200_000)),
        "combining marks of 1 MB": (unstated, lambda: page("<p>" + "Z" + "\u0301\u0316" * 250_000)),
        "combining marks as references": (unstated, lambda: page("<p>Z" + "&#769;&#790;" * 100_000)),
        "combining marks on every letter": (unstated, lambda: page("<p>" + ("Z" + "\u0301\u0316" * 50) * 5_000)),
        "combining marks in a title": (
            unstated,
            lambda: page("", head='<meta property="og:title" content="Z' + "\u0301\u0316" * 100_000 + '">'),
        ),
        "Hangul to compose": (unstated, lambda: page("<p>" + "\u1100\u1161\u11a8" * 200_000)),
        "letters that grow when normalised": (unstated, lambda: page("<p>" + "\ufb2c\u0958\u1f82" * 200_000)),
        "letters that grow when folded": (unstated, lambda: page("<h2>" + "\u0390ß\ufb03" * 200_000 + "</h2>")),
        "a page that is no text": (unstated, lambda: bytes(range(256)) * 20_000),
        "a page that is said to be a picture": ("image/png", lambda: page("")),
        "a page of no type": (None, lambda: page("")),
        "a type of nonsense": (";;;charset==;" + "," * 4_000, lambda: page("")),
        "nothing": (unstated, lambda: b""),
        "white space": (unstated, lambda: b" \r\n\t" * MB),
    }
    return [Hostile(name, build, content_type=content_type) for name, (content_type, build) in cases.items()]


CODINGS = [*_squeezed(), *_encoded()]
