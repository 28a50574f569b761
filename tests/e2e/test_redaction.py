"""An article is taken out in mid-chain of a crawled archive: nothing of it is left, all else stands, crawls go on."""

from __future__ import annotations

import io
import json
import sqlite3
import zlib
from typing import TYPE_CHECKING

import pytest
import yaml
import zstandard
from fastwarc.warc import ArchiveIterator

from tests.crawls import Answer, Site, serve_site
from tests.histories import dump_catalog, read_histories
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = "The harbour master was seen at the counting house with the ledger of the year before"
TITLE = "Harbour master and the ledger"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        publish(running, "first")
        yield running


def publish(site: Site, edition: str) -> None:
    """Serve three articles and the feed that tells of them, as they are in an *edition*."""
    pages = {
        "/2026/ledger": (TITLE, f"{WORDS}, says the {edition} edition."),
        "/2026/bridge": (
            "The bridge is built",
            f"Masons came from the hills to build it for the {edition} edition of us.",
        ),
        "/2026/box": (
            "Read next",
            f"<a href='/2026/ledger'>{TITLE}</a> A page of links to all of the {edition} edition.",
        ),
    }
    items = []
    for path, (title, words) in pages.items():
        body = "".join(f"<p>{words} Of part {n} of {path} more was told.</p>" for n in range(6))
        head = f"<html><head><title>{title}</title></head>"
        site.answers[path] = Answer(f"{head}<body><article><h1>{title}</h1>{body}</article></body></html>".encode())
        items.append(f"<item><title>{title}</title><link>{site.root}{path}</link></item>")
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>G</title>{"".join(items)}</channel></rss>'
    site.answers["/rss.xml"] = Answer(feed.encode(), media_type="application/rss+xml")


def crawl(ofrecord: Ofrecord) -> None:
    ofrecord("crawl", "gazette", "--recheck", "all")


def inflate(folder: Path) -> bytes:
    """Return all bytes below *folder*, as they are, and as they are inflated by tools that are not ours."""
    found = b""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        data = path.read_bytes()
        found += data
        if path.name.endswith(".warc.gz"):
            for record in ArchiveIterator(io.BytesIO(data), parse_http=False):
                found += repr(list(record.headers)).encode() + record.reader.read()
        elif data.startswith(zstandard.FRAME_HEADER):
            found += zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
        elif data.startswith(b"\x1f\x8b"):
            found += zlib.decompress(data, 31)
    return found


def test_what_is_taken_out_is_nowhere_and_the_chain_stands(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    for edition in ("first", "second", "third"):
        publish(site, edition)
        crawl(ofrecord)
    url = f"{site.root}/2026/ledger"
    before = read_histories(tmp_path / "archive")
    ofrecord("tables", "build")
    dry = ofrecord("redact", url, "--reason", "asked for", "--dry-run", "--json").json()["redacted"]
    assert [(one["source"], one["captures"], one["commits"]) for one in dry] == [("gazette", 3, [])]
    assert list(dry[0]["mentions"]) == [f"{site.root}/2026/box"]
    assert read_histories(tmp_path / "archive") == before

    told = ofrecord("redact", url, "--reason", "asked for", "--grace", "0s", "--json").json()["redacted"][0]
    assert (told["captures"], len(told["segments"])) == (3, 3)
    assert told["listings"] >= 3
    listed = ofrecord("list", "--json").rows()
    assert [(row["url"] == url, row["state"]) for row in listed if row["redacted"]] == [(True, "none")]
    assert [line.split()[1] for line in ofrecord("list").stdout.splitlines() if url in line] == ["redacted"]
    ofrecord("verify", "--full", "--rederive")
    ofrecord("tables", "build")
    ofrecord("tables", "check", "--full")
    publish(site, "fourth")
    site.answers.pop("/2026/ledger")
    crawl(ofrecord)

    finished = ofrecord("redact", "--finish", "--json").json()["finished"][0]
    assert finished["deleted"] == sorted(told["replaced"])
    report = ofrecord("verify", "--full", "--rederive", "--json").json()
    assert not report["damaged"]
    assert sum("asked for" in one["message"] for one in report["findings"] if one["severity"] == "redacted") == 3
    ofrecord("tables", "check", "--full")
    # the box of links quotes the title; the text itself is nowhere
    for part in ("segments", "checkpoint", "log"):
        assert WORDS.encode() not in inflate(tmp_path / "archive" / part)
    after = read_histories(tmp_path / "archive")
    assert {verdict for verdict, _, _ in after["gazette", url]} == {"bad"}
    for other in ("/2026/bridge", "/2026/box"):
        place = ("gazette", f"{site.root}{other}")
        assert after[place][: len(before[place])] == before[place]
    for path in tmp_path.rglob("catalog.sqlite"):
        connection = sqlite3.connect(path)
        texts = [zstandard.decompress(row[0]).decode() for row in connection.execute("SELECT text FROM texts")]
        connection.close()
        assert not [text for text in texts if WORDS in text]
        assert any("Masons" in text for text in texts)
    assert WORDS not in json.dumps(dump_catalog(tmp_path / "archive"), default=str)


def test_what_the_source_leaves_out_then_is_not_asked_for_again(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    crawl(ofrecord)
    url, path = f"{site.root}/2026/ledger", "/2026/ledger"
    told = ofrecord("redact", url, "--reason", "asked for")
    row = ofrecord("history", url, "--json").json()["redacted"]
    gone = f"redacted on {row['at'][:19].replace('T', ' ')}Z by commit 2: asked for"
    assert (row["commit"], row["reason"]) == (2, "asked for")
    assert gone in ofrecord("history", url).stdout
    for words in (["show"], ["show", "--format", "html", "--capture", "1"], ["diff"], ["diff", "--format", "html"]):
        said = ofrecord(*words, url, code=2)
        assert (gone in said.stderr, said.stdout) == (True, "")
        assert "never with a text" not in said.stderr
        assert "no answer" not in said.stderr
    crawl(ofrecord)
    assert WORDS in ofrecord("show", url).stdout
    assert ofrecord("diff", url).stdout == f"one text only: nothing to compare; others were {gone}\n"
    assert [asked for asked, _ in site.requests].count(path) == 2  # nobody said that it shall not
    file = tmp_path / "config" / "sources" / "gazette.yaml"
    source = yaml.safe_load(file.read_text("utf-8"))
    pasted = yaml.safe_load(told.stdout[told.stdout.index("articles:\n") : told.stdout.index("(where")])
    source["articles"] |= pasted["articles"]
    file.write_text(yaml.safe_dump(source), "utf-8")
    again = ofrecord("redact", url, "--reason", "asked for", "--json").json()
    assert (again["redacted"][0]["captures"], again["exclude"]) == (1, {})
    crawl(ofrecord)
    assert [asked for asked, _ in site.requests].count(path) == 2


def test_what_is_wrong_is_said(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    crawl(ofrecord)
    url = f"{site.root}/2026/ledger"
    assert "no capture of that URL" in ofrecord("redact", f"{url}x", "--reason", "r", code=2).stderr
    assert "--reason" in ofrecord("redact", url, code=2).stderr
    assert "expected 1 to" in ofrecord("redact", "--reason", "r", code=2).stderr
    assert "takes no URLs" in ofrecord("redact", url, "--finish", code=2).stderr
    assert ofrecord("redact", "--finish").stdout == "nothing to delete\n"
