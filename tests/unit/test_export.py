"""Forms of an export: cells that no spreadsheet runs, names of files that no page decides, memory that stays flat."""

from __future__ import annotations

import csv
import gc
import io
import json
import re
import tracemalloc
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import StoreUnavailable
from config.settings import Settings
from crawler.rows import CaptureReference
from jobs.archive.identity import create_archive
from jobs.catalog import Catalog
from jobs.context import OpenArchive
from jobs.export import FORMS, Selection, export_texts
from jobs.export.flat import disarm
from jobs.export.folders import name_file
from jobs.export.records import Places, RecordsPlace, read_places
from jobs.export.selection import Text
from jobs.export.targets import open_file, open_folder
from jobs.search import Found, Query
from jobs.search.index import INDEX_FILE, SearchIndex
from jobs.store.memory import MemoryStore
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAFE_NAME = re.compile(r"[a-z0-9-]{1,64}/[a-z0-9-]{1,90}\.(md|txt)")


@contextmanager
def make_archive(
    folder: Path, articles: int, *, words: str = "word " * 6_000
) -> Iterator[tuple[OpenArchive, SearchIndex]]:
    """Lend an archive of so many articles, 500 to a commit, with catalog and index."""
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=START)
    with Catalog.open(folder / "catalog.sqlite") as catalog, SearchIndex.open(folder / INDEX_FILE) as index:
        machine = Machine(store, info, catalog, sums_up=False)
        for number, first in enumerate(range(0, articles, 500)):
            looks = [Look(f"{one}", f"{words} {one}") for one in range(first, min(first + 500, articles))]
            machine.commit(looks, number=number)
        index.fold(catalog, info.archive)
        yield OpenArchive(store, info, Settings(), folder, catalog), index


def make_text(url: str, *, source: str = SOURCE, number: int = 1, text: str = "Text") -> Text:
    found = Found(source, url, number, number, START, "segment", 0, "live", (), silent=False)
    snapshot: dict[str, Any] = {"title": "Title", "lead": None, "text": text, "class": "article", "fields": {}}
    return Text(found, {**snapshot, "text_digest": "sha256:0", "derivation": "sha256:1"})


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        " =1",
        "\r\n=1",
        "＝1",
        "\ufeff=1",
        "\u200b=cmd|'/c calc'!A0",
        "|x",
        "%0",
        "'=1",
    ],
)
def test_what_a_spreadsheet_would_run_is_disarmed(cell: str) -> None:
    assert disarm(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "Die Zeit", "1-1", "a=b", "'tis", "“=1”", "9%"])
def test_what_it_would_not_stays(cell: str) -> None:
    assert disarm(cell) == cell


@given(st.text())
def test_taking_one_apostrophe_off_gives_back_what_was_there(cell: str) -> None:
    told = disarm(cell)
    assert told in {cell, "'" + cell}
    assert told == (told if disarm(told) == told else "'" + cell)


@given(st.text(max_size=400), st.text(max_size=80), st.integers(1, 99_999), st.booleans())
def test_no_page_decides_where_its_file_lies(rest: str, source: str, number: int, numbered: bool) -> None:
    url = f"https://gazette.example/{rest}"
    for ending in ("md", "txt"):
        name = name_file(make_text(url, source=source, number=number), ending, numbered=numbered)
        assert SAFE_NAME.fullmatch(name)
    other = name_file(make_text(url + "x", source=source, number=number), "md", numbered=numbered)
    assert other != name_file(make_text(url, source=source, number=number), "md", numbered=numbered)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "wacz"])
def test_hostile_texts_are_written(tmp_path: Path, form: str) -> None:
    hostile = "---\n# =cmd\x00\x1b[2J\u202e\ud800 <script>"
    with make_archive(tmp_path, 0) as (archive, index):
        machine = Machine(archive.store, archive.info, archive.catalog, sums_up=False)
        fields = {
            "authors": {"value": ["=a", "b\n---"], "from": "meta"},
            "published": {"value": "soon", "from": "meta"},
        }
        looks = [
            Look("../../etc/passwd", "hostile \x00 --- =1", fields=fields),
            Look("..%2f..%2f" + "x" * 300, "-- more"),
            Look("CON", "con"),
            Look("con", "con of another letter"),
        ]
        machine.commit(looks, number=0)
        index.fold(archive.catalog, archive.info.archive)
        report = export_texts(archive, index, Selection(), form, str(tmp_path / "out"))
    assert report.texts == 4
    assert hostile
    written = [path for path in (tmp_path / "out").glob("**/*") if path.is_file()] or [tmp_path / "out"]
    assert len(written) == (4 if form in {"markdown", "text"} else 1)
    assert not (tmp_path.parent / "etc").exists()
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO((tmp_path / "out").read_text("utf-8"), newline="")))
        assert next(row for row in rows if "passwd" in row["url"])["authors"] == "'=a; b\n---"
    if form == "jsonl":
        assert all(json.loads(line)["fields"] is not None for line in (tmp_path / "out").read_bytes().splitlines())


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")

    def write_half_a_file() -> None:
        with open_file(str(tmp_path / "file")) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    def write_half_a_folder() -> None:
        with open_folder(str(tmp_path / "folder")) as folder:
            (folder / "x").write_text("half")
            raise StoreUnavailable("gone")

    with pytest.raises(KeyboardInterrupt):
        write_half_a_file()
    with pytest.raises(StoreUnavailable):
        write_half_a_folder()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "before"
    (tmp_path / "empty").mkdir()
    with open_folder(str(tmp_path / "empty")) as folder:
        (folder / "x").write_text("whole")
    assert (tmp_path / "empty" / "x").read_text() == "whole"


@dataclass
class NotingStore:
    """Has one object; notes what is asked."""

    data: bytes
    asked: list[tuple[int, int]]

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        assert key == "segments/x"
        self.asked.append((offset, length or 0))
        return self.data[offset : offset + (length or 0)]


def test_neighbours_are_read_together_and_each_once(tmp_path: Path) -> None:
    store = NotingStore(bytes(400_000), [])
    with Places(tmp_path) as places:
        for offset in (300_000, 100, 0, 100, 250):
            places.add(RecordsPlace("segments/x", offset, 100, "https://x.example/"))
        found = list(read_places(store, places))
    assert [place.offset for place, _ in found] == [0, 100, 250, 300_000]
    assert store.asked == [(0, 350), (300_000, 100)]
    assert all("damaged gzip member" in str(one) for _, one in found)


Archives = dict[int, tuple[OpenArchive, SearchIndex]]


def require_flat(few: tuple[OpenArchive, SearchIndex], many: tuple[OpenArchive, SearchIndex], form: str) -> None:
    """Fail if more texts take more memory: the most that Python held during an export."""
    peaks, texts = [], []
    for archive, index in (few, many):
        to = archive.state / f"out-{form}"
        gc.collect()  # what the tests before left is none of its doing
        tracemalloc.start()
        texts.append(export_texts(archive, index, Selection(), form, str(to)).texts)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert texts[1] == 10 * texts[0]
    assert peaks[1] < peaks[0] + 5_000_000, peaks  # all texts are 12 MB, and 30 MB in the long count


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archives]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp
        yield {count: stack.enter_context(make_archive(folder(f"of-{count}"), count)) for count in (40, 400)}


@pytest.mark.parametrize("form", FORMS)
def test_memory_stays_flat(archives: Archives, form: str) -> None:
    require_flat(archives[40], archives[400], form)


@pytest.mark.soak
def test_memory_stays_flat_over_20_000_texts(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    words = "word " * 300
    with (
        make_archive(tmp_path / "few", 2_000, words=words) as few,
        make_archive(tmp_path / "many", 20_000, words=words) as many,
    ):
        for form in FORMS:
            require_flat(few, many, form)


def test_redacted_captures_are_counted(tmp_path: Path) -> None:
    with make_archive(tmp_path, 3) as (archive, index):
        archive.catalog._db.execute("UPDATE captures SET class = 'redacted' WHERE url LIKE '%/1'")
        asked: dict[str, Any] = {"since": START - timedelta(days=1), "until": START + timedelta(days=1)}
        for query, number in ((Query(), 1), (Query(sources=(SOURCE,), **asked), 1), (Query(sources=("x",)), 0)):
            report = export_texts(archive, index, Selection(query), "jsonl", str(tmp_path / "out"))
            assert report.redacted == number
        packed = export_texts(archive, index, Selection(), "wacz", str(tmp_path / "out"))
        assert packed.left_out == 2  # the others': these logs have rows and no records


def test_a_revisit_brings_what_it_refers_to_once(tmp_path: Path) -> None:
    with make_archive(tmp_path, 0) as (archive, index):
        machine = Machine(archive.store, archive.info, archive.catalog, sums_up=False)
        first = machine.commit([Look("a")], number=0).commit
        again = CaptureReference(first.segment or "", 0)
        machine.commit([Look("a", minutes=5, revisit_of=again), Look("a", minutes=6, revisit_of=again)], number=1)
        index.fold(archive.catalog, archive.info.archive)
        asked: list[Any] = []
        for every in (False, True):
            report = export_texts(archive, index, Selection(), "wacz", str(tmp_path / "out"), every_capture=every)
            asked.append(report.left_out)  # these logs have rows and no records
    assert asked == [1, 3]
