"""Commits, `ofrecord.json` and the log: what is written is read back, and nothing hostile passes for it."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ArchiveMissing, DamageFound, FormatTooNew, StoreUnavailable
from jobs.archive.commit import (
    MAX_COMMIT_BYTES,
    Commit,
    CommittedFile,
    StoredCommit,
    commit_key,
    decode_commit,
    digest,
    encode_commit,
    parse_commit_key,
    warc_key,
)
from jobs.archive.identity import INFO_KEY, ArchiveInfo, create_archive, list_sources, read_info
from jobs.archive.log import Log
from jobs.store.clock import measure_skew
from jobs.store.memory import MemoryStore
from tests.archives import put

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store import StoredObject

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = "log/gazette/000000000001"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def info(store: MemoryStore) -> ArchiveInfo:
    return create_archive(store, single_writer=False, now=NOON)


def _segment(name: str) -> str:
    """Return an id of the form that segments have, made from *name*."""
    return f"gazette-20261122T120000Z-{digest(name.encode())[-16:]}"


def _draft(info: ArchiveInfo, name: str | None = "one", **fields: Any) -> Commit:
    segment = None if name is None else _segment(name)
    return Commit(source="gazette", kind="segment", committed=NOON, archive=info.archive, segment=segment, **fields)


def _encode(**changes: Any) -> bytes:
    """Return a sound commit object with some fields of its JSON changed, or left out where the value is `...`."""
    fields = json.loads(encode_commit(Commit("gazette", "segment", NOON, "0" * 32, seq=1)).split(b"\n")[0])
    fields.update(changes)
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode() + b"\n-\n"


def _fill(store: MemoryStore, info: ArchiveInfo, count: int) -> list[StoredCommit]:
    stored: list[StoredCommit] = []
    for number in range(1, count + 1):
        head = stored[-1].digest if stored else ""
        stored.append(
            Log(store, info, "gazette").append(_draft(info, f"gazette-{number}"), after=number - 1, head=head)[0]
        )
    return stored


# --- keys


def test_keys() -> None:
    assert commit_key("gazette", 7) == "log/gazette/000000000007"
    assert warc_key("gazette", NOON, "gazette-x") == "segments/gazette/sealed=2026-11-22/gazette-x.warc.gz"


@pytest.mark.parametrize(
    ("key", "parsed"),
    [
        ("log/gazette/000000000007", ("gazette", 7)),
        ("log/gazette/pack-000000000001-000000001000", None),
        ("log/gazette/7", None),
        ("log/gazette/0000000000007", None),
        ("log/Gazette/000000000007", None),
        ("log/gazette/000000000007/x", None),
        ("log/gazette/\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0661", None),
    ],
)
def test_parse_commit_key(key: str, parsed: tuple[str, int] | None) -> None:
    assert parse_commit_key(key) == parsed


# --- commits


def test_commit_is_read_back() -> None:
    commit = Commit(
        source="gazette",
        kind="segment",
        committed=NOON,
        archive="0" * 32,
        seq=3,
        previous=digest(b"x"),
        clock_skew_seconds=-0.25,
        epoch=2,
        writer="ofrecord/test",
        run="gazette-run",
        segment="gazette-20261122T120000Z-00000000000000aa",
        files=(CommittedFile("segments/gazette/x", 10, digest(b"y"), 3),),
        counts={"captures": 1},
        opened=NOON.replace(microsecond=125_000),
        closed=NOON + timedelta(minutes=5),
        replaces=("a", {"key": "b", "sha256": "c"}),
        derivations={digest(b"z"): {"rules": {"título": "h1"}}},
        detail={"reason": "\n \u2028 ünïcode"},
    )
    data = encode_commit(commit)
    stored = decode_commit(data, KEY)
    assert stored == StoredCommit(commit, digest(data), "-")
    assert data.count(b"\n") == 2
    assert data.endswith(b"\n-\n")


def test_times_are_written_in_utc() -> None:
    commit = Commit("gazette", "ledger", NOON.astimezone(timezone(timedelta(hours=3))), "0" * 32)
    assert b'"committed":"2026-11-22T12:00:00Z"' in encode_commit(commit)


def test_signature_is_kept() -> None:
    data = encode_commit(Commit("gazette", "key", NOON, "0" * 32)).removesuffix(b"-\n")
    assert decode_commit(data + b"ed25519 k1 AAAA\n", KEY).signature == "ed25519 k1 AAAA"


def test_unknown_fields_and_kinds_are_accepted() -> None:
    commit = decode_commit(_encode(kind="later", format="1.7", weather="rain"), KEY).commit
    assert (commit.kind, commit.format) == ("later", "1.7")


HOSTILE = {
    "empty": b"",
    "one line": b"{}",
    "no signature": b"{}\n",
    "no end of line 2": b"{}\n-",
    "three lines": b"{}\n-\n-\n",
    "not JSON": b"commit\n-\n",
    "not UTF-8": b'{"format": "\xff"}\n-\n',
    "a list": b"[]\n-\n",
    "deeply nested": b"[" * 200_000 + b"\n-\n",
    "a number of many digits": b'{"format":' + b"9" * 10_000 + b"}\n-\n",
    "too long": b'{"format":"' + b"1" * MAX_COMMIT_BYTES + b'"}\n-\n',
    "no format": _encode(format=...),
    "format as number": _encode(format=1.0),
    "odd format": _encode(format="one"),
    "no source": _encode(source=...),
    "source as number": _encode(source=5),
    "seq as words": _encode(seq="one"),
    "files as words": _encode(files="all"),
    "file without digest": _encode(files=[{"key": "a", "size_bytes": 1, "records": 1}]),
    "file size as words": _encode(files=[{"key": "a", "size_bytes": "much", "sha256": "x", "records": 1}]),
    "half a character": _encode(run="\ud800"),
    "time as words": _encode(committed="noon"),
    "time without a zone": _encode(committed="2026-11-22T12:00:00"),
    "opened without a zone": _encode(opened="2026-11-22T12:00:00"),
    "closed without a zone": _encode(closed="2026-11-22T12:00:00"),
    "counts of words": _encode(counts={"captures": "many"}),
    "counts below nothing": _encode(counts={"captures": -1}),
    "epoch of many digits": _encode(epoch=10**30),
    "epoch of very many digits": _encode(epoch=10**4000),
    "epoch below nothing": _encode(epoch=-1),
    "file size of many digits": _encode(files=[{"key": "a", "size_bytes": 10**30, "sha256": "x", "records": 1}]),
    "time out of range": _encode(committed="0001-01-01T00:00:00+14:00"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_commit_is_damage(name: str) -> None:
    with pytest.raises(DamageFound, match="log/gazette/000000000001: "):
        decode_commit(HOSTILE[name], KEY)


def test_later_major_format_is_refused() -> None:
    with pytest.raises(FormatTooNew, match=r"found format 2\.0, expected 1\.x: install a newer ofrecord"):
        decode_commit(_encode(format="2.0", source=...), KEY)


# --- ofrecord.json


def test_archive_is_created_once(store: MemoryStore, info: ArchiveInfo) -> None:
    assert create_archive(store, single_writer=True, now=NOON) == info
    assert info.digest == digest(store.get(INFO_KEY))
    assert (info.format, info.single_writer, info.created) == ("1.0", False, NOON)


def test_no_archive(store: MemoryStore) -> None:
    with pytest.raises(ArchiveMissing, match="no archive here"):
        read_info(store)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b'{"format":"1.0"}',
        b'{"format":"1.0","archive":"x","created":"2026-11-22T12:00:00Z","single_writer":false}',
        b'{"format":"1.0","archive":"' + b"0" * 32 + b'","created":"noon","single_writer":false}',
        b'{"format":"1.0","archive":"' + b"0" * 32 + b'","created":"2026-11-22T12:00:00","single_writer":false}',
        b'{"format":"1.0","archive":"' + b"0" * 32 + b'","created":5,"single_writer":false}',
        b"[" * 200_000,
        b" " * 100_000,
    ],
)
def test_hostile_identity_is_damage(store: MemoryStore, content: bytes) -> None:
    put(store, INFO_KEY, content)
    with pytest.raises(DamageFound, match=r"memory:/ofrecord\.json: "):
        read_info(store)


def test_later_archive_is_refused(store: MemoryStore) -> None:
    put(store, INFO_KEY, b'{"format":"2.0","shape":"unknown"}')
    with pytest.raises(FormatTooNew, match=r"found format 2\.0"):
        read_info(store)


# --- the log


def test_log_is_read_in_order_and_from_anywhere(store: MemoryStore, info: ArchiveInfo) -> None:
    stored = _fill(store, info, 12)
    log = Log(store, info, "gazette")
    assert list(log.read()) == stored
    assert list(log.read(after=9, head=stored[8].digest)) == stored[9:]
    assert list(log.read(after=12, head=stored[11].digest)) == []
    assert stored[0].commit.previous == info.digest
    assert stored[1].commit.previous == stored[0].digest == digest(store.get(KEY))


def test_packs_and_strange_keys_are_passed_over(store: MemoryStore, info: ArchiveInfo) -> None:
    stored = _fill(store, info, 2)
    for name in ("pack-000000000001-000000001000", "readme", "00000000000x"):
        put(store, f"log/gazette/{name}", b"?")
    assert list(Log(store, info, "gazette").read()) == stored


@pytest.mark.parametrize("number", [1, 2])
def test_gap_is_damage(store: MemoryStore, info: ArchiveInfo, number: int) -> None:
    _fill(store, info, 3)
    store.delete(commit_key("gazette", number))
    with pytest.raises(DamageFound, match=rf"log/gazette/00000000000{number}: missing, but .*{number + 1} is there"):
        list(Log(store, info, "gazette").read())


def test_altered_commit_breaks_the_chain(store: MemoryStore, info: ArchiveInfo) -> None:
    _fill(store, info, 3)
    put(store, KEY, store.get(KEY).replace(b'"epoch":0', b'"epoch":1'))
    with pytest.raises(DamageFound, match="log/gazette/000000000002: the chain breaks"):
        list(Log(store, info, "gazette").read())


def test_chain_begins_at_the_identity(store: MemoryStore, info: ArchiveInfo) -> None:
    _fill(store, info, 1)
    with pytest.raises(DamageFound, match="the chain breaks"):
        list(Log(store, replace(info, digest=digest(b"another")), "gazette").read())


def test_wrong_head_is_damage(store: MemoryStore, info: ArchiveInfo) -> None:
    _fill(store, info, 3)
    with pytest.raises(DamageFound, match="log/gazette/000000000003: the chain breaks"):
        list(Log(store, info, "gazette").read(after=2, head=digest(b"another")))


@pytest.mark.parametrize(
    "change", [{"source": "herald"}, {"source": "herald", "segment": None}, {"archive": "f" * 32}, {"seq": 2}]
)
def test_commit_of_another_place_is_damage(store: MemoryStore, info: ArchiveInfo, change: dict[str, Any]) -> None:
    commit = replace(_draft(info), seq=1, previous=info.digest)
    put(store, KEY, encode_commit(replace(commit, **change)))
    with pytest.raises(DamageFound, match=r"not its own|is none of source"):
        list(Log(store, info, "gazette").read())


def test_huge_commit_is_not_read_whole(info: ArchiveInfo) -> None:
    class Watched(MemoryStore):
        most = 0

        def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
            data = super().get(key, offset=offset, length=length)
            self.most = max(self.most, len(data))
            return data

    watched = Watched()
    put(watched, KEY, bytes(MAX_COMMIT_BYTES * 2))
    with pytest.raises(DamageFound, match="not a commit"):
        list(Log(watched, info, "gazette").read())
    assert watched.most <= MAX_COMMIT_BYTES + 1


# --- append


def test_loser_of_a_race_chains_to_the_winner(store: MemoryStore, info: ArchiveInfo) -> None:
    first, second = Log(store, info, "gazette"), Log(store, info, "gazette")
    won, between = first.append(_draft(info, "gazette-a"), after=0, head="")
    assert between == []
    lost, between = second.append(_draft(info, "gazette-b"), after=0, head="")
    assert between == [won]
    assert (lost.commit.seq, lost.commit.previous) == (2, won.digest)
    assert list(first.read()) == [won, lost]


def test_two_writers_at_once_lose_nothing(store: MemoryStore, info: ArchiveInfo) -> None:
    count = 50

    def write(name: str) -> None:
        after, head = 0, ""
        for number in range(count):
            draft = _draft(info, f"gazette-{name}-{number}")
            stored, _ = Log(store, info, "gazette").append(draft, after=after, head=head)
            after, head = stored.commit.seq, stored.digest

    writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    segments = [stored.commit.segment for stored in Log(store, info, "gazette").read()]
    for name in ("a", "b"):
        own = [_segment(f"gazette-{name}-{number}") for number in range(count)]
        assert [segment for segment in segments if segment in own] == own
    assert len(segments) == 2 * count


def test_own_earlier_try_is_recognised(store: MemoryStore, info: ArchiveInfo) -> None:
    """The answer to the first put was lost; another writer came after. The second try puts nothing."""
    log = Log(store, info, "gazette")
    other, _ = log.append(_draft(info, "gazette-other"), after=0, head="")
    first, _ = log.append(_draft(info, "gazette-mine"), after=1, head=other.digest)
    log.append(_draft(info, "gazette-later"), after=2, head=first.digest)
    again, between = log.append(_draft(info, "gazette-mine"), after=0, head="")
    assert again == first
    assert between == [other]
    assert len(list(log.read())) == 3


def test_own_try_whose_answer_was_lost_in_the_store(info: ArchiveInfo) -> None:
    class Lossy(MemoryStore):
        lost = False

        def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
            stored = super().create(key, data, sha256=sha256)
            if not self.lost:
                self.lost = True
                raise StoreUnavailable("the answer was lost")
            return stored

    log = Log(Lossy(), info, "gazette")
    with pytest.raises(StoreUnavailable):
        log.append(_draft(info), after=0, head="")
    stored, between = log.append(replace(_draft(info), committed=NOON + timedelta(seconds=5)), after=0, head="")
    assert (stored.commit.seq, stored.commit.committed, between) == (1, NOON, [])
    assert len(list(log.read())) == 1


def test_commits_without_a_segment_are_never_taken_for_each_other(store: MemoryStore, info: ArchiveInfo) -> None:
    log = Log(store, info, "gazette")
    log.append(_draft(info, None), after=0, head="")
    stored, _ = log.append(_draft(info, None), after=0, head="")
    assert stored.commit.seq == 2


def test_append_does_not_chain_to_damage(store: MemoryStore, info: ArchiveInfo) -> None:
    put(store, KEY, b"no commit")
    with pytest.raises(DamageFound, match="not a commit"):
        Log(store, info, "gazette").append(_draft(info), after=0, head="")


# --- sources


def test_sources_are_listed_by_name_whatever_their_length(store: MemoryStore) -> None:
    names = ["a", "a-b", "a-b-c", "a0", "ab", "b", "gazette", "gazette-arabic"]
    for name in names:
        for number in (1, 2, 3):
            put(store, commit_key(name, number), b"?")
    assert list_sources(store) == names


def test_keys_that_belong_to_no_source_are_passed_over(store: MemoryStore) -> None:
    for key in ("log/UPPER/000000000001", "log/with space/000000000001", "log/file", "log/-/x", "logs/x/1"):
        put(store, key, b"?")
    put(store, commit_key("zeta", 1), b"?")
    assert list_sources(store) == ["zeta"]


def test_no_sources(store: MemoryStore) -> None:
    assert list_sources(store) == []


def test_skew_is_our_clock_minus_the_stores() -> None:
    class Slow(MemoryStore):
        def read_clock(self) -> datetime | None:
            return datetime.now(UTC) - timedelta(seconds=90)

    class Mute(MemoryStore):
        def read_clock(self) -> datetime | None:
            return None

    skew = measure_skew(Slow())
    assert skew is not None
    assert 89 < skew < 95
    assert measure_skew(Mute()) is None


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b'"seq":1', b'"seq":"1"', "seq"),
        (b'"seq":1', b'"seq":1,"seq":2', "twice"),
        (b'"epoch":0', b'"epoch":NaN', "NaN"),
        (b'"committed":"2026-11-22T12:00:00Z"', b'"committed":"2026-11-22T17:00:00+05:00"', "with Z"),
        (b'"committed":"2026-11-22T12:00:00Z"', b'"committed":1700000000', "committed"),
        (b'"format":"1.0"', b'"format":"0.9"', "0.9"),
        (b'"files":[]', b'"files":[{"key":"log/gazette/x","size_bytes":1,"sha256":"","records":0}]', "not below"),
        (b"gazette-20261122", b"herald-20261122", "none of source"),
    ],
)
def test_one_reading_of_a_commit_and_no_other(
    store: MemoryStore, info: ArchiveInfo, before: bytes, after: bytes, message: str
) -> None:
    stored, _ = Log(store, info, "gazette").append(_draft(info), after=0, head="")
    data = store.get(commit_key("gazette", stored.commit.seq))
    assert before in data
    with pytest.raises(DamageFound, match=message):
        decode_commit(data.replace(before, after, 1), KEY)


@pytest.mark.parametrize("coding", ["utf-16", "utf-8-sig"])
def test_a_commit_is_utf8_and_nothing_else(info: ArchiveInfo, coding: str) -> None:
    line, rest = encode_commit(_draft(info)).split(b"\n", 1)
    data = line.decode().encode(coding).replace(b"\n", b"") + b"\n" + rest
    with pytest.raises(DamageFound, match="not a commit"):
        decode_commit(data, KEY)


def test_an_archive_that_requires_more_than_we_know_is_not_opened(store: MemoryStore, info: ArchiveInfo) -> None:
    assert read_info(store) == info
    content = json.loads(store.get("ofrecord.json"))
    put(store, "ofrecord.json", json.dumps({**content, "requires": ["other-folds"]}).encode() + b"\n")
    with pytest.raises(FormatTooNew, match="other-folds"):
        read_info(store)


def test_a_lost_answer_without_a_segment_is_told_by_its_id(store: MemoryStore, info: ArchiveInfo) -> None:
    log = Log(store, info, "gazette")
    draft = replace(_draft(info, None), kind="ledger", id="0123456789abcdef" * 2)
    first, _ = log.append(draft, after=0, head="")
    again, between = log.append(draft, after=0, head="")
    assert (again, between) == (first, [])
    assert len(list(log.read())) == 1
