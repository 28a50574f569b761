"""`ofrecord export` over the real command: what is chosen is what a search finds, in forms that strangers read."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yaml
from fastwarc.warc import ArchiveIterator
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from config.errors import ConfigError
from crawler.warc import read_records
from jobs.context import OpenArchive
from jobs.export import Selection, export_texts
from jobs.export.flat import COLUMNS
from jobs.search import Query
from tests.rooms import PICTURE_URL, PIXEL, PLANTED_URL, SHEET_URL, SOURCE, SPANISH_SOURCE
from tests.site.pages import SEED_URL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.room.library import Library
    from jobs.search.index import SearchIndex
    from tests.installation import Ofrecord
    from tests.rooms import Room


@pytest.fixture(scope="module")
def ofrecord(room_archive: Room) -> Ofrecord:
    return room_archive.ofrecord


@dataclass
class Exporter:
    """Exports in this process."""

    archive: OpenArchive
    index: SearchIndex
    folder: Path

    def __call__(self, form: str, *, to: str = "file", urls: tuple[str, ...] = (), **asked: Any) -> Path:
        names = ("page_classes", "all_revisions", "every_capture")
        given = {name: asked.pop(name) for name in names if name in asked}
        every = given.pop("every_capture", False)
        path = self.folder / f"{to}-{len(list(self.folder.iterdir()))}"
        selection = Selection(Query(**asked), urls, **given)
        self.report = export_texts(self.archive, self.index, selection, form, str(path), every_capture=every)
        return path

    def rows(self, **asked: Any) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self("jsonl", **asked).read_bytes().splitlines()]


@pytest.fixture(scope="module")
def export(room_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    with room_library.lend("") as desk:
        archive = OpenArchive(desk.store, desk.info, desk.settings, desk.state, desk.catalog)  # type: ignore[arg-type]
        yield Exporter(archive, desk.index, tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def every(export: Exporter) -> list[dict[str, Any]]:
    """Every text of the archive."""
    return export.rows(all_revisions=True)


def search(export: Exporter, **asked: Any) -> set[tuple[str, int]]:
    found = export.index.search(Query(**asked), export.archive.catalog, limit=1_000)
    assert found.after is None
    return {(hit.url, hit.number) for hit in found.hits}


def test_everything_is_every_text(export: Exporter, every: list[dict[str, Any]]) -> None:
    assert {(one["url"], one["number"]) for one in every} == search(export)
    assert [(one["source"], one["url"], one["number"]) for one in every] == sorted(
        (one["source"], one["url"], one["number"]) for one in every
    )
    for one in every:
        assert one["text_digest"] == f"sha256:{hashlib.sha256(one['text'].encode()).hexdigest()}"
        assert set(COLUMNS) < set(one)
    seed = [one for one in every if one["url"] == SEED_URL]
    assert [one["number"] for one in seed] == [1, 2, 3][: len(seed)]
    assert len(seed) > 1
    assert seed[0]["state"] == "gone"


@pytest.mark.parametrize(
    "asked",
    [
        {"sources": (SPANISH_SOURCE,)},
        {"words": "council bridge"},
        {"words": "council -again"},
        {"words": "title:planted OR"},
        {"kinds": ("number",)},
        {"kinds": ("wording", "headline"), "silent": True},
        {"deleted": True},
        {"language": "ar"},
        {"since": datetime(2020, 1, 1, tzinfo=UTC)},
        {"until": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
def test_what_is_chosen_is_what_a_search_finds(
    export: Exporter, every: list[dict[str, Any]], asked: dict[str, Any]
) -> None:
    found = export.rows(all_revisions=True, **asked)
    assert {(one["url"], one["number"]) for one in found} == search(export, **asked)
    assert all(one in every for one in found)


def test_of_each_article_the_last(export: Exporter, every: list[dict[str, Any]]) -> None:
    last = {(one["source"], one["url"]): one for one in every}
    assert export.rows() == list(last.values())
    assert export.report.articles == export.report.texts == len(last)
    assert export.rows(urls=(SEED_URL,)) == [last[SOURCE, SEED_URL]]
    assert {one["class"] for one in export.rows(page_classes=("live",))} == {"live"}


def test_csv_and_parquet_have_the_same_rows(export: Exporter, every: list[dict[str, Any]]) -> None:
    rows = list(csv.DictReader(io.StringIO(export("csv", all_revisions=True).read_text("utf-8"), newline="")))
    assert [row["text_digest"] for row in rows] == [one["text_digest"] for one in every]
    assert [row["text"].removeprefix("'") for row in rows] == [one["text"].removeprefix("'") for one in every]
    frame = pd.read_parquet(export("parquet", all_revisions=True))
    assert list(frame["text"]) == [one["text"] for one in every]
    assert [list(one) for one in frame["authors"]] == [one["authors"] for one in every]
    assert str(frame["captured_at"].dtype) == "datetime64[us, UTC]"


def test_a_file_for_each_article(export: Exporter, every: list[dict[str, Any]]) -> None:
    texts = export("text")
    digests = {f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in texts.glob("*/*.txt")}
    last = {(one["source"], one["url"]): one for one in every}
    assert digests == {one["text_digest"] for one in last.values()}
    pages = sorted(export("markdown", all_revisions=True).glob("*/*.md"))
    assert len(pages) == len(every)
    fronts = [yaml.safe_load(path.read_text("utf-8").split("---\n")[1]) for path in pages]
    assert {(one["url"], one["number"]) for one in fronts} == {(one["url"], one["number"]) for one in every}


@pytest.fixture(scope="module")
def wacz(export: Exporter) -> Path:
    path = export("wacz", sources=(SOURCE,), all_revisions=True, every_capture=True)
    report = export.report
    assert report.left_out == 0
    assert report.records > report.captures > report.texts
    return path


def read_wacz(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]], bytes]:
    """Return pages, index and WARC file."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        package = json.loads(archive.read("datapackage.json"))
        for one in package["resources"]:
            assert one["hash"] == f"sha256:{hashlib.sha256(archive.read(one['path'])).hexdigest()}"
        lines = archive.read("indexes/index.cdx").splitlines()
        assert lines == sorted(lines)
        pages = [json.loads(line) for line in archive.read("pages/pages.jsonl").splitlines()[1:]]
        index = [json.loads(line.split(b" ", 2)[2]) for line in lines]
        return pages, index, archive.read("archive/data.warc.gz")


def test_a_wacz_has_records_of_all_captures(room_archive: Room, wacz: Path, every: list[dict[str, Any]]) -> None:
    pages, index, warc = read_wacz(wacz)
    assert [one["text"] for one in pages] == [one["text"] for one in every if one["source"] == SOURCE]
    records = list(read_records(io.BytesIO(warc)))
    assert not [fault for one in records[1:] for fault in one.find_faults()]
    assert {"response", "request", "metadata", "revisit"} <= {one.type for one in records}
    urls = {one["url"] for one in index}
    assert {SEED_URL, PLANTED_URL, SHEET_URL, PICTURE_URL} <= urls
    history = room_archive.ofrecord("history", SEED_URL, "--json").rows()
    answered = [one for one in history if one["status"] is not None]
    assert len([one for one in index if one["url"] == SEED_URL]) == len(answered)
    picture = next(one for one in index if one["url"] == PICTURE_URL)
    start = int(picture["offset"])
    (record,) = read_records(io.BytesIO(warc[start : start + int(picture["length"])]))
    assert record.payload == PIXEL
    segments = b"".join(path.read_bytes() for path in sorted(room_archive.archive.glob("segments/*/*/*.warc.gz")))
    for one in index:
        start = int(one["offset"])
        assert warc[start : start + int(one["length"])] in segments, "records come as they lie"


def test_strangers_read_it(wacz: Path) -> None:
    _, index, warc = read_wacz(wacz)
    found = list(ArchiveIterator(io.BytesIO(warc), verify_digests=True))
    by_warcio = [one.rec_type for one in WarcioIterator(io.BytesIO(warc), check_digests=True)]
    assert len(found) == len(by_warcio)
    assert len([one for one in by_warcio if one in {"response", "revisit"}]) == len(index)


def test_the_same_selection_makes_the_same_bytes(export: Exporter, ofrecord: Ofrecord, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"urls": (PLANTED_URL,), "all_revisions": True}
    assert export("wacz", **asked).read_bytes() == export("wacz", **asked).read_bytes()
    words = ("export", "--url", PLANTED_URL, "--all-revisions", "--as", "wacz", "--to")
    ofrecord(*words, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == export("wacz", **asked).read_bytes()
    piped = ofrecord.command(*words, "-")
    done = subprocess.run(piped, env=ofrecord.variables(), capture_output=True, check=True, timeout=120)
    (tmp_path / "pipe").write_bytes(done.stdout)
    assert read_wacz(tmp_path / "pipe") == read_wacz(tmp_path / "file")
    assert b"2 texts" in done.stderr


def test_another_archive_takes_it_in(ofrecord: Ofrecord, wacz: Path, tmp_path: Path) -> None:
    other = ("--archive", tmp_path / "archive", "--state", tmp_path / "state")
    ofrecord("init", *other)
    (tmp_path / "all.wacz").write_bytes(wacz.read_bytes())
    ofrecord("import", tmp_path / "all.wacz", "--source", SOURCE, *other)
    texts = ofrecord("show", SEED_URL, "--revision", "1", *other).stdout
    assert texts == ofrecord("show", SEED_URL, "--revision", "1").stdout


def test_what_was_compacted_comes_out_as_it_went_in(
    room_archive: Room, ofrecord: Ofrecord, wacz: Path, tmp_path: Path
) -> None:
    shutil.copytree(room_archive.archive, tmp_path / "archive")
    other = ("--archive", tmp_path / "archive", "--state", tmp_path / "state")
    done = ofrecord("compact", SOURCE, "--before", "0 seconds", *other)
    assert list((tmp_path / "archive").glob("segments/*/*/*.warc.zst")), done
    words = ("--source", SOURCE, "--all-revisions", "--all-captures")
    ofrecord("export", *words, "--to", tmp_path / "all.wacz", *other)
    (_, before, warc), (_, after, restored) = read_wacz(wacz), read_wacz(tmp_path / "all.wacz")
    assert len(before) == len(after)
    assert list_records(restored) == list_records(warc)


def list_records(warc: bytes) -> list[tuple[Any, ...]]:
    return sorted((one.header("WARC-Record-ID"), one.headers, one.block) for one in read_records(io.BytesIO(warc)))


@pytest.fixture
def damaged(room_archive: Room, tmp_path: Path) -> tuple[Ofrecord, Path]:
    """The command with a copy in which the seed's first record has another byte."""
    archive, config = tmp_path / "archive", tmp_path / "config"
    shutil.copytree(room_archive.archive, archive)
    shutil.copytree(room_archive.ofrecord.config, config)
    settings = config / "settings.yaml"
    settings.write_text(settings.read_text("utf-8").replace(str(room_archive.archive), str(archive)))
    copy = type(room_archive.ofrecord)(config, tmp_path)
    for path in archive.glob("segments/*/*/*.warc.gz"):
        data = bytearray(path.read_bytes())
        at = 0
        for record in read_records(io.BytesIO(bytes(data))):
            if record.header("WARC-Target-URI") == SEED_URL and record.type == "response":
                at = record.offset + 200
                break
        if at:
            data[at] ^= 0xFF
            path.chmod(0o644)
            path.write_bytes(data)
    return copy, tmp_path


def test_damaged_records_are_left_out_and_told(damaged: tuple[Ofrecord, Path]) -> None:
    ofrecord, folder = damaged
    path = folder / "all.wacz"
    done = ofrecord("export", "--source", SOURCE, "--all-revisions", "--to", path, "--json", code=13)
    told = done.rows()[0]
    assert told["left_out"] >= 1
    assert len(told["damaged"]) == told["left_out"]
    assert "left out: " in done.stderr
    _, index, warc = read_wacz(path)
    assert index
    assert all(one.type for one in read_records(io.BytesIO(warc)))


def test_no_half_file_has_the_name(export: Exporter, ofrecord: Ofrecord, tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text("mine")
    refused = ofrecord("export", '"never closed', "--to", path, code=2)
    assert "a phrase without an end" in refused.stderr
    assert path.read_text() == "mine"
    refused = ofrecord("export", "--url", "https://x.example/", "--to", path, code=2)
    assert "no capture in this archive" in refused.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["texts.jsonl"]
    assert "in what form" in ofrecord("export", "--to", tmp_path / "x", code=2).stderr
    for form, to, fault in (
        ("csv", tmp_path / "none" / "x.csv", "no folder"),
        ("csv", tmp_path, "found a folder"),
        ("text", tmp_path, "is there and not empty"),
        ("text", path, "is there and not empty"),
    ):
        with pytest.raises(ConfigError, match=fault):
            export_texts(export.archive, export.index, Selection(), form, str(to))
    assert [one.name for one in tmp_path.iterdir()] == ["texts.jsonl"]


def test_gzip_members_are_whole(wacz: Path) -> None:
    """So `zcat` shows all."""
    _, _, warc = read_wacz(wacz)
    assert gzip.decompress(warc).startswith(b"WARC/1.1\r\n")
