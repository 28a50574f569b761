"""Articles that are new are judged in one go: the same comes of it as of judging each by what the catalog has."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from jobs.archive.identity import list_sources, read_info
from jobs.archive.log import Log
from jobs.catalog import Catalog, rows
from tests.archives import build_archive, file_keys, read_lines, rechain, write_lines
from tests.real_archives import build_random

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jobs.catalog.folding import FirstSight
    from jobs.store.memory import MemoryStore

Line = dict[str, Any]


class SlowCatalog(Catalog):
    """Takes no article for new."""

    def _fold_new(self, source: str, sights: Mapping[str, FirstSight], seq: int) -> list[str]:
        del source, seq
        return list(sights)


def fold(store: MemoryStore, kind: type[Catalog], path: Path) -> dict[str, Any]:
    with kind.open(path) as catalog:
        for source in list_sources(store):
            catalog.refresh(store, Log(store, read_info(store), source))
        return catalog.dump()


def require_same(store: MemoryStore, tmp_path: Path, name: str = "") -> dict[str, Any]:
    quick = fold(store, Catalog, tmp_path / f"{name}quick.sqlite")
    assert quick == fold(store, SlowCatalog, tmp_path / f"{name}slow.sqlite")
    return quick


@pytest.mark.parametrize("seed", range(6))
def test_in_archives_as_crawls_make_them(tmp_path: Path, seed: int) -> None:
    store = build_random(tmp_path / "spool", seed)
    dump = require_same(store, tmp_path)
    assert dump["articles"]
    assert dump["revisions"]


def test_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "SIGHTS_AT_A_TIME", 1)
    require_same(build_random(tmp_path / "spool", 7), tmp_path)
    require_same(build_archive(tmp_path / "other"), tmp_path, "other-")


def test_in_segments_with_rows_in_an_order_that_no_crawl_writes(tmp_path: Path) -> None:
    for seed in range(12):
        store = build_archive(tmp_path / f"spool-{seed}")
        rng = random.Random(seed)
        for key in file_keys(store, ".warc.gz"):
            head, *rows, end = read_lines(store, key)
            write_lines(store, key, [head, *_disturb(rows, rng), end])
        rechain(store)
        require_same(store, tmp_path, f"{seed}-")


def _disturb(rows: list[Line], rng: random.Random) -> list[Line]:
    """Return *rows* with captures twice, under another number, texts of another time or capture, in any order."""
    rows = [dict(row) for row in rows]
    captures = [row for row in rows if row["type"] == "capture"]
    texts = [row for row in rows if row["type"] == "snapshot" and row.get("of") is None]
    for number, row in enumerate(rng.sample(captures, 1), 100):
        rows.append({**row, "n": number})
    for row in rng.sample(texts, min(1, len(texts))):
        changes: list[Line] = [
            {"n": 100},
            {"captured_at": "2026-01-01T00:00:00Z"},
            {"derivation": "sha256:" + "ab" * 32},
            {"title": None},
        ]
        rows.append({**row, **rng.choice(changes)})
    if rng.random() < 0.7:
        rng.shuffle(rows)
    return rows
