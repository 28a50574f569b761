"""A source that is to be written down: plain values and their reasons in, a commented YAML file out.

Written only where no file is, and only if what is read back means the same.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from config.document import DocumentError, read_document
from config.errors import ConfigError
from config.sources import Source, load_source

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_COMMENT = 300
_COLUMN = 40
_PLAIN = re.compile(r"[A-Za-z][\w./~%?=+@()&;,-]*(?::[\w./~%?=+@()&;,-]+)*(?: [\w./~%?=+@()&;,-]+)*")
"""What YAML reads as a text without quotes: no sign in it that could be read as anything else."""
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


@dataclass(frozen=True, slots=True)
class Remarked:
    """A value and what is to be said of it."""

    value: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class DraftSeed:
    """A document that announces articles."""

    kind: Literal["feed", "sitemap", "section"]
    url: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A source that is to be written down."""

    id: str
    name: str
    home: str
    discover: tuple[DraftSeed, ...]
    include: tuple[Remarked, ...]
    exclude: tuple[Remarked, ...] = ()
    language: Remarked | None = None
    timezone: Remarked | None = None
    schedule: Remarked | None = None
    delay_seconds: float | None = None
    delay_remark: str = ""
    network: Literal["public", "private"] = "public"
    head: tuple[str, ...] = ()
    """Lines of comment above all."""

    @property
    def values(self) -> dict[str, Any]:
        """The keys of the file and their values."""
        data: dict[str, Any] = {"name": self.name, "home": self.home}
        for key, one in (("language", self.language), ("timezone", self.timezone), ("schedule", self.schedule)):
            if one is not None:
                data[key] = one.value
        if self.network != "public":
            data["network"] = self.network
        data["discover"] = [{seed.kind: seed.url} for seed in self.discover]
        data["articles"] = {"include": [one.value for one in self.include]}
        if self.exclude:
            data["articles"]["exclude"] = [one.value for one in self.exclude]
        if self.delay_seconds is not None:
            data["politeness"] = {"delay_seconds": self.delay_seconds}
        return data


def check_draft(draft: Draft) -> Source:
    """Return the source that *draft* describes, read back from its text. Raises ConfigError if it would not be one."""
    with tempfile.TemporaryDirectory(prefix="ofrecord-draft-") as folder:
        path = Path(folder) / f"{draft.id}.yaml"
        path.write_text(encode_draft(draft), "utf-8")
        source = load_source(path)
        try:
            data = read_document(path).data
        except DocumentError as error:
            raise ConfigError(str(error)) from error
    if data != draft.values:
        raise ConfigError(f"{draft.id}: what is to be written would not be read back as it is meant; report this")
    return source


def write_draft(path: Path, draft: Draft) -> None:
    """Put *draft* to *path*, whole or not at all. Raises ConfigError if something is there, or it cannot be written."""
    check_draft(draft)
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True)
    except OSError as error:
        raise _refuse(path, error) from error
    try:
        _put(path, encode_draft(draft))
    except FileExistsError as error:
        raise ConfigError(f"{path}: is there already; give another name with --id") from error
    except OSError as error:
        raise _refuse(path, error) from error


def _put(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".", delete=False) as file:
        beside = Path(file.name)
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            beside.chmod(0o644)
            os.link(beside, path)  # unlike a rename, this replaces nothing
        finally:
            beside.unlink()


def _refuse(path: Path, error: OSError) -> ConfigError:
    reason = error.strerror or str(error)
    return ConfigError(f"{path}: cannot be written ({reason}); keep the sources in a folder of yours: --config DIR")


def encode_draft(draft: Draft) -> str:
    """Return *draft* as YAML for people, each remark beside or above what it is about."""
    return "".join(f"{line}\n" for line in _list_lines(draft))


def _list_lines(draft: Draft) -> Iterator[str]:
    for line in draft.head:
        yield f"# {clean_remark(line)}".rstrip()
    yield f"name: {_quote(draft.name)}"
    yield f"home: {quote_url(draft.home)}"
    for key, one in (("language", draft.language), ("timezone", draft.timezone), ("schedule", draft.schedule)):
        if one is not None:
            yield _beside(f"{key}: {_quote(one.value)}", one.remark)
    if draft.network != "public":
        yield _beside(f"network: {draft.network}", "addresses of your own network are allowed")
    yield from ("", "discover:")
    for seed in draft.discover:
        yield from _above(seed.remark, 2)
        yield f"  - {seed.kind}: {quote_url(seed.url)}"
    yield from ("", "articles:", "  include:")
    for one in draft.include:
        yield from _above(one.remark, 4)
        yield f"    - {quote_expression(one.value)}"
    if draft.exclude:
        yield "  exclude:"
        for one in draft.exclude:
            yield from _above(one.remark, 4)
            yield f"    - {quote_expression(one.value)}"
    if draft.delay_seconds is not None:
        yield ""
        yield _beside(f"politeness: {{delay_seconds: {draft.delay_seconds:g}}}", draft.delay_remark)


def clean_remark(text: str) -> str:
    """Return *text* as a comment may hold it: one line, not too long, nothing that steers a terminal."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * _MAX_COMMENT]).split())
    return line if len(line) <= _MAX_COMMENT else f"{line[: _MAX_COMMENT - 1]}…"


def _beside(line: str, remark: str) -> str:
    return f"{line.ljust(_COLUMN)}# {clean_remark(remark)}" if remark.strip() else line


def _above(remark: str, indent: int) -> Iterator[str]:
    if remark.strip():
        yield f"{' ' * indent}# {clean_remark(remark)}"


def _quote(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and text.isprintable():
        return text
    return _escape(text)


def quote_url(url: str) -> str:
    """Return a URL as YAML that is easy to read."""
    return url if _PLAIN.fullmatch(url) and url.isprintable() else _escape(url)


def quote_expression(text: str) -> str:
    """Return an expression in single quotes, in which a backslash is one."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return _escape(text)


def _escape(text: str) -> str:
    """Return *text* in double quotes; what cannot be seen by its number, in full: YAML knows no pairs of surrogates."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)
