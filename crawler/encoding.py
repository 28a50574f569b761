"""Bodies as they came over the wire → bytes → text. Undoes content codings and finds the character encoding.

Never writes, never trusts a length that the other side states: every coding is undone up to a limit.
"""

from __future__ import annotations

import codecs
import re
import zlib
from typing import TYPE_CHECKING, Protocol, cast

import brotli
import zstandard
from isal import isal_zlib
from w3lib.encoding import read_bom

from config.errors import ExtractError
from crawler.charset import GUESSED_CODECS, decode, read_declaration, read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MAX_CODINGS = 4
"""A body that names more content codings than this is refused."""
MAX_MEMBERS = 100
"""Each member after the first costs a copy of what follows it, so their number is bounded."""
_ZSTD_PIECE = 256
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024
"""RFC 9659 allows no larger window on the web."""
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 64 * 1024
_SMALL_CHUNK = 8 * 1024
_SAMPLE_BYTES = 32 * 1024
_SEARCHED_BYTES = 4 * 1024 * 1024
_TEXT = re.compile(rb"[^<>]+")
_LANGUAGE = re.compile(rb"<html\b[^>]{0,500}?\blang\s*=\s*[\"']?([A-Za-z]{2})\b", re.IGNORECASE)
_ASCII = bytes(range(0x80))
_SIGNS = "€…‘’“”•–—™\xa0©«®°·»".encode("cp1252")
"""The same signs in all code pages of Windows."""
_LATIN = {
    "cp1252": "af ca da de en es eu fi fr ga gl is it nb nl nn no pt sq sv",
    "cp1250": "bs cs hr hu pl ro sk sl",
    "cp1254": "az tr",
    "cp1257": "et lt lv",
}
"""Languages in Latin letters with accents here and there, by the encoding that is usual for them."""
_USUAL = {language: codec for codec, languages in _LATIN.items() for language in languages.split()}
_FEW = 4
"""At most one byte in so many beyond ASCII: in Cyrillic or Arabic there are far more."""
_JAPANESE_ESCAPES = (b"\x1b$B", b"\x1b$@", b"\x1b(J")
_WIDE_BYTES = 6
"""UTF-16 without a mark is known by NULs among these."""
_LAST_RESORT = "cp1252"
_NO_CODINGS = frozenset(
    {"", "identity", "none", "null", "utf-8", "utf8", "iso-8859-1", "8bit", "binary", "text", "plain"}
)
"""What servers write where there is no coding; browsers pass over it."""
_FAULTS: tuple[type[Exception], ...] = (
    zlib.error,
    cast("type[Exception]", isal_zlib.error),  # its stub says an instance
    brotli.error,
    zstandard.ZstdError,
    EOFError,
)


class _Inflater(Protocol):
    """What zlib's, deflate's and ISA-L's decompressors have in common."""

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def inflate(body: bytes, content_encodings: Sequence[str], *, limit: int) -> bytes:
    """Undo *content_encodings* (as in the header, in order of application) and return at most *limit* bytes.

    Raises ExtractError on damage, on an unknown coding, and where the result would be longer than *limit*.
    """
    names = [name.strip().lower() for value in content_encodings for name in value.split(",")]
    names = [name for name in names if name not in _NO_CODINGS]
    if len(names) > MAX_CODINGS:
        raise ExtractError(f"body: found {len(names)} content codings, at most {MAX_CODINGS} are undone")
    for name in reversed(names):
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise ExtractError(f"body: found content coding {name!r}, expected one of {', '.join(_DECODERS)}")
        try:
            body = decoder(body, limit)
        except _FAULTS as error:
            raise ExtractError(f"body: damaged {name} data of {len(body)} bytes: {error}") from error
    if len(body) > limit:
        raise ExtractError(f"body: {len(body)} bytes, at most {limit} are read")
    return body


def inflate_beginning(body: bytes, content_encodings: Sequence[str], *, limit: int) -> bytes:
    """Undo *content_encodings* as far as it goes: at most *limit* bytes, what comes before a fault. Never raises."""
    names = [name.strip().lower() for value in content_encodings for name in value.split(",")]
    for name in reversed([name for name in names if name not in _NO_CODINGS][:MAX_CODINGS]):
        beginning = _BEGINNINGS.get(name)
        if beginning is None:
            break
        try:
            body = beginning(body, limit)
        except _FAULTS:
            return b""
    return body[:limit]


def inflate_by_steps(body: bytes, content_encodings: Sequence[str], limits: Sequence[int]) -> Iterator[bytes]:
    """Yield piece by piece what `inflate_beginning` returns for the last of *limits*; no further than anybody looks.

    Up to each of *limits*, which grow, there is one piece, which may be empty; where a body cannot be had step by step,
    one for all.
    """
    names = [name.strip().lower() for value in content_encodings for name in value.split(",")]
    names = [name for name in names if name not in _NO_CODINGS]
    if len(names) != 1 or _BEGINNINGS.get(names[0]) is not _begin_zlib:
        yield inflate_beginning(body, content_encodings, limit=limits[-1])
        return
    inflater, at, size = _begin_inflating(body), 0, 0
    for limit in limits:
        out, piece = [], b"begun"
        try:
            while size < limit and not inflater.eof and (at < len(body) or piece):  # some may be held back
                given = body[at : at + _SMALL_CHUNK]
                piece = inflater.decompress(given, limit - size)
                at += len(given) - len(inflater.unconsumed_tail)
                size += len(piece)
                out.append(piece)
        except _FAULTS:
            pass  # of what follows a fault nothing can be read
        yield b"".join(out)


def _begin_inflating(body: bytes) -> isal_zlib.Decompress:
    raw = len(body) < 2 or (body[:2] != _GZIP_MAGIC and (body[0] & 0x0F != 8 or (body[0] << 8 | body[1]) % 31))
    return isal_zlib.decompressobj(wbits=-15 if raw else 47)


def _begin_zlib(body: bytes, limit: int) -> bytes:
    inflater, out = _begin_inflating(body), bytearray()
    for at in range(0, len(body), _CHUNK):
        try:
            out += inflater.decompress(body[at : at + _CHUNK], limit - len(out) + 1)
        except _FAULTS:
            break
        if len(out) > limit or inflater.eof:
            break
    return bytes(out)


def _begin_brotli(body: bytes, limit: int) -> bytes:
    return bytes(brotli.Decompressor().process(body, output_buffer_limit=limit))


def _begin_zstd(body: bytes, limit: int) -> bytes:
    with zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).stream_reader(body) as stream:
        return stream.read(limit)


def decode_beginning(data: bytes) -> str:
    """Return the beginning of a page as text good enough for its ASCII: of UTF-16 by its mark, else octet by octet."""
    encoding, bom = read_bom(data)
    if encoding is not None and bom is not None and encoding.startswith("utf-16"):
        return data[len(bom) :].decode(encoding, "replace")
    return data.decode("latin-1")


def decode_by_steps(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield piece by piece what `decode_beginning` returns for all of *pieces*, the first of which has the mark."""
    rest = iter(pieces)
    first = next(rest, b"")
    if first[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        yield decode_beginning(first + b"".join(rest))
        return
    yield decode_beginning(first)
    for piece in rest:
        yield piece.decode("latin-1")


def decode_html(body: bytes, content_type: str | None) -> str:
    """Return *body* as text in the encoding that `find_html_encoding` names, without its byte order mark.

    Never raises: what the encoding cannot express becomes U+FFFD.
    """
    encoding, mark, text = _find_encoding(body, content_type)
    return decode(body[mark:], encoding) if text is None else text


def read_html(body: bytes, content_type: str | None) -> tuple[str, bytes]:
    """Return what `decode_html` returns, and the same in UTF-8: nearly always *body* as it is."""
    encoding, mark, text = _find_encoding(body, content_type)
    if text is not None:
        return text, body
    body = body[mark:]
    if encoding == "utf-8":
        try:
            return body.decode("utf-8"), body
        except UnicodeDecodeError:
            pass
    text = decode(body, encoding)
    return text, text.encode("utf-8", "replace")


def find_html_encoding(body: bytes, content_type: str | None) -> tuple[str, int]:
    """Return the encoding of a page and the length of its byte order mark.

    In the HTML standard's order: the mark, the header's charset, the page's own declaration, UTF-8, detection.
    Against the page's own declaration (not the header's) there is one appeal, which browsers do not know: bytes beyond
    ASCII that are UTF-8 throughout are UTF-8, since no text in another encoding looks so by chance.
    """
    return _find_encoding(body, content_type)[:2]


def _find_encoding(body: bytes, content_type: str | None) -> tuple[str, int, str | None]:
    """Return the encoding, the length of the mark, and the text where it had to be decoded to know."""
    marked, mark = read_bom(body)
    if marked is not None and mark is not None:
        return marked, len(mark), None
    stated = read_header(content_type)
    if stated is not None:
        return stated, 0, None
    is_ascii = body.isascii()
    declared = read_declaration(body) if is_ascii or b"\0" in body[:_WIDE_BYTES] else None
    if is_ascii or (declared is not None and declared.startswith("utf-16")):
        shifting = any(escape in body for escape in _JAPANESE_ESCAPES)
        return declared or ("iso2022_jp" if shifting else "utf-8"), 0, None
    is_utf8, text = _read_utf8(body)
    if is_utf8:
        return "utf-8", 0, text
    return declared or read_declaration(body) or _detect(body), 0, None


def _read_utf8(body: bytes) -> tuple[bool, str | None]:
    """Return whether *body* is UTF-8, which may be cut at its end, and the text if it is whole."""
    try:
        return True, body.decode("utf-8")
    except UnicodeDecodeError as error:
        cut = error.end >= len(body) and error.reason == "unexpected end of data"
        return cut and not body[: error.start].isascii(), None


def _detect(body: bytes) -> str:
    """Return the likeliest encoding of the web for what is beyond ASCII in *body*: markup and scripts say nothing.

    A few accents in a short text say little: there the page's stated language counts, if its encoding can be that.
    """
    pieces, size = [], 0
    for piece in _TEXT.finditer(body, 0, _SEARCHED_BYTES):
        if not piece[0].isascii():
            pieces.append(piece[0].strip())
            size += len(pieces[-1])
            if size >= _SAMPLE_BYTES:
                break
    sample = b"\n".join(pieces)[:_SAMPLE_BYTES]
    beyond = sample.translate(None, _ASCII)
    if not beyond.translate(None, _SIGNS):
        return _LAST_RESORT
    stated = _LANGUAGE.search(body, 0, _SAMPLE_BYTES)
    usual = _USUAL.get(stated[1].decode("ascii").lower()) if stated else None
    if usual is not None and _FEW * len(beyond) < len(sample) and "\ufffd" not in sample.decode(usual, "replace"):
        return usual
    from charset_normalizer import from_bytes  # noqa: PLC0415 - 20 ms for every process, and few pages need it

    best = from_bytes(sample, steps=3, chunk_size=512, cp_isolation=list(GUESSED_CODECS)).best()
    return best.encoding if best is not None else _LAST_RESORT


def _gunzip(body: bytes, limit: int) -> bytes:
    """Undo gzip, one member after another; padding and rubbish after a member are passed over."""
    out = bytearray()
    rest = body
    for number in range(MAX_MEMBERS):
        if not rest or (number and not rest.startswith(_GZIP_MAGIC)):
            return bytes(out)
        inflater = isal_zlib.decompressobj(wbits=31)
        out += _drain(inflater, rest, limit - len(out), limit)
        rest = inflater.unused_data.lstrip(b"\0")
    raise ExtractError(f"body: more than {MAX_MEMBERS} gzip members in one body")


def _inflate_deflate(body: bytes, limit: int) -> bytes:
    """Undo `deflate`: zlib by the standard, raw deflate as some servers send it."""
    if not body:
        return b""
    is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return _drain(zlib.decompressobj() if is_zlib else zlib.decompressobj(wbits=-15), body, limit, limit)


def _drain(inflater: _Inflater, data: bytes, room: int, limit: int) -> bytes:
    out = inflater.decompress(data, room + 1)
    if len(out) > room:
        _check(limit + 1, limit)
    if not inflater.eof:
        raise EOFError("the data ends before the stream does")
    return out


def _inflate_brotli(body: bytes, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    out = bytearray()
    feed = body
    while not decoder.is_finished():
        piece = decoder.process(feed, output_buffer_limit=_CHUNK)
        feed = b""
        out += piece
        _check(len(out), limit)
        if not piece and decoder.can_accept_more_data():
            break
    if body and not decoder.is_finished():
        raise EOFError("the data ends before the stream does")
    return bytes(out)


def _inflate_zstd(body: bytes, limit: int) -> bytes:
    out = bytearray()
    rest = body
    for _ in range(MAX_MEMBERS):
        if not rest:
            return bytes(out)
        inflater = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()
        at = 0
        while at < len(rest) and not inflater.eof:
            # a small piece at a time, since there is no limit to give: 4 bytes may become 128 KiB
            out += inflater.decompress(rest[at : at + _ZSTD_PIECE])
            _check(len(out), limit)
            at += _ZSTD_PIECE
        if not inflater.eof:
            raise EOFError("the data ends before the stream does")
        rest = inflater.unused_data + rest[at:]
    raise ExtractError(f"body: more than {MAX_MEMBERS} zstd frames in one body")


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise ExtractError(f"body: inflates to more than {limit} bytes, so it is not read further")


_BEGINNINGS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _begin_zlib,
    "x-gzip": _begin_zlib,
    "deflate": _begin_zlib,
    "br": _begin_brotli,
    "zstd": _begin_zstd,
}
_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate_deflate,
    "br": _inflate_brotli,
    "zstd": _inflate_zstd,
}
