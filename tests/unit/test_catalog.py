"""Commits fold into the catalog; what would corrupt another's history, or mean more than we know, is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from config.errors import CatalogDamaged, DamageFound, FormatTooNew
from crawler.rows import CaptureReference, SnapshotRow
from jobs.archive.commit import commit_key, decode_commit, digest, encode_commit
from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.catalog import Catalog, SourceVersions
from tests.archives import (
    DERIVATION,
    NOON,
    PAGES,
    Page,
    build_archive,
    commit_segment,
    file_keys,
    put,
    read_lines,
    rechain,
    write_lines,
    write_segment,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store.memory import MemoryStore

SOURCE = "gazette"
BUDGET = PAGES[0].url


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return build_archive(tmp_path / "spool")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.sqlite") as opened:
        yield opened


def fold(catalog: Catalog, store: MemoryStore) -> int:
    return catalog.refresh(store, Log(store, read_info(store), SOURCE))


def test_commits_become_histories(catalog: Catalog, store: MemoryStore) -> None:
    assert fold(catalog, store) == 3
    assert fold(catalog, store) == 0
    verdicts = [capture.verdict for capture in catalog.list_captures(SOURCE, BUDGET)]
    assert verdicts == ["new", "revised", "revised"]
    assert [row["state"] for row in catalog.list_articles()] == ["live", "none", "live"]
    last = SourceVersions(catalog, SOURCE).last(BUDGET)
    assert last is not None
    assert last.texts.keys() == {DERIVATION.digest}
    assert SourceVersions(catalog, SOURCE).last("https://gazette.example/never") is None


def test_rebuilding_gives_the_same(catalog: Catalog, store: MemoryStore) -> None:
    fold(catalog, store)
    before = catalog.dump()
    catalog.clear()
    assert not any(catalog.dump().values())
    fold(catalog, store)
    assert catalog.dump() == before


def test_a_commit_that_requires_more_than_we_know_stops_the_fold(catalog: Catalog, store: MemoryStore) -> None:
    change_last(store, requires=("moved-records",))
    with pytest.raises(FormatTooNew, match="moved-records"):
        fold(catalog, store)
    assert catalog.head(SOURCE)[0] == 2


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"format": "2.0"}, FormatTooNew, "install a newer ofrecord"),
        ({"requires": ["assets"]}, FormatTooNew, "assets"),
        ({"segment": "gazette-20261122T120000Z-0000000000000000"}, DamageFound, "the commit says"),
        ({"source": "herald"}, DamageFound, "herald"),
    ],
)
def test_rows_of_another_kind_or_segment_are_refused(
    catalog: Catalog, store: MemoryStore, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    for key in file_keys(store, ".warc.gz"):
        rows = read_lines(store, key)
        write_lines(store, key, [{**row, **change} if row["type"] == "segment" else row for row in rows])
    rechain(store)
    with pytest.raises(error, match=message):
        fold(catalog, store)


@pytest.mark.parametrize("foreign", [True, False])
def test_a_snapshot_cannot_reach_into_another_history(
    catalog: Catalog, store: MemoryStore, tmp_path: Path, foreign: bool
) -> None:
    fold(catalog, store)
    info = read_info(store)
    target = catalog.list_captures(SOURCE, BUDGET)[-1]
    segment = target.segment.replace("gazette", "herald", 1) if foreign else target.segment
    url = BUDGET if foreign else PAGES[1].url  # of our own source: but not of that article
    text = "forged"
    row = SnapshotRow(
        url=url,
        captured_at=target.captured_at,
        derivation="sha256:" + "f" * 64,
        text=text,
        text_digest=digest(text.encode()),
        page_class="article",
        class_reason="",
        of=CaptureReference(segment, target.n),
    )
    closed = write_segment(tmp_path / "more", [Page("/other")], archive=info.archive, now=NOON + timedelta(days=1))
    seq, _ = catalog.head(SOURCE)
    key = commit_key(SOURCE, seq)
    last = decode_commit(store.get(key), key)
    commit_segment(store, info, closed, now=NOON + timedelta(days=1), after=last, derived=[row])
    if foreign:
        with pytest.raises(DamageFound, match="another source"):
            fold(catalog, store)
        return
    fold(catalog, store)
    texts = [text for revision in catalog.list_revisions(SOURCE, BUDGET) for text in revision.texts]
    assert "sha256:" + "f" * 64 not in texts


def test_a_source_that_claims_another_s_run_takes_nothing_from_it(
    catalog: Catalog, store: MemoryStore, tmp_path: Path
) -> None:
    """The run's id is that of the gazette's runs; the herald's log is folded first."""
    info = read_info(store)
    later = NOON + timedelta(days=3)
    commit_segment(store, info, write_segment(tmp_path / "herald", archive=info.archive, now=later, source="herald"))
    catalog.refresh(store, Log(store, info, "herald"))
    fold(catalog, store)
    assert catalog.last_started("herald") == later
    assert catalog.last_started(SOURCE) == NOON


def test_a_commit_that_is_not_the_next_one_is_not_folded(catalog: Catalog, store: MemoryStore) -> None:
    first, second, third = Log(store, read_info(store), SOURCE).read()
    catalog.add_commit(store, first)
    before = catalog.dump()
    with pytest.raises(CatalogDamaged, match=r"log/gazette/000000000003: .* ends at commit 1, expected commit 2"):
        catalog.add_commit(store, third)
    assert catalog.dump() == before
    for stored in (first, second, second, third):  # what was folded already may come again
        catalog.add_commit(store, stored)
    assert catalog.head(SOURCE) == (3, third.digest)


def test_damaged_rows_are_refused_before_they_are_read(catalog: Catalog, store: MemoryStore) -> None:
    key = next(item.key for item in store.list("segments/") if item.key.endswith(".warc.gz"))
    data = store.get(key)
    put(store, key, data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DamageFound, match="run ofrecord verify"):
        fold(catalog, store)


def list_lines(source: str, texts: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the facts of a log of one commit with a page for each of *texts*."""
    segment = f"{source}-20261122T120000Z-{0:016x}"
    time = "2026-11-22T12:00:00Z"
    commit = {"kind": "segment", "committed": time, "signature": "-", "epoch": 0, "releases": 0, "derivations": "[]"}
    yield {"type": "commit", "seq": 1, "digest": digest(b""), "run": segment, "segment": segment, **commit}
    yield {"type": "segment", "segment": segment, "seq": 1, "run": segment}
    for n, text in enumerate(texts):
        yield {"type": "text", "digest": digest(text.encode()), "text": text}
        place = {"segment": segment, "n": n, "url": f"https://{source}.example/{n}", "captured_at": time, "seq": 1}
        facts = {
            "derivation": "d",
            "native": 1,
            "text_digest": digest(text.encode()),
            "confidence": 0.5,
            "meta_digest": "d",
        }
        yield {"type": "snapshot", **place, **facts, "class": "article"}


def restore(catalog: Catalog, source: str, texts: list[str]) -> None:
    catalog.restore_full(source, 1, digest(b""), [], list_lines(source, texts))


def test_texts_that_nobody_has_any_more_go_and_shared_ones_stay(catalog: Catalog) -> None:
    restore(catalog, "gazette", ["shared", "old"])
    restore(catalog, "herald", ["shared", "other"])
    restore(catalog, "gazette", ["shared", "new"])
    assert list_texts(catalog) == {"shared", "new", "other"}
    catalog.forget("herald", distrusted=0)
    assert list_texts(catalog) == {"shared", "new"}
    catalog.restore_thin("gazette", 1, digest(b""), [], [])
    assert list_texts(catalog) == set()


def list_texts(catalog: Catalog) -> set[str]:
    return {zstandard.decompress(text).decode() for _, text in catalog.dump()["texts"]}


def test_a_source_is_restored_beside_many_by_as_many_steps_as_beside_few(catalog: Catalog) -> None:
    """Of SQLite's machine: with a look at all texts each time, 2,000 sources would take hours."""
    ticks: list[int] = []
    catalog._db.set_progress_handler(lambda: ticks.append(1), 10)
    steps: list[int] = []
    for number in range(300):
        ticks.clear()
        restore(catalog, f"source-{number}", [f"{number} {n}" for n in range(10)])
        steps.append(len(ticks))
    assert steps[299] < 2 * steps[10]


def change_last(store: MemoryStore, **fields: Any) -> None:
    key = commit_key(SOURCE, 3)
    put(store, key, encode_commit(replace(decode_commit(store.get(key), key).commit, **fields)))
