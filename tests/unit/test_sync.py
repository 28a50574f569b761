from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ArchiveMissing, ConfigError
from jobs.archive.commit import commit_key, digest
from jobs.archive.identity import read_info
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore
from jobs.sync import SourceState, copying, sync_archive
from jobs.sync.scratch import PREFIX, Room, open_scratch
from jobs.verify import verify_archive
from tests.archives import put
from tests.logs import append_draft, append_segment, build_logs
from tests.signed import FIRST, SECOND, rotate

if TYPE_CHECKING:
    from jobs.sync import SyncReport
from tests.copies import FEW, Witness, keys_of, make_tables, name, read_all


@pytest.fixture
def origin(tmp_path: Path) -> MemoryStore:
    store = MemoryStore()
    build_logs(store, tmp_path / "spool", FEW)
    return store


def test_copy_is_the_same_byte_for_byte_and_whole_at_every_put(origin: MemoryStore) -> None:
    copy = Witness()
    report = sync_archive(origin, copy)
    assert read_all(copy) == read_all(origin)
    assert copy.puts[0] == "ofrecord.json" or copy.puts[0].startswith("probe/")
    assert report.objects_copied == len(keys_of(origin)) == 11
    assert report.bytes_copied == sum(len(data) for data in read_all(origin).values())
    assert (report.objects_there, report.uncommitted, report.problems, report.notes) == (0, 0, [], [])
    for source, length in FEW.items():
        one = report.sources[source]
        assert one.state is SourceState.WHOLE
        assert one.origin == one.copy
        assert one.copy is not None
        assert one.copy.seq == length
        assert one.copy.digest == digest(origin.get(commit_key(source, length)))
    assert not verify_archive(copy, full=True).damaged


@pytest.mark.parametrize("full", [False, True])
def test_second_sync_copies_nothing_and_third_only_what_is_new(
    origin: MemoryStore, tmp_path: Path, *, full: bool
) -> None:
    copy = Witness()
    sync_archive(origin, copy)
    copy.puts.clear()
    again = sync_archive(origin, copy, full=full)
    assert (again.objects_copied, again.bytes_copied, again.objects_there, copy.puts) == (0, 0, 11, [])
    stored = append_segment(origin, tmp_path / "spool", source="herald")
    third = sync_archive(origin, copy, full=full)
    assert copy.puts == [stored.commit.files[0].key, commit_key("herald", 3)]
    assert (third.objects_copied, third.objects_there) == (2, 11)
    assert read_all(copy) == read_all(origin)


def test_what_is_no_part_of_an_archive_stays_behind(origin: MemoryStore) -> None:
    part = read_all(origin)
    left = "segments/gazette/sealed=2026-11-22/gazette-20261122T120000Z-00000000000000ff.warc.gz"
    for key in ("feeds/new.atom", "lease/gazette/000000000001.000001", "probe/a", "raw/gazette/a", "clean/a/b", left):
        put(origin, key, b"x")
    copy = MemoryStore()
    report = sync_archive(origin, copy)
    assert read_all(copy) == part
    assert report.uncommitted == 1
    assert [note.partition(" ")[0] for note in report.notes] == ["raw/", "clean/"]
    assert report.to_json()["uncommitted"] == 1


def test_some_sources_only(origin: MemoryStore) -> None:
    copy = MemoryStore()
    put(origin, "heads/000000000001.json", b"{}\n-\n")
    report = sync_archive(origin, copy, sources=["herald"])
    assert {key.split("/")[1] for key in keys_of(copy) if "/" in key} == {"herald"}
    assert list(report.sources) == ["herald"]
    assert any("heads" in note for note in report.notes)
    sync_archive(origin, copy)
    assert read_all(copy) == read_all(origin)


def test_refuses_an_unknown_source_before_anything_is_put(origin: MemoryStore) -> None:
    copy = MemoryStore()
    with pytest.raises(ConfigError, match=r"no source 'harold'.*gazette, herald"):
        sync_archive(origin, copy, sources=["harold"])
    assert keys_of(copy) == []


def test_refuses_another_archive_naming_both(origin: MemoryStore, tmp_path: Path) -> None:
    copy = MemoryStore()
    build_logs(copy, tmp_path / "other", {"gazette": 1})
    before = read_all(copy)
    with pytest.raises(ConfigError) as caught:
        sync_archive(origin, copy)
    assert read_info(origin).archive in str(caught.value)
    assert read_info(copy).archive in str(caught.value)
    assert read_all(copy) == before


def test_refuses_logs_without_identity_and_an_origin_that_is_none(origin: MemoryStore) -> None:
    copy = MemoryStore()
    put(copy, "log/gazette/000000000001", b"x")
    with pytest.raises(ConfigError, match="found logs but no"):
        sync_archive(origin, copy)
    with pytest.raises(ArchiveMissing):
        sync_archive(MemoryStore(), MemoryStore())


def test_logs_that_part_are_told_and_left_alone(origin: MemoryStore, tmp_path: Path) -> None:
    copy = MemoryStore()
    sync_archive(origin, copy)
    ours = [append_segment(origin, tmp_path / "spool", source="gazette") for _ in range(4)]
    theirs = [append_segment(copy, tmp_path / "theirs", source="gazette") for _ in range(2)]
    append_segment(origin, tmp_path / "spool", source="herald")
    before = keys_of(copy, "log/gazette/"), keys_of(copy, "segments/gazette/")
    report = sync_archive(origin, copy)
    assert report.sources["gazette"].state is SourceState.DIVERGED
    (problem,) = report.problems
    assert problem.key == commit_key("gazette", 4)
    for words in ("commit 4", ours[0].digest, theirs[0].digest, "written to by others"):
        assert words in problem.message
    assert (keys_of(copy, "log/gazette/"), keys_of(copy, "segments/gazette/")) == before
    assert report.sources["herald"].state is SourceState.WHOLE
    assert keys_of(copy, "log/herald/") == keys_of(origin, "log/herald/")


def test_copy_that_is_ahead_is_left_alone(origin: MemoryStore, tmp_path: Path) -> None:
    copy = MemoryStore()
    sync_archive(origin, copy)
    append_segment(copy, tmp_path / "theirs", source="herald")
    before = read_all(copy)
    report = sync_archive(origin, copy)
    assert report.sources["herald"].state is SourceState.AHEAD
    assert not report.damaged
    assert [one.source for one in report.ahead] == ["herald"]
    assert read_all(copy) == before


def test_sources_that_only_the_copy_has_are_ahead(origin: MemoryStore, tmp_path: Path) -> None:
    """As where FROM and TO were taken for each other, and a source was new since."""
    copy = MemoryStore()
    sync_archive(origin, copy)
    append_segment(copy, tmp_path / "theirs", source="courier")
    before = read_all(copy)
    report = sync_archive(origin, copy)
    (one,) = report.ahead
    assert (one.source, one.origin, one.copy and one.copy.seq) == ("courier", None, 1)
    assert read_all(copy) == before
    assert not sync_archive(origin, copy, sources=["herald"]).ahead  # the others were not asked for


def test_checkpoints_and_packs_go_before_the_commit_that_names_them(origin: MemoryStore) -> None:
    old = name(origin, "checkpoint/gazette/000000000002", b"old", seq=2)
    append_draft(origin, "gazette", checkpoint=old)
    new = name(origin, "checkpoint/gazette/000000000003", b"new", seq=3)
    pack = name(origin, "log/gazette/pack-000000000001-000000001000", b"pack", first=1, last=1000)
    append_draft(origin, "gazette", checkpoint=new, pack=pack)
    append_draft(origin, "gazette", checkpoint=new)
    put(origin, "checkpoint/gazette/000000000009", b"of no commit")
    origin.delete(old["key"])
    copy = MemoryStore()
    report = sync_archive(origin, copy)
    assert not report.problems
    assert any(old["key"] in note for note in report.notes)
    assert read_all(copy).items() < read_all(origin).items()
    assert {*keys_of(origin)} - {*keys_of(copy)} == {"checkpoint/gazette/000000000009"}


def test_dry_run_says_the_same_and_writes_nothing(origin: MemoryStore, tmp_path: Path) -> None:
    place = tmp_path / "copy"
    dry = sync_archive(origin, LocalStore(place), dry_run=True)
    assert not place.exists()
    copy = LocalStore(place)
    wet = sync_archive(origin, copy)
    assert (dry.objects_copied, dry.bytes_copied) == (wet.objects_copied, wet.bytes_copied) == (11, wet.bytes_copied)
    append_segment(origin, tmp_path / "spool", source="herald")
    before = read_all(copy)
    dry = sync_archive(origin, copy, dry_run=True)
    assert (dry.objects_copied, dry.objects_there) == (2, 11)
    assert read_all(copy) == before


def test_tables_keys_and_heads_are_copied_files_before_manifests(origin: MemoryStore) -> None:
    files = make_tables(origin)
    rotate(origin, FIRST)
    rotate(origin, SECOND, FIRST)
    for key in ("heads/000000000001.json", "heads/000000000001.tsr"):
        put(origin, key, key.encode())
    copy = Witness()
    report = sync_archive(origin, copy)
    assert not report.damaged
    assert {*keys_of(origin)} - {*keys_of(copy)} == {f"tables/captures/day=2026-11-22/{'f' * 32}.parquet"}
    puts = [key for key in copy.puts if not key.startswith("probe/")]
    assert puts[:3] == ["ofrecord.json", "keys/000001.json", "keys/000002.json"]
    assert sorted(puts[-6:-4]) == files
    assert puts[-4:-2] == ["tables/manifest-000000000001", "tables/manifest-000000000002"]
    assert puts[-2:] == ["heads/000000000001.json", "heads/000000000001.tsr"]
    assert sync_archive(origin, copy).objects_copied == 0


def test_long_objects_go_through_files_that_are_gone_afterwards(
    origin: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "IN_MEMORY_BYTES", 100)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    copy = LocalStore(tmp_path / "copy")
    sync_archive(origin, copy)
    assert read_all(copy) == read_all(origin)
    assert not sync_archive(origin, copy, full=True).damaged
    assert list((tmp_path / "scratch").iterdir()) == []


def test_folder_of_a_dead_sync_is_swept_and_that_of_a_live_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / f"{PREFIX}dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "object").write_bytes(b"x" * 100)
    with open_scratch() as live:
        assert not dead.exists()
        with open_scratch():
            assert live.exists()
    assert list(tmp_path.iterdir()) == []


def test_room_lets_a_long_file_in_only_alone() -> None:
    room, order = Room(10), []
    entered = threading.Event()

    def take_long() -> None:
        entered.set()
        with room.take(50):
            order.append("long")

    with room.take(4):
        thread = threading.Thread(target=take_long)
        thread.start()
        assert entered.wait(10)
        with room.take(6):
            order.append("short")
    thread.join(10)
    assert order == ["short", "long"]


def test_progress_is_told_of_each_object(origin: MemoryStore) -> None:
    steps: list[Any] = []
    sync_archive(origin, MemoryStore(), progress=steps.append)
    assert [step.files for step in steps] == [1, 2, 3, 4, 5]
    assert steps[-1].bytes == steps[-1].bytes_known > 0


def test_objects_of_a_writer_at_work_cost_no_reading_of_the_old_log(origin: MemoryStore) -> None:
    copy = MemoryStore()
    sync_archive(origin, copy)
    asked: list[str] = []

    class Watching(MemoryStore):
        def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
            asked.append(key)
            return super().get(key, offset=offset, length=length)

    watched = Watching()
    for key, data in read_all(origin).items():
        put(watched, key, data)
    time.sleep(0.001)
    put(watched, "segments/gazette/sealed=2026-11-22/gazette-20261122T120000Z-00000000000000ff.warc.gz", b"x")
    report = sync_archive(watched, copy)
    assert report.uncommitted == 1
    assert set(asked) == {"ofrecord.json", commit_key("gazette", 3), commit_key("herald", 2)}


def test_two_syncs_at_once_make_one_copy(origin: MemoryStore) -> None:
    copy = Witness()
    reports: list[SyncReport] = []
    threads = [threading.Thread(target=lambda: reports.append(sync_archive(origin, copy))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert read_all(copy) == read_all(origin)
    assert [report.problems for report in reports] == [[]] * 4
    assert sum(report.objects_copied for report in reports) == 11
