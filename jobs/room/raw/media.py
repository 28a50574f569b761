"""What kinds of bytes are shown, and as what: a short list, by what the publisher said or, failing that, by signs."""

from __future__ import annotations

DRAWING = "image/svg+xml"
PICTURES = frozenset(
    f"image/{name}" for name in ("png", "jpeg", "gif", "webp", "avif", "apng", "bmp", "svg+xml", "x-icon")
)
FONTS = frozenset(f"font/{name}" for name in ("woff2", "woff", "ttf", "otf"))
SHEET = "text/css"
PLAIN = "text/plain; charset=utf-8"
_SAME = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/vnd.microsoft.icon": "image/x-icon",
    "application/font-woff": "font/woff",
    "application/font-woff2": "font/woff2",
    "application/x-font-woff": "font/woff",
    "application/x-font-woff2": "font/woff2",
    "application/x-font-ttf": "font/ttf",
    "application/x-font-otf": "font/otf",
    "application/font-sfnt": "font/ttf",
}
_UNSAID = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/binary"})
_SIGNS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"wOF2": "font/woff2",
    b"wOFF": "font/woff",
    b"OTTO": "font/otf",
    b"\x00\x01\x00\x00": "font/ttf",
}
_TEXTS = frozenset({"application/json", "application/ld+json", "application/xml", "application/javascript"})


def find_kind(media_type: str | None, body: bytes) -> str:
    """Return the media type of *body*, one of PICTURES, FONTS or SHEET if it is any of these, else as it was stated."""
    stated = (media_type or "").lower()
    if stated in _UNSAID:
        return next((kind for sign, kind in _SIGNS.items() if body.startswith(sign)), stated)
    return _SAME.get(stated, stated)


def is_text(kind: str) -> bool:
    """Tell whether bytes of that type are shown as the text that they are."""
    return kind.startswith("text/") or kind in _TEXTS or kind.endswith(("+xml", "+json"))
