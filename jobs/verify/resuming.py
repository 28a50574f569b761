"""What a check found sound, kept in a folder of this machine, so that one that was killed goes on where it was.

Of one archive at one place, by one version of this program; told when each object was read. Whoever may write there
could hide damage: it is for this machine's own next try, and goes when the check has come to its end.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError
from crawler.rows import format_time
from jobs.archive.commit import writer_name
from jobs.verify.captures import are_entries

if TYPE_CHECKING:
    from jobs.archive.commit import Commit, CommittedFile
    from jobs.store import ObjectStore
    from jobs.verify.captures import Captures
    from jobs.verify.trace import Identity

_HEAD = "check.json"
_ENDING = ".sound"
_MAX_HEAD_BYTES = 64 * 1024
_MAX_ENTRY_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sound:
    """A segment that was read and found sound."""

    found: datetime
    """When, by this machine's clock."""
    records: int
    rows: int
    keys: tuple[str, ...]
    """Objects that `captures` name, by their number."""
    captures: bytes
    """As `Captures` has them."""


class CheckMemory:
    """The folder of one check."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.used = 0
        """Segments that were not read again."""
        self.since: datetime | None = None
        """When the first of them was read."""

    @classmethod
    def open(cls, folder: Path, store: ObjectStore, identity: Identity) -> CheckMemory:
        """Return the memory in *folder*, which is made if need be.

        Raises ConfigError if it is of another archive or place, or cannot be written.
        """
        wanted = {"archive": identity.archive, "info": identity.info_digest, "place": store.place}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found = _read_json(folder / _HEAD)
            if found is None and any(folder.iterdir()):
                raise ConfigError(f"--resume: {folder}: found other files, expected a folder of this alone, or none")
            if found is not None and {name: found.get(name) for name in wanted} != wanted:
                raise ConfigError(
                    f"--resume: {folder}: remembers a check of archive {str(found.get('archive'))[:40]!a} at "
                    f"{str(found.get('place'))[:200]!a}, expected {identity.archive} at {store.place}; "
                    "give another folder"
                )
            memory = cls(folder)
            if found is None or found.get("writer") != writer_name():
                memory.forget()  # another version looks for other faults
                folder.mkdir(exist_ok=True)
                _write(folder / _HEAD, json.dumps({**wanted, "writer": writer_name()}).encode())
        except OSError as error:
            raise ConfigError(f"--resume: {folder}: cannot be used: {error.strerror}") from error
        return memory

    def find(self, commit: Commit, digest: str, file: CommittedFile) -> Sound | None:
        """Return what is remembered of the segment of *commit*, which has *digest*, in *file*, where it lies.

        `None`: nothing sound.
        """
        try:
            with self._place(commit).open("rb") as kept:
                head = json.loads(kept.readline(_MAX_HEAD_BYTES))
                captures = kept.read(_MAX_ENTRY_BYTES)
            if head["of"] != _identify(digest, file) or head["captures"] != _digest(captures):
                return None
            if not are_entries(head["keys"], captures):
                return None
            found = datetime.fromisoformat(head["found"])
            sound = Sound(found, int(head["records"]), int(head["rows"]), tuple(head["keys"]), captures)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        self.used += 1
        self.since = min(found, self.since or found)
        return sound

    def note(self, commit: Commit, digest: str, found: tuple[CommittedFile, int, int], captures: Captures) -> None:
        """Remember that the segment of *commit* was found sound; a disk that does not take it is no matter.

        *found*: its file, and how many records and rows are in it.
        """
        if commit.segment is None:
            return
        file, records, rows = found
        keys, entries = captures.export(commit.segment)
        head = {
            "of": _identify(digest, file),
            "found": format_time(datetime.now(UTC)),
            "records": records,
            "rows": rows,
            "keys": keys,
            "captures": _digest(entries),
        }
        try:
            _write(self._place(commit), json.dumps(head).encode() + b"\n" + entries)
        except OSError:
            return

    def forget(self) -> None:
        """Remove what is remembered: the check has come to its end."""
        for path in [*self._folder.glob(f"*{_ENDING}*"), self._folder / _HEAD]:
            path.unlink(missing_ok=True)

    def _place(self, commit: Commit) -> Path:
        return self._folder / f"{commit.source}-{commit.seq:012d}{_ENDING}"


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MAX_HEAD_BYTES))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(path: Path, data: bytes) -> None:
    """Write *data* whole or not at all; after a loss of power what is there may be garbage, which its digest tells."""
    temporary = Path(f"{path}.new")
    temporary.write_bytes(data)
    temporary.replace(path)


def _identify(digest: str, file: CommittedFile) -> str:
    """Return what a commit and the file that its segment lies in now make: a replacement moves a segment."""
    return f"{digest} {file.sha256} {file.key}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
