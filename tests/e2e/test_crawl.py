"""The mission once through, on a local archive: the real command, the real site, real processes."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import yaml

from jobs.catalog import Catalog
from tests.histories import check_archive, dump_catalog, read_commits, read_histories, read_texts
from tests.installation import Ofrecord
from tests.site.pages import SEED_URL, Answer, State, answer, read_expected

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.site.server import Site

ENGLISH, ARABIC, SPANISH = "almayadeen-english", "almayadeen-arabic", "almayadeen-spanish"
SEED = (ENGLISH, SEED_URL)


def test_a_second_crawl_of_an_unchanged_site_adds_no_revision(ofrecord: Ofrecord, archive_dir: Path) -> None:
    ofrecord("init")
    first = ofrecord("crawl", ENGLISH, ARABIC, SPANISH, "--json").json()
    second = ofrecord("crawl", ENGLISH, ARABIC, SPANISH, "--recheck", "all", "--json").json()
    assert first["new"] == 10
    assert first["pages"] == second["pages"] >= 10
    assert second["unchanged"] == 10
    assert not any(second[verdict] for verdict in ("new", "revised", "reverted", "gone", "suspected", "uncompared"))
    histories = read_histories(archive_dir)
    good = [h for h in histories.values() if h[0][0] == "new"]
    assert len(good) == 10
    assert all([verdict for verdict, _, _ in history] == ["new", "unchanged"] for history in good)
    report = check_archive(archive_dir)
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert not report.uncommitted


def test_the_catalog_can_be_deleted_and_rebuilt(ofrecord: Ofrecord, archive_dir: Path, tmp_path: Path) -> None:
    ofrecord("init")
    ofrecord("crawl", "--all")
    ofrecord("crawl", "--all", "--recheck", "all")
    (path,) = (tmp_path / "state").glob("*/catalog.sqlite")
    with Catalog.open(path, read_only=True) as catalog:
        grown = catalog.dump()
    assert len(grown["captures"]) > 20
    ofrecord("index", "--rebuild")
    with Catalog.open(path, read_only=True) as catalog:
        assert catalog.dump() == grown
    with closing(sqlite3.connect(path)) as db:  # no crawl has to do it first
        planned = dict(db.execute("SELECT source, seq FROM recheck_plans"))
        assert planned == dict(db.execute("SELECT source, seq FROM logs"))
        assert db.execute("SELECT COUNT(*) FROM rechecks").fetchone()[0] >= 10
    path.write_bytes(b"no catalog at all")
    ofrecord("index")
    with Catalog.open(path, read_only=True) as catalog:
        assert catalog.dump() == grown
    assert dump_catalog(archive_dir) == grown


def test_edit_return_and_deletion_of_the_seed_article(ofrecord: Ofrecord, site: Site, archive_dir: Path) -> None:
    ofrecord("init")
    reports = []
    for phase in ("2023", "edited", "2025", "gone", "gone", "2025"):
        site.phase = phase
        reports.append(ofrecord("crawl", ENGLISH, "--recheck", "all", "--json").json())
    history = read_histories(archive_dir)[SEED]
    assert [(verdict, revision) for verdict, revision, _ in history] == [
        ("new", 1),
        ("revised", 2),
        ("reverted", 1),
        ("suspected", None),
        ("gone", None),
        ("returned", 1),
    ]
    assert [report["revised"] for report in reports] == [0, 1, 0, 0, 0, 0]
    assert read_texts(archive_dir)[SEED] == [read_expected("clean.txt"), read_expected("edited.txt")]
    changes = ofrecord("diff", SEED_URL, "1", "2", "--json").json()
    assert json.dumps(changes)
    assert {edit["kind"] for edit in changes["edits"]} == {"number", "wording", "paragraph_removed"}
    assert (changes["silent"], changes["backdated"]) == (False, False)  # the page says when it was edited
    shown = ofrecord("show", SEED_URL, "--revision", "2").stdout
    assert shown == read_expected("edited.txt") + "\n"
    page = ofrecord("show", SEED_URL, "--revision", "1", "--format", "html").stdout
    assert page == (site_page := read_site_page("2023")), (len(page), len(site_page))


@pytest.mark.parametrize("phase", ["404", "500", *(pytest.param(n, marks=pytest.mark.soak) for n in ("403", "410"))])
def test_an_error_in_place_of_a_known_article_keeps_its_text(
    crawled: Ofrecord, site: Site, archive_dir: Path, phase: str
) -> None:
    site.phase = phase  # type: ignore[assignment]
    crawled("crawl", ENGLISH, "--recheck", "all", code=None)
    history = read_histories(archive_dir)[SEED]
    assert history[-1][0] == ("suspected" if phase in {"404", "410"} else "bad")
    assert read_texts(archive_dir)[SEED] == [read_expected("clean.txt")]


def test_a_redirect_to_the_home_page_is_evidence_of_deletion(crawled: Ofrecord, site: Site, archive_dir: Path) -> None:
    site.answers[SEED_URL] = Answer(302, headers=(("Location", "/"),))
    for _ in range(2):
        crawled("crawl", ENGLISH, "--recheck", "all", code=None)
    assert [verdict for verdict, _, _ in read_histories(archive_dir)[SEED]] == ["new", "suspected", "gone"]
    assert read_texts(archive_dir)[SEED] == [read_expected("clean.txt")]


def test_a_changed_rule_over_an_unchanged_site_is_no_revision(
    crawled: Ofrecord, config_dir: Path, archive_dir: Path
) -> None:
    path = config_dir / "sources" / f"{ENGLISH}.yaml"
    source = yaml.safe_load(path.read_text("utf-8"))
    rules = source.setdefault("extract", {})
    rules["remove"] = [*rules.get("remove", []), "blockquote"]  # takes the embedded post out of every text
    path.write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    second = crawled("crawl", ENGLISH, "--recheck", "all", "--json").json()
    assert not any(second[verdict] for verdict in ("new", "revised", "reverted", "uncompared"))
    shown = crawled("show", SEED_URL, "--json").json()
    assert shown["revision"] == 1
    texts = read_texts(archive_dir)[SEED]
    assert texts == [read_expected("clean.txt")]
    third = crawled("crawl", ENGLISH, "--recheck", "all", "--json").json()
    assert third["unchanged"] == second["unchanged"] > 5
    assert not check_archive(archive_dir).damaged


def test_a_text_that_returns_under_a_changed_rule_is_a_revert(
    crawled: Ofrecord, site: Site, config_dir: Path, archive_dir: Path
) -> None:
    site.phase = "edited"
    crawled("crawl", ENGLISH, "--recheck", "all")
    path = config_dir / "sources" / f"{ENGLISH}.yaml"
    source = yaml.safe_load(path.read_text("utf-8"))
    rules = source.setdefault("extract", {})
    rules["remove"] = [*rules.get("remove", []), "blockquote"]
    path.write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    site.phase = "2025"
    crawled("crawl", ENGLISH, "--recheck", "all")
    history = read_histories(archive_dir)[SEED]
    assert [(verdict, revision) for verdict, revision, _ in history] == [("new", 1), ("revised", 2), ("reverted", 1)]


def test_another_version_of_the_extractor_over_an_unchanged_site_is_no_revision(
    ofrecord: Ofrecord, archive_dir: Path, tmp_path: Path
) -> None:
    ofrecord("init")
    ofrecord("crawl", SPANISH)
    (tmp_path / "newer").mkdir()
    patch = "import crawler.derivation as derivation\nderivation.EXTRACTOR_VERSION = '1000'\n"
    (tmp_path / "newer" / "sitecustomize.py").write_text(patch)
    newer = Ofrecord(ofrecord.config, ofrecord.home, {"PYTHONPATH": str(tmp_path / "newer")})
    second = newer("crawl", SPANISH, "--recheck", "all", "--unconditional", "--json").json()
    assert second["unchanged"] == 1
    assert not any(second[verdict] for verdict in ("new", "revised", "reverted", "uncompared"))
    (first_commit, second_commit) = read_commits(archive_dir)[SPANISH]
    assert not first_commit.commit.derivations.keys() & second_commit.commit.derivations.keys()
    assert second_commit.commit.counts["rederived"] == 1
    assert not check_archive(archive_dir).damaged


def test_two_crawls_of_one_source_at_once_are_one_too_many(ofrecord: Ofrecord, site: Site) -> None:
    ofrecord("init")
    site.answers[SEED_URL] = Answer(200, b"<html></html>", delay_seconds=6.0)
    first = ofrecord.start("crawl", ENGLISH)
    try:
        wait_for(lambda: site.count_requests().total() > 0)
        second = ofrecord("crawl", ENGLISH, code=11)
        assert f"{ENGLISH}: is being crawled by process {first.pid}" in second.stderr
    finally:
        first.communicate(timeout=60)
    assert first.returncode == 0


def test_given_urls_are_fetched_and_nothing_else(ofrecord: Ofrecord, site: Site, tmp_path: Path) -> None:
    ofrecord("init")
    listed = tmp_path / "urls.txt"
    listed.write_text(f"{SEED_URL}\n\n{SEED_URL}#again\n")
    report = ofrecord("crawl", ENGLISH, "--urls", listed, "--json").json()
    assert (report["pages"], report["new"]) == (1, 1)
    paths = {request.path for request in site.requests}
    assert len(paths) == 2, paths  # robots.txt and the page


def test_a_limit_bounds_the_pages(ofrecord: Ofrecord) -> None:
    ofrecord("init")
    report = ofrecord("crawl", ENGLISH, "--limit", "3", "--json").json()
    assert report["pages"] == 3
    assert report["reason"] == "limit"
    again = ofrecord("crawl", ENGLISH, "--json").json()
    assert again["new"] == 5


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def read_site_page(phase: str) -> str:
    state = State(phase=phase)  # type: ignore[arg-type]
    host, _, path = SEED_URL.removeprefix("https://").partition("/")
    return answer(host, "/" + path, state).body.decode()
