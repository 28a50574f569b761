"""Cold storage of a whole archive: every fact, record and verdict as before, by whatever steps, and nothing lost."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import DamageFound, RunLocked
from config.settings import Settings
from crawler.warc import read_records
from jobs.archive.facts import fetch_rows
from jobs.archive.identity import create_archive
from jobs.archive.log import Log
from jobs.archive.places import find_places
from jobs.catalog import Catalog
from jobs.changes.reports import _find_snapshot
from jobs.cli.commands import run
from jobs.compaction import choosing
from jobs.compaction.choosing import choose_groups
from jobs.compaction.proving import lay_out
from jobs.compaction.running import DRAFT_FILE, Compaction
from jobs.context import open_archive
from jobs.prune import prune_archive
from jobs.segments.pages import DerivingLimits
from jobs.store.local import LocalStore
from jobs.verify import VerifyReport, verify_archive
from jobs.verify.compacted import check_compacted
from jobs.verify.reading import ReadFile
from jobs.verify.walking import walk_file
from tests.archives import DERIVATION, NOON, PAGES, SOURCE, commit_segment, write_segment
from tests.compactions import list_facts, list_keys, read_pages
from tests.replacements import replace_segments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.context import OpenArchive

SEGMENTS = 8
LATER = NOON + timedelta(days=1)
NO_TIME = timedelta(0)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[OpenArchive]:
    (tmp_path / "archive").mkdir()
    store = LocalStore(tmp_path / "archive")
    info = create_archive(store, single_writer=False, now=NOON)
    last = None
    for number in range(SEGMENTS):
        now = NOON + timedelta(hours=number)
        pages = [replace(page, words=f"{page.words} {number // 2}" + " As it was before." * 50) for page in PAGES]
        closed = write_segment(tmp_path, pages, archive=info.archive, now=now)
        last = commit_segment(store, info, closed, now=now, after=last)  # type: ignore[arg-type]
    with open_archive(Settings(archive=str(tmp_path / "archive"), state_dir=tmp_path / "state")) as opened:
        opened.refresh(SOURCE)
        yield opened


def work(archive: OpenArchive, grace: timedelta = NO_TIME, *, dry_run: bool = False) -> Compaction:
    return Compaction(archive, SOURCE, grace=grace, dry_run=dry_run)


def test_compacted_and_restored_it_says_the_same(archive: OpenArchive) -> None:
    facts, pages = list_facts(archive), read_pages(archive)
    before = sum(one.size_bytes for one in archive.store.list("segments/"))
    report = work(archive).compact(LATER)
    assert (report.segments, report.objects, report.before_bytes) == (SEGMENTS, 1, before)
    assert report.after_bytes < before
    assert list_facts(archive) == facts
    assert read_pages(archive) == pages
    assert len(list_keys(archive)) == SEGMENTS + 1  # their time has not come in this run
    again = work(archive).compact(LATER)
    assert (again.segments, len(again.deleted)) == (0, SEGMENTS)
    assert [key.endswith(".warc.zst") for key in list_keys(archive)] == [True]
    assert read_pages(archive) == pages
    with Catalog.open(archive.state / "anew") as anew:
        anew.refresh(archive.store, archive.log(SOURCE))
        assert list_facts(replace(archive, catalog=anew)) == facts
    restored = work(archive).restore()
    assert restored.segments == SEGMENTS
    work(archive).restore()
    assert verify_archive(archive.store, full=True).damages == 0
    assert [key.endswith(".warc.gz") for key in list_keys(archive)] == [True] * SEGMENTS
    assert list_facts(archive) == facts
    assert read_pages(archive) == pages
    for key in list_keys(archive):
        assert not any(one.find_faults() for one in read_records(io.BytesIO(archive.store.get(key))))


def test_what_is_young_or_asked_only_stays(archive: OpenArchive) -> None:
    keys = list_keys(archive)
    report = work(archive, dry_run=True).compact(LATER)
    assert (report.segments, report.after_bytes) == (SEGMENTS, 0)
    half = NOON + timedelta(hours=SEGMENTS / 2)
    assert work(archive, dry_run=True).compact(half).segments == SEGMENTS // 2
    assert work(archive).compact(NOON).segments == 0
    assert list_keys(archive) == keys


def test_old_objects_wait_for_their_time(archive: OpenArchive) -> None:
    work(archive, grace=timedelta(days=30)).compact(LATER)
    report = work(archive).compact(LATER)
    assert (report.deleted, len(report.kept)) == ([], SEGMENTS)
    assert len(list_keys(archive)) == SEGMENTS + 1


def test_groups_stay_within_their_size(archive: OpenArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    places = find_places(archive.log(SOURCE).read())
    size = next(iter(places.objects.values())).file.size_bytes
    monkeypatch.setattr(choosing, "MAX_INPUT_BYTES", int(size * 3.5))
    assert [len(group) for group in choose_groups(places, LATER)] == [3, 3, 2]
    monkeypatch.setattr(choosing, "MAX_SEGMENTS", 2)
    assert [len(group) for group in choose_groups(places, LATER)] == [2, 2, 2, 2]


def test_what_took_its_place_is_checked_before_anything_goes(archive: OpenArchive) -> None:
    work(archive).compact(LATER)
    (key,) = [key for key in list_keys(archive) if key.endswith(".zst")]
    path = Path(archive.store.url.removeprefix("file://")) / key
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(DamageFound, match="what it took the place of stays"):
        work(archive).compact(LATER)
    assert len(list_keys(archive)) == SEGMENTS + 1


def test_a_damaged_segment_stops_it(archive: OpenArchive) -> None:
    key = list_keys(archive)[2]
    path = Path(archive.store.url.removeprefix("file://")) / key
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    keys = list_keys(archive)
    with pytest.raises(DamageFound, match="run ofrecord verify"):
        work(archive).compact(LATER)
    assert list_keys(archive) == keys


def test_what_was_redacted_meanwhile_does_not_come_back(archive: OpenArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = list(find_places(archive.log(SOURCE).read()).segments)[3]
    commit = Compaction._commit

    def redact_first(self: Compaction, draft: object) -> None:
        replace_segments(archive.store, archive.info, [segment])
        commit(self, draft)  # type: ignore[arg-type]

    monkeypatch.setattr(Compaction, "_commit", redact_first)
    with pytest.raises(RunLocked, match="moved segments meanwhile"):
        work(archive).compact(LATER)
    monkeypatch.undo()
    assert work(archive).compact(LATER).segments == SEGMENTS
    places = find_places(archive.log(SOURCE).read())
    assert [one.is_compacted for one in places.objects.values()] == [True]
    assert not (archive.state / "compaction" / SOURCE / DRAFT_FILE).exists()


class Killed(BaseException):
    """Ends everything, as a kill does; nothing here catches it."""


STEPS = ("fetch", "create", "append", "purge")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_nothing(
    step: str, after: bool, archive: OpenArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, pages = list_facts(archive), read_pages(archive)
    owner: type = Log if step == "append" else LocalStore
    real = getattr(owner, step)
    for count in range(1, 30):
        left = count

        def die(*args: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == 0 and not after:
                raise Killed
            result = real(*args, **options)
            if left == 0:
                raise Killed
            return result

        monkeypatch.setattr(owner, step, die)
        try:
            work(archive).compact(LATER)
        except Killed:
            monkeypatch.setattr(owner, step, real)
            archive.refresh(SOURCE)
            assert list_facts(archive) == facts
            assert read_pages(archive) == pages
            continue
        monkeypatch.setattr(owner, step, real)
        break
    assert left > 0
    work(archive).compact(LATER)
    work(archive).compact(LATER)
    assert list_facts(archive) == facts
    assert read_pages(archive) == pages
    named = {file.key for stored in archive.log(SOURCE).read() for file in stored.commit.files}
    assert sum(key in named for key in list_keys(archive)) == 1


def test_a_restore_that_was_killed_between_its_commits_goes_on_with_what_is_left(
    archive: OpenArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, pages = list_facts(archive), read_pages(archive)
    work(archive).compact(LATER)
    monkeypatch.setattr("jobs.compaction.choosing.MAX_RESTORED", 2)
    bring = Compaction._bring
    brought: list[int] = []

    def bring_once(*given: Any, **named: Any) -> None:
        if brought:
            raise Killed
        brought.append(1)
        bring(*given, **named)

    monkeypatch.setattr(Compaction, "_bring", bring_once)
    with pytest.raises(Killed):
        work(archive).restore()
    monkeypatch.setattr(Compaction, "_bring", bring)
    assert work(archive).restore().segments == SEGMENTS - 2
    work(archive).restore()
    report = verify_archive(archive.store, full=True)
    assert [str(one) for one in report.findings if one.severity == "damage"] == []
    assert list_facts(archive) == facts
    assert read_pages(archive) == pages


def test_a_draft_that_was_proven_is_committed_by_the_next_run(
    archive: OpenArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(Log, "append", die)
    with pytest.raises(Killed):
        work(archive).compact(LATER)
    monkeypatch.undo()
    report = work(archive).compact(LATER)
    assert report.segments == 0
    assert len([key for key in list_keys(archive) if key.endswith(".zst")]) == 1
    assert [one.is_compacted for one in find_places(archive.log(SOURCE).read()).objects.values()] == [True]


def test_verify_finds_a_compacted_archive_sound(archive: OpenArchive) -> None:
    work(archive).compact(LATER)
    work(archive).compact(LATER)
    report = verify_archive(archive.store, full=True)
    assert report.damages == 0, report.findings
    (placed,) = find_places(archive.log(SOURCE).read()).objects.values()
    assert report.counts.records == placed.file.records


def test_verify_names_what_is_wrong_in_a_compacted_object(archive: OpenArchive, tmp_path: Path) -> None:
    work(archive).compact(LATER)
    (placed,) = [one for one in find_places(archive.log(SOURCE).read()).objects.values() if one.is_compacted]
    path = tmp_path / "copy"
    archive.store.fetch(placed.file.key, path)
    third = list(lay_out(path, placed.segments))[2]
    data = bytearray(path.read_bytes())
    data[third.start + (third.rows.offset - third.start) // 2] ^= 0xFF
    stored = Path(archive.store.url.removeprefix("file://")) / placed.file.key
    stored.chmod(0o644)
    stored.write_bytes(data)
    found = [one for one in verify_archive(archive.store, full=True).findings if one.key == placed.file.key]
    assert any("the bytes were changed" in one.message for one in found)
    assert any(third.start <= (one.offset or 0) < third.rows.offset for one in found)
    assert any(f"segment {third.segment}: found" in one.message for one in found)
    others = [one.segment for one in placed.segments if one.segment != third.segment]
    assert not any(other in one.message for one in found for other in others)


def test_verify_says_that_no_text_of_what_was_compacted_is_made_anew(archive: OpenArchive) -> None:
    limits = DerivingLimits.of(Settings(), workers=1)
    told = verify_archive(archive.store, rederive=limits).findings
    assert [one.message for one in told if "made anew" in one.message] == []
    work(archive).compact(LATER)
    told = verify_archive(archive.store, rederive=limits).findings
    (notice,) = [one for one in told if "not made anew here: ofrecord rebuild" in one.message]
    assert (notice.key.endswith(".warc.zst"), notice.severity) == (True, "notice")


def test_verify_compares_with_what_the_commit_says(archive: OpenArchive, tmp_path: Path) -> None:
    work(archive).compact(LATER)
    stored = next(one for one in archive.log(SOURCE).read() if one.commit.kind == "replace")
    commit = stored.commit
    path = tmp_path / "copy"
    archive.store.fetch(commit.files[0].key, path)

    def check(detail: dict[str, object]) -> list[str]:
        report = VerifyReport(full=True)
        local = {commit.files[0].key: ReadFile(path, walk_file(path, commit.files[0].key, None, warc=True))}
        check_compacted(replace(commit, detail=detail), local, report)
        return [one.message for one in report.findings]

    segments = commit.detail["segments"]
    assert check(commit.detail) == []
    rows = {**segments[1]["rows"], "sha256": "sha256:" + "0" * 64, "count": 3}
    told = check({**commit.detail, "segments": [segments[0], {**segments[1], "rows": rows}, *segments[2:]]})
    assert len(told) == 2
    assert "the rows of" in told[0]
    assert "the commit says 3" in told[1]
    wrong = {**segments[4], "records": {"count": 1, "sha256": "sha256:" + "0" * 64}}
    (message,) = check({**commit.detail, "segments": [*segments[:4], wrong, *segments[5:]]})
    assert segments[4]["segment"] in message
    other = {**segments[2], "inflated": segments[3]["inflated"]}
    (message,) = check({**commit.detail, "segments": [*segments[:2], other, *segments[3:]]})
    assert f"segment {segments[2]['segment']}: its rows inflate to {segments[2]['inflated']}" in message
    bare = {name: value for name, value in segments[2].items() if name != "inflated"}
    assert check({**commit.detail, "segments": [*segments[:2], bare, *segments[3:]]}) == []
    (last, *_) = reversed(check({**commit.detail, "segments": segments[:-1]}))
    assert "its segments end at byte" in last


def test_prune_takes_what_no_commit_named_and_nothing_else(
    archive: OpenArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(Compaction, "_commit", die)
    with pytest.raises(Killed):
        work(archive).compact(LATER)
    monkeypatch.undo()
    (archive.state / "compaction" / SOURCE / DRAFT_FILE).unlink()
    (orphan,) = [key for key in list_keys(archive) if key.endswith(".zst")]
    work(archive, grace=timedelta(days=30)).compact(LATER)
    kept = [key for key in list_keys(archive) if key != orphan]
    assert len(kept) == SEGMENTS + 1
    long_ago = (datetime.now(UTC) - timedelta(days=40)).timestamp()
    for key in (*kept, orphan):
        os.utime(Path(archive.store.url.removeprefix("file://")) / key, (long_ago, long_ago))
    prune_archive(archive, dry_run=False)
    assert list_keys(archive) == kept


def test_a_draft_that_lay_too_long_is_made_anew(archive: OpenArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(Log, "append", die)
    with pytest.raises(Killed):
        work(archive).compact(LATER)
    monkeypatch.undo()
    (old,) = [key for key in list_keys(archive) if key.endswith(".zst")]
    long_ago = (datetime.now(UTC) - timedelta(days=20)).timestamp()
    os.utime(Path(archive.store.url.removeprefix("file://")) / old, (long_ago, long_ago))
    assert work(archive).compact(LATER).segments == SEGMENTS
    assert old not in {one.file.key for one in find_places(archive.log(SOURCE).read()).objects.values()}


def test_a_text_is_found_in_the_rows_of_a_compacted_segment(archive: OpenArchive) -> None:
    work(archive).compact(LATER)
    (placed,) = [one for one in find_places(archive.log(SOURCE).read()).objects.values() if one.is_compacted]
    last = placed.segments[-1]
    data = fetch_rows(archive.store, last.rows)
    found = _find_snapshot(data, last.rows.key, (last.segment, 0), DERIVATION.digest)
    assert found is not None
    assert found["text_digest"]


def test_the_command_says_what_it_does(archive: OpenArchive, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--archive", archive.store.url.removeprefix("file://"), "--state", str(archive.state.parent)]
    assert run(["compact", *options, "--before", "1 seconds", "--grace", "0", "--dry-run"]) == 0
    assert f"{SOURCE}: would have repacked {SEGMENTS} segments in 1 object" in capsys.readouterr().out
    assert run(["compact", *options, "--before", "1 seconds", "--grace", "0", "--json", SOURCE]) == 0
    (told,) = json.loads(capsys.readouterr().out)["sources"]
    assert (told["segments"], told["objects"]) == (SEGMENTS, 1)
    assert run(["compact", *options, "--restore"]) == 0
    assert f"deleted {SEGMENTS} replaced objects" in capsys.readouterr().out
    assert run(["compact", *options, "--before", "soon"]) == 2
    assert "--before: found 'soon'" in capsys.readouterr().err
