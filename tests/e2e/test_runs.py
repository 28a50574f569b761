"""The ledger by the real command: what a daemon notes, which run commits it, what any machine shows, gaps closed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crawler.rows import SlotRow, format_time
from jobs.ledger import Journal
from jobs.store.local import LocalStore
from tests.archives import read_lines
from tests.crawls import Answer, Site, page, serve_site
from tests.installation import Ofrecord, install
from tests.ledgers import HALF_HOURS, IntervalSlots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEDULE = "every 30 minutes"
DOWN = "no daemon was running"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        running.publish(3)
        yield running


@pytest.fixture
def ofrecord(tmp_path: Path, site: Site) -> Ofrecord:
    return install(tmp_path, {**site.describe_source(), "schedule": SCHEDULE})


def journal_of(folder: Path) -> Journal:
    (spool,) = folder.glob("state/*/spool/gazette")
    return Journal.open(spool)


class Past:
    """Half hours that lie some slots back from now."""

    def __init__(self) -> None:
        latest = HALF_HOURS.latest(datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC))
        assert latest is not None
        self.latest = latest

    def slot(self, back: int) -> datetime:
        return self.latest - back * HALF_HOURS.step


def note_night(folder: Path) -> Past:
    """A daemon that began twenty slots ago, ran once, was away for sixteen slots, and came back to one that failed."""
    past, journal = Past(), journal_of(folder)
    journal.note(SlotRow(past.slot(20) - timedelta(minutes=7), "scheduled", schedule=SCHEDULE))
    journal.note(SlotRow(past.slot(20), "done"), HALF_HOURS)
    for back in range(19, 3, -1):
        journal.note(SlotRow(past.slot(back), "missed", reason=DOWN), HALF_HOURS)
    journal.note(SlotRow(past.slot(3), "failed", reason="exit code 70"), HALF_HOURS)
    journal.note(SlotRow(past.slot(2), "skipped", reason="the run before was still going"), HALF_HOURS)
    return past


def of_slots(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (one["slot"], one["slots"], one["outcome"], one["reason"], one["pending"])
        for one in rows
        if one["kind"] == "slot"
    ]


def test_a_run_commits_what_was_noted_and_every_machine_shows_it(ofrecord: Ofrecord, tmp_path: Path) -> None:
    ofrecord("crawl", "gazette")
    past = note_night(tmp_path)
    noted = [
        (format_time(past.slot(20)), 1, "done", None),
        (format_time(past.slot(19)), 16, "missed", DOWN),
        (format_time(past.slot(3)), 1, "failed", "exit code 70"),
        (format_time(past.slot(2)), 1, "skipped", "the run before was still going"),
    ]
    before = ofrecord("runs", "gazette", "--json").rows()
    assert of_slots(before) == [
        *((*one, True) for one in noted),
        (format_time(past.slot(1)), 2, "open", None, False),
    ]

    ran = ofrecord("crawl", "gazette", "--trigger", "daemon", "--slot", format_time(past.latest), "--json").json()
    assert journal_of(tmp_path).pending() == []
    after = ofrecord("runs", "gazette", "--json").rows()
    assert of_slots(after)[:4] == [(*one, False) for one in noted]
    last = next(one for one in after if one.get("run") == ran["run"])
    assert (last["slot"], last["run"], last["pages"]) == (format_time(past.latest), ran["run"], 0)
    late = datetime.fromisoformat(last["started"]) - past.latest > timedelta(minutes=10)
    assert last["outcome"] == ("late" if late else "done")

    (by_hand,) = (one for one in after if one["kind"] == "run")
    assert (by_hand["outcome"], by_hand["trigger"], by_hand["new"]) == ("unscheduled", "crawl", 3)
    total = after[-1]
    assert {name: total[name] for name in ("missed", "failed", "skipped", "open", "unscheduled")} == {
        "missed": 16,
        "failed": 1,
        "skipped": 1,
        "open": 1,
        "unscheduled": 1,
    }
    assert total["share"] == pytest.approx(2 / 20)

    assert ofrecord("runs", "gazette", "--json", "--state", tmp_path / "elsewhere").rows() == after
    ofrecord("verify", "--full")


def test_a_note_that_outlived_its_commit_is_committed_once(ofrecord: Ofrecord, tmp_path: Path) -> None:
    """The machine died after the commit, before the journal was settled."""
    ofrecord("crawl", "gazette")
    note_night(tmp_path)
    notes = journal_of(tmp_path).pending()
    ofrecord("crawl", "gazette")
    assert journal_of(tmp_path).pending() == []
    before = ofrecord("runs", "--json").rows()
    for row in notes:
        journal_of(tmp_path).note(row)
    assert of_slots(ofrecord("runs", "--json").rows()) == of_slots(before)
    ofrecord("crawl", "gazette")
    assert journal_of(tmp_path).pending() == []
    store = LocalStore(tmp_path / "archive")
    keys = [item.key for item in store.list("segments/") if item.key.endswith(".warc.gz")]
    committed = [row for key in keys for row in read_lines(store, key) if row["type"] == "slot"]
    assert len(committed) == len(notes) == 5


def test_people_see_gaps_as_gaps(ofrecord: Ofrecord, tmp_path: Path) -> None:
    ofrecord("crawl", "gazette")
    past = note_night(tmp_path)
    ofrecord("crawl", "gazette", "--trigger", "daemon", "--slot", format_time(past.latest))
    journal_of(tmp_path).note(SlotRow(past.slot(1), "missed", reason="\x1b[2Jnothing\nto see"))
    lines = ofrecord("runs").stdout.splitlines()
    assert lines[0].startswith(f"gazette · {SCHEDULE} since {past.slot(20) - timedelta(minutes=7):%Y-%m-%d %H:%M}Z")
    (gap,) = (line for line in lines if "16 slots" in line)
    begin, end = past.slot(19), past.slot(4)
    shown = f"{end:%H:%M}Z" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M}Z"
    assert gap == f"— 16 slots missed, {begin:%Y-%m-%d %H:%M}Z to {shown}: {DOWN}"
    (here,) = (line for line in lines if "not committed" in line)
    assert here.startswith("— 1 slot missed, ")
    assert "\x1b" not in here
    (by_hand,) = (line for line in lines if "  by hand  " in line)
    assert re.fullmatch(r"\S+ \S+Z  by hand +\d\d:\d\d:\d\d +\d+\.\d +3 +3 +0", by_hand)
    assert re.fullmatch(r"gazette: 21 slots: .*17 missed; 9.5% had a run; 1 run beside the schedule", lines[-1])

    only = ofrecord("runs", "gazette", "--outcome", "failed").stdout.splitlines()
    assert [line for line in only if line.startswith("—")] == [
        f"— 1 slot failed, {past.slot(3):%Y-%m-%d %H:%M}Z: exit code 70"
    ]
    short = ofrecord("runs", "gazette", "--since", format_time(past.slot(6)), "--json").rows()
    assert of_slots(short)[0][:3] == (format_time(past.slot(6)), 3, "missed")


def test_a_ledger_of_a_source_that_never_ran_is_shown(ofrecord: Ofrecord, tmp_path: Path) -> None:
    ofrecord("crawl", "gazette", "--archive", tmp_path / "archive")
    (state,) = (tmp_path / "state").iterdir()
    journal = Journal.open(state / "spool" / "herald")
    journal.note(SlotRow(Past().slot(3), "missed", reason=DOWN))
    assert of_slots(ofrecord("runs", "herald", "--json").rows())[0][2:] == ("missed", DOWN, True)
    assert "no schedule is known" in ofrecord("runs", "gazette").stdout
    assert "no source 'hearld'" in ofrecord("runs", "hearld", code=2).stderr


def test_nobody_noted_and_nobody_ran(ofrecord: Ofrecord, tmp_path: Path) -> None:
    """The machine lost its journal: what no run row tells was missed, once no run can be going any more."""
    ofrecord("crawl", "gazette")
    past = Past()
    journal_of(tmp_path).note(SlotRow(past.slot(40), "scheduled", schedule="every 1 hour"))
    rows = ofrecord("runs", "gazette", "--json").rows()
    hours = IntervalSlots(timedelta(hours=1))
    number = hours.count(past.slot(40), datetime.now(UTC))
    told = {one["outcome"]: one["slots"] for one in rows if one["kind"] == "slot"}
    assert sum(told.values()) == number
    assert told["open"] in {6, 7}


# --- gaps


def published(title: str, moment: datetime) -> bytes:
    meta = f'<meta property="article:published_time" content="{format_time(moment)}">'
    return page(title).replace(b"</head>", f"{meta}</head>".encode())


def test_gaps_are_closed_as_far_as_listings_reach(tmp_path: Path, site: Site) -> None:
    past = Past()
    begin, end = past.slot(300), past.slot(200)
    times = {
        "before": begin - timedelta(days=9),
        "within": begin + timedelta(hours=5),
        "had": begin + timedelta(hours=6),
        "after": end + timedelta(days=3),
    }
    for name, moment in times.items():
        site.answers[f"/2026/{name}"] = Answer(published(name, moment))
    site.answers["/2026/undated"] = Answer(page("undated"))

    def list_pages(*names: str) -> bytes:
        urls = "".join(
            f"<url><loc>{site.root}/2026/{name}</loc>"
            + (
                f"<news:news><news:publication_date>{format_time(times[name])}</news:publication_date></news:news>"
                if name in times
                else ""
            )
            + "</url>"
            for name in names
        )
        spaces = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
        return f'<?xml version="1.0"?><urlset {spaces}>{urls}</urlset>'.encode()

    sitemap = {"media_type": "application/xml", "headers": {"ETag": '"same"'}}
    site.answers["/map.xml"] = Answer(list_pages("had"), **sitemap)  # type: ignore[arg-type]
    described = {**site.describe_source(), "discover": [{"sitemap": f"{site.root}/map.xml"}], "schedule": SCHEDULE}
    ofrecord = install(tmp_path, described)
    ofrecord("crawl", "gazette")
    ofrecord("crawl", "gazette", "--recheck", "none")  # finds the sitemap settled

    site.answers["/map.xml"] = Answer(list_pages("before", "within", "had", "after", "undated"), **sitemap)  # type: ignore[arg-type]
    assert ofrecord("crawl", "gazette", "--recheck", "none", "--json").json()["pages"] == 0  # 304: so it seems
    assert ofrecord("backfill-gaps", "gazette").stdout == "gazette: no gaps\n"

    journal = journal_of(tmp_path)
    journal.note(SlotRow(past.slot(400), "scheduled", schedule=SCHEDULE))
    for first, last in ((399, 301), (199, 0)):
        journal.note(SlotRow(past.slot(first), "done", through=past.slot(last), slots=first - last + 1))
    journal.note(SlotRow(begin, "missed", through=end, slots=101, reason=DOWN))

    seen = ofrecord("backfill-gaps", "--report-only", "--json").rows()
    assert [one["kind"] for one in seen] == ["gap", "total"]
    assert [one["url"].rpartition("/")[2] for one in seen[0]["articles"]] == ["had"]

    asked = site.paths.copy()
    gap, total = ofrecord("backfill-gaps", "gazette", "--json").rows()
    fetched = {path for path, number in site.paths.items() if number > asked[path]}
    assert fetched == {"/robots.txt", "/map.xml", "/2026/within", "/2026/undated"}
    found = {one["url"].rpartition("/")[2]: one for one in gap["articles"]}
    assert {name: one["by_this_run"] for name, one in found.items()} == {"had": False, "within": True}
    within = found["within"]
    late = datetime.fromisoformat(within["first_seen"]) - times["within"]
    assert within["late_seconds"] == pytest.approx(late.total_seconds())
    assert (gap["slots"], gap["after"], gap["stretches"][0]["reason"]) == (101, format_time(past.slot(301)), DOWN)
    assert (total["pages"], total["found"], [one["url"].rpartition("/")[2] for one in total["undated"]]) == (
        2,
        2,
        ["undated"],
    )
    assert "cannot be had" in total["lost"]

    runs = ofrecord("runs", "gazette", "--json").rows()
    (backfill,) = (one for one in runs if one.get("trigger") == "backfill")
    assert (backfill["run"], backfill["new"]) == (total["run"], 2)
    text = ofrecord("backfill-gaps", "gazette").stdout
    assert f"gazette: gap of 101 slots, {begin:%Y-%m-%d %H:%M}Z to {end:%Y-%m-%d %H:%M}Z (missed: {DOWN})" in text
    assert "2 articles published then are had, 0 of them by this run" in text
    ofrecord("verify", "--full")
