"""The WACZ that we write: every part is listed with its digest, the index finds every record, memory stays flat."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tracemalloc
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RecordError
from crawler.imports.wacz import list_parts
from crawler.model import Exchange, Purpose
from crawler.warc import encode_exchange, encode_warcinfo, read_records
from jobs.wacz import Package, Page, write_wacz
from jobs.wacz.sorting import SortedLines

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.wacz import WaczWriter

AT = datetime(2026, 11, 22, 3, 45, tzinfo=UTC)
WARC = "data.warc.gz"
INFO = encode_warcinfo(filename=WARC, run="run", source="gazette", software="test", created=AT)[0]
PACKAGE = Package("Gazette", AT, "ofrecord/0", "A few pages.", Page("0", "https://gazette.example/0", AT, "Page 0"))


class Pipe(io.RawIOBase):
    """What can be written to and not sought in."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.taken += data
        return len(data)


def make_member(number: int, *, body: bytes = b"<p>Text</p>", at: datetime = AT) -> bytes:
    exchange = Exchange(
        f"https://gazette.example/{number}",
        Purpose.ARTICLE,
        at + timedelta(seconds=number),
        0.1,
        b"GET / HTTP/1.1\r\n\r\n",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
        body=body,
    )
    return encode_exchange(exchange).data


def fill(wacz: WaczWriter, count: int, *, text: str | None = None) -> None:
    with wacz.open_warc(WARC, INFO) as warc:
        for number in range(count):
            member = make_member(number)
            warc.append(member, read_records(io.BytesIO(member)))
            page = Page(str(number), f"https://gazette.example/{number}", AT, f"Page {number}", text)
            wacz.add_page(page)


def write(count: int, *, text: str | None = None) -> bytes:
    file = io.BytesIO()
    with write_wacz(file, PACKAGE) as wacz:
        fill(wacz, count, text=text)
        wacz.add_resource("evidence/commits.jsonl", b'{"seq": 1}\n')
        wacz.add_resource("evidence/data.warc.gz", gzip.compress(b"of the same name", mtime=0), squeeze=True)
    return file.getvalue()


def read_parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def find_lines(parts: dict[str, bytes]) -> list[bytes]:
    """Return the index's lines, those in blocks by way of the blocks' own index."""
    if "indexes/index.cdx" in parts:
        return parts["indexes/index.cdx"].splitlines()
    lines: list[bytes] = []
    head, *blocks = parts["indexes/index.idx"].splitlines()
    assert json.loads(head.removeprefix(b"!meta 0 ")) == {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}
    for block in blocks:
        key, brace, rest = block.partition(b" {")
        told = json.loads(brace + rest)
        data = parts["indexes/index.cdx.gz"][told["offset"] : told["offset"] + told["length"]]
        assert told["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        found = gzip.decompress(data).splitlines()
        assert found[0].startswith(key)
        lines += found
    return lines


@pytest.mark.parametrize("count", [0, 1, 40, 2_500])
def test_each_part_is_listed_and_each_record_found(count: int) -> None:
    data = write(count)
    parts = read_parts(data)
    package = json.loads(parts["datapackage.json"])
    assert (package["wacz_version"], package["title"]) == ("1.1.1", "Gazette")
    assert {one["path"] for one in package["resources"]} == parts.keys() - {
        "datapackage.json",
        "datapackage-digest.json",
    }
    for one in package["resources"]:
        part = parts[one["path"]]
        assert (one["hash"], one["bytes"]) == (f"sha256:{hashlib.sha256(part).hexdigest()}", len(part))
    names = [one["name"] for one in package["resources"]]
    assert len(set(names)) == len(names)
    stated = json.loads(parts["datapackage-digest.json"])
    assert stated["hash"] == f"sha256:{hashlib.sha256(parts['datapackage.json']).hexdigest()}"

    assert ("indexes/index.idx" in parts) == (count > 1_000)
    lines = find_lines(parts)
    assert lines == sorted(lines)
    assert len(lines) == count
    for line in random.Random(1).sample(lines, min(count, 20)):
        entry = json.loads(line.split(b" ", 2)[2])
        start = int(entry["offset"])
        (record,) = read_records(io.BytesIO(parts["archive/data.warc.gz"][start : start + int(entry["length"])]))
        assert record.header("WARC-Target-URI") == entry["url"]
        assert (record.header("WARC-Payload-Digest"), entry["mime"]) == (entry["digest"], "text/html")


def test_the_same_calls_make_the_same_bytes() -> None:
    assert write(7) == write(7)
    assert write(7, text="One.") == write(7, text="One.")
    assert write(7) != write(7, text="One.")


def test_players_find_each_part_by_the_directory() -> None:
    """They take it to begin behind its name, unless the directory has an extra field: then they look."""
    data = write(3, text="One.")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for one in archive.infolist():
            extra = int.from_bytes(data[one.header_offset + 28 : one.header_offset + 30], "little")
            assert bool(one.extra) == bool(extra), one.filename


def test_into_a_pipe_goes_what_goes_into_a_file() -> None:
    pipe = Pipe()
    with write_wacz(pipe, PACKAGE) as wacz:  # type: ignore[arg-type]  # a raw file will do
        fill(wacz, 5)
        wacz.add_resource("evidence/commits.jsonl", b'{"seq": 1}\n')
        wacz.add_resource("evidence/data.warc.gz", gzip.compress(b"of the same name", mtime=0), squeeze=True)
    assert read_parts(bytes(pipe.taken)) == read_parts(write(5))


def test_pages_may_have_texts() -> None:
    head, *pages = (
        json.loads(line) for line in read_parts(write(2, text="Die Brücke"))["pages/pages.jsonl"].splitlines()
    )
    assert (head["format"], head["hasText"]) == ("json-pages-1.0", True)
    assert [one["text"] for one in pages] == ["Die Brücke"] * 2
    assert pages[0]["ts"] == "2026-11-22T03:45:00Z"


def test_what_is_cut_is_still_read_by_an_import() -> None:
    data = write(3)
    (warc,) = (part.file.read() for part in list_parts(io.BytesIO(data[:-200]), first="", raw=0))
    assert warc == read_parts(data)["archive/data.warc.gz"]


@pytest.mark.parametrize(
    "path",
    [
        *("", "/etc/passwd", "../x", "a/../x", "a//b", "a/./b", "a/", "a\\b", "c:x", "a\nb", "ä", "x" * 300),
        *("archive/x", "datapackage.json", "indexes/more.cdx", "pages/extra.jsonl"),
    ],
)
def test_a_resource_stays_in_the_file(path: str) -> None:
    with write_wacz(io.BytesIO(), PACKAGE) as wacz, pytest.raises(ValueError, match=r"expected|own parts"):
        wacz.add_resource(path, b"")


def test_no_two_parts_have_one_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 1_000_000)
    file = io.BytesIO()
    with write_wacz(file, PACKAGE, scratch=tmp_path) as wacz:
        wacz.add_resource("evidence/a", tmp_path / "file")
        with pytest.raises(ValueError, match="already"):
            wacz.add_resource("evidence/a", b"")
    assert read_parts(file.getvalue())["evidence/a"] == b"x" * 1_000_000


def test_a_record_without_a_date_is_not_indexed() -> None:
    (view, *_) = read_records(io.BytesIO(make_member(1)))
    undated = tuple((name, value) for name, value in view.headers if name != "WARC-Date")
    with write_wacz(io.BytesIO(), PACKAGE) as wacz, wacz.open_warc(WARC, INFO) as warc:
        size = warc.size_bytes
        with pytest.raises(RecordError, match="no line of an index"):
            warc.append(b"x", [type(view)(view.offset, view.length, undated, view.block, "here")])
        assert warc.size_bytes == size


@given(
    lines=st.lists(st.binary(max_size=6).filter(lambda one: b"\n" not in one), max_size=300), held=st.integers(0, 900)
)
def test_lines_come_sorted_however_many_files_they_take(lines: list[bytes], held: int) -> None:
    with SortedLines(held_bytes=held) as sorting:
        for line in lines:
            sorting.add(line)
        assert list(sorting.merge()) == sorted(line + b"\n" for line in lines)
        assert sorting.size_bytes == sum(map(len, lines)) + len(lines)


def test_memory_stays_flat() -> None:
    def measure(count: int) -> int:
        with SortedLines(held_bytes=50_000) as sorting:
            tracemalloc.start()
            for number in range(count):
                sorting.add(b"%032x" % (number * 2_654_435_761 % 2**32))
            assert sum(1 for _ in sorting.merge()) == count
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return peak

    assert measure(30_000) < measure(3_000) + 600_000  # 64 open files have buffers of their own
