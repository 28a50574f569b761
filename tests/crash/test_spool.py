"""Every state that a death, or a disk that spoils files, can leave a spool in: the next start finishes it, once."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ObjectDiffers, RecordError, StoreUnavailable
from config.settings import Settings
from config.sources import Source
from crawler.derivation import derive
from crawler.segment import SegmentWriter
from crawler.spool import LOCK_FILE, ROWS_FILE, WARC_FILE
from jobs.archive.identity import create_archive
from jobs.context import OpenArchive, lock_uploads, open_archive
from jobs.runs.spool import REASON_FILE, has_closed, list_damaged, set_aside
from jobs.segments.seal import DRAFT_FILE, SealedSegment, load_sealed, seal_segment
from jobs.segments.upload import put_file, upload_segment
from jobs.store import open_store
from jobs.verify import verify_archive
from tests.archives import NOON, SOURCE, finish_spool, write_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GAZETTE = Source(
    id=SOURCE,
    name="Gazette",
    home="https://gazette.example/",
    discover=[{"feed": "https://gazette.example/rss"}],
    articles={"include": ["."]},
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[OpenArchive]:
    (tmp_path / "archive").mkdir()
    settings = Settings(archive=str(tmp_path / "archive"), state_dir=tmp_path / "state")
    create_archive(open_store(str(tmp_path / "archive"), settings), single_writer=False, now=NOON)
    with open_archive(settings) as opened:
        yield opened


def close(archive: OpenArchive) -> Path:
    return write_segment(archive.spool(SOURCE), archive=archive.info.archive)


def seal(archive: OpenArchive) -> SealedSegment:
    return seal_segment(close(archive), now=NOON)


def leave_closed(archive: OpenArchive) -> None:
    close(archive)


def leave_closed_with_lock(archive: OpenArchive) -> None:
    (close(archive) / LOCK_FILE).touch()


def leave_half_sealed_rows(archive: OpenArchive) -> None:
    with (close(archive) / WARC_FILE).open("ab") as file:
        file.write(b"\x1f\x8b\x08 half")


def leave_half_a_draft(archive: OpenArchive) -> None:
    sealed = seal(archive)
    whole = sealed.path.rename(archive.spool(SOURCE) / "closed" / sealed.path.name)
    draft = whole / DRAFT_FILE
    draft.write_bytes(draft.read_bytes()[:100])
    again = close(archive)
    shutil.move(again / ROWS_FILE, whole / ROWS_FILE)
    (whole / WARC_FILE).write_bytes((again / WARC_FILE).read_bytes())
    shutil.rmtree(again)


def leave_sealed(archive: OpenArchive) -> None:
    seal(archive)


def leave_sealed_with_rows(archive: OpenArchive) -> None:
    closed = close(archive)
    rows = (closed / ROWS_FILE).read_bytes()
    (seal_segment(closed, now=NOON).path / ROWS_FILE).write_bytes(rows)


def leave_put(archive: OpenArchive) -> None:
    sealed = seal(archive)
    for file in sealed.draft.files:
        put_file(archive.store, file, sealed.local_file(file))


def leave_committed_unknown_to_the_catalog(archive: OpenArchive) -> None:
    upload_segment(archive.store, archive.info, seal(archive), after=0, head="")


def leave_committed(archive: OpenArchive) -> None:
    stored, _ = upload_segment(archive.store, archive.info, seal(archive), after=0, head="")
    archive.catalog.add_commit(archive.store, stored)


def leave_half_removed(archive: OpenArchive) -> None:
    sealed = seal(archive)
    stored, _ = upload_segment(archive.store, archive.info, sealed, after=0, head="")
    archive.catalog.add_commit(archive.store, stored)
    gone = archive.spool(SOURCE) / "gone"
    gone.mkdir()
    sealed.path.rename(gone / sealed.path.name)
    (gone / sealed.path.name / WARC_FILE).unlink()


def leave_open_and_torn(archive: OpenArchive) -> None:
    closed = close(archive)
    target = closed.parent.parent / "open" / closed.name
    target.parent.mkdir(exist_ok=True)
    closed.rename(target)
    rows = (target / ROWS_FILE).read_bytes()
    (target / ROWS_FILE).write_bytes(rows[: rows.rindex(b"\n", 0, -1) - 20])
    with (target / WARC_FILE).open("ab") as file:
        file.write(b"\x1f\x8b\x08 torn")


STATES = [
    leave_closed,
    leave_closed_with_lock,
    leave_half_sealed_rows,
    leave_half_a_draft,
    leave_sealed,
    leave_sealed_with_rows,
    leave_put,
    leave_committed_unknown_to_the_catalog,
    leave_committed,
    leave_half_removed,
    leave_open_and_torn,
]


def list_spool(archive: OpenArchive) -> list[str]:
    spool = archive.spool(SOURCE)
    return sorted(str(path.relative_to(spool)) for path in spool.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("leave", STATES)
def test_every_state_is_finished_at_the_next_start(archive: OpenArchive, leave: Callable[[OpenArchive], None]) -> None:
    leave(archive)
    finish_spool(archive, GAZETTE)
    assert list_spool(archive) == []
    assert archive.catalog.count_all()["commits"] == 1
    assert archive.catalog.count_all()["captures"] == 3
    report = verify_archive(archive.store, full=True)
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert report.uncommitted == []
    assert finish_spool(archive, GAZETTE) == 0


def spoil_closed_rows(archive: OpenArchive) -> None:
    rows = close(archive) / ROWS_FILE
    data = rows.read_bytes()
    rows.write_bytes(data[:200] + b"\0\0\0" + data[203:])


def lose_closed_warc(archive: OpenArchive) -> None:
    (close(archive) / WARC_FILE).unlink()


def spoil_sealed_warc(archive: OpenArchive) -> None:
    path = seal(archive).path / WARC_FILE
    data = path.read_bytes()
    path.write_bytes(data[:300] + bytes([data[300] ^ 1]) + data[301:])


def spoil_draft(archive: OpenArchive) -> None:
    (seal(archive).path / DRAFT_FILE).write_bytes(b"{}")


def lose_sealed_warc(archive: OpenArchive) -> None:
    (seal(archive).path / WARC_FILE).unlink()


@pytest.mark.parametrize(
    "spoil", [spoil_closed_rows, lose_closed_warc, spoil_sealed_warc, spoil_draft, lose_sealed_warc]
)
def test_a_spoilt_segment_holds_up_no_other_and_is_kept(
    archive: OpenArchive, spoil: Callable[[OpenArchive], None]
) -> None:
    spoil(archive)
    close(archive)
    assert finish_spool(archive, GAZETTE) == 1
    (line,) = list_damaged(archive.spool(SOURCE))
    assert "set aside, not committed: " in line
    (folder,) = (archive.spool(SOURCE) / "damaged").iterdir()
    assert (folder / REASON_FILE).exists()
    assert any((folder / name).exists() for name in (WARC_FILE, DRAFT_FILE, ROWS_FILE))
    assert not verify_archive(archive.store, full=True).damaged
    assert finish_spool(archive, GAZETTE) == 0


def test_a_segment_that_changes_once_it_is_sealed_is_not_committed(
    archive: OpenArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was just sealed is not read once more before it is put: the store is to notice, and then we look."""

    def seal_and_spoil(closed: Path, **given: Any) -> SealedSegment:
        sealed = seal_segment(closed, **given)
        path = sealed.path / WARC_FILE
        data = path.read_bytes()
        path.write_bytes(data[:300] + bytes([data[300] ^ 1]) + data[301:])
        return sealed

    close(archive)
    with monkeypatch.context() as patched:
        patched.setattr("jobs.runs.spool.seal_segment", seal_and_spoil)
        with pytest.raises(ObjectDiffers):
            finish_spool(archive, GAZETTE)
    assert finish_spool(archive, GAZETTE) == 0
    (line,) = list_damaged(archive.spool(SOURCE))
    assert "changed on this disk" in line


def test_rows_that_are_none_leave_nothing_behind_the_exchanges(
    archive: OpenArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows pass by one by one, and a record of them may be written before the one that is spoilt is met."""
    monkeypatch.setattr("crawler.warc.facts.BLOCK_BYTES", 1)
    closed = close(archive)
    before = (closed / WARC_FILE).read_bytes()
    lines = (closed / ROWS_FILE).read_bytes().splitlines(keepends=True)
    (closed / ROWS_FILE).write_bytes(b"".join([*lines[:-2], b"\0\n", lines[-1]]))
    with pytest.raises(RecordError, match=f"line {len(lines) - 1}: "):
        seal_segment(closed, now=NOON)
    assert (closed / WARC_FILE).read_bytes() == before


def test_what_cannot_be_derived_again_is_committed_all_the_same(
    archive: OpenArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier text wants deriving under the present rules, and no worker can be started."""
    present = derive(GAZETTE.extract, timezone=GAZETTE.timezone, language=GAZETTE.language)
    close(archive)
    assert finish_spool(archive, GAZETTE) == 1
    later = NOON + timedelta(hours=1)
    write_segment(archive.spool(SOURCE), archive=archive.info.archive, now=later, derivation=present)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert finish_spool(archive, GAZETTE) == 1
    assert list_spool(archive) == []
    assert archive.catalog.count_verdicts("gazette-20261122T120000Z-0123456789abcdef").get("uncompared") == 2


def test_a_sealed_segment_is_what_its_draft_says(archive: OpenArchive) -> None:
    sealed = seal(archive)
    assert load_sealed(sealed.path) == sealed


def test_a_segment_that_is_set_aside_twice_has_two_places(tmp_path: Path) -> None:
    for text in ("first", "second"):
        folder = tmp_path / "sealed" / "gazette-x"
        folder.mkdir(parents=True)
        (folder / "records.warc.gz").write_text(text)
        set_aside(folder, f"the {text} fault")
    found = {path.name: (path / "records.warc.gz").read_text() for path in (tmp_path / "damaged").iterdir()}
    assert found == {"gazette-x": "first", "gazette-x.1": "second"}
    assert len(list_damaged(tmp_path)) == 2


def test_two_threads_never_move_the_segments_of_one_spool(tmp_path: Path) -> None:
    with (
        lock_uploads(tmp_path),
        pytest.raises(StoreUnavailable, match="an earlier run is still at an upload"),
        lock_uploads(tmp_path),
    ):
        pass
    with lock_uploads(tmp_path):
        pass


def test_a_lone_open_segment_is_work_once_its_writer_has_let_go(tmp_path: Path) -> None:
    assert not has_closed(tmp_path)
    writer = SegmentWriter.open(tmp_path, source=SOURCE, run=f"{SOURCE}-1", archive=None, writer="ofrecord/0", now=NOON)
    assert not has_closed(tmp_path)
    writer.abandon()
    assert has_closed(tmp_path)
    (empty,) = (tmp_path / "open").iterdir()
    (empty / ROWS_FILE).unlink()  # its writer died before it wrote anything
    assert not has_closed(tmp_path)
