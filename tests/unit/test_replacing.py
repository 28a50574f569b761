"""Commits whose files take the place of earlier ones: what is refused in them, and what readers make of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import DamageFound, FormatTooNew
from jobs.archive.commit import Commit, decode_commit, encode_commit, require_supported
from jobs.archive.identity import read_info
from jobs.archive.log import Log, link_on
from jobs.archive.replacing import Replacements, collect_replacements, parse_replacement
from jobs.catalog import Catalog
from jobs.checkpoint import writing
from jobs.checkpoint.checking import check_layers
from jobs.checkpoint.restoring import refresh_catalog
from jobs.verify import verify_archive
from jobs.verify.report import VerifyReport
from tests.archives import NOON, PAGES, SOURCE, build_archive, put
from tests.machines import Look, Machine
from tests.replacements import drop_replaced, list_segments, replace_segments, withdraw

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store.memory import MemoryStore

URL = PAGES[0].url


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return build_archive(tmp_path)


def make_log(store: MemoryStore) -> Log:
    return Log(store, read_info(store), SOURCE)


def redact(store: MemoryStore, **fields: Any) -> Commit:
    names = list_segments(make_log(store).read())
    return replace_segments(store, read_info(store), names[:2], change=withdraw({URL}), **fields).commit


def test_a_replacement_says_where_segments_lie(store: MemoryStore) -> None:
    commit = redact(store, detail={"delete_after": "2026-12-22T12:00:00Z"})
    found = parse_replacement(commit)
    assert found is not None
    assert commit.format == "1.1"
    assert [one.segment for one in found.segments] == list_segments(make_log(store).read())[:2]
    assert found.delete_after is not None
    assert found.find_file(found.segments[1]).key == found.segments[1].rows.key
    index = collect_replacements(make_log(store).read())
    assert set(index.objects) == {one.key for one in found.replaces}
    assert Replacements(make_log(store)).find(found.segments[0].segment) == (found, found.segments[0])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda _: {"requires": ()}, "requires"),
        (lambda c: {"files": c.files[:1]}, "none of the files"),
        (lambda c: {"files": (*c.files, c.files[0])}, "twice"),
        (lambda c: {"detail": {"segments": c.detail["segments"][:1] * 2}}, "twice"),
        (lambda c: {"detail": {"segments": [{"segment": c.segment}]}}, "rows"),
        (lambda c: {"detail": {"segments": [{**c.detail["segments"][0], "inflated": "sha256:x"}]}}, "inflated"),
        (lambda c: {"detail": {"segments": [{**c.detail["segments"][0], "inflated": 7}]}}, "inflated"),
        (lambda _: {"detail": {"segments": "all"}}, "segments"),
        (lambda _: {"detail": {"delete_after": "tomorrow"}}, "delete_after"),
        (lambda _: {"detail": {"delete_after": "2026-12-22T12:00:00"}}, "zone|Z"),
        (lambda _: {"detail": {"deleted": [7]}}, "deleted"),
        (lambda c: {"replaces": ({"key": "ofrecord.json", "sha256": c.files[0].sha256},)}, "keys below"),
        (lambda c: {"replaces": ({"key": c.files[0].key, "sha256": c.files[0].sha256},)}, "makes exist"),
        (lambda c: {"replaces": ({"key": c.replaces[0]["key"], "sha256": "sha256:"},)}, "digest"),
        (lambda c: {"detail": _move(c, offset=2**40)}, "within"),
        (lambda c: {"detail": _move(c, size_bytes=-5)}, "within"),
        (lambda c: {"detail": _rename(c, "herald-20261122T120000Z-0123456789abcdef")}, "none of source"),
        (lambda c: {"files": (replace(c.files[0], key=c.files[0].key + ".exe"),), "detail": {}}, "end with"),
    ],
)
def test_what_no_reader_may_follow(store: MemoryStore, change: Any, told: str) -> None:
    commit = redact(store)
    with pytest.raises(DamageFound, match=told):
        parse_replacement(replace(commit, **change(commit)))


def _move(commit: Commit, **places: int) -> dict[str, Any]:
    first = commit.detail["segments"][0]
    return {"segments": [{**first, "rows": {**first["rows"], **places}}]}


def _rename(commit: Commit, segment: str) -> dict[str, Any]:
    return {"segments": [{**commit.detail["segments"][0], "segment": segment}]}


def test_files_of_others_are_refused_when_read(store: MemoryStore) -> None:
    commit = redact(store)
    stolen = tuple(replace(file, key=file.key.replace("gazette", "herald")) for file in commit.files)
    with pytest.raises(DamageFound, match="not below segments/gazette/"):
        decode_commit(encode_commit(replace(commit, files=stolen)), "log/gazette/000000000004")


def test_older_readers_stop_there(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = redact(store)
    monkeypatch.setattr("jobs.archive.commit.SUPPORTED", frozenset())
    with pytest.raises(FormatTooNew, match="redact"):
        require_supported(commit.requires, "here")


def test_a_segment_that_nobody_brought_is_damage(store: MemoryStore, tmp_path: Path) -> None:
    source_log = make_log(store)
    commit = redact(store)
    other = "gazette-20200101T000000Z-0123456789abcdef"
    last = source_log.find_end()
    assert last is not None
    draft = replace(commit, id="7" * 32, segment=other, detail=_rename(commit, other))
    source_log.append(draft, after=last.commit.seq, head=last.digest)
    with Catalog.open(tmp_path / "catalog") as catalog, pytest.raises(DamageFound, match="no commit before it brought"):
        catalog.refresh(store, source_log)


def test_a_capture_that_was_left_out_is_damage(store: MemoryStore, tmp_path: Path) -> None:
    source_log = make_log(store)
    names = list_segments(source_log.read())
    leave_out = lambda row: None if getattr(row, "url", "") == URL and row.type in {"capture", "snapshot"} else row  # noqa: E731
    replace_segments(store, read_info(store), names[:1], change=leave_out)
    with Catalog.open(tmp_path / "catalog") as catalog:
        with pytest.raises(DamageFound, match="missing where it was written anew"):
            catalog.refresh(store, source_log)
        assert catalog.head(SOURCE)[0] == 3
        assert catalog.list_revisions(SOURCE, URL)


def test_the_text_is_wiped_from_the_catalogs_file(store: MemoryStore, tmp_path: Path) -> None:
    source_log, path = make_log(store), tmp_path / "catalog"
    with Catalog.open(path) as catalog:
        catalog.refresh(store, source_log)
        names = list_segments(source_log.read())
        texts = [text for _, text in catalog.dump()["texts"]]
        assert all(text in _read_all(path) for text in texts)
        replace_segments(store, read_info(store), names, change=withdraw({URL, PAGES[1].url}))
        refresh_catalog(catalog, store, source_log, full=True)
        assert not any(text in _read_all(path) for text in texts)
        assert URL.encode() in _read_all(path)
        assert not catalog.list_revisions(SOURCE, URL)
        assert {one.page_class for one in catalog.list_captures(SOURCE, URL)} == {"redacted"}


def _read_all(path: Path) -> bytes:
    return b"".join(one.read_bytes() for one in path.parent.glob(path.name + "*"))


def test_checkpoints_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (2, 5, 12))
    store = build_archive(tmp_path / "nothing", segments=0)
    info = read_info(store)
    with Catalog.open(tmp_path / "catalog") as catalog:
        machine = Machine(store, info, catalog)
        for number in range(4):
            machine.commit([Look("a", f"words {number}"), Look("b")], number=number)
        assert catalog.checkpoint(SOURCE) is not None
        named = machine.log.find_end()
        assert named is not None
        assert named.commit.checkpoint is not None
        stored = replace_segments(store, info, list_segments(machine.log.read())[:3], change=withdraw({Look("a").url}))
        assert stored.commit.checkpoint is None
        # nor by a writer who saw the replacement only after it had made a checkpoint
        late = replace(
            stored.commit, kind="ledger", requires=(), files=(), replaces=(), checkpoint=named.commit.checkpoint
        )
        assert link_on(stored, late)["checkpoint"] is None
        # made without knowing of it: must not be named
        machine.commit([Look("b")], number=5)
        end = machine.log.find_end()
        assert end is not None
        assert end.commit.checkpoint is None
        assert end.commit.since == ()
        machine.prepare()
        machine.commit([Look("b")], number=6)
        end = machine.log.find_end()
        assert end is not None
        assert end.commit.checkpoint is not None
        assert end.commit.checkpoint["first"] == 1
        assert end.commit.checkpoint["seq"] == 6
        assert catalog.list_revisions(SOURCE, Look("a").url)[0].number == 1  # of the segment that was left
    drop_replaced(store, info)
    report = VerifyReport(full=True)
    check_layers(store, report)
    assert not report.findings
    with Catalog.open(tmp_path / "thin") as thin:
        refresh_catalog(thin, store, machine.log, full=False)
        assert thin.thin_until(SOURCE) == 6


def test_a_missing_object_is_damage_without_a_commit(store: MemoryStore) -> None:
    names = list_segments(make_log(store).read())
    keys = [one.commit.files[0].key for one in make_log(store).read()]
    replace_segments(store, read_info(store), names[:1], change=withdraw({URL}))
    assert not verify_archive(store, full=False).damaged
    store.delete(keys[0])
    assert not verify_archive(store, full=False).damaged
    store.delete(keys[1])
    report = verify_archive(store, full=False)
    assert [one.key for one in report.findings if one.severity == "damage"] == [keys[1]]


def test_replaced_objects_are_as_they_were_or_gone(store: MemoryStore) -> None:
    key = next(make_log(store).read()).commit.files[0].key
    redact(store)
    assert key not in find_damaged(store)
    put(store, key, store.get(key)[:-1] + b"x")
    assert key in find_damaged(store)
    store.delete(key)
    assert key not in find_damaged(store)


def find_damaged(store: MemoryStore) -> set[str]:
    return {one.key for one in verify_archive(store, full=True).findings if one.severity == "damage"}


def test_draft_times_do_not_matter() -> None:
    assert parse_replacement(Commit(SOURCE, "segment", NOON, "")) is None
