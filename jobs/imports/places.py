"""How far each file was read, kept in the state folder: an import that was ended goes on there.

Disposable: what is read again is found in the archive, and not kept twice.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from crawler.imports.flows import BEGINNING, Position

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.sources import Source

FOLDER = "imports"
HEAD_BYTES = 64 * 1024
"""So much of a file's beginning tells it from others."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go on with a file."""

    position: Position = BEGINNING
    part: str = ""
    """Of a WACZ."""
    done: bool = False


class Places:
    """The notes of one archive. *scope*: what decides which pages are taken; another one begins anew."""

    def __init__(self, state: Path, scope: str) -> None:
        self._folder = state / FOLDER
        self._scope = scope

    def find(self, name: str, size: int | None, head: bytes) -> Place:
        """Return where to go on with the file of that name, size and beginning."""
        try:
            data = json.loads(self._path(name, size, head).read_bytes())
            return Place(Position(**data["position"]), data["part"], data["done"])
        except (OSError, ValueError, KeyError, TypeError):
            return Place()

    def put(self, name: str, size: int | None, head: bytes, place: Place) -> None:
        """Note *place*, whole or not at all. Raises OSError."""
        path = self._path(name, size, head)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps({"name": name, **asdict(place)}), encoding="utf-8")
        draft.replace(path)

    def _path(self, name: str, size: int | None, head: bytes) -> Path:
        digest = hashlib.sha256(json.dumps([name, size, self._scope]).encode() + head).hexdigest()
        return self._folder / f"{digest[:32]}.json"


def describe_scope(sources: Sequence[Source], **options: Any) -> str:  # noqa: ANN401 - what JSON can say
    """Return a digest of what decides which pages are taken: ids, sites and patterns, and the *options*."""
    told = [
        [one.id, one.home, [entry.url for entry in one.discover], one.articles.model_dump(mode="json")]
        for one in sorted(sources, key=lambda one: one.id)
    ]
    return hashlib.sha256(json.dumps([told, options], sort_keys=True).encode()).hexdigest()
