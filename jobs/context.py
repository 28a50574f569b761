"""An archive as one process has it open: store, identity, settings, local state, catalog."""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError, RunLocked, StoreUnavailable
from crawler.spool import FULL
from jobs.archive.identity import ArchiveInfo, list_sources, read_info
from jobs.archive.log import Log
from jobs.archive.signing import read_signer
from jobs.archive.writing import require_signer
from jobs.catalog import Catalog
from jobs.checkpoint.restoring import refresh_catalog
from jobs.checkpoint.writing import sum_up
from jobs.derived import FOLDER, PARTS, discard_parts
from jobs.segments.upload import upload_segment
from jobs.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.settings import Settings
    from jobs.archive.commit import StoredCommit
    from jobs.archive.signing import Signer
    from jobs.segments.seal import SealedSegment
    from jobs.store import ObjectStore


CATALOG_FILE = "catalog.sqlite"
KEY_FILE = "key.json"
"""The newest key that was seen: see `require_signer`."""
PLACE_FILE = "place"
"""Says, for people, which place the state beside it is for."""
_DIGEST_CHARS = 12


@dataclass(frozen=True, slots=True)
class OpenArchive:
    """What every job needs; passed down, never global."""

    store: ObjectStore
    info: ArchiveInfo
    settings: Settings
    state: Path
    """Folder of the local state of this archive at this place: catalog and spools; see `find_state`. Disposable but for
    what is not yet committed."""
    catalog: Catalog
    signer: Signer | None = None
    """Signs what is committed; `None`: nothing is signed."""

    def log(self, source: str) -> Log:
        """Return the log of *source*."""
        return Log(self.store, self.info, source, self.signer)

    def require_signer(self) -> None:
        """Raise ConfigError unless this machine signs with the key that signs this archive now, or neither has one.

        To be asked before work is begun that ends with a commit; about one request.
        """
        require_signer(self.store, self.info, self.signer, self.state / KEY_FILE)

    def spool(self, source: str) -> Path:
        """Return the folder of this source's segments that are not yet in the store."""
        return self.state / "spool" / source

    def refresh(
        self,
        source: str | None = None,
        *,
        checkpoints: bool = True,
        tell: Callable[[str, int, int], None] | None = None,
    ) -> None:
        """Bring the catalog to the log's end with all facts: of one source, or of all.

        *checkpoints*: spare the commits that a checkpoint covers. *tell*: told of each source, and which of how many.
        """
        known = list_sources(self.store)
        if source is not None:
            require_source(source, known)
        chosen = [source] if source else known
        for number, one in enumerate(chosen, 1):
            if tell is not None:
                tell(one, number, len(chosen))
            if checkpoints:
                refresh_catalog(self.catalog, self.store, self.log(one), full=True)
            else:
                self.catalog.refresh(self.store, self.log(one))
        self.discard_redacted()

    def prepare(self, source: str) -> None:
        """Bring the catalog to the log's end as far as a crawl of *source* needs it: by about fifteen requests."""
        refresh_catalog(self.catalog, self.store, self.log(source), full=False)
        self.discard_redacted()

    def discard_redacted(self) -> None:
        """Take away what this machine keeps beside the catalog, if it may hold what was redacted: FORMAT.md § 12."""
        if not self.catalog.has_redacted():
            return
        from jobs.search.index import INDEX_FILE, discard_redacted  # noqa: PLC0415 - loads all that judges edits

        discard_redacted(self.state / INDEX_FILE, self.catalog)
        for folder in (self.state / FOLDER).glob(f"*/{PARTS}"):
            discard_parts(folder, folder.parent.name, self.catalog)

    def commit(self, sealed: SealedSegment) -> tuple[StoredCommit, list[StoredCommit]]:
        """Put *sealed* and commit it, with what is due to be summed up; return its commit and others' before it.

        The catalog has the others then, and not yet its own. The local copy stays. Raises what `upload_segment` does.
        """
        source = sealed.draft.source
        after, head = self.catalog.head(source)
        stored, others = upload_segment(
            self.store,
            self.info,
            sealed,
            after=after,
            head=head,
            sum_up=lambda: self.sum_up(source),
            signer=self.signer,
        )
        for commit in others:
            self.catalog.add_commit(self.store, commit)
        return stored, others

    def sum_up(self, source: str) -> dict[str, Any]:
        """Put the checkpoint and the pack that are due; return the fields of the next commit that name them."""
        return sum_up(self.catalog, self.store, self.log(source))


@contextmanager
def open_archive(settings: Settings, *, fresh_catalog: bool = False) -> Iterator[OpenArchive]:
    """Open the archive that the settings name. Raises ConfigError, ArchiveMissing, StoreError.

    *fresh_catalog*: take the local catalog away first, whatever state it is in.
    """
    if not settings.archive:
        raise ConfigError("no archive named: give --archive PATH or s3://BUCKET/PREFIX, or set OFRECORD_ARCHIVE")
    signer = read_signer(settings)
    store = open_store(settings.archive, settings)
    info = read_info(store)
    state = find_state(settings, store, info.archive)
    try:
        state.mkdir(parents=True, exist_ok=True)
        _note_place(state, store.place)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise ConfigError(f"{state}: cannot keep local state here ({error.strerror}); give --state DIR") from error
    if fresh_catalog:
        for path in state.glob("catalog.sqlite*"):
            path.unlink()
    with Catalog.open(state / CATALOG_FILE) as catalog:
        yield OpenArchive(store, info, settings, state, catalog, signer)


def find_state(settings: Settings, store: ObjectStore, archive: str) -> Path:
    """Return the folder of what is known here of the archive of that id in *store*; it may not be there yet.

    `<id>-<digest of the place>`: a copy has the same id, and what waits for one, or was seen of it, is not the other's.
    """
    place = hashlib.sha256(_encode_place(store.place)).hexdigest()
    return settings.resolve_state_dir() / f"{archive}-{place[:_DIGEST_CHARS]}"


def read_place(state: Path) -> str:
    """Return the place that the state in this folder is for, or "" if it does not say. Raises OSError."""
    note = state / PLACE_FILE
    return note.read_bytes().decode("utf-8", "surrogateescape").removesuffix("\n") if note.exists() else ""


def _note_place(state: Path, place: str) -> None:
    if read_place(state) != place:
        (state / PLACE_FILE).write_bytes(_encode_place(place) + b"\n")


def _encode_place(place: str) -> bytes:
    return place.encode("utf-8", "surrogateescape")  # a path may be no text


def require_source(source: str, known: list[str]) -> None:
    """Raise ConfigError if *source* has no log among those *known*."""
    if source not in known:
        near = difflib.get_close_matches(source, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known) or 'none'}"
        raise ConfigError(f"no source {source!r} in this archive; {hint}")


@contextmanager
def lock_source(spool: Path, source: str) -> Iterator[None]:
    """Hold this machine's lock of *source*. Raises RunLocked saying which process holds it."""
    spool.mkdir(parents=True, exist_ok=True)
    with (spool / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read(40).strip() or "another process"
            raise RunLocked(f"{source}: is being crawled by {holder}; wait for it or stop it") from error
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}")
        file.flush()
        yield


def is_crawled_here(spool: Path) -> bool:
    """Whether a run of this source holds this machine's lock now."""
    try:
        with (spool / "lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def lock_folder(folder: Path, taken: str) -> Iterator[None]:
    """Hold this machine's lock of *folder*, which is made where it is missing. Raises RunLocked saying *taken*."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunLocked(taken) from error
        yield


@contextmanager
def lock_uploads(spool: Path) -> Iterator[None]:
    """Hold the right to move segments in *spool*: a run that was given up may have left a thread that still does.

    Raises StoreUnavailable, since that passes.
    """
    with (spool / "uploading").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreUnavailable(f"{spool}: an earlier run is still at an upload; try again") from error
        yield
