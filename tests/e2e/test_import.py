"""The command import: files of other tools and of an archive of our own, from disk, web and bucket; the real thing."""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import threading
import zipfile
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from jobs.store.local import LocalStore
from tests.archives import read_lines
from tests.foreign import (
    HOST,
    Record,
    chunk,
    gzipped,
    gzipped_whole,
    make_info,
    make_page,
    make_request,
    make_response,
    plain,
    train_dictionary,
    zstd,
)
from tests.installation import Ofrecord, install, install_on_s3

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.seaweed import S3Server
    from tests.site.server import Site

GAZETTE = {"home": f"{HOST}/", "discover": [{"feed": f"{HOST}/feed.xml"}], "articles": {"include": ["/2019/"]}}
NUMBERS = range(6)
RECORDS: list[Record] = [make_info()]
for _number in NUMBERS:
    _response = make_response(_number)
    RECORDS += [_response, make_request(_response)]


@pytest.fixture
def gazette(tmp_path: Path) -> Ofrecord:
    """The command with one source and an empty archive."""
    return install(tmp_path / "here", GAZETTE)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server of the files in `web`, without ranges; its URL."""
    (tmp_path / "web").mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "web"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def rows_of(archive: Path, kind: str) -> list[dict[str, Any]]:
    """Return all rows of a kind in the archive, by URL and time."""
    store = LocalStore(archive)
    found = [row for item in store.list("segments/") for row in read_lines(store, item.key) if row["type"] == kind]
    return sorted(found, key=lambda row: (row.get("url", ""), row.get("captured_at", "")))


def texts_of(archive: Path) -> list[tuple[str, str, str, str]]:
    """Return what is to be the same in two archives of the same pages: URL, time, digests of payload and text."""
    texts = {(row["url"], row["captured_at"]): row["text_digest"] for row in rows_of(archive, "snapshot")}
    return [
        (row["url"], row["captured_at"], row["payload_digest"], texts.get((row["url"], row["captured_at"]), ""))
        for row in rows_of(archive, "capture")
        if row["purpose"] == "article" and row["status"] == 200
    ]


def expected_urls() -> list[str]:
    return sorted(f"{HOST}/2019/story-{number}" for number in NUMBERS)


def require_clean(ofrecord: Ofrecord) -> None:
    ofrecord("verify", "--full")  # ends with another code than 0 at any damage


@pytest.mark.parametrize(
    ("name", "squeeze"),
    [
        ("a.warc", plain),
        ("a.warc.gz", gzipped),
        ("whole.warc.gz", gzipped_whole),
        ("a.warc.zst", partial(zstd, dictionary=train_dictionary(), squeeze_dictionary=True)),
    ],
)
def test_a_file_is_imported_once_with_the_times_that_it_tells(
    gazette: Ofrecord, tmp_path: Path, name: str, squeeze: Any
) -> None:
    (tmp_path / name).write_bytes(squeeze(RECORDS))
    report = gazette("import", tmp_path / name, "--json").json()
    assert (report["captures"], report["snapshots"], report["known"], report["faulty"]) == (6, 6, 0, 0)
    rows = rows_of(tmp_path / "here" / "archive", "capture")
    assert [row["url"] for row in rows] == expected_urls()
    assert [row["captured_at"] for row in rows] == [f"2019-03-04T05:{6 + number:02}:07Z" for number in NUMBERS]
    assert {row["class"] for row in rows} == {"article"}
    assert rows[0]["origin"] == {
        "kind": "imported",
        "where": name,
        "record": RECORDS[1].record_id.strip("<>"),
        "software": "archiver/2.1",
    }
    assert all(row["warc"]["request"] for row in rows)
    assert gazette("import", tmp_path / name, "--json").json()["files"] == {"known": 1}
    again = gazette("import", tmp_path / name, "--again", "--json").json()
    assert (again["captures"], again["known"], again["segments"]) == (0, 6, 0)
    require_clean(gazette)
    assert f"; imported from {name}" in gazette("history", expected_urls()[0]).stdout
    (run,) = rows_of(tmp_path / "here" / "archive", "run")
    assert (run["trigger"], run["reason"], run["counts"]["captures"]) == ("import", "finished", 6)


def test_importing_an_archive_of_ours_into_a_new_one_gives_the_same_texts(
    ofrecord: Ofrecord, site: Site, archive_dir: Path, tmp_path: Path
) -> None:
    ofrecord("init")
    ofrecord("crawl", "--all", "--limit", "12")
    site.phase = "edited"
    ofrecord("crawl", "--all", "--recheck", "all", "--limit", "12")
    other = Ofrecord(tmp_path / "other-config", tmp_path / "home")
    shutil.copytree(ofrecord.config, other.config)
    words = ("--archive", tmp_path / "other", "--state", tmp_path / "other-state")
    other("init", *words)
    report = other("import", archive_dir, *words, "--json").json()
    assert report["exit_code"] == 0
    assert report["captures"] >= 20
    assert texts_of(tmp_path / "other") == texts_of(archive_dir)
    other("verify", "--full", *words)
    histories = [command("changes", *more, "--json").rows() for command, more in ((ofrecord, ()), (other, words))]
    told = [sorted((one["url"], one["what"], one["after"]["captured_at"]) for one in rows) for rows in histories]
    assert told[0] == told[1]
    assert told[0]


def test_a_wacz_is_imported_part_by_part(gazette: Ofrecord, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pages.wacz", "w") as archive:
        archive.writestr("datapackage.json", "{}")
        archive.writestr("archive/one.warc.gz", gzipped(RECORDS[:5]))
        archive.writestr("archive/two.warc.gz", gzipped([RECORDS[0], *RECORDS[5:]]), zipfile.ZIP_DEFLATED)
        archive.writestr("indexes/index.cdx.gz", b"no")
    report = gazette("import", tmp_path / "pages.wacz", "--json").json()
    assert (report["captures"], report["left_out"], report["faulty"]) == (6, {}, 0)
    places = {row["origin"]["where"] for row in rows_of(tmp_path / "here" / "archive", "capture")}
    assert places == {"pages.wacz/archive/one.warc.gz", "pages.wacz/archive/two.warc.gz"}


def test_a_part_that_cannot_be_read_costs_no_other(gazette: Ofrecord, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pages.wacz", "w") as archive:
        archive.writestr("archive/one.warc.gz", gzipped(RECORDS[:7]))
        archive.writestr("archive/page.warc.gz", make_page(1))
        archive.writestr("archive/empty.warc.gz", b"")
        archive.writestr("archive/two.warc.gz", gzipped(RECORDS[7:]))
    result = gazette("import", tmp_path / "pages.wacz", "--json", code=1)
    assert (result.json()["captures"], result.json()["files"]) == (6, {"refused": 1})
    assert "archive/page.warc.gz: found a page or XML" in result.stderr


def test_a_wacz_that_is_cut_gives_what_it_has(gazette: Ofrecord, tmp_path: Path) -> None:
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("archive/one.warc.gz", gzipped(RECORDS))
    cut = whole.getvalue()[: len(gzipped(RECORDS[:-3])) + 200]
    (tmp_path / "cut.wacz").write_bytes(cut)
    report = gazette("import", tmp_path / "cut.wacz", "--json").json()
    assert report["captures"] == 5
    assert report["faults"][0]["reason"].startswith("the file ends inside")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # warcio leaves files to be collected
def test_what_warcio_wrote(gazette: Ofrecord, tmp_path: Path) -> None:
    with (tmp_path / "warcio.warc.gz").open("wb") as file:
        writer = WARCWriter(file, gzip=True, warc_version="1.1")
        writer.write_record(writer.create_warcinfo_record("warcio.warc.gz", {"software": "warcio"}))
        for number in NUMBERS:
            head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            page = writer.create_warc_record(
                f"{HOST}/2019/story-{number}", "response", payload=BytesIO(make_page(number)), http_headers=head
            )
            asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "gazette.example")], is_http_request=True)
            request = writer.create_warc_record(page.rec_headers["WARC-Target-URI"], "request", http_headers=asked)
            writer.write_request_response_pair(request, page)
        again = writer.create_revisit_record(
            f"{HOST}/2019/story-0",
            page.rec_headers["WARC-Payload-Digest"],
            f"{HOST}/2019/story-5",
            page.rec_headers["WARC-Date"],
            http_headers=StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1"),
        )
        writer.write_record(again)
    del writer, page, request, again
    gc.collect()
    report = gazette("import", tmp_path / "warcio.warc.gz", "--json").json()
    assert (report["captures"], report["snapshots"], report["left_out"], report["faulty"]) == (7, 7, {}, 0)
    rows = rows_of(tmp_path / "here" / "archive", "capture")
    assert sum(row["warc"]["request"] is not None for row in rows) == 6
    require_clean(gazette)


def test_what_wget_wrote(tmp_path: Path, web: str) -> None:
    if shutil.which("wget") is None:
        pytest.skip("no wget here")
    (tmp_path / "web" / "2019").mkdir()
    for number in NUMBERS:
        (tmp_path / "web" / "2019" / f"story-{number}.html").write_bytes(make_page(number))
    source = json.loads(json.dumps(GAZETTE).replace(HOST, web))
    here = install(tmp_path / "wget", source)
    urls = [f"{web}/2019/story-{number}.html" for number in (*NUMBERS, 0)]
    command = [
        "wget",
        "-q",
        "--no-config",
        "--no-proxy",
        "--warc-file=wget",
        "-O",
        "all",
        *urls,
        f"{web}/2019/none.html",
    ]
    subprocess.run(command, cwd=tmp_path, check=False, timeout=60)
    report = here("import", tmp_path / "wget.warc.gz", "--json").json()
    assert report["faulty"] == 0
    rows = rows_of(tmp_path / "wget" / "archive", "capture")
    assert {row["url"] for row in rows if row["class"] == "article"} == set(urls)
    assert [row["status"] for row in rows if row["url"].endswith("none.html")] == [404]
    assert rows[0]["origin"]["software"].startswith("Wget/")
    assert all(row["warc"]["request"] for row in rows)
    require_clean(here)


def test_the_faults_that_tools_are_known_for(gazette: Ofrecord, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    records = [
        make_info(),
        make_response(0, digests=False),
        make_response(1, head=head + b"Transfer-Encoding: chunked\r\n\r\n", body=chunk(make_page(1))),
        make_response(2, head=b"HTTP/2 200\r\ncontent-type: text/html\r\n\r\n"),
        make_response(3, head=head + b"Content-Encoding: gzip\r\n\r\n"),
        make_response(4, head=b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n"),
        replace(make_response(5), version="WARC/0.18", line_end="\n", end=b"\n\n"),
        replace(make_response(6), length=100),
        make_response(7, digests=False, WARC_Block_Digest="sha1:" + "A" * 32),
        make_response(8, url=f"<{HOST}/2019/story-8>"),
        make_response(9, head=b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n"),
        make_response(10),
    ]
    data = plain(records)
    (tmp_path / "odd.warc").write_bytes(data[:-500])
    report = gazette("import", tmp_path / "odd.warc", "--json").json()
    archive = tmp_path / "here" / "archive"
    numbers = {int(row["url"].rpartition("-")[2]): row["class"] for row in rows_of(archive, "capture")}
    assert numbers == dict.fromkeys((0, 1, 2, 3, 4, 5, 8), "article")
    assert report["left_out"] == {"its block is not what its digest says": 1, "it is no web page": 1}
    assert [(one["offset"], one["reason"]) for one in report["faults"]] == [
        (len(plain(records[:7])), "Content-Length is 100, but no record begins behind that"),
        (len(plain(records[:11])), "the file ends inside a record"),
    ]
    texts = {row["url"]: row["text"] for row in rows_of(archive, "snapshot")}
    assert all(f"number {number}" in texts[f"{HOST}/2019/story-{number}"] for number in numbers)
    require_clean(gazette)


def test_revisits_are_what_they_repeat_wherever_that_is(gazette: Ofrecord, tmp_path: Path) -> None:
    profile = "http://netpreserve.org/warc/1.1/revisit/"
    first = make_response(0)
    told = {
        "WARC-Refers-To-Target-URI": first.headers["WARC-Target-URI"],
        "WARC-Refers-To-Date": first.headers["WARC-Date"],
    }
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    same = {
        "WARC-Profile": profile + "identical-payload-digest",
        "WARC-Payload-Digest": first.headers["WARC-Payload-Digest"],
    }

    def repeat(day: int, head: bytes, **headers: str) -> Record:
        common = {"WARC-Target-URI": first.headers["WARC-Target-URI"], "WARC-Date": f"2019-04-{day:02}T00:00:00Z"}
        return Record("revisit", head, {**common, "Content-Type": "application/http; msgtype=response", **headers})

    unmodified = repeat(
        3, b"HTTP/1.1 304 Not Modified\r\n\r\n", **{"WARC-Profile": profile + "server-not-modified"}, **told
    )
    (tmp_path / "1.warc.gz").write_bytes(gzipped([first, repeat(1, head, **same, **told)]))
    (tmp_path / "2.warc.gz").write_bytes(gzipped([repeat(2, head, **same, **told), unmodified]))
    (tmp_path / "3.warc.gz").write_bytes(gzipped([repeat(4, head, **same)]))
    early = gazette("import", tmp_path / "2.warc.gz", "--json").json()
    reason = "it repeats a page that neither the archive nor this import has: import that file first"
    assert (early["captures"], early["left_out"]) == (0, {reason: 2})
    report = gazette(
        "import", "--again", tmp_path / "1.warc.gz", tmp_path / "2.warc.gz", tmp_path / "3.warc.gz", "--json"
    ).json()
    assert (report["captures"], report["left_out"]) == (5, {})
    rows = rows_of(tmp_path / "here" / "archive", "capture")
    assert [row["status"] for row in rows] == [200, 200, 200, 304, 200]
    assert [row["revisit_of"] is not None for row in rows] == [False, False, True, True, True]
    verdicts = [
        row["verdict"]
        for row in gazette("history", first.headers["WARC-Target-URI"], "--json").rows()
        if "verdict" in row
    ]
    assert verdicts == ["new", *["unchanged"] * 4]
    require_clean(gazette)


def test_any_takes_articles_of_sites_without_a_source(gazette: Ofrecord, tmp_path: Path) -> None:
    records = [
        make_response(0, url="https://herald.example/news/one"),
        make_response(1, url="https://herald.example/", body=b"<html><body><p>Welcome</p></body></html>"),
        make_response(2, url=f"{HOST}/old/story"),
        make_response(3, url=f"{HOST}/2019/story"),
        make_response(4, url="https://media.example/a.png", head=b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n"),
        make_response(5, url="https://moved.example/", head=b"HTTP/1.1 302 Found\r\nLocation: /news\r\n\r\n"),
    ]
    (tmp_path / "a.warc").write_bytes(plain(records))
    plainly = gazette("import", tmp_path / "a.warc", "--json").json()
    assert plainly["captures"] == 1
    assert plainly["left_out"] == {"no source has its site": 4, "its source's patterns say that it is no article": 1}
    report = gazette("import", "--any", tmp_path / "a.warc", "--json").json()
    assert {name: one["captures"] for name, one in report["sources"].items()} == {"gazette": 1, "herald-example": 1}
    left_out = {"its page is no article": 1, "it is no web page": 1, "no source has its site": 1}
    assert report["left_out"] == left_out
    named = gazette("import", "--any", "--source", "gazette", tmp_path / "a.warc", "--again", "--json").json()
    assert (named["captures"], named["known"]) == (0, 2)


def test_files_of_a_web_server_and_of_a_folder(gazette: Ofrecord, tmp_path: Path, web: str) -> None:
    (tmp_path / "web" / "a.warc.gz").write_bytes(gzipped(RECORDS[:7]))
    with zipfile.ZipFile(tmp_path / "web" / "b.wacz", "w") as archive:
        archive.writestr("archive/b.warc.gz", gzipped(RECORDS[7:]))
    report = gazette("import", f"{web}/a.warc.gz", f"{web}/b.wacz", f"{web}/none.warc", "--json", code=1).json()
    assert (report["captures"], report["files"]) == (6, {"done": 2, "refused": 1})
    assert "404" in report["problems"][0]
    (tmp_path / "web" / "page.html").write_bytes(make_page(1))
    again = gazette("import", "--again", tmp_path / "web", "--json").json()
    assert (again["files"], again["known"]) == ({"done": 2}, 6)


_PLACES = {"/away.warc": "ftp://127.0.0.1/a.warc", "/bracket.warc": "http://[::1/a", "/bytes.warc": "//\xe9.example/"}


class _Misleading(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        place = _PLACES.get(self.path)
        self.send_response(302 if place else 200)
        self.send_header(*(("Location", place) if place else ("Content-Length", "\xb2")))
        self.end_headers()
        if place is None:
            self.wfile.write(plain(RECORDS))


def test_a_web_server_that_answers_nonsense_harms_no_other_file(gazette: Ofrecord, tmp_path: Path) -> None:
    (tmp_path / "good.warc").write_bytes(plain(RECORDS))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Misleading)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    names = ("away.warc", "bracket.warc", "bytes.warc", "é.warc", "a.warc")
    places = [f"http://127.0.0.1:{server.server_port}/{name}" for name in names]
    result = gazette("import", *places, tmp_path / "good.warc", "--json", code=1)
    server.shutdown()
    server.server_close()
    thread.join()
    assert result.json()["files"] == {"refused": 4, "done": 2}
    assert "unknown url type: ftp" in result.stderr
    assert "/bracket.warc: Invalid IPv6 URL" in result.stderr


def test_files_below_a_prefix_of_a_bucket(tmp_path: Path, s3_server: S3Server) -> None:
    s3 = s3_server.client()
    prefix = tmp_path.name
    for name, records in (
        ("dumps/a.warc.gz", RECORDS[:7]),
        ("dumps/b.warc", [RECORDS[0], *RECORDS[7:]]),
        ("dumps/c.txt", []),
    ):
        data = plain(records) if name.endswith(".warc") else gzipped(records)
        s3.put_object(Bucket=s3_server.bucket, Key=f"{prefix}/{name}", Body=data)
    here = install_on_s3(
        tmp_path / "s3",
        GAZETTE,
        s3_server,
        f"s3://{s3_server.bucket}/{prefix}/archive",
        endpoint_url=s3_server.endpoint_url,
    )
    report = here("import", f"s3://{s3_server.bucket}/{prefix}/dumps/", "--json").json()
    assert (report["captures"], report["files"], report["faulty"]) == (6, {"done": 2}, 0)
    one = here("import", f"s3://{s3_server.bucket}/{prefix}/dumps/b.warc", "--again", "--json").json()
    assert (one["files"], one["known"]) == ({"done": 1}, 3)


def test_what_is_no_warc_file_is_refused_by_name(gazette: Ofrecord, tmp_path: Path) -> None:
    (tmp_path / "page.warc").write_bytes(make_page(1))
    (tmp_path / "good.warc").write_bytes(plain(RECORDS))
    result = gazette("import", tmp_path / "page.warc", tmp_path / "good.warc", "--json", code=1)
    assert result.json()["captures"] == 6
    assert f"{tmp_path}/page.warc: found a page or XML; expected a WARC file" in result.stderr
    assert "found no such file" in gazette("import", tmp_path / "nowhere.warc", code=2).stderr
    assert "http://[::1/a.warc: Invalid IPv6 URL" in gazette("import", "http://[::1/a.warc", code=2).stderr


def test_the_child_gets_no_credentials(gazette: Ofrecord, tmp_path: Path) -> None:
    secret = "AKIA-not-for-the-child"
    with_secret = replace(
        gazette, environment={"AWS_SECRET_ACCESS_KEY": secret, "OFRECORD_ALERTS": f"json://u:{secret}@x"}
    )
    (tmp_path / "a.warc").write_bytes(plain(RECORDS * 20))
    running = with_secret.start("import", tmp_path / "a.warc", "--json")
    seen = set()
    while running.poll() is None:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (
                    b"jobs.imports.child" in (folder / "cmdline").read_bytes()
                    and str(tmp_path).encode() in (folder / "cmdline").read_bytes()
                ):
                    seen.add(folder.name)
                    assert secret.encode() not in (folder / "environ").read_bytes()
            except OSError:
                continue
        for path in (tmp_path / "here" / "state").rglob("assignment-*.json"):
            with suppress(FileNotFoundError):  # the child has taken it
                assert secret not in path.read_text()
    assert json.loads(running.communicate()[0])["captures"] == 6
    assert seen
