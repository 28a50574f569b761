"""What happened to an article, told by the real command: deletions and their proof, moves, metadata, silent edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.histories import check_archive, read_histories, read_texts
from tests.site.pages import ENGLISH as HOST
from tests.site.pages import SEED_PATH, SEED_URL, Answer, read_expected, read_page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Ofrecord
    from tests.site.server import Site

ENGLISH = "almayadeen-english"
SEED = (ENGLISH, SEED_URL)
ROBOTS = f"https://{HOST}/robots.txt"
MOVED_PATH = "/news/politics/2023/blinken-on-aid-to-gaza"
MOVED_URL = f"https://{HOST}{MOVED_PATH}"


def look(ofrecord: Ofrecord) -> None:
    """Look at every known article again, whatever comes of it."""
    ofrecord("crawl", ENGLISH, "--recheck", "all", code=None)


def told(ofrecord: Ofrecord, url: str = SEED_URL) -> list[dict[str, Any]]:
    return ofrecord("history", url, "--json").rows()


def verdicts(ofrecord: Ofrecord, url: str = SEED_URL) -> list[tuple[str, int | None]]:
    return [(row["verdict"], row["revision"]) for row in told(ofrecord, url)]


def edit_page(name: str, **words: str) -> bytes:
    """Return a page of the site with words in place of others: *words*: new by old, blanks as `_`."""
    page = read_page(name)
    for old, new in words.items():
        before = old.replace("_", " ").encode()
        assert before in page
        page = page.replace(before, new.encode())
    return page


def edit_in_silence() -> bytes:
    """Return the page as it was edited, with the time of change that it had before."""
    page = read_page("edited-2023.html")
    for new, old in (
        (b"2023-11-07T09:05:31.1130000", b"2023-11-06T16:21:00.0000000"),
        (b"2023-11-07T09:05:31+02:00", b"2023-11-06T16:21:00+02:00"),
    ):
        assert new in page
        page = page.replace(new, old)
    return page


# --- the seed's history


@pytest.mark.parametrize(
    "silent",
    [
        pytest.param(True, id="time of change left"),
        pytest.param(False, id="time of change moved", marks=pytest.mark.soak),
    ],
)
def test_the_seed_article_is_edited_restored_taken_away_and_back(
    ofrecord: Ofrecord, site: Site, archive_dir: Path, silent: bool
) -> None:
    ofrecord("init")
    for phase in ("2023", "edited", "2025", "gone", "gone", "2025"):
        site.phase = phase
        site.answers = {SEED_URL: Answer(body=edit_in_silence())} if silent and phase == "edited" else {}
        look(ofrecord)
    expected = [("new", 1), ("revised", 2), ("reverted", 1), ("suspected", None), ("gone", None), ("returned", 1)]
    assert verdicts(ofrecord) == expected
    assert [(verdict, number) for verdict, number, _ in read_histories(archive_dir)[SEED]] == expected
    assert read_texts(archive_dir)[SEED] == [read_expected("clean.txt"), read_expected("edited.txt")]
    assert [row["evidence"] for row in told(ofrecord)] == [None, None, None, "soft 404", "soft 404", None]
    assert [row["state"] for row in ofrecord("list", "--json").rows() if row["url"] == SEED_URL] == ["live"]
    changes = ofrecord("diff", SEED_URL, "1", "2", "--json").json()
    assert {edit["kind"] for edit in changes["edits"]} == {"number", "wording", "paragraph_removed"}
    assert (changes["silent"], changes["backdated"]) == (silent, False)
    shown = ofrecord("diff", SEED_URL, "1", "2").stdout
    removed = [line for line in shown.splitlines() if line.startswith("- ")]
    added = [line for line in shown.splitlines() if line.startswith("+ ")]
    assert (len(removed), len(added)) == (2, 1)
    assert removed[1][2:] == read_expected("clean.txt").split("\n")[17]
    report = check_archive(archive_dir)
    assert not report.damaged, [str(finding) for finding in report.findings]


# --- evidence of deletion, and what proves it


def test_a_page_that_robots_txt_comes_to_disallow_is_gone_and_back(
    crawled: Ofrecord, site: Site, archive_dir: Path
) -> None:
    rules = "User-agent: *\nDisallow: /news/politics/\n"
    site.answers[ROBOTS] = Answer(body=rules.encode(), media_type="text/plain")
    look(crawled)
    site.forget_requests()
    look(crawled)
    assert SEED_URL not in site.count_requests()
    del site.answers[ROBOTS]
    look(crawled)
    rows = told(crawled)
    assert [(row["verdict"], row["class"]) for row in rows] == [
        ("new", "article"),
        ("suspected", "blocked"),
        ("gone", "blocked"),
        ("returned", "article"),
    ]
    assert [row["evidence"] for row in rows] == [None, "blocked by robots.txt", "blocked by robots.txt", None]
    assert rows[1]["class_reason"] == f"{ROBOTS} forbids it (Disallow: /news/politics/)"
    assert [[one["url"] for one in row["rules"]] for row in rows] == [[], [ROBOTS], [ROBOTS], []]
    assert rows[1]["rules"][0]["warc"]["key"].startswith(f"segments/{ENGLISH}/")
    assert crawled("show", SEED_URL, "--capture", "2", "--format", "html").stdout == rules
    raw = crawled("show", SEED_URL, "--capture", "2", "--format", "raw").stdout
    assert f"WARC-Target-URI: {ROBOTS}" in raw
    assert rules in raw
    line = crawled("history", SEED_URL).stdout.splitlines()[3]
    assert "suspected" in line
    assert line.endswith("evidence of deletion: blocked by robots.txt")
    assert not check_archive(archive_dir).damaged


def test_robots_txt_that_is_not_to_be_had_is_evidence_of_nothing(crawled: Ofrecord, site: Site) -> None:
    for status in (503, 500):
        site.answers[ROBOTS] = Answer(status, b"busy")
        look(crawled)
    del site.answers[ROBOTS]
    look(crawled)
    rows = told(crawled)
    assert [row["verdict"] for row in rows] == ["new", "bad", "bad", "unchanged"]
    assert [row["class"] for row in rows[1:3]] == ["error", "error"]
    assert {row["evidence"] for row in rows} == {None}


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        pytest.param(
            Answer(451, b"<html><body><h1>Unavailable for legal reasons</h1></body></html>"), "451 legal", id="451"
        ),
        pytest.param(
            Answer(404, b"<html><body><h1>Not found</h1></body></html>"), "404", id="404", marks=pytest.mark.soak
        ),
        pytest.param(Answer(410, b"<html><body><h1>Gone</h1></body></html>"), "410", id="410", marks=pytest.mark.soak),
        pytest.param(Answer(body=read_page("gone.html")), "soft 404", id="soft 404"),
        pytest.param(
            Answer(302, headers=(("Location", "/"),)), "redirect to home or section", id="home", marks=pytest.mark.soak
        ),
        pytest.param(
            Answer(301, headers=(("Location", "/news/politics"),)), "redirect to home or section", id="section"
        ),
    ],
)
def test_the_kind_of_evidence_is_told_and_its_answer_is_kept(
    crawled: Ofrecord, site: Site, archive_dir: Path, answer: Answer, evidence: str
) -> None:
    site.answers[SEED_URL] = answer
    look(crawled)
    look(crawled)
    site.answers.clear()
    look(crawled)
    rows = told(crawled)
    assert [row["verdict"] for row in rows] == ["new", "suspected", "gone", "returned"]
    assert [row["evidence"] for row in rows] == [None, evidence, evidence, None]
    assert rows[1]["status"] == answer.status
    assert rows[1]["warc"]["offset"] is not None
    assert crawled("show", SEED_URL, "--capture", "2", "--format", "html").stdout == answer.body.decode()
    assert read_texts(archive_dir)[SEED] == [read_expected("clean.txt")]


# --- what is said about an article


def test_metadata_that_changes_alone_is_told_apart_from_the_text(
    crawled: Ofrecord, site: Site, archive_dir: Path
) -> None:
    page = edit_page("article-2023.html", Al_Mayadeen_English="Another Desk").replace(b"?v=2&amp;", b"?v=3&amp;")
    site.answers[SEED_URL] = Answer(body=page)
    look(crawled)
    look(crawled)
    rows = told(crawled)
    assert [(row["verdict"], row["revision"]) for row in rows] == [("new", 1), ("unchanged", 1), ("unchanged", 1)]
    changes = {one["name"]: (one["before"], one["after"]) for one in rows[1]["metadata"]}
    assert changes["authors"] == (["Al Mayadeen English"], ["Another Desk"])
    assert changes.keys() <= {"authors", "agencies", "title_tag"}  # which ends with the name of the site
    assert [row["metadata"] for row in (rows[0], rows[2])] == [[], []]
    lines = crawled("history", SEED_URL).stdout.splitlines()
    assert "; changed: " in lines[3]
    assert [row["not_modified"] for row in rows] == [False, False, True]
    assert lines[4].endswith("unchanged  text 1   304 not modified: as capture 2")
    assert read_texts(archive_dir)[SEED] == [read_expected("clean.txt")]


# --- moves


def move_page(canonical: str) -> bytes:
    page = read_page("article-2023.html")
    assert SEED_URL.encode() in page
    return page.replace(SEED_URL.encode(), canonical.encode())


def test_an_article_that_redirects_to_its_text_elsewhere_has_moved(crawled: Ofrecord, site: Site) -> None:
    site.answers[SEED_URL] = Answer(301, headers=(("Location", MOVED_PATH),))
    site.answers[MOVED_URL] = Answer(body=move_page(MOVED_URL))
    look(crawled)
    assert verdicts(crawled) == [("new", 1), ("bad", None)]
    assert [row["moved_to"] for row in told(crawled)] == [None, MOVED_URL]
    assert crawled("history", SEED_URL).stdout.splitlines()[-1] == f"moved to {MOVED_URL}"
    assert [(row["verdict"], row["moved_from"]) for row in told(crawled, MOVED_URL)] == [("new", [SEED_URL])]
    assert f"moved here from {SEED_URL}" in crawled("history", MOVED_URL).stdout.splitlines()
    site.answers.clear()
    look(crawled)
    assert {row["moved_to"] for row in told(crawled)} == {None}  # it is here again


@pytest.mark.parametrize(
    "page",
    [
        move_page(MOVED_URL).replace(b"almost three hours", b"hardly an hour"),
        move_page(SEED_URL),
        move_page(f"https://{HOST}/news/politics/elsewhere"),
    ],
    ids=["another text", "names the old address", "names a third"],
)
def test_a_redirect_to_what_is_no_more_than_said_to_be_the_article_joins_nothing(
    crawled: Ofrecord, site: Site, page: bytes
) -> None:
    site.answers[SEED_URL] = Answer(301, headers=(("Location", MOVED_PATH),))
    site.answers[MOVED_URL] = Answer(body=page)
    look(crawled)
    assert [row["verdict"] for row in told(crawled, MOVED_URL)] == ["new"]
    assert {row["moved_to"] for row in told(crawled)} == {None}
    assert [row["moved_from"] for row in told(crawled, MOVED_URL)] == [[]]
    assert "moved" not in crawled("history", SEED_URL).stdout.replace(SEED_PATH, "")
