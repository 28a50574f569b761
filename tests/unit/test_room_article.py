"""The article page and the texts to save: which text is meant, what is told of it and its past, hostile fields."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from markdown_it import MarkdownIt

from crawler.rows import CaptureRow
from jobs.catalog import Catalog
from jobs.room import addresses
from jobs.room.choosing import TextAsked
from jobs.room.endpoints import BadRequest, Document, NotThere
from jobs.room.rendering import render_page
from jobs.room.views.article import ENDPOINTS, ArticleAsked, ArticleTold, TextTold, view_article
from jobs.room.views.capture import ENDPOINTS as CAPTURE_PAGES
from jobs.room.views.capture import CaptureAsked, view_capture
from jobs.room.views.texts import SavedAsked, escape_markdown, view_text
from jobs.search.index import SearchIndex
from tests.machines import SOURCE, START, Look, Machine
from tests.replacements import list_segments, replace_segments, withdraw
from tests.rooms import lay_desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.rows import Row
    from jobs.archive.identity import ArchiveInfo
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

HOUR = timedelta(hours=1)
URL = Look("tax").url


class Room:
    """A desk whose archive a test writes."""

    def __init__(self, machine: Machine, info: ArchiveInfo, state: Path, stack: ExitStack) -> None:
        self.machine = machine
        self.index = stack.enter_context(SearchIndex.open(state / "search.sqlite"))
        self.info = info
        catalog = stack.enter_context(Catalog.open(state / "room.sqlite", read_only=True))
        self.desk = lay_desk(catalog, self.index, machine.store, info, state, START)
        self._numbers = iter(range(1, 100_000))

    def look(self, words: str | None = "one", *, after: timedelta | None = None, **told: Any) -> None:
        """Commit a run that looks once; *told*: more of the `Look`, and `fields` of the page by name."""
        fields = {name: {"value": value, "from": "json-ld"} for name, value in told.pop("fields", {}).items()}
        number = next(self._numbers)
        opened = START + (number * HOUR if after is None else after)
        path = told.pop("path", "tax")
        self.machine.commit([Look(path, words, fields=fields, **told)], number=number, opened=opened)
        self.index.fold(self.machine.catalog, self.info.archive)

    def view(self, url: str = URL, **asked: Any) -> ArticleTold:
        return view_article(self.desk, ArticleAsked(source=SOURCE, url=url, **asked))

    def read(self, **asked: Any) -> TextTold:
        told = self.view(**asked).text
        assert told is not None
        return told

    def show(self, told: ArticleTold) -> str:
        return render_page("article", told, desk=self.desk, page=ENDPOINTS[0], twin="/article.json").decode()

    def save(self, form: str, **asked: Any) -> Document:
        return view_text(self.desk, SavedAsked.model_validate({"source": SOURCE, "url": URL, "form": form, **asked}))


@pytest.fixture
def room(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, tmp_path: Path) -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(Machine(store, info, catalogs("room")), info, tmp_path, stack)


def test_the_text_seen_last_is_shown_and_any_other_by_number(room: Room) -> None:
    for words in ("The tax rises\nBy two.", "The tax rises\nBy three.", "The tax rises\nBy two."):
        room.look(words)
    told = room.view()
    assert (told.latest, told.revision_count, told.capture_count) == (1, 2, 3)
    assert told.text is not None
    assert (told.text.revision, told.text.title, told.text.body[0]) == (1, "The tax rises", "By two.")
    assert told.text.seen_last - told.text.seen_first == 2 * HOUR
    assert room.read(revision=2).body[0] == "By three."
    page = room.show(room.view(revision=2))
    assert "<h1>The tax rises</h1>" in page
    assert "<p>By three.</p>" in page
    assert "<p>By two.</p>" not in page
    assert 'rel="prev">Text 1</a>' in page
    with pytest.raises(NotThere, match="there is no text 3; it has 2 texts"):
        room.view(revision=3)


def test_a_text_is_cited_by_its_digest_for_good(room: Room) -> None:
    room.look("first")
    cited = room.read()
    room.look("second")
    assert room.read().text_digest != cited.text_digest
    query = parse_qs(urlsplit(cited.url).query)
    assert query == {"url": [URL], "digest": [cited.text_digest]}
    assert room.read(digest=query["digest"][0]) == cited.model_copy(update={"fields": cited.fields})
    assert cited.url in cited.citations.wikipedia
    assert cited.text_digest == f"sha256:{sha256(cited.text.encode()).hexdigest()}"
    with pytest.raises(NotThere, match="no text of the digest"):
        room.view(digest="sha256:" + "0" * 64)
    with pytest.raises(BadRequest, match="one of them"):
        room.view(digest=cited.text_digest, revision=1)


def test_a_digest_finds_its_text_after_rules_changed(room: Room) -> None:
    room.look("*words")
    cited = room.read()
    room.look("*words", derivation="b", also=("a",))
    again = room.read(digest=cited.text_digest)
    assert (again.derivation, again.text) == (cited.derivation, cited.text)
    assert room.read().derivation != cited.derivation  # better rules read the last capture


def test_letters_of_an_address_are_told_as_they_are(room: Room) -> None:
    room.look("words", path="%D8%B6%D8%B1%D9%8A%D8%A8%D8%A9")
    told = room.view(url="https://gazette.example/ضريبة").text
    assert told is not None
    assert "url=https://gazette.example/%D8%B6" in told.url
    assert room.read(url=parse_qs(urlsplit(told.url).query)["url"][0]) == told


@pytest.mark.parametrize(
    ("url", "hint"),
    [("http://gazette.example/tax/", "did you mean https://gazette.example/tax"), ("https://gazette.example/x", "")],
)
def test_what_is_not_there_says_what_may_be_meant(room: Room, url: str, hint: str) -> None:
    room.look()
    with pytest.raises(NotThere, match=hint or "no capture of it from gazette in this archive$"):
        room.view(url=url)
    with pytest.raises(NotThere, match="; gazette has it"):
        view_article(room.desk, ArticleAsked(source="herald", url=URL))
    with pytest.raises(BadRequest, match="found 'file:///etc/passwd'"):
        room.view(url="file:///etc/passwd")


@pytest.mark.parametrize(
    "asked",
    [
        {"digest": "sha256:zz"},
        {"digest": "a" * 71},
        {"digest": f"sha256:{'0' * 64}\n"},
        {"revision": 0},
        {"revision": "x"},
        {"url": "h" * 9_000},
    ],
)
def test_senseless_parameters_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"digest|revision|url"):
        TextAsked.model_validate({"source": SOURCE, "url": URL, **asked})


def test_what_never_had_a_text_is_shown_with_its_captures(room: Room) -> None:
    room.look(None)
    told = room.view()
    assert (told.text, told.latest, told.state, told.capture_count) == (None, None, "none", 1)
    page = room.show(told)
    assert "No text of this page was ever read" in page
    assert "Never read" in page
    assert "Link" in told.headers
    assert "Memento-Datetime" not in told.headers
    with pytest.raises(NotThere, match="never with a text"):
        room.save("txt")


def test_what_was_redacted_says_when_and_why(room: Room) -> None:
    room.look("words nobody may know")
    assert room.view().redacted is None
    take_out = withdraw([URL])

    def change(row: Row) -> Row | None:
        new = take_out(row)
        if not isinstance(new, CaptureRow) or new.page_class != "redacted":
            return new
        return replace(new, class_reason="redacted: a <b>court</b>'s order")

    machine = room.machine
    stored = replace_segments(machine.store, room.info, list_segments(machine.log.read()), change=change)
    machine.catalog.refresh(machine.store, machine.log)
    room.index.fold(machine.catalog, room.info.archive)
    told = room.view()
    assert told.text is None
    assert told.redacted is not None
    assert (told.redacted.reason, told.redacted.commit) == ("a <b>court</b>'s order", stored.commit.seq)
    assert told.redacted.at == stored.commit.committed
    with pytest.raises(
        NotThere, match=f"no text is left of it: redacted on .* by commit {told.redacted.commit}: a <b>"
    ):
        room.save("txt")
    [capture] = told.captures
    shown = view_capture(room.desk, CaptureAsked(segment=capture.segment, n=capture.n))
    assert shown.redacted == told.redacted
    assert (shown.shown, shown.title, shown.fault) == ("nothing", None, None)
    as_capture = render_page("capture", shown, desk=room.desk, page=CAPTURE_PAGES[-1], twin="/c.json").decode()
    for page in (room.show(told), as_capture):
        assert "Taken out of this archive on request" in page
        assert "a &lt;b&gt;court&lt;/b&gt;&#39;s order" in page
        assert "(commit 2)" in page
        assert "nobody may know" not in page
        assert "was ever read" not in page


def test_deletion_is_told_with_what_shows_it(room: Room) -> None:
    room.look("words")
    for status in (404, 410):
        room.look(None, status=status)
    told = room.view()
    assert told.state == "gone"
    assert [one.evidence for one in told.deletion] == ["404", "410"]
    assert [one.what for one in told.changes] == ["gone", "suspected", "new"]
    page = room.show(told)
    assert "Its publisher does not show this article any more." in page
    assert all(addresses.capture(one.segment, one.n) in page for one in told.deletion)
    assert "url-status=dead" in page
    room.look("words")
    assert room.view().deletion == ()
    assert room.view().state == "live"


def test_a_page_that_robots_txt_forbids_shows_the_rules(room: Room) -> None:
    room.look("words")
    opened = START + 50 * HOUR
    robots = replace(Look("robots.txt", None, purpose="robots"), minutes=0)
    room.machine.commit([robots, Look("tax", None, status=None, without="blocked")], number=500, opened=opened)
    room.index.fold(room.machine.catalog, room.info.archive)
    [evidence] = room.view().deletion
    assert evidence.evidence == "blocked by robots.txt"
    assert [rule.url for rule in evidence.rules] == ["https://gazette.example/robots.txt"]
    assert addresses.capture(evidence.rules[0].segment, evidence.rules[0].n) in room.show(room.view())


def test_what_is_said_otherwise_is_told(room: Room) -> None:
    room.look("words", fields={"authors": ["Ada"], "section": "Money"})
    room.look("words", fields={"authors": ["Ada", "Bo"], "section": "Money"})
    change = room.view().changes[0]
    assert change.what == "metadata"
    assert [(one.name, one.before, one.after) for one in change.details] == [("authors", ["Ada"], ["Ada", "Bo"])]
    assert "<bdi>Bo</bdi>" in room.show(room.view())


def test_an_edit_is_told_with_its_kinds_and_words(room: Room) -> None:
    modified = {"modified": "2026-11-22T10:00:00Z", "language": "en"}
    room.look("The tax\nIt rises by two per cent in May.", fields=modified)
    room.look("The tax\nIt rises by three per cent in May.", fields=modified)
    change = room.view().changes[0]
    assert (change.what, change.before, change.after, change.silent) == ("revised", 1, 2, True)
    assert "number" in change.kinds
    page = room.show(room.view())
    assert "<del>two</del>" in page
    assert 'class="flag"' in page
    assert 'name="before"' in page
    assert re.search(r'<option value="1" selected>Text 1, .*</option>', page)
    assert addresses.compare(SOURCE, URL, 1, 2).replace("&", "&amp;") in page


def test_a_move_is_told_on_both_pages(room: Room) -> None:
    room.look("words")
    room.look(None, status=301, redirect="https://gazette.example/new")
    room.look("words", path="new", fields={"canonical_url": "https://gazette.example/new"})
    new = "https://gazette.example/new"
    assert room.view().moved_to == new
    assert room.view(url=new).moved_from == (URL,)
    assert "It moved: " in room.show(room.view())
    assert "It moved here from " in room.show(room.view(url=new))


def test_posts_of_a_live_page_stand_apart(room: Room) -> None:
    posts = [
        {"id": "2", "time": "12:40", "text": "It closes.\nAt eight."},
        {"id": "1", "time": "09:00", "author": "Ada", "title": "Open", "text": "It opens."},
        "no post",
        {"id": 3, "time": ["x"], "text": "Odd."},
    ]
    room.look(
        "The fair\nAll about it.\n12:40\nIt closes.\nAt eight.\nOpen\nIt opens.\nOdd.",
        fields={"posts": posts, "partial": True},
    )
    told = room.read()
    assert "All about it." in told.body
    assert not {"It closes.", "At eight.", "It opens."} & set(told.body)
    assert [(one.time, one.author, one.text) for one in told.posts] == [
        ("12:40", "", "It closes.\nAt eight."),
        ("09:00", "Ada", "It opens."),
        ("", "", "Odd."),
    ]
    page = room.show(room.view())
    assert "In part: the page held older posts back." in page
    assert "<h2>Open</h2>" in page


@pytest.mark.parametrize(
    ("words", "language", "direction", "told"),
    [
        ("ارتفاع الضرائب\nترتفع CNN الضرائب.", "ar", "rtl", "ar"),
        ("The tax\nIt rises.", "en-GB", "ltr", "en-GB"),
        ("増税\n税が上がる。", 'ja" onload="x', "ltr", ""),
        ("words", ["en"], "ltr", ""),
    ],
)
def test_a_text_runs_as_it_is_written(room: Room, words: str, language: Any, direction: str, told: str) -> None:
    room.look(words, fields={"language": language})
    text = room.read()
    assert (text.direction, text.language) == (direction, told)
    page = room.show(room.view())
    assert f'<article class="article-text" dir="{direction}"' + (f' lang="{told}">' if told else ">") in page
    assert "onload=" not in page.replace("onload=&#34;", "")


def test_heads_and_posts_of_others_are_set_apart(room: Room) -> None:
    embeds = [{"platform": "x", "text": "Two lines\nof a post."}, "odd", {"text": 3}]
    words = "The tax\nIt rises.\nWhat now?\nTwo lines\nof a post.\nNobody knows."
    room.look(words, fields={"subheads": ["What now?", 5], "embeds": embeds})
    assert room.read().blocks[:5] == [
        ("text", "It rises."),
        ("head", "What now?"),
        ("quote", "Two lines"),
        ("quote", "of a post."),
        ("text", "Nobody knows."),
    ]
    assert "<h2>What now?</h2>" in room.show(room.view())


EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} ' \u202e"


def test_nothing_of_a_page_becomes_markup(room: Room) -> None:
    fields = {
        **dict.fromkeys(("section", "byline", "access", "canonical_url"), EVIL),
        **{name: [EVIL] for name in ("authors", "corrections", "tags")},
        "published": EVIL,
        "image": {"url": "javascript:alert(3)", EVIL: EVIL},
        "posts": [{"id": EVIL, "time": EVIL, "title": EVIL, "author": EVIL, "text": EVIL}],
        "deep": [[[[[[[[EVIL]]]]]]]],
        EVIL: EVIL,
    }
    room.look(EVIL, fields=fields)
    room.look(f"{EVIL} again", fields={**fields, "authors": [EVIL * 2]})
    page = room.show(room.view())
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "49" not in re.sub(r"[\w-]*\d{5,}\w*|sha256:\w+", "", page.partition("<main")[2].partition("</h1>")[0])
    assert "\u202e" not in page
    assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', page))
    assert re.findall(r"\son\w+=[\"']", page) == []
    assert " style=" not in page


def test_fields_that_are_not_as_the_format_says_are_borne(room: Room) -> None:
    room.look("words")
    record = room.machine.catalog
    place = room.view().captures[0]
    odd = json.dumps({"authors": "x", "posts": {"value": {"a": 1}}, "language": {"value": 5}, "published": [1]})
    record._db.execute(
        "UPDATE snapshots SET fields = ? WHERE segment = ?", (odd, place.segment)
    )  # as of an odd archive
    told = room.read()
    assert (told.authors, told.posts, told.language, told.published) == ((), (), "", None)
    assert "words" in room.show(room.view())


def test_hundreds_of_captures_are_few_rows(room: Room) -> None:
    looks = [Look("tax", "words" if at < 300 else "others", minutes=at) for at in range(400)]
    room.machine.commit(looks, number=1)
    room.index.fold(room.machine.catalog, room.info.archive)
    told = room.view()
    assert told.capture_count == len(told.captures) == 400
    assert [len(one) for one in told.stretches] == [99, 1, 299, 1]
    page = room.show(told)
    assert page.partition('id="captures"')[2].count("<tr>") == 1 + 4
    assert all(f'id="c{number}"' in page for number in (1, 2, 300, 301, 400))
    assert len(page) < 150_000


def test_changes_are_told_by_pages(room: Room) -> None:
    looks = [Look("tax", f"text {at} of many, each another", minutes=at) for at in range(60)]
    room.machine.commit(looks, number=1)
    room.index.fold(room.machine.catalog, room.info.archive)
    first = room.view()
    assert first.older is not None
    rest = room.view(after=first.older)
    assert rest.older is None
    assert len(first.changes) + len(rest.changes) == 60
    assert f"after={first.older}" in room.show(first).replace("%2C", ",")
    with pytest.raises(BadRequest):
        room.view(after="nonsense")


def test_a_saved_text_is_what_its_digest_is_of(room: Room) -> None:
    room.look("الضرائب\nBy two.", fields={"section": "Money"})
    told = room.read()
    saved = room.save("txt")
    assert f"sha256:{sha256(saved.body).hexdigest()}" == told.text_digest
    assert saved.filename == f"gazette-20261122T130000Z-{told.text_digest[7:19]}.txt"
    found = json.loads(room.save("json", digest=told.text_digest).body)
    assert (found["text"], found["permanent_url"], found["revision"]) == (told.text, told.url, 1)
    assert found["fields"]["section"] == {"value": "Money", "from": "json-ld"}


@pytest.mark.parametrize(
    "line",
    [
        *("# no head", "- no item", "1. no number", "12) none", "> no quote", "*no* __emphasis__ ~~no~~", "a | b"),
        *("[no](http://x.example)", "<b>no</b>", "&lt;", "`no`", "![no](x)", "a\\", "+ x", "===", "---", "<http://x>"),
        *("2026. The year", "5 - 3 = 2", "[x]: http://x.example", "Setext\\", "http_//a_b_c"),
    ],
)
def test_markdown_shows_a_line_as_it_is(line: str) -> None:
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(f"{escape_markdown(line)}\n")
    plain = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert html == f"<p>{plain}</p>\n"


def test_a_text_as_markdown_has_title_paragraphs_and_origin(room: Room) -> None:
    room.look("*The* tax\nBy two.")
    lines = room.save("md").body.decode().split("\n\n")
    assert lines[:2] == ["# \\*The\\* tax", "By two."]
    assert lines[-3].startswith("gazette: https://gazette.example/tax")
    assert lines[-1].startswith("Text sha256:")


def test_headers_say_which_memento_it_is(room: Room) -> None:
    room.look("words")
    headers = room.view().headers
    assert headers["Memento-Datetime"] == "Sun, 22 Nov 2026 13:00:00 GMT"
    assert f'<{URL}>; rel="original"' in headers["Link"]
    assert f'<http://127.0.0.1:8460{addresses.timegate(URL)}>; rel="timegate"' in headers["Link"]
