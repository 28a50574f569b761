from __future__ import annotations

import gzip
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config.errors import ConfigError, StoreRefused
from config.loading import load_settings
from config.settings import Settings
from crawler.model import PageClass, RecordReference
from jobs.archive.commit import digest
from jobs.archive.identity import create_archive
from jobs.segments.objects import write_objects
from jobs.segments.upload import upload_segment
from jobs.store.memory import MemoryStore
from tests.archives import NOON, build_archive, read_log
from tests.logs import seal_page

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.commit import Commit
    from jobs.segments.objects import ObjectsReport
    from jobs.store import StoredObject

ALL = Settings(raw_objects=True, clean_objects=["json", "md", "txt"])
KEY = re.compile(r"(raw|clean)/gazette/2026-11-22/20261122T130000Z-[0-9a-f]{16}\.(html|bin|json|md|txt)")
HOSTILE = "../../../etc/passwd?\r\nX: y%00<script>"


def commit_page(store: MemoryStore, folder: Path, **fields: Any) -> tuple[Commit, Path]:
    """Commit one page; return its commit and the sealed segment's folder."""
    info = create_archive(store, single_writer=False, now=NOON)
    sealed = seal_page(folder, source="gazette", number=1, archive=info.archive, **fields)
    stored, _ = upload_segment(store, info, sealed, after=0, head="")
    return stored.commit, sealed.local_file(stored.commit.files[0])


def write_page(store: MemoryStore, folder: Path, settings: Settings = ALL, **fields: Any) -> ObjectsReport:
    commit, warc = commit_page(store, folder, **fields)
    return write_objects(store, commit, settings, warc=warc)


def files(store: MemoryStore) -> dict[str, bytes]:
    """Return ending → content of what lies below raw/ and clean/."""
    found = [one.key for prefix in ("raw/", "clean/") for one in store.list(prefix)]
    assert all(KEY.fullmatch(key) for key in found), found
    return {f"{key.partition('/')[0]}.{key.rpartition('.')[2]}": store.get(key) for key in found}


def test_each_form_of_a_page(tmp_path: Path) -> None:
    store = MemoryStore()
    page = b"<h1>The budget</h1><p>It will rise."
    head = "Content-Type: text/html\r\nContent-Encoding: gzip"
    packed = gzip.compress(page)  # which holds the second that it was made in
    report = write_page(store, tmp_path, body=packed, head=head, words="It will rise.\nBy *2* %.")
    found = files(store)
    assert (report.written, report.there, report.problems) == (4, 0, [])
    assert found["raw.html"] == page
    data = json.loads(found["clean.json"])
    assert digest(found["clean.txt"]) == data["text_digest"]
    assert found["clean.txt"].decode() == data["text"] == "The budget\nIt will rise.\nBy *2* %."
    assert (data["url"], data["captured_at"]) == ("https://gazette.example/budget", "2026-11-22T13:00:00Z")
    assert data["payload_digest"] == digest(packed)
    front, _, body = found["clean.md"].decode().removeprefix("---\n").partition("---\n")
    assert body == "\n# The budget\n\nIt will rise.\n\nBy \\*2\\* %.\n"
    assert yaml.safe_load(front)["captured_at"] == "2026-11-22T13:00:00Z"
    assert yaml.safe_load(front)["text_digest"] == data["text_digest"]


def test_nothing_is_written_unless_asked_for(tmp_path: Path) -> None:
    store = MemoryStore()
    assert write_page(store, tmp_path, Settings()).written == 0
    assert files(store) == {}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(raw_objects=True), {"raw.html"}),
        (Settings(clean_objects=["md"]), {"clean.md"}),
        (Settings(clean_objects=["txt", "json"]), {"clean.txt", "clean.json"}),
    ],
)
def test_only_the_forms_that_are_asked_for(tmp_path: Path, settings: Settings, expected: set[str]) -> None:
    store = MemoryStore()
    write_page(store, tmp_path, settings)
    assert set(files(store)) == expected


def test_second_try_writes_nothing_anew_and_needs_no_local_file(tmp_path: Path) -> None:
    store = MemoryStore()
    commit, warc = commit_page(store, tmp_path)
    first = write_objects(store, commit, ALL, warc=warc)
    before = files(store)
    again = write_objects(store, commit, ALL)
    assert (first.written, again.written, again.there, again.problems) == (4, 0, 4, [])
    assert files(store) == before


def test_fetched_segment_makes_the_same_files(tmp_path: Path) -> None:
    one, other = MemoryStore(), MemoryStore()
    commit, warc = commit_page(one, tmp_path)
    other.create(commit.files[0].key, warc, sha256=commit.files[0].sha256)
    write_objects(one, commit, ALL, warc=warc)
    write_objects(other, commit, ALL)
    assert files(one) == files(other) != {}


@pytest.mark.parametrize("page_class", [one for one in PageClass if not one.good])
def test_captures_that_are_not_good_have_no_file(tmp_path: Path, page_class: PageClass) -> None:
    store = MemoryStore()
    assert write_page(store, tmp_path, page_class=page_class).written == 0
    assert files(store) == {}


def test_only_the_good_captures_of_a_whole_archive(tmp_path: Path) -> None:
    from jobs.archive.identity import read_info

    store = build_archive(tmp_path)
    for stored in read_log(store, read_info(store)):
        report = write_objects(store, stored.commit, ALL)
        assert (report.written, report.problems) == (2 * 4, [])  # two of three pages were answered with 200


def test_hostile_page_reaches_no_key_and_no_markup(tmp_path: Path) -> None:
    store = MemoryStore()
    words = "---\n- a list\n1. one\n12) two\n# head\n<img src=x onerror=y>\n[a](javascript:b)\n> quote"
    words += "\n| a | b |\n&lt;\n`x`"
    title = "---\n!!python/object:os.system # <b>x</b>".replace("\n", " ")
    report = write_page(
        store, tmp_path, path=f"/{HOSTILE}".replace("\r\n", "%0d%0a"), title=title, words=words, media_type=HOSTILE
    )
    found = files(store)
    assert report.written == 4
    assert set(found) == {"raw.bin", "clean.json", "clean.md", "clean.txt"}
    front, _, body = found["clean.md"].decode().removeprefix("---\n").partition("\n---\n\n")
    assert yaml.safe_load(front)["title"] == title
    assert body.splitlines()[0] == r"# --- !!python/object:os.system \# \<b\>x\</b\>"
    paragraphs = body.strip().split("\n\n")[1:]
    assert paragraphs[0] == r"\---"
    assert not any(re.match(r"[-+=#>|`]|\d+[.)]", one) for one in paragraphs), paragraphs
    assert not re.search(r"(?<!\\)[<\[&`|]", body)
    plain = [re.sub(r"\\(.)", r"\1", one) for one in paragraphs]
    assert plain == words.split("\n")


def test_page_that_cannot_be_inflated_is_told_and_its_text_is_written(tmp_path: Path) -> None:
    store = MemoryStore()
    report = write_page(store, tmp_path, body=b"not gzip", head="Content-Encoding: gzip")
    assert set(files(store)) == {"clean.json", "clean.md", "clean.txt"}
    assert len(report.problems) == 1
    assert "https://gazette.example/budget: no raw file" in report.problems[0]


def test_page_that_inflates_beyond_the_limit_is_not_written(tmp_path: Path) -> None:
    store = MemoryStore()
    settings = ALL.override(max_body_bytes=1024)
    report = write_page(store, tmp_path, settings, body=gzip.compress(b"x" * 1025), head="Content-Encoding: gzip")
    assert "raw.html" not in files(store)
    assert "1024 bytes" in report.problems[0]


class RefusingStore(MemoryStore):
    """A store whose policy takes nothing below raw/ and clean/."""

    tries = 0

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        if key.startswith(("raw/", "clean/")):
            self.tries += 1
            raise StoreRefused(f"{key}: access denied")
        return super().create(key, data, sha256=sha256)


def test_store_that_refuses_is_a_problem_and_no_error(tmp_path: Path) -> None:
    store = RefusingStore()
    report = write_page(store, tmp_path)
    assert (report.written, store.tries, len(report.problems)) == (0, 1, 1)
    assert "access denied" in report.problems[0]


def test_damaged_segment_is_a_problem_and_no_error(tmp_path: Path) -> None:
    store = MemoryStore()
    commit, warc = commit_page(store, tmp_path)
    assert commit.rows is not None
    warc.write_bytes(warc.read_bytes()[: commit.rows.offset + 5])
    (problem,) = write_objects(store, commit, ALL, warc=warc).problems
    assert "gzip member" in problem
    assert files(store) == {}
    store.delete(commit.files[0].key)
    assert "no such object" in write_objects(store, commit, ALL).problems[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("none", []), ("md", ["md"]), ("[json, txt]", ["json", "txt"]), ("json, md", ["json", "md"]), ("null", [])],
)
def test_how_the_forms_are_named(tmp_path: Path, text: str, expected: list[str]) -> None:
    (tmp_path / "settings.yaml").write_text(f"clean_objects: {text}\n", "utf-8")
    assert load_settings(tmp_path).clean_objects == expected


def test_other_forms_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.yaml").write_text("clean_objects: [md, html]\n", "utf-8")
    with pytest.raises(ConfigError, match="clean_objects"):
        load_settings(tmp_path)
    monkeypatch.setenv("OFRECORD_CLEAN_OBJECTS", "txt,md")
    monkeypatch.setenv("OFRECORD_RAW_OBJECTS", "true")
    settings = load_settings(tmp_path)
    assert (settings.clean_objects, settings.raw_objects) == (["txt", "md"], True)


def test_revisit_has_its_text_but_no_page_of_its_own(tmp_path: Path) -> None:
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=NOON)
    first = seal_page(tmp_path, source="gazette", number=1, archive=info.archive)
    refers_to = RecordReference("https://gazette.example/budget", NOON + timedelta(hours=1), first.path.name, 0)
    again = seal_page(tmp_path, source="gazette", number=2, archive=info.archive, refers_to=refers_to)
    report = write_objects(store, again.draft, ALL, warc=again.local_file(again.draft.files[0]))
    assert (report.written, report.problems) == (3, [])
    assert list(store.list("raw/")) == []
