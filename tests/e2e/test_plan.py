"""Rechecks by the real command, over archives whose last looks lie days back: what is due, in which order, how many."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from jobs.archive.identity import read_info
from jobs.catalog import Catalog
from jobs.store.local import LocalStore
from tests.crawls import Answer, Site, page, serve_site
from tests.installation import Ofrecord, install
from tests.machines import Look, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MANY = 400
"""Articles of each section, a year ago: what is learned from."""


@dataclass(frozen=True, slots=True)
class SiteLook(Look):
    """A look at a page of a site that is really there."""

    root: str = ""

    @property
    def url(self) -> str:
        return f"{self.root}/{self.path}"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        running.announce()
        yield running


def installed(folder: Path, site: Site, **source: Any) -> Ofrecord:
    described = {**site.describe_source(), "articles": {"include": ["."]}, **source}
    return install(folder, described)


class Past:
    """Commits looks that were made some hours ago."""

    def __init__(self, folder: Path, site: Site) -> None:
        self._store, self._site = LocalStore(folder / "archive"), site
        self._path, self._number = folder / "past.sqlite", 0
        self.now = datetime.now(UTC).replace(microsecond=0)

    def look(self, hours_ago: float, looks: Mapping[str, str | None]) -> None:
        """*looks*: path → its words, `None` for a 404."""
        made = [SiteLook(path, words, 200 if words else 404, root=self._site.root) for path, words in looks.items()]
        with Catalog.open(self._path) as catalog:
            machine = Machine(self._store, read_info(self._store), catalog, sums_up=False)
            machine.commit(made, number=self._number, opened=self.now - timedelta(hours=hours_ago))
        self._number += 1


def teach(past: Past) -> None:
    """Let one section have edited half of its articles at every age, and another none."""
    names = [f"{section}/a{number}" for section in ("busy", "quiet") for number in range(MANY)]
    for turn, age in enumerate((0, 1.1, 6.1, 24.1, 72.1, 168.1, 720.1, 2160.1, 8760.1)):
        texts = {name: f"text {turn if name.startswith('busy') else 0}" for name in names}
        past.look(9_000 - age, texts)


def test_a_section_that_edits_often_is_looked_at_sooner(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site)
    past = Past(tmp_path, site)
    teach(past)
    paths = ("busy/new", "quiet/new")
    for hours_ago in (20.0, 13.5):  # by the ages alone both are due when they are a day old
        past.look(hours_ago, dict.fromkeys(paths, "one"))
    site.answers.update({f"/{path}": Answer(page("Another headline")) for path in paths})

    planned = ofrecord("plan", "--articles", "--hours", "2000", "--json").rows()
    due = {row["url"].rpartition("/")[0].rpartition("/")[2]: row["due"] for row in planned}
    assert due["busy"] < f"{past.now:%Y-%m-%dT%H:%M}" < due["quiet"]
    assert due["quiet"] > f"{past.now + timedelta(days=1):%Y-%m-%dT%H:%M}"

    report = ofrecord("crawl", "gazette", "--json").json()
    assert (report["articles"], report["bad"]) == (1, 0)
    assert site.paths["/busy/new"] == 1
    assert site.paths["/quiet/new"] == 0
    assert ofrecord("crawl", "gazette", "--json").json()["articles"] == 0


def test_what_the_budget_does_not_reach_stays_due_and_the_plan_says_so(tmp_path: Path, site: Site) -> None:
    politeness = {"delay_seconds": 0, "rechecks_per_day": 3}
    ofrecord = installed(tmp_path, site, recheck=["1 hour"], politeness=politeness)
    past = Past(tmp_path, site)
    names = [f"world/{letter}" for letter in "abcdef"]
    for at, name in enumerate(names):
        past.look(30 - at, {name: "one"})
    past.look(40, {"world/gone": "one"})
    past.look(26, {"world/gone": None})
    past.look(0.5, {"world/asked": "one"})
    past.look(0.25, {"world/asked": "one"})  # one of the day's three
    site.answers.update({f"/{name}": Answer(page(f"Page {name}")) for name in [*names, "world/new"]})
    site.announce("/world/new")

    (before,) = ofrecord("plan", "--hours", "3", "--json").rows()
    assert (before["source"], before["host"]) == ("gazette", site.root.partition("//")[2])
    assert (before["per_day"], before["asked"], before["overdue"], before["suspected"]) == (3, 1, 7, 1)
    assert [hour["requests"] for hour in before["hours"]] == [2, 0, 0]
    assert before["waiting"] == 6
    assert before["oldest"].startswith(f"{past.now - timedelta(hours=29):%Y-%m-%dT%H:%M}")

    report = ofrecord("crawl", "gazette", "--json").json()
    assert (report["articles"], report["new"], report["gone"]) == (3, 1, 1)  # new ones come on top
    asked = {path for path in site.paths if path.startswith("/world/")}
    assert asked == {"/world/new", "/world/gone", "/world/a"}
    assert ofrecord("crawl", "gazette", "--json").json()["articles"] == 0

    text = ofrecord("plan", "--hours", "3").stdout
    assert "3 of 3 rechecks used in 24 hours" in text
    assert "due now        5, since " in text
    assert "beyond the budget: 7 articles still due then" in text  # with the two that are due in an hour
    assert ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()["articles"] == 9


def test_a_suspicion_is_confirmed_after_a_delay_and_not_at_once(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site)
    past = Past(tmp_path, site)
    past.look(400 * 24, {"world/early": "one", "world/late": "one"})
    past.look(10 * 24, {"world/early": "one", "world/late": "one"})
    past.look(0.9, {"world/late": None})
    past.look(1.1, {"world/early": None})
    report = ofrecord("crawl", "gazette", "--json").json()
    assert (report["articles"], report["gone"], report["suspected"]) == (1, 1, 0)
    rows = ofrecord("plan", "--articles", "--json").rows()
    assert [(row["reason"], row["url"]) for row in rows] == [("suspected", f"{site.root}/world/late")]
    assert "suspected" in ofrecord("plan", "--articles").stdout
    later = ofrecord("plan", "--articles", "--hours", "480", "--json").rows()
    assert [row["reason"] for row in later] == ["suspected", "gone"]


def test_plan_says_what_is_wrong(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site)
    assert ofrecord("plan").stdout == ""
    for words, expected in (
        (("--source", "gazete"), "did you mean gazette?"),
        (("--source", "gazette"), "no source 'gazette' in this archive; it has none"),
        (("--until", "2001-01-01"), "--until: found 2001-01-01T00:00, expected a time to come, within a year"),
        (("--until", "2090-01-01", "--hours", "3"), "--hours and --until: found both"),
    ):
        assert expected in ofrecord("plan", *words, code=2).stderr
    Past(tmp_path, site).look(1, {"world/a": "one"})
    until = f"{datetime.now(UTC) + timedelta(hours=5):%Y-%m-%dT%H:%M}"
    (found,) = ofrecord("plan", "--until", until, "--source", "gazette", "--json").rows()
    assert len(found["hours"]) == 5
    days = ofrecord("plan", "--hours", "480").stdout
    assert "no budget" in days
    assert re.search(r"^  \d{4}-\d\d-\d\d +0 +1$", days, re.MULTILINE)


def write_sitemap(site: Site, paths: list[str]) -> None:
    """Announce *paths*, each as changed just now, as many sites do of all their pages."""
    now = datetime.now(UTC) + timedelta(seconds=2)
    entries = "".join(f"<url><loc>{site.root}{path}</loc><lastmod>{now.isoformat()}</lastmod></url>" for path in paths)
    text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
    site.answers["/sitemap.xml"] = Answer(text.encode(), media_type="application/xml")


def test_a_sitemap_that_calls_every_page_new_costs_no_more_than_the_budget(tmp_path: Path, site: Site) -> None:
    politeness = {"delay_seconds": 0, "rechecks_per_day": 3}
    seeds = [{"sitemap": f"{site.root}/sitemap.xml"}]
    ofrecord = installed(tmp_path, site, recheck=["1 hour"], politeness=politeness, discover=seeds)
    past = Past(tmp_path, site)
    names = [f"world/{letter}" for letter in "abcdef"]
    past.look(20, dict.fromkeys(names, "one"))
    past.look(40, {"world/left": "one"})  # due, and named by no sitemap any more
    past.look(0.5, {"world/left": "one"})  # one of the day's three
    past.look(30, {"world/due": "one"})
    site.answers.update({f"/{name}": Answer(page(f"Page {name}")) for name in [*names, "world/due", "world/new"]})
    write_sitemap(site, [f"/{name}" for name in [*names, "world/new"]])

    assert ofrecord("crawl", "gazette", "--recheck", "none", "--json").json()["articles"] == 3
    asked = [path for path, _ in site.requests if path.startswith("/world/")]
    assert sorted(asked) == ["/world/a", "/world/b", "/world/new"]
    site.requests.clear()
    write_sitemap(site, [f"/{name}" for name in [*names, "world/newer"]])
    site.answers["/world/newer"] = Answer(page("Newer"))
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 1  # new ones come all the same
    assert [path for path, _ in site.requests if path.startswith("/world/")] == ["/world/newer"]
    assert ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()["articles"] == 10
