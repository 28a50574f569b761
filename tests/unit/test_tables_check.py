"""What a check of the tables finds: nothing where all is sound, and each thing that a stranger may have done."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.errors import DamageFound, FormatTooNew
from jobs.archive.commit import commit_key, digest
from jobs.store.memory import MemoryStore
from jobs.tables import check_tables
from jobs.tables.manifest import (
    append_manifest,
    decode_manifest,
    encode_manifest,
    manifest_key,
    read_manifest,
    read_newest,
    table_key,
)
from tests.archives import put
from tests.rollups import DAY_1, DAY_2, Newsstand, Seen, link_to

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jobs.tables import Manifest


@pytest.fixture
def stand(tmp_path: Path) -> Newsstand:
    stand = Newsstand(MemoryStore(), tmp_path)
    stand.crawl(Seen("/a"), Seen("/b", at=DAY_2), links=(link_to("/x", DAY_1),))
    stand.build()
    stand.crawl(Seen("/a", "Sun.", at=DAY_2), source="herald")
    stand.build()
    return stand


def check(stand: Newsstand, *, full: bool = False) -> dict[str, str]:
    faults: dict[str, str] = {}
    checked = check_tables(stand.store, faults.__setitem__, full=full)
    assert checked.damages == len(faults)
    return faults


def find(stand: Newsstand, table: str, day: str = "2026-11-21") -> str:
    return next(file.key for file in stand.manifest().files if (file.table, file.day) == (table, day))


def forge(stand: Newsstand, change: Callable[[Manifest], Manifest]) -> None:
    """Put a changed manifest in place of the newest, sound in itself."""
    manifest = change(stand.manifest())
    put(memory(stand), manifest_key(manifest.n), encode_manifest(manifest))


def memory(stand: Newsstand) -> MemoryStore:
    assert isinstance(stand.store, MemoryStore)
    return stand.store


def test_sound_tables(stand: Newsstand) -> None:
    faults: list[str] = []
    checked = check_tables(stand.store, lambda key, _: faults.append(key), full=True)

    assert faults == []
    assert (checked.manifests, checked.newest, checked.days, checked.damages) == (2, 2, 2, 0)
    assert checked.files == 10, "those that the first manifest alone lists are still there"
    checked = check_tables(stand.store, lambda key, _: faults.append(key))
    assert checked.files == len(stand.manifest().files) == 7
    assert checked.rows == sum(file.rows for file in stand.manifest().files)
    assert checked.bytes == sum(file.size_bytes for file in stand.manifest().files)


def test_no_tables_are_no_damage(tmp_path: Path) -> None:
    assert check(Newsstand(MemoryStore(), tmp_path), full=True) == {}


def test_facts_that_came_after_the_tables_are_no_damage(stand: Newsstand) -> None:
    stand.crawl(Seen("/a", "Snow.", at=DAY_1))

    assert check(stand, full=True) == {}


def test_a_missing_file(stand: Newsstand) -> None:
    key = find(stand, "captures")
    stand.store.delete(key)

    faults = check(stand)

    assert list(faults) == [key]
    assert "missing" in faults[key]
    assert "ofrecord tables build --since 2026-11-21" in faults[key]


def test_a_changed_file(stand: Newsstand) -> None:
    key = find(stand, "captures")
    put(memory(stand), key, stand.store.get(key)[:-1] + b"?")

    assert "expected" in check(stand)[key]


def test_a_file_that_is_no_parquet(stand: Newsstand) -> None:
    data = b"PAR1 and so on"
    sha256 = digest(data)
    key = table_key("captures", "2026-11-21", sha256)
    put(memory(stand), key, data)

    def list_it(manifest: Manifest) -> Manifest:
        file = replace(
            manifest.files[0], key=key, size_bytes=len(data), sha256=sha256, day="2026-11-21", table="captures"
        )
        return replace(manifest, files=(*manifest.files, file))

    forge(stand, list_it)

    assert "not a Parquet file" in check(stand)[key]


def test_a_wrong_number_of_rows(stand: Newsstand) -> None:
    forge(stand, lambda manifest: replace(manifest, files=(replace(manifest.files[0], rows=9), *manifest.files[1:])))

    assert "the manifest says 9" in check(stand)[stand.manifest().files[0].key]


def test_a_day_that_is_left_out_shows_in_full(stand: Newsstand) -> None:
    forge(stand, lambda manifest: replace(manifest, files=manifest.files[1:]))

    assert check(stand) == {}
    faults = check(stand, full=True)
    assert list(faults) == ["tables/captures/day=2026-11-20/"]
    assert "the manifest lists no file" in faults["tables/captures/day=2026-11-20/"]


def test_a_row_that_no_log_has_shows_in_full(stand: Newsstand, tmp_path: Path) -> None:
    other = Newsstand(MemoryStore(), tmp_path / "other")
    other.crawl(Seen("/a", "Invented."))
    other.build()
    invented = next(file for file in other.manifest().files if file.table == "snapshots")
    put(memory(stand), invented.key, other.store.get(invented.key))
    forge(
        stand,
        lambda manifest: replace(
            manifest,
            files=(invented, *(f for f in manifest.files if (f.table, f.day) != ("snapshots", invented.day))),
        ),
    )

    assert check(stand) == {}
    assert list(check(stand, full=True)) == ["tables/snapshots/day=2026-11-20/"]


def test_a_changed_manifest_breaks_the_chain(stand: Newsstand) -> None:
    first = read_manifest(stand.store, stand.info, 1).manifest
    put(memory(stand), manifest_key(1), encode_manifest(replace(first, writer="a stranger")))

    assert "the chain breaks" in check(stand)[manifest_key(2)]


def test_a_file_that_only_an_older_manifest_lists_is_looked_at_in_full(stand: Newsstand) -> None:
    live = {file.key for file in stand.manifest().files}
    old = next(
        item.key for item in stand.store.list("tables/") if item.key.endswith(".parquet") and item.key not in live
    )
    stand.store.delete(old)
    assert check(stand, full=True) == {}, "who tidies up may take it away"
    stand.store.create(old, b"other", sha256=digest(b"other"))
    assert set(check(stand, full=True)) == {old}
    assert check(stand, full=False) == {}


def test_an_old_manifest_may_be_removed(stand: Newsstand) -> None:
    stand.store.delete(manifest_key(1))

    assert check(stand, full=True) == {}


@pytest.mark.parametrize("data", [b"", b"{}\n-\n", b"\xff\n-\n", b'{"format": "1.0"}\n-\n', b"[" * 100_000 + b"\n-\n"])
def test_a_manifest_that_is_none(stand: Newsstand, data: bytes) -> None:
    put(memory(stand), manifest_key(3), data)

    assert list(check(stand)) == [manifest_key(3)]
    with pytest.raises(DamageFound, match="take this object away"):
        stand.build()


def test_a_log_that_was_written_anew(stand: Newsstand) -> None:
    key = commit_key("herald", 1)
    put(memory(stand), key, stand.store.get(key)[:-2] + b"ed25519 0 0\n")

    assert key in check(stand, full=True)
    with pytest.raises(DamageFound, match="the log was written anew"):
        stand.build()


def test_a_log_whose_end_was_taken_away(stand: Newsstand) -> None:
    stand.store.delete(commit_key("herald", 1))

    assert "found nothing" in check(stand)[commit_key("herald", 1)]
    report = stand.build()
    assert list(report.stuck) == ["herald"]
    with pytest.raises(DamageFound, match="source herald"):
        stand.build(since="2026-11-21")


def test_keys_that_lead_elsewhere_are_refused(stand: Newsstand) -> None:
    for key in ("log/gazette/000000000001", "tables/captures/day=2026-11-21/../x.parquet"):
        manifest = stand.manifest()
        data = encode_manifest(replace(manifest, files=(replace(manifest.files[0], key=key),)))
        with pytest.raises(DamageFound, match="is not the key"):
            decode_manifest(data, "here")


def test_a_newer_manifest_is_refused(stand: Newsstand) -> None:
    line, _ = encode_manifest(stand.manifest()).splitlines()
    for change in ({"format": "2.0"}, {"requires": ["colour"]}):
        data = json.dumps({**json.loads(line), **change}).encode() + b"\n-\n"
        with pytest.raises(FormatTooNew):
            decode_manifest(data, "here")


def test_fields_that_are_not_known_are_passed_over(stand: Newsstand) -> None:
    line, _ = encode_manifest(stand.manifest()).splitlines()
    data = json.dumps({**json.loads(line), "colour": "blue"}).encode() + b"\ned25519 00 00\n"

    assert decode_manifest(data, "here").manifest == stand.manifest()


def test_another_fold_makes_everything_anew(stand: Newsstand) -> None:
    before = stand.contents()
    stored = read_newest(stand.store, stand.info)
    assert stored is not None
    older = replace(stored.manifest, n=3, previous=stored.digest, fold=0, files=())
    assert append_manifest(stand.store, older)

    report = stand.build()

    assert (report.manifest, report.wrote) == (4, True)
    assert stand.contents() == before
