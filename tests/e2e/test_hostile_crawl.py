"""A crawl with hostile pages among the good ones: it ends, and every good page is there with the text it always had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crawler.rows import SnapshotRow
from crawler.warc import digest_bytes, read_records
from tests.crawls import Answer, Result, Site, page, prepare_crawl, serve_site
from tests.hostile import ANNOUNCEMENTS, PAGES, Hostile

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

GOOD = [f"/2026/good-{number}" for number in range(150)]
STEPS = [8, pytest.param(2, marks=pytest.mark.soak)]
"""Of the hostile pages, one in so many."""
SEEDS = {
    f"/bad-{case.purpose}-{number}": case
    for number, case in enumerate(ANNOUNCEMENTS)
    if case.purpose in {"feed", "sitemap", "section"} and number % 8 == 0
}


def answer_with(case: Hostile) -> Answer:
    headers = {"Content-Encoding": ", ".join(case.codings)} if case.codings else {}
    return Answer(case.build(), media_type=case.content_type or "", headers=headers)


def crawl_site(folder: Path, bad: dict[str, Hostile], seeds: dict[str, Hostile]) -> Result:
    with serve_site() as site, prepare_crawl(site, folder) as crawl:
        announced = mix(GOOD, list(bad))
        site.announce(*announced)
        site.answers |= {path: Answer(page(f"Bridge {path}")) for path in GOOD}
        site.answers |= {path: answer_with(case) for path, case in {**bad, **seeds}.items()}
        crawl.source["discover"] = [
            *({case.purpose.value: site.root + path} for path, case in seeds.items()),
            {"feed": f"{site.root}/rss.xml"},
        ]
        crawl.source["articles"] = {"include": [r"/2026/(?:good|bad)-\d"]}
        crawl.settings |= {"workers": 2, "max_failed": 1.0}
        return crawl.run()


def mix(good: list[str], bad: list[str]) -> list[str]:
    """Return both lists as one: a bad page after every other good one, the rest at the end."""
    mixed: list[str] = []
    left = list(bad)
    for number, path in enumerate(good):
        mixed.append(path)
        if number % 2 and left:
            mixed.append(left.pop(0))
    return mixed + left


def texts_of(result: Result, site: Site) -> dict[str, str]:
    return {
        row.url.removeprefix(site.root): row.text_digest
        for row in result.rows
        if isinstance(row, SnapshotRow) and "/good-" in row.url
    }


@pytest.mark.parametrize("step", STEPS)
def test_no_good_page_is_lost_among_hostile_ones_and_each_has_its_own_text(tmp_path: Path, step: int) -> None:
    bad = {f"/2026/bad-{number}": case for number, case in enumerate(PAGES[::step])}
    assert len(bad) > 260 / step
    alone = crawl_site(tmp_path / "alone", {}, {})
    among = crawl_site(tmp_path / "among", bad, SEEDS)

    expected = texts_of(alone, alone.site)
    assert expected.keys() == set(GOOD)
    assert len(set(expected.values())) == len(GOOD)
    assert texts_of(among, among.site) == expected

    assert alone.run is not None
    assert among.run is not None
    assert (alone.run.reason, among.run.reason) == ("finished", "finished")
    captures = among.captures
    assert {path for path in captures if path.startswith("/2026/")} == {*GOOD, *bad}
    assert all(captures[path].page_class == "article" for path in GOOD)
    assert all(captures[path].class_reason for path in bad)
    assert "killed_worker" not in among.log
    assert "failed_worker" not in among.log
    kept: dict[str, str | None] = {}
    for record in (record for segment in among.segments for record in read_records(segment / "records.warc.gz")):
        assert record.find_faults() == []  # such as a digest that is not that of the payload
        if record.type == "response":
            kept[(record.header("WARC-Target-URI") or "").removeprefix(among.site.root)] = digest_bytes(record.payload)
    for path, case in bad.items():
        assert kept[path] == digest_bytes(case.build()), case.name
