"""`ofrecord sources add` as a person and a script meet it: what it shows, asks and writes, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config.sources import load_source
from tests.newcomers import trials
from tests.newcomers.announced import feed_only
from tests.newcomers.server import serve
from tests.terminals import watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.installation import Ofrecord, Result
    from tests.newcomers.server import Served

pytestmark = pytest.mark.slow
ADDRESS = 101
PRIVATE = ("--network", "private", "--delay", "0")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(feed_only, ADDRESS) as served:
        yield served


@pytest.fixture
def ofrecord(tmp_path: Path) -> Ofrecord:
    return trials.prepare(tmp_path)


def add(ofrecord: Ofrecord, served: Served, *words: str, code: int = 0) -> Result:
    return ofrecord("sources", "add", served.site.home, *PRIVATE, *words, code=code)


def list_files(ofrecord: Ofrecord) -> list[str]:
    return [path.name for path in (ofrecord.config / "sources").iterdir()]


def test_a_file_is_written_that_says_where_each_value_comes_from(ofrecord: Ofrecord, served: Served) -> None:
    result = add(ofrecord, served, "--yes", "--id", "gazette", "--name", "Mine")
    path = ofrecord.config / "sources" / "gazette.yaml"
    assert list_files(ofrecord) == ["gazette.yaml"]
    assert result.stdout.splitlines()[-1] == f"wrote {path}; `ofrecord crawl gazette` fetches its articles"
    source = load_source(path)
    assert (source.name, source.network, source.politeness.delay_seconds) == ("Mine", "private", 0)
    assert all(source.is_article(url) for url in served.site.articles)
    text = path.read_text("utf-8")
    assert text.startswith("# Written by `ofrecord sources add` on ")
    assert "# as you asked for" in text
    for shown in (
        "robots.txt  ",
        "feeds  ",
        "expected  ",
        "languages  ",
        "include  ",
        "sample 3  ",
        "  title  ",
        "(visible, ",
    ):
        assert shown in result.stdout
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_dry_run_shows_the_file_and_writes_none(ofrecord: Ofrecord, served: Served) -> None:
    result = add(ofrecord, served, "--dry-run", "--id", "gazette")
    assert list_files(ofrecord) == []
    shown = yaml.safe_load(result.stdout[result.stdout.index("\n# Written by") :])
    assert shown["discover"]
    told = add(ofrecord, served, "--dry-run", "--json", "--id", "gazette").json()
    assert told["written"] is False
    assert yaml.safe_load(told["yaml"]) == shown


def test_a_script_is_told_all_as_one_object(ofrecord: Ofrecord, served: Served) -> None:
    before = len(served.requests)
    (told,) = add(ofrecord, served, "--yes", "--json").rows()
    assert (told["written"], told["sound"], told["complete"], told["problem"]) == (True, True, True, None)
    assert told["requests"] == len(served.requests) - before
    assert len(told["samples"]) == 3
    for sample in told["samples"]:
        assert sample["url"] in served.site.articles
        assert sample["chars"] >= len(sample["text"]) > 300
        assert all({"value", "from"} <= field.keys() for field in sample["fields"].values())
    assert told["file"].endswith(f"{told['source']}.yaml")
    assert list_files(ofrecord) == [f"{told['source']}.yaml"]


def test_where_nobody_can_be_asked_nothing_is_fetched(ofrecord: Ofrecord, served: Served) -> None:
    before = len(served.requests)
    for words in ((), ("--json",)):
        result = add(ofrecord, served, *words, code=2)
        assert "add --yes to write the file, or --dry-run to see it only" in result.stderr
    assert (len(served.requests), list_files(ofrecord)) == (before, [])


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("\n", False)])
def test_on_a_terminal_it_asks(ofrecord: Ofrecord, served: Served, answer: str, *, written: bool) -> None:
    command = ofrecord.command("sources", "add", served.site.home, *PRIVATE, "--id", "gazette")
    with watch(command, ofrecord.variables(), typed=True, columns=200) as watched:
        watched.read_until(lambda screen: "[y/N]" in screen.text)
        assert list_files(ofrecord) == []
        watched.type(answer)
        code, out = watched.finish()
    assert code == 0, watched.raw
    assert list_files(ofrecord) == ["gazette.yaml"] * written
    assert ("wrote " in out, "not written: " in out) == (written, not written)
    assert any("of at most 40 requests" in frame for frame in watched.screen.frames)


def test_no_source_is_put_in_place_of_another(ofrecord: Ofrecord, served: Served) -> None:
    add(ofrecord, served, "--yes", "--id", "gazette", "--max-requests", "8")
    path = ofrecord.config / "sources" / "gazette.yaml"
    text, before = path.read_text("utf-8"), len(served.requests)
    assert "is there already" in add(ofrecord, served, "--yes", "--id", "gazette", code=2).stderr
    assert "is the home of the source gazette" in add(ofrecord, served, "--yes", code=2).stderr
    (path.parent / "broken.yaml").write_text("name: [", "utf-8")
    assert "broken.yaml: is there already" in add(ofrecord, served, "--yes", "--id", "broken", code=2).stderr
    assert (path.read_text("utf-8"), len(served.requests)) == (text, before)
    add(ofrecord, served, "--yes", "--id", "again", "--max-requests", "8")
    assert sorted(list_files(ofrecord)) == ["again.yaml", "broken.yaml", "gazette.yaml"]


def test_a_small_limit_is_kept_and_what_was_seen_by_then_counts(ofrecord: Ofrecord, served: Served) -> None:
    before = len(served.requests)
    told: dict[str, Any] = add(ofrecord, served, "--dry-run", "--json", "--max-requests", "5").json()
    assert len(served.requests) - before == told["requests"] == 5
    assert (told["complete"], told["sound"]) == (False, True)
    assert "budget_spent" in {problem["kind"] for problem in told["problems"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("https://",), "expected the address of a site"),
        (("ftp://gazette.example/",), "expected the address of a site"),
        (("https://user:secret@gazette.example/",), "user name or password"),
        (("gazette.example", "--id", "A B"), "expected a file name"),
        (("gazette.example", "--delay", "0"), "at least 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(ofrecord: Ofrecord, words: tuple[str, ...], said: str) -> None:
    result = ofrecord("sources", "add", *words, "--yes", code=2)
    assert said in result.stderr
    assert list_files(ofrecord) == []


def test_a_feed_leads_to_the_home_page_of_its_site(ofrecord: Ofrecord, served: Served) -> None:
    listings = add(ofrecord, served, "--dry-run", "--json").json()["listings"]
    feed = next(one["url"] for one in listings if one["kind"] == "feed" and one["kept"])
    told = ofrecord("sources", "add", feed, *PRIVATE, "--dry-run", "--json").json()
    assert told["home"] == served.site.home
    assert {"kind": "feed", "url": feed, "kept": True}.items() <= told["listings"][0].items(), json.dumps(
        told["listings"]
    )
