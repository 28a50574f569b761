"""The labelled edits of tests/golden/edits, and states of articles for tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jobs.edits import State

FOLDER = Path(__file__).parent / "golden" / "edits"
LANGUAGES = ("en", "de", "es", "ru", "ar", "zh")


@dataclass(frozen=True)
class Pair:
    """Two states of one article, and what an editor calls the change."""

    id: str
    note: str
    before: State
    after: State
    classes: frozenset[str]
    """Those that must be found."""
    may: frozenset[str]
    silent: bool | None
    backdated: bool


def read_raw(folder: Path, language: str) -> list[dict[str, Any]]:
    """Return the pairs of *language* as the file in *folder* has them."""
    loaded: list[dict[str, Any]] = yaml.safe_load((folder / f"{language}.yaml").read_text("utf-8"))
    return loaded


def read_pairs(folder: Path = FOLDER) -> list[Pair]:
    """Return all pairs of *folder*."""
    return [_read_pair(raw, language) for language in LANGUAGES for raw in read_raw(folder, language)]


def make_state(
    text: str, *, title: str | None = "A title", lead: str | None = None, page_class: str = "article", **fields: Any
) -> State:
    """Return a state with *text*, a paragraph a line; in English unless a field `language` says otherwise."""
    return State(title, lead, tuple(text.split("\n")), {"language": "en", **fields}, page_class)


def _read_pair(raw: dict[str, Any], language: str) -> Pair:
    before, changes = raw["before"], raw["after"]
    fields = {**(before.get("fields") or {}), **(changes.get("fields") or {})}
    return Pair(
        id=raw["id"],
        note=raw["note"],
        before=_read_state(before, language),
        after=_read_state({**before, **changes, "fields": fields}, language),
        classes=frozenset(raw["classes"]),
        may=frozenset(raw["may"]),
        silent=raw["silent"],
        backdated=raw["backdated"],
    )


def _read_state(raw: dict[str, Any], language: str) -> State:
    given = raw.get("fields") or {}
    fields = {"language": language} | {name: value for name, value in given.items() if value is not None}
    return State(raw["title"], raw["lead"], tuple(raw["text"].split("\n")), fields, raw["class"])
