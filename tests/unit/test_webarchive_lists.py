"""What web archives answer when asked what they have: CDX in its forms, TimeMaps, and what is faulty in them."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.model import Exchange, Purpose
from crawler.webarchive import CopyList, decode_copies, encode_copies, read_cdx, read_stamp, read_timemap, write_stamp
from crawler.workers.documents import list_copies

PAGE = "https://gazette.example/2020/01/02/mayor"
ROWS = [
    ("20200102030405", PAGE, "text/html", "200", "AAAA"),
    ("20200203030405", PAGE, "warc/revisit", "-", "AAAA"),
    ("20200303030405", PAGE + "?page=2", "text/html", "404", "-"),
]
EXPECTED = [
    (PAGE, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), 200, "text/html", "AAAA"),
    (PAGE, datetime(2020, 2, 3, 3, 4, 5, tzinfo=UTC), None, "warc/revisit", "AAAA"),
    (PAGE + "?page=2", datetime(2020, 3, 3, 3, 4, 5, tzinfo=UTC), 404, "text/html", None),
]
KEY = "example,gazette)/2020/01/02/mayor"


def cdx_lines(ending: str = "") -> str:
    return "".join(
        f"{KEY} {stamp} {url} {mime} {status} {digest}{ending}\n" for stamp, url, mime, status, digest in ROWS
    )


def rows_of(*extra: list[str]) -> str:
    head = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
    rows = [head, *([KEY, *row, "700"] for row in ROWS), *extra]
    return "[" + ",\n".join(json.dumps(row) for row in rows) + "]\n"


def objects(prefix: str = "") -> str:
    lines = []
    for stamp, url, mime, status, digest in ROWS:
        told = {"url": url, "mime": mime, "status": status, "digest": digest, "filename": "a.warc.gz"}
        lines.append(f"{KEY} {stamp} {json.dumps(told)}" if prefix else json.dumps({"timestamp": stamp, **told}))
    return "\n".join(lines) + "\n"


FORMS = {
    "lines of 7 fields": cdx_lines(" 700"),
    "lines of 11 fields": cdx_lines(" - - 700 12 a.warc.gz"),
    "with a header": " CDX N b a m s k r M S V g\n" + cdx_lines(" - - 700 12 a.warc.gz"),
    "in an order of its own": " CDX b a N m s k S\n"
    + "".join(f"{s} {u} {KEY} {m} {c} {d} 700\n" for s, u, m, c, d in ROWS),
    "CDXJ": objects("key"),
    "JSON lines": objects(),
    "rows": rows_of(),
}


def told(found: CopyList) -> list[tuple[Any, ...]]:
    return [(one.url, one.captured_at, one.status, one.media_type, one.digest) for one in found.copies]


@pytest.mark.parametrize("form", FORMS)
def test_reads_each_form_of_index(form: str) -> None:
    found = read_cdx(FORMS[form])
    assert told(found) == EXPECTED
    assert (found.error, found.lines, found.resume, found.truncated) == (None, 3, None, False)


@pytest.mark.parametrize(
    "text",
    [
        cdx_lines(" 700") + "\ncom%2Cexample%29%2F+20200303030405%21\n",
        rows_of([], ["com%2Cexample%29%2F+20200303030405%21"]),
    ],
)
def test_reads_the_resumption_key(text: str) -> None:
    found = read_cdx(text)
    assert told(found) == EXPECTED
    assert found.resume == "com%2Cexample%29%2F+20200303030405%21"


@pytest.mark.parametrize("text", ["", "\n", "[]", "[]\n", rows_of()[: rows_of().index("]") + 1] + "]"])
def test_nothing_had_is_no_fault(text: str) -> None:
    assert read_cdx(text) == CopyList()


@pytest.mark.parametrize("form", FORMS)
def test_all_whole_lines_of_an_answer_that_was_cut_count(form: str) -> None:
    text = FORMS[form]
    for at in range(len(text)):
        found = read_cdx(text[:at], cut=True)
        assert told(found)[:2] == EXPECTED[: min(2, len(found.copies))]
    cut = read_cdx(text[: text.rindex(ROWS[2][0]) + 3], cut=True)
    assert told(cut) == EXPECTED[:2]


@pytest.mark.parametrize(
    "line",
    [
        "<html><body>Sorry",
        f"{KEY} 2020 {PAGE} text/html 200 AAAA",
        f"{KEY} 20201302030405 {PAGE} text/html 200 AAAA",
        f"{KEY} 20200102030405 ftp://gazette.example/a text/html 200 AAAA",
        f"{KEY} 20200102030405 {{",
        "[" * 50_000,
        "{" * 50_000,
        '{"timestamp": 20200102030405}',
        '{"timestamp": "20200102030405", "url": ["a"]}',
        "x" * 100_000,
    ],
)
def test_a_faulty_line_is_counted_and_harms_no_other(line: str) -> None:
    found = read_cdx(cdx_lines(" 700") + line + "\n" + cdx_lines(" 700"))
    assert told(found) == EXPECTED * 2
    assert found.error == "1 of 7 lines are no index lines"


def test_a_page_of_apology_is_no_list() -> None:
    found = read_cdx("<!doctype html>\n<p>Too many requests</p>\n")
    assert (found.copies, found.error) == ((), "2 of 2 lines are no index lines")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[[" + '"a",' * 100_000, '[["timestamp"],' + "[1]," * 50_000, "\n" * 100_000]
)
def test_hostile_lists_cost_little(text: str) -> None:
    began = time.process_time()
    assert read_cdx(text).copies == ()
    assert read_timemap(text, url="https://archive.example/t/", original=PAGE).copies == ()
    assert time.process_time() - began < 5


def test_a_time_is_written_as_it_is_read() -> None:
    for stamp in ("19960101000000", "20261231235959", "00010101000000"):
        found = read_stamp(stamp)
        assert found is not None
        assert write_stamp(found) == stamp
    for text in ("", "2020", "20200230000000", "２0200102030405", "20200102030405 "):
        assert read_stamp(text) is None


# --- TimeMaps

AT = "https://archive.example/timemap/link/" + PAGE
TIMEMAP = f"""<{PAGE}>;rel="original",
<https://archive.example/timemap/link/{PAGE}>; rel="self"; type="application/link-format"
 ; from="Thu, 02 Jan 2020 03:04:05 GMT"; until="Tue, 03 Mar 2020 03:04:05 GMT",
<https://archive.example/timegate/{PAGE}>; rel=timegate,
<https://archive.example/timemap/2/{PAGE}>; rel="timemap"; from="Wed, 04 Mar 2020 00:00:00 GMT",
<https://archive.example/20200102030405/{PAGE}>; rel="first memento"; datetime="Thu, 02 Jan 2020 03:04:05 GMT",
<//archive.example/20200203030405/{PAGE}>; datetime="Mon, 03 Feb 2020 03:04:05 GMT"; rel="memento"; license="a, b; c",
<https://archive.example/20200303030405/{PAGE}>; rel="last memento"; datetime="Tue, 03 Mar 2020 03:04:05 GMT"
"""


def test_reads_a_timemap_and_where_it_goes_on() -> None:
    found = read_timemap(TIMEMAP, url=AT, original=PAGE)
    assert [(one.url, write_stamp(one.captured_at), one.memento) for one in found.copies] == [
        (PAGE, stamp, f"https://archive.example/{stamp}/{PAGE}")
        for stamp in ("20200102030405", "20200203030405", "20200303030405")
    ]
    assert found.pages == (f"https://archive.example/timemap/2/{PAGE}",)
    assert (found.error, found.lines) == (None, 3)


def test_a_timemap_without_a_copy_is_one() -> None:
    links = f'<{PAGE}>; rel="original", <{AT}>; rel="self"; type="application/link-format"'
    assert read_timemap(links, url=AT, original=PAGE) == CopyList()


def test_all_whole_links_of_a_timemap_that_was_cut_count() -> None:
    whole = read_timemap(TIMEMAP, url=AT, original=PAGE).copies
    for at in range(len(TIMEMAP)):
        found = read_timemap(TIMEMAP[:at], url=AT, original=PAGE)
        assert found.copies == whole[: len(found.copies)]


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Jan 2020 03:04:05 GMT", "9" * 300])
def test_a_memento_without_a_date_is_left_out(date: str) -> None:
    text = TIMEMAP.replace("Mon, 03 Feb 2020 03:04:05 GMT", date)
    found = read_timemap(text, url=AT, original=PAGE)
    assert len(found.copies) == 2
    assert found.error == "1 of 3 mementos have no date or no address"


def test_a_page_of_apology_is_no_timemap() -> None:
    assert read_timemap("<html><p>Sorry", url=AT, original=PAGE).error == "found no TimeMap"


# --- through the worker's pipe


def answer(body: bytes, *headers: str) -> Exchange:
    head = "\r\n".join(["HTTP/1.1 200 OK", *headers, "", ""]).encode()
    return Exchange(AT, Purpose.ARTICLE, datetime(2026, 1, 1, tzinfo=UTC), 0.1, b"", 200, head, body)


def test_squeezed_answers_are_read() -> None:
    squeezed = gzip.compress(FORMS["rows"].encode())
    assert told(list_copies(answer(squeezed, "Content-Encoding: gzip"), None)) == EXPECTED
    assert told(list_copies(answer(squeezed), None)) == EXPECTED  # as a file
    assert list_copies(answer(TIMEMAP.encode()), PAGE).copies == read_timemap(TIMEMAP, url=AT, original=PAGE).copies


def test_a_bomb_is_no_list() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    found = list_copies(answer(bomb, "Content-Encoding: gzip"), None)
    assert found.copies == ()
    assert found.error


def test_a_worker_is_not_believed() -> None:
    from config.errors import ExtractError

    found = read_timemap(TIMEMAP, url=AT, original=PAGE)
    assert decode_copies(encode_copies(found)) == found
    for text in (
        b"{}x",
        b'{"copies": [{"url": 1}]}',
        b'{"copies": [{"url": "a", "captured_at": "2020-01-01T00:00:00"}]}',
    ):
        with pytest.raises(ExtractError, match="worker's answer"):
            decode_copies(text)
