"""What this machine knows of heads: the newest it saw, and what each address got. A cache: it may be deleted."""

from __future__ import annotations

from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "heads.json"
_MAX_BYTES = 256 * 1024


class HeadMemory(BaseModel):
    """The newest head, and by place the newest that it took."""

    model_config = ConfigDict(strict=True, frozen=True)

    archive: str = ""
    newest: int = Field(0, ge=0)
    sent: dict[str, int] = Field(default_factory=dict)
    """By digest of the place, which may be a secret."""


def identify(place: str) -> str:
    """Return what stands for *place* in a file."""
    return blake2b(place.encode("utf-8", "surrogateescape"), digest_size=8, person=b"ofrecord-heads").hexdigest()


def read_memory(state: Path, archive: str) -> HeadMemory:
    """Return what is known in the local state of an archive; nothing where the file is not there or is damaged."""
    try:
        with (state / FILE).open("rb") as file:
            found = HeadMemory.model_validate_json(file.read(_MAX_BYTES))
    except (OSError, ValidationError):
        return HeadMemory(archive=archive)
    return found if found.archive == archive else HeadMemory(archive=archive)


def write_memory(state: Path, memory: HeadMemory) -> None:
    """Keep *memory*; a disk that refuses it costs some requests."""
    with suppress(OSError):
        new = state / f"{FILE}.new"
        new.write_text(memory.model_dump_json(), encoding="utf-8")
        new.replace(state / FILE)
