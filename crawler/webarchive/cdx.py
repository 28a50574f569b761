"""A CDX server's answer → copies, in the forms that there are: CDX lines, CDXJ, JSON lines (pywb), rows (Wayback)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from crawler.webarchive.copies import MAX_COPIES, MAX_FIELD_CHARS, Copy, CopyList, read_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest")
"""The first six of each usual form, whatever follows them."""
_LETTERS = dict(zip("Nbamsk", _FIELDS, strict=True))
_OTHER_NAMES = {"url": "original", "mime": "mimetype", "status": "statuscode"}
_MAX_LINE_CHARS = 64 * 1024
_MAX_KEY_CHARS = 8_192


def read_cdx(text: str, *, cut: bool = False) -> CopyList:
    """Return what a CDX server answered with *text*. Never raises: a faulty line is left out and counted.

    *cut*: whether the answer was cut: then all whole lines count.
    """
    if cut:
        text = text[: text.rfind("\n") + 1]
    if text.lstrip()[:1] == "[":
        return _collect(_read_rows(text))
    return _collect(_read_lines(text))


class _Key(str):
    """A resumption key."""

    __slots__ = ()


def _collect(entries: Iterable[Mapping[str, Any] | _Key | None]) -> CopyList:
    """*entries*: fields of a line by name, `None` for a faulty one, and the key, if there is one."""
    copies: list[Copy] = []
    resume = None
    lines = faulty = 0
    truncated = False
    for entry in entries:
        if isinstance(entry, _Key):
            resume = str(entry)
            break
        if len(copies) >= MAX_COPIES:
            truncated = True
            break
        lines += 1
        copy = None if entry is None else _read_copy(entry)
        if copy is None:
            faulty += 1
        else:
            copies.append(copy)
    error = f"{faulty} of {lines} lines are no index lines" if faulty else None
    return CopyList(tuple(copies), resume, lines=lines, error=error, truncated=truncated)


def _read_copy(fields: Mapping[str, Any]) -> Copy | None:
    told = {_OTHER_NAMES.get(name, name): value for name, value in fields.items() if isinstance(value, str | int)}
    url, stamp = told.get("original"), read_stamp(str(told.get("timestamp", ""))[:20])
    if not isinstance(url, str) or stamp is None or not url.lower().startswith(("http://", "https://")):
        return None
    status = str(told.get("statuscode", ""))[:10]
    return Copy(
        url=url,
        captured_at=stamp,
        status=int(status) if len(status) == 3 and status.isascii() and status.isdigit() else None,
        media_type=_say(told.get("mimetype")),
        digest=_say(told.get("digest")),
    )


def _say(value: object) -> str | None:
    text = str(value or "")[:MAX_FIELD_CHARS]
    return text if text.strip("-") else None


def _read_lines(text: str) -> Iterator[Mapping[str, Any] | _Key | None]:
    names: Sequence[str] = _FIELDS
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip():
            rest = [other.strip() for other in lines if other.strip()]
            if len(rest) == 1 and len(rest[0]) <= _MAX_KEY_CHARS and " " not in rest[0]:
                yield _Key(rest[0])
            elif rest:
                yield None  # what stands behind an empty line is a key or a fault
            return
        if line.startswith(" CDX "):
            names = [_LETTERS.get(letter, letter) for letter in line.split()[1:]]
        elif len(line) > _MAX_LINE_CHARS:
            yield None
        else:
            yield _read_line(line, names)


def _read_line(line: str, names: Sequence[str]) -> Mapping[str, Any] | None:
    if line.startswith("{"):
        return _read_object(line)
    key, _, rest = line.partition(" ")
    stamp, _, told = rest.partition(" ")
    if told.startswith("{"):
        found = _read_object(told)
        return None if found is None else {**found, "urlkey": key, "timestamp": stamp}
    values = line.split()
    return dict(zip(names, values, strict=False)) if len(values) >= len(_FIELDS) else None


def _read_object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _read_rows(text: str) -> Iterator[Mapping[str, Any] | _Key | None]:
    """Yield the rows of a JSON array of arrays, of which the first names the fields; behind an empty one is the key."""
    names: list[str] | None = None
    rows = _split_rows(text)
    for row in rows:
        if row is None:
            yield None
        elif not row:
            key = next(rows, None)
            if key and isinstance(key[0], str) and len(key) == 1 and len(key[0]) <= _MAX_KEY_CHARS:
                yield _Key(key[0])
            return
        elif names is None:
            names = [str(name) for name in row]
        else:
            yield dict(zip(names, row, strict=False))


def _split_rows(text: str) -> Iterator[list[Any] | None]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        yield from _split_broken_rows(text)
        return
    if isinstance(found, list):
        for row in found:
            yield row if isinstance(row, list) else None


def _split_broken_rows(text: str) -> Iterator[list[Any] | None]:
    """Yield what is whole of an array that was cut: servers write a row a line."""
    for number, line in enumerate(text.splitlines()):
        row = line.strip().removesuffix(",")
        if number == 0:
            row = row.removeprefix("[")
        if len(row) > _MAX_LINE_CHARS or not row.startswith("["):
            continue
        try:
            found = json.loads(row)
        except (ValueError, RecursionError):
            yield None
            continue
        yield found if isinstance(found, list) else None
