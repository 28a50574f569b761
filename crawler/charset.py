"""Labels of encodings and the declarations that carry them → an encoding of the web; bytes in it → text.

After the Encoding Standard (encoding.spec.whatwg.org) and the HTML standard's sniffing. Never raises on any bytes.
"""

from __future__ import annotations

import codecs
import re
from functools import cache

REPLACEMENT = "replacement"
"""What old encodings became that hide markup from filters: the whole text is one U+FFFD."""
USER_DEFINED = "x-user-defined"
_PRESCANNED_BYTES = 1024
_HEAD_BYTES = 256 * 1024
"""As far as a declaration is looked for in a head that has not ended: browsers find those too, and start anew."""

_LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso8859-5": ("csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988"),
    "iso8859-6": (
        "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i"
        " iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987"
    ),
    "iso8859-7": (
        "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7"
        " iso_8859-7:1987 sun_eu_greek"
    ),
    "iso8859-8": (
        "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8"
        " iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical"
    ),
    "iso8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso8859-16": "iso-8859-16",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8-u": "koi8-ru koi8-u",
    "mac-roman": "csmacintosh mac macintosh x-mac-roman",
    "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "cp1250": "cp1250 windows-1250 x-cp1250",
    "cp1251": "cp1251 windows-1251 x-cp1251",
    "cp1252": (
        "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1"
        " iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252"
    ),
    "cp1253": "cp1253 windows-1253 x-cp1253",
    "cp1254": (
        "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5"
        " windows-1254 x-cp1254"
    ),
    "cp1255": "cp1255 windows-1255 x-cp1255",
    "cp1256": "cp1256 windows-1256 x-cp1256",
    "cp1257": "cp1257 windows-1257 x-cp1257",
    "cp1258": "cp1258 windows-1258 x-cp1258",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gb18030": "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk gb18030",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc_jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso2022_jp": "csiso2022jp iso-2022-jp",
    "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "cp949": (
        "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949"
    ),
    "utf-16-be": "unicodefffe utf-16be",
    "utf-16-le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    REPLACEMENT: "csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement",
    USER_DEFINED: USER_DEFINED,
}
"""Python's codec that reads an encoding of the standard (often a larger relative) → the labels that mean it."""
_ENCODINGS = {label: name for name, labels in _LABELS.items() for label in labels.split()}
LEGACY_CODECS = tuple(name for name in _LABELS if name not in {REPLACEMENT, USER_DEFINED} and name[:3] != "utf")
GUESSED_CODECS = (
    *("cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "cp866"),
    *("iso8859-2", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "koi8-r", "koi8-u"),
    *("cp932", "euc_jp", "gb18030", "big5hkscs", "cp949"),
)
"""What bytes that nobody declared may be in, as browsers guess; iso2022_jp is known by its escapes."""

_PARAMETER = re.compile(r';\s*+([^\s;="]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^\s;,"]*+))', re.DOTALL)
_XML = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*(?:\"([^\">]*)\"|'([^'>]*)')")
_MARKUP = re.compile(
    rb"<!--(?:-?>|.*?(?:-->|\Z))"
    rb"|<(meta)(?=[\s/])((?:[^>\"'=]++|=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)?+|[\"'])*+)"
    rb"|<(script|style|title)\b.*?(?:</\3\b|\Z)"
    rb"|(<body|</head)\b"
    rb"|</?[a-z](?:[^>\"'=]++|=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)?+|[\"'])*+"
    rb"|<[!/?][^>]*+",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    rb"([^\s/>=][^\s/>=]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s>\"'][^\s>]*+))?+)?+", re.DOTALL
)
_CHARSET = re.compile(rb"charset\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s;\"'][^\s;]*+))", re.IGNORECASE)
_WIDE = str.maketrans("〜‖−¢£¬", "～∥－￠￡￢")
"""Python's euc_jp and iso2022_jp read six characters of JIS X 0208 otherwise than browsers and cp932."""
_MENDED_BYTES = 1024 * 1024
"""Each fault costs a call, so what is larger gets U+FFFD for all."""
_PRIVATE = {0x80 + number: 0xF780 + number for number in range(0x80)}


def find_encoding(label: str | None) -> str | None:
    """Return the codec (or REPLACEMENT, USER_DEFINED) that *label* means in the standard's table, or `None`."""
    return _ENCODINGS.get(label.strip("\t\n\f\r ").lower()) if label and label.isascii() else None


def read_header(content_type: str | None) -> str | None:
    """Return the encoding that a Content-Type states; the first parameter `charset` counts."""
    for found in _PARAMETER.finditer(f";{content_type}" if content_type else ""):
        name, quoted, bare = found.groups()
        if name.lower() == "charset":
            return find_encoding(bare if quoted is None else quoted)
    return None


def read_declaration(body: bytes) -> str | None:
    """Return the encoding that *body* (no byte order mark) declares in `<meta>` or in an XML declaration.

    By the standard's prescan of the first 1,024 bytes; beyond these, like browsers, as far as the head goes.
    A page that could be read this far is in no UTF-16: what says so is UTF-8.
    """
    if body[:6] in {b"<\0?\0x\0", b"\0<\0?\0x"}:
        return "utf-16-le" if body[0] else "utf-16-be"
    found = _read_metas(body[:_HEAD_BYTES])
    if found is None and (match := _XML.match(body[:_PRESCANNED_BYTES])) is not None:
        found = find_encoding((match[1] or match[2] or b"").decode("latin-1"))
    return "utf-8" if found in {"utf-16-le", "utf-16-be"} else found


def _read_metas(page: bytes) -> str | None:
    is_body = False
    for found in _MARKUP.finditer(page):
        is_meta, attributes, _, edge = found.groups()
        if is_meta and (encoding := _read_meta(attributes)) is not None:
            return encoding
        is_body = is_body or edge is not None
        if is_body and found.end() > _PRESCANNED_BYTES:
            break
    return None


def _read_meta(text: bytes) -> str | None:
    attributes: dict[bytes, bytes] = {}
    for found in _ATTRIBUTE.finditer(text):
        attributes.setdefault(found[1].lower(), found[2] or found[3] or found[4] or b"")
    label = attributes.get(b"charset")
    if label is None:
        if attributes.get(b"http-equiv", b"").lower() != b"content-type":
            return None
        match = _CHARSET.search(attributes.get(b"content", b""))
        label = next((group for group in match.groups() if group is not None), b"") if match else b""
    encoding = find_encoding(label.decode("latin-1"))
    return "cp1252" if encoding == USER_DEFINED else encoding


def decode(body: bytes, encoding: str) -> str:
    """Return *body* as text; what *encoding* (of `find_encoding`, or a codec) cannot express becomes U+FFFD."""
    if encoding == REPLACEMENT:
        return "\ufffd" if body else ""
    if encoding == USER_DEFINED:
        return body.decode("latin-1").translate(_PRIVATE)
    if encoding.startswith("cp125") or encoding == "cp874":
        return codecs.charmap_decode(body, "strict", _read_code_page(encoding))[0]
    mended = encoding in {"gb18030", "euc_jp"} and len(body) <= _MENDED_BYTES
    text = body.decode(encoding, _ERRORS if mended else "replace")
    return text.translate(_WIDE) if encoding in {"euc_jp", "iso2022_jp"} else text


@cache
def _read_code_page(codec: str) -> str:
    """Return the 256 characters of a Windows code page; its gaps below 0xA0 are control characters, as in browsers."""
    known = [bytes([byte]).decode(codec, "replace") for byte in range(256)]
    filled = [chr(byte) if sign == "\ufffd" and byte < 0xA0 else sign for byte, sign in enumerate(known)]
    if codec == "cp1255":
        filled[0xCA] = "\u05ba"
    return "".join(filled)


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Return what the standard makes of bytes that Python's codec does not know, and where to go on."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    at, pair = error.start, error.object[error.start : error.start + 2]
    if error.encoding == "gb18030" and pair[0] == 0x80:
        return "€", at + 1
    if error.encoding == "euc_jp" and len(pair) == 2 and min(pair) > 0xA0 and max(pair) < 0xFF:
        return _read_vendor_sign(*pair), at + 2
    return "\ufffd", error.end


def _read_vendor_sign(lead: int, trail: int) -> str:
    """Return what JIS X 0208 lacks and Windows' Shift_JIS has in the same row and cell, as ① and ㈱."""
    row, cell = lead - 0xA1, trail - 0xA1
    first = row // 2 + (0x81 if row < 62 else 0xC1)
    second = cell + 0x9F if row % 2 else cell + 0x40 + (cell >= 63)
    return bytes([first, second]).decode("cp932", "replace")[0]


_ERRORS = "ofrecord_html"
codecs.register_error(_ERRORS, _replace)
