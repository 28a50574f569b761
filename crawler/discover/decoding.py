"""The bytes of an XML or JSON document in whatever encoding → UTF-8 that a strict parser takes. Never raises.

What stated encodings cannot express becomes U+FFFD: one wrong byte must not lose a feed.
"""

from __future__ import annotations

import codecs
import html
import re
from html.entities import html5
from typing import TYPE_CHECKING

from w3lib.encoding import read_bom

from crawler.charset import REPLACEMENT, USER_DEFINED, find_encoding, read_header
from crawler.encoding import decode_html

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_REPAIRS = 250_000
"""References looked at, so that a document made of ampersands takes no long time."""
_BEGINNING_BYTES = 16_384
_CHUNK_BYTES = 1024 * 1024
_MAX_CODE_POINT = 0x10FFFF

_CONTROLS = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r")
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_REPLACEMENT = "\ufffd".encode()
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(rb"(?:\s|<!--.*?-->)*<\?xml\s[^>]{0,500}\?>\s*", re.DOTALL | re.IGNORECASE)

_SOUND = (
    rb"(?:amp|lt|gt|quot|apos|#(?:9|10|13|3[2-9]|[4-9]\d|[1-9]\d{2,3}|[1-46-9]\d{4})"
    rb"|#x(?:[2-9a-fA-F][0-9a-fA-F]|[1-9a-cA-CeE][0-9a-fA-F]{2,3}));"
)
_UNSOUND_REFERENCE = re.compile(rb"&(?!" + _SOUND + rb")")
_REFERENCE_IN_PLACE = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    rb"|&(?!" + _SOUND + rb")(?:#(\d{1,7}|[xX][0-9A-Fa-f]{1,6});|([A-Za-z][A-Za-z0-9]{1,31};))?",
    re.DOTALL,
)


def to_utf8(body: bytes, content_type: str | None) -> bytes:
    """Return *body* in UTF-8, without byte order mark, XML declaration, white space before it, and control characters.

    Bytes that are UTF-8 throughout are UTF-8, whatever anybody says. Else the header's charset comes before the
    document's own declaration, and either before a guess.
    """
    encoding, bom = read_bom(body)
    if encoding is not None and bom is not None:
        text = body[len(bom) :] if encoding == "utf-8" else _transcode(body[len(bom) :], encoding)
        if encoding == "utf-8" and not _is_utf8(text):
            text = _transcode(text, encoding)
    else:
        text = _without_bom(body, content_type)
    text = text.translate(None, _CONTROLS)
    for nonsense in _NONCHARACTERS:
        if nonsense in text:
            text = text.replace(nonsense, _REPLACEMENT)
    declaration = _DECLARATION.match(text, 0, _BEGINNING_BYTES)
    return text[declaration.end() :] if declaration else text.lstrip()


def repair_references(text: bytes) -> bytes:
    """Return *text* (XML) with the references that no XML parser takes mended: the commonest fault of feeds.

    A bare `&` is escaped, HTML's names (`&nbsp;`) become their characters, impossible characters become U+FFFD.
    """
    if _UNSOUND_REFERENCE.search(text) is None:
        return text
    return _REFERENCE_IN_PLACE.sub(_mend, text, count=MAX_REPAIRS)


def _mend(match: re.Match[bytes]) -> bytes:
    number, name = match[1], match[2]
    if number is not None:
        code = int(number[1:], 16) if number[:1] in b"xX" else int(number)
        possible = (code >= 0x20 or code in {9, 10, 13}) and not 0xD800 <= code < 0xE000 and code <= _MAX_CODE_POINT
        return b"&#%d;" % code if possible and code & 0xFFFE != 0xFFFE else _REPLACEMENT
    if name is not None:
        character = html5.get(name.decode("ascii"))
        return b"&amp;" + name if character is None else html.escape(character).encode()
    return b"&amp;" if match[0] == b"&" else match[0]


def _without_bom(body: bytes, content_type: str | None) -> bytes:
    if body[:1] == b"<" and body[1:2] == b"\0":
        return _transcode(body, "utf-16-le")
    if body[:2] == b"\0<":
        return _transcode(body, "utf-16-be")
    declaration = _DECLARED.search(body, 0, _BEGINNING_BYTES)
    declared = _to_codec(find_encoding(declaration[1].decode("ascii")) if declaration else None)
    stated = _to_codec(read_header(content_type))
    if _is_utf8(body):
        shifting = stated or declared if b"\x1b" in body else None
        return _transcode(body, shifting) if shifting else body
    if stated is None and declared is None:
        return decode_html(body, None).encode("utf-8", "replace")
    legacy = [codec for codec in (stated, declared) if codec not in {None, "utf-8"}]
    if len(legacy) < 2 and _is_nearly_utf8(body):
        return _transcode(body, "utf-8")
    return _transcode(body, legacy[0] or "cp1252" if legacy else "cp1252")


def _to_codec(encoding: str | None) -> str | None:
    """Return the codec for a stated encoding; none for UTF-16, which would have shown itself, and for what is none."""
    return None if encoding in {None, REPLACEMENT, USER_DEFINED, "utf-16-le", "utf-16-be"} else encoding


def _pieces(body: bytes) -> Iterator[memoryview]:
    whole = memoryview(body)
    return (whole[start : start + _CHUNK_BYTES] for start in range(0, len(body), _CHUNK_BYTES))


def _is_utf8(body: bytes) -> bool:
    """Tell whether all of *body* is UTF-8, but for a character that its end cuts."""
    if body.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(body):
            decoder.decode(piece)
    except UnicodeDecodeError:
        return False
    return True


def _is_nearly_utf8(body: bytes) -> bool:
    """Tell whether what is beyond ASCII in *body* is UTF-8 more often than not."""
    sample = body[: 4 * _CHUNK_BYTES]
    text = sample.decode("utf-8", "replace")
    return text.count("\ufffd") < len(sample) - len(text)


def _transcode(body: bytes, encoding: str) -> bytes:
    """Return *body* in UTF-8, without a character that its end cuts.

    Piece by piece, since a text of rare characters takes four times its bytes.
    """
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return b"".join(decoder.decode(piece).encode("utf-8", "replace") for piece in _pieces(body))
