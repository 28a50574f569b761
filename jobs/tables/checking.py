"""The tables against what is listed and, in full, against the log: reads only, and tells each fault as it is found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import ArchiveError, DamageFound, ObjectMissing, StoreError
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key, digest
from jobs.archive.identity import read_info
from jobs.archive.keys import Standing, read_ring
from jobs.archive.log import Log
from jobs.archive.replacing import Replacements
from jobs.archive.signing import parse_signatures
from jobs.catalog import Catalog
from jobs.fold import FOLD
from jobs.tables.days import fetch_table, scratch_folder
from jobs.tables.files import WRITER, count_rows
from jobs.tables.manifest import list_manifests, manifest_key, read_manifest
from jobs.tables.plan import EVERYTHING, Ends, make_plan
from jobs.tables.rollup import LocalRunner, write_revisions
from jobs.verify.report import Notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.keys import KeyRing
    from jobs.store import ObjectStore
    from jobs.tables.manifest import Manifest, StoredManifest, TableFile
    from jobs.verify import VerifyReport

Note = Callable[[str, str], None]
"""Takes a key and what is wrong with the object there."""


@dataclass(slots=True)
class CheckedTables:
    """What was looked at."""

    manifests: int = 0
    newest: int = 0
    files: int = 0
    rows: int = 0
    bytes: int = 0
    days: int = 0
    """Made anew from the log and compared; only a full check does."""
    damages: int = 0


def note_tables(store: ObjectStore, report: VerifyReport) -> None:
    """Add to *report*, of a check that reads everything, what `check_tables` finds in full. Raises StoreError."""
    try:
        checked = check_tables(store, lambda key, fault: Notes(report, key).damage(fault), full=True)
    except StoreError:
        raise
    except ArchiveError:
        return  # ofrecord.json is broken, which verify said
    report.counts.tables += checked.files


def check_tables(store: ObjectStore, note: Note, *, full: bool = False) -> CheckedTables:
    """Check manifests, the files that the newest one lists and, if *full*, that the log makes the same files.

    In full, files that only older ones list and that are still there are looked at, too. Calls *note* for each fault.
    Raises StoreError only where the store fails as a whole, and what `read_info` does.
    """
    info = read_info(store)
    checked = CheckedTables()

    def tell(key: str, fault: str) -> None:
        checked.damages += 1
        note(key, fault)

    newest, older = _check_chain(store, info, checked, tell)
    if newest is None:
        return checked
    with scratch_folder() as folder:
        for file in (*newest.files, *(_list_left(store, newest, older) if full else ())):
            _check_file(store, file, folder, checked, tell)
        if _check_heads(store, newest, tell) and full and newest.fold == FOLD:
            _compare_with_log(store, info, newest, checked, tell)
    return checked


def _check_chain(
    store: ObjectStore, info: ArchiveInfo, checked: CheckedTables, tell: Note
) -> tuple[Manifest | None, dict[str, TableFile]]:
    """Check every manifest against the one before it, where that is still there.

    Return the newest if it is sound, and the files that any of them lists, by key.
    """
    files: dict[str, TableFile] = {}
    ring, _ = read_ring(store, info.archive, info.digest)  # what is wrong with keys is told by verify
    previous, newest, signer = (0, info.digest), None, 0
    for n in list_manifests(store):
        newest = None
        try:
            stored = read_manifest(store, info, n)
        except StoreError:
            raise
        except ArchiveError as error:
            tell(manifest_key(n), str(error))
            continue
        checked.manifests += 1
        named = stored.manifest.previous
        if previous[0] == n - 1 and previous[1] != named:
            tell(manifest_key(n), f"the chain breaks: names {named} before it, found {previous[1]}")
        previous, newest = (n, stored.digest), stored.manifest
        files.update((file.key, file) for file in newest.files)
        fault, signer = _judge_signature(ring, stored, signer)
        if fault:
            tell(manifest_key(n), fault)
    checked.newest = newest.n if newest else 0
    return newest, files


def _list_left(store: ObjectStore, newest: Manifest, files: Mapping[str, TableFile]) -> list[TableFile]:
    """Return those of *files* that are still there though *newest* does not list them: readers of older ones may."""
    live = {file.key for file in newest.files}
    there = (item.key for item in store.list("tables/") if item.key not in live)
    return [files[key] for key in there if key in files]


def _judge_signature(ring: KeyRing, stored: StoredManifest, least: int) -> tuple[str, int]:
    """Return what is wrong with who signed a manifest, "" if nothing, and the number of the key that did.

    *least*: the number of the key that signed the manifest before it.
    """
    heads = {source: end.seq for source, end in stored.manifest.heads.items()}
    try:
        judged, by = ring.judge_document(stored.signed, parse_signatures(stored.signature), heads, least)
    except ValueError as error:
        return str(error), least
    return (f"signature: {judged.reason}" if judged.standing is Standing.FAULTY else ""), by


def _check_file(store: ObjectStore, file: TableFile, folder: Path, checked: CheckedTables, tell: Note) -> None:
    path = None
    try:
        path = fetch_table(store, file, folder)
        rows = count_rows(path, file)
    except DamageFound as error:
        tell(file.key, str(error))
        return
    finally:
        if path is not None:
            path.unlink()
    checked.files += 1
    checked.rows += rows
    checked.bytes += file.size_bytes
    if rows != file.rows:
        tell(file.key, f"found {rows} rows, the manifest says {file.rows}")


def _check_heads(store: ObjectStore, manifest: Manifest, tell: Note) -> bool:
    """Check that the commits which the tables were made of are in the logs; return whether all are."""
    sound = True
    for source, end in sorted(manifest.heads.items()):
        key = commit_key(source, end.seq)
        try:
            found = digest(store.get(key, length=MAX_COMMIT_BYTES + 1))
        except ObjectMissing:
            found = "nothing"
        if found != end.sha256:
            tell(key, f"found {found}, but the tables were made of {end.sha256}")
            sound = False
    return sound


def _compare_with_log(
    store: ObjectStore, info: ArchiveInfo, manifest: Manifest, checked: CheckedTables, tell: Note
) -> None:
    """Fold the logs anew up to the manifest's heads, make all tables of them, and compare what comes out."""
    listed: dict[tuple[str, str], set[TableFile]] = defaultdict(set)
    for file in manifest.files:
        listed[file.table, file.day].add(file)
    made: dict[tuple[str, str], set[TableFile]] = defaultdict(set)
    with scratch_folder() as folder, Catalog.open(folder / "catalog.sqlite") as catalog:
        try:
            _fold_logs(store, info, manifest, catalog)
            for file in _make_all(store, catalog, manifest, folder):
                made[file.table, file.day].add(file)
        except ArchiveError as error:
            if isinstance(error, StoreError) and not isinstance(error, ObjectMissing):
                raise
            tell("log/", f"the tables cannot be made anew: {error}")
            return
    checked.days = len({day for _, day in made})
    for place in sorted(listed.keys() | made.keys()):
        if listed[place] != made[place]:
            _tell_difference(place, listed[place], made[place], manifest, tell)


def _fold_logs(store: ObjectStore, info: ArchiveInfo, manifest: Manifest, catalog: Catalog) -> None:
    for source, end in manifest.heads.items():
        log = Log(store, info, source)
        ahead = Replacements(log)
        for stored in log.read():
            catalog.add_commit(store, stored, ahead=ahead)
            if stored.commit.seq == end.seq:
                break


def _make_all(store: ObjectStore, catalog: Catalog, manifest: Manifest, folder: Path) -> Iterator[TableFile]:
    runner = LocalRunner(store, put=False)
    days = folder / "days"
    days.mkdir()
    plan = make_plan(catalog, runner, None, days, ends=Ends(manifest.heads), start=EVERYTHING)
    for made in runner.make(plan.tasks):
        yield from made.files
    for path, file in write_revisions(catalog, plan.revision_days, folder):
        path.unlink()
        yield file


def _tell_difference(
    place: tuple[str, str], listed: set[TableFile], made: set[TableFile], manifest: Manifest, tell: Note
) -> None:
    table, day = place
    written = "" if manifest.writer.endswith(WRITER) else f" (listed by {manifest.writer}, compared by {WRITER})"
    tell(
        f"tables/{table}/day={day}/",
        f"the log makes {_describe(made)}, the manifest lists {_describe(listed)}{written};"
        f" ofrecord tables build --since {day} makes it anew",
    )


def _describe(files: Iterable[TableFile]) -> str:
    ordered = sorted(files, key=lambda file: file.key)
    names = ", ".join(f"{file.key.rpartition('/')[2]} with {file.rows} rows" for file in ordered)
    return names or "no file"
