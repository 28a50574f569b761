"""Texts → one file each, Markdown or plain text, in a folder for each source. No page decides where a file lies."""

from __future__ import annotations

import hashlib
import re
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

from jobs.segments.objects import format_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jobs.export.selection import Text

MAX_SLUG_CHARS = 60
_DIGITS = 20
_UNSAFE = re.compile(r"[^a-z0-9]+")


def write_folder(texts: Iterable[Text], folder: Path, ending: str, *, numbered: bool) -> None:
    """Write each of *texts* into a file below *folder*, `md` or `txt`. *numbered*: articles may have several."""
    for text in texts:
        path = folder / name_file(text, ending, numbered=numbered)
        path.parent.mkdir(exist_ok=True)
        with path.open("xb") as file:
            file.write(_render(text, ending))


def write_joined(texts: Iterable[Text], file: IO[bytes], ending: str) -> None:
    """Write *texts* one behind the other; before each but the first a line with a form feed."""
    for number, text in enumerate(texts):
        if number:
            file.write(b"\n\f\n")
        file.write(_render(text, ending))


def name_file(text: Text, ending: str, *, numbered: bool) -> str:
    """Return the path of a text's file: `<source>/<words of its URL>-<digits>[-<number>].<ending>`.

    Plain letters, digits and hyphens, within what any file system takes; the digits are of the URL's SHA-256.
    """
    found = text.found
    digits = hashlib.sha256(f"{found.source}\n{found.url}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    slug = _make_slug(unquote(found.url.partition("?")[0].partition("://")[2].partition("/")[2]))
    number = f"-{found.number:04d}" if numbered else ""
    return f"{_make_slug(found.source) or 'source'}/{slug + '-' if slug else ''}{digits}{number}.{ending}"


def _make_slug(text: str) -> str:
    return _UNSAFE.sub("-", text.lower())[-MAX_SLUG_CHARS:].strip("-")


def _render(text: Text, ending: str) -> bytes:
    told = text.describe()
    body = str(told.pop("text"))
    if ending == "txt":
        return body.encode("utf-8", "replace")
    fields = text.snapshot["fields"]
    values: dict[str, Any] = {name: one.get("value") for name, one in fields.items() if isinstance(one, dict)}
    return format_markdown({**told, "fields": values}, told["title"], body)
