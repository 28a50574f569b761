"""How a source stands, by three weeks of its runs and what comes after: each state, its reason, and the way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import Settings
from config.sources import Source
from crawler.rows import Certificate, SlotRow
from jobs.archive.identity import create_archive
from jobs.catalog import Catalog
from jobs.catalog.tallies import DAY
from jobs.health import State, read_health
from jobs.ledger import Journal, Outcome
from jobs.store.memory import MemoryStore
from tests.archives import copy_store
from tests.machines import SOURCE
from tests.newsdesks import FEED, HOST, ROBOTS, Newsdesk, Seen, feed, rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.health import HealthMemory, SourceHealth

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
THEN = MONDAY + 21 * DAY
"""When the three weeks are over."""
STEP = timedelta(hours=3)
SETTINGS = Settings()
SITEMAP = f"{HOST}/sitemap.xml"


def make_source(**changes: Any) -> Source:
    data = {
        "id": SOURCE,
        "name": "Gazette",
        "home": HOST,
        "discover": [{"feed": FEED}],
        "articles": {"include": ["."]},
        "schedule": "every 3 hours",
    }
    return Source.model_validate({**data, **changes})


def write_weeks(desk: Newsdesk, start: datetime, end: datetime) -> None:
    """Commit a run every three hours: three new articles by day, none between nine and six, and one that is old."""
    at = start
    while at < end:
        new = [Seen(f"{at:%Y%m%d%H}-{n}") for n in range(3)] if 6 <= at.hour <= 20 else []
        desk.run(at, [*new, Seen("old", wait=90 * DAY)])
        at += STEP


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[MemoryStore, ArchiveInfo, Path]:
    """Three weeks of a source that is well: store, identity, and the catalog's file."""
    store, path = MemoryStore(), tmp_path_factory.mktemp("weeks") / "catalog.sqlite"
    info = create_archive(store, single_writer=False, now=MONDAY)
    with Catalog.open(path) as catalog:
        write_weeks(Newsdesk(store, info, catalog), MONDAY, THEN)
        catalog.tally_health(SOURCE, THEN)
        catalog._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store, info, path


class Watch:
    """A source that is watched from the end of the three weeks on."""

    def __init__(self, desk: Newsdesk) -> None:
        self.desk = desk
        self.desk.number = 1_000
        self.now = THEN
        self.source = make_source()
        self.settings = SETTINGS
        self.memory: HealthMemory = {}

    def run(self, *pages: Seen, **others: Any) -> None:
        """Commit a run, and let three hours pass."""
        self.desk.run(self.now, pages, **others)
        self.now += STEP

    def look(self, **others: Any) -> SourceHealth:
        catalog = self.desk.machine.catalog
        (found,) = read_health(catalog, [self.source], self.settings, self.now, memory=self.memory, **others)
        return found

    def kinds(self) -> list[str]:
        return [reason.kind for reason in self.look().reasons]

    def pages(self, number: int, **changes: Any) -> list[Seen]:
        """Return new articles."""
        return [replace(Seen(f"{self.now:%Y%m%d%H}-{n}"), **changes) for n in range(number)]


@pytest.fixture
def watch(weeks: tuple[MemoryStore, ArchiveInfo, Path], tmp_path: Path) -> Iterator[Watch]:
    store, info, path = weeks
    (tmp_path / "catalog.sqlite").write_bytes(path.read_bytes())
    with Catalog.open(tmp_path / "catalog.sqlite") as catalog:
        yield Watch(Newsdesk(copy_store(store), info, catalog))


def test_a_source_that_is_well_is_ok_and_says_what_is_usual(watch: Watch) -> None:
    health = watch.look()
    assert (health.state, health.reasons, health.since, health.learning) == (State.OK, (), None, None)
    told = health.figures
    assert told.last_run == THEN - STEP
    assert told.last_new is not None
    assert THEN - 2 * STEP <= told.last_new < THEN - STEP
    assert told.new_articles in {3 * 5 * 6, 3 * 5 * 7}  # today has begun
    assert told.expected_articles == pytest.approx(105, rel=0.1)
    assert told.lag is not None
    assert told.usual_lag == told.lag
    assert timedelta(minutes=15) < told.lag < timedelta(minutes=25)
    assert (told.extraction, told.usual_extraction) == (1.0, 1.0)
    assert told.spool_segments is None


def test_nothing_new_is_silence_by_day_sooner_than_overnight_and_ends_with_the_next_article(watch: Watch) -> None:
    states = []
    while watch.look().state is State.OK:
        states.append(watch.now)
        watch.run()
    (reason,) = watch.look().reasons
    assert reason.kind == "silent"
    assert reason.since == watch.look().since == watch.look().figures.last_new
    assert "nothing new for " in reason.text
    assert " articles are usual in that time" in reason.text
    assert timedelta(hours=12) < watch.now - THEN < timedelta(hours=48)
    watch.run(*watch.pages(1))
    assert watch.look().state is State.OK


@pytest.mark.parametrize("changes", [{"schedule": None}, {"retired": True}])
def test_nobody_waits_for_a_source_that_is_not_scheduled_or_is_retired(watch: Watch, changes: dict[str, Any]) -> None:
    watch.source = make_source(**changes)
    for _ in range(24):
        watch.run()
    assert watch.look().state is State.OK
    watch.now += 30 * DAY
    assert watch.look().state is State.OK


def test_silence_is_ours_where_nobody_looked(watch: Watch) -> None:
    watch.now += 8 * DAY
    (reason,) = watch.look().reasons
    assert (reason.kind, reason.state) == ("overdue", State.FAILING)
    assert "no run for 8 days" in reason.text
    assert "every 3 h" in reason.text


def test_a_late_run_degrades_and_a_run_ends_that(watch: Watch) -> None:
    watch.now += 2 * STEP
    assert watch.kinds() == []
    watch.now += STEP
    (reason,) = watch.look().reasons
    assert (reason.kind, reason.state) == ("overdue", State.DEGRADED)
    watch.run(*watch.pages(1))
    assert watch.kinds() == []


def test_nights_and_weekends_of_a_cron_schedule_are_not_late(watch: Watch) -> None:
    watch.source = make_source(schedule="cron */10 8-18 * * mon-fri")
    friday = THEN + 4 * DAY + timedelta(hours=8)
    for number in range(66):
        watch.now = friday + number * timedelta(minutes=10)
        watch.run(*watch.pages(1))
    watch.now = friday + timedelta(days=2, hours=12)
    assert watch.kinds() == []
    watch.now = friday + timedelta(days=3, minutes=59)
    assert watch.kinds() == []
    watch.now += timedelta(minutes=2)
    (reason,) = watch.look().reasons
    assert (reason.kind, reason.state) == ("overdue", State.DEGRADED)
    assert reason.text.endswith("6 slots had none")


def note(spools: Path, at: datetime, outcome: Outcome, **changes: Any) -> None:
    Journal.open(spools / SOURCE).note(SlotRow(at, outcome, **changes))


def test_runs_that_never_reach_the_archive_are_failing_until_one_does(watch: Watch, tmp_path: Path) -> None:
    known = watch.desk.machine.catalog.list_runs(SOURCE)[-1].run
    note(tmp_path, watch.now, Outcome.FAILED, reason="it brought nothing", run=known)
    note(tmp_path, watch.now, Outcome.FAILED, reason="exit code 1")
    assert watch.look(spools=tmp_path).reasons == ()  # a mishap, beside a run that is judged by what it brought
    watch.now += STEP
    note(tmp_path, watch.now, Outcome.SKIPPED)
    note(tmp_path, watch.now + timedelta(minutes=1), Outcome.FAILED, reason="ImportError: no module")
    watch.now += timedelta(minutes=2)
    (reason,) = watch.look(spools=tmp_path).reasons
    assert (reason.kind, reason.state) == ("runs_end_badly", State.FAILING)
    assert reason.text == "of the last 2 runs none ended well; the last one: ImportError: no module"
    watch.run(*watch.pages(1))
    assert watch.look(spools=tmp_path).reasons == ()
    watch.source = make_source(schedule=None)
    assert watch.look(spools=tmp_path).reasons == ()


def test_what_was_scheduled_and_never_crawled_is_overdue(watch: Watch, tmp_path: Path) -> None:
    watch.source = make_source(id="herald")
    note(tmp_path.parent / "spool", watch.now, Outcome.SCHEDULED, schedule="every 3 hours")
    (tmp_path.parent / "spool" / SOURCE).rename(tmp_path / "herald")
    watch.now += 4 * STEP
    (reason,) = watch.look(spools=tmp_path).reasons
    assert (reason.kind, reason.state) == ("overdue", State.DEGRADED)


def test_a_cron_schedule_is_late_by_its_own_slots(watch: Watch) -> None:
    watch.source = make_source(schedule="cron 0 8 * * mon-fri")
    for day in range(12):
        watch.now = THEN + day * DAY + timedelta(hours=8)
        if watch.now.weekday() < 5:
            watch.run(*watch.pages(3))
    friday = THEN + 11 * DAY
    watch.now = friday + timedelta(days=3, hours=8, minutes=20)
    assert watch.kinds() == []
    watch.now = friday + timedelta(days=10)
    assert watch.kinds() == ["overdue"]


def test_fields_that_vanish_are_named_with_numbers_and_their_return_ends_it(watch: Watch) -> None:
    watch.run(*watch.pages(3, fields=("section",)))
    assert watch.kinds() == []  # too few to tell
    for _ in range(2):
        watch.run(*watch.pages(3, fields=("section",)))
    health = watch.look()
    (reason,) = health.reasons
    assert (reason.kind, health.state) == ("fields_vanished", State.DEGRADED)
    assert "a time of publication on 0 of 9 texts, 98 % before" in reason.text
    assert "an author on 0 of 9 texts" in reason.text
    assert "section" not in reason.text
    assert reason.since == THEN
    for _ in range(3):
        watch.run(*watch.pages(3))
    assert watch.kinds() == []


def test_some_pages_without_an_author_are_no_redesign(watch: Watch) -> None:
    for number in range(8):
        watch.run(*watch.pages(2), *watch.pages(3, fields=("published", "section"))[2 + number % 2 :])
        assert watch.kinds() == []


def test_texts_that_are_cut_down_are_noticed(watch: Watch) -> None:
    for _ in range(3):
        watch.run(*watch.pages(4, letters=300))
    (reason,) = watch.look().reasons
    assert reason.kind == "texts_shorter"


def test_pages_that_give_no_text_any_more_are_noticed(watch: Watch) -> None:
    for _ in range(3):
        watch.run(*watch.pages(2), *(replace(page, page_class="error") for page in watch.pages(6)[2:]))
    reasons = {reason.kind: reason for reason in watch.look().reasons}
    assert set(reasons) == {"extraction_fell"}
    assert "4 of 12 pages gave a whole text" in reasons["extraction_fell"].text
    assert watch.look().figures.extraction == pytest.approx(1 / 3)


def test_a_pay_wall_that_was_built_is_noticed_and_its_excerpts_keep_their_fields(watch: Watch) -> None:
    for _ in range(3):
        watch.run(*watch.pages(4, page_class="truncated"))
    (reason,) = watch.look().reasons
    assert reason.kind == "extraction_fell"
    assert "0 of 8 pages gave a whole text, 99 % before (cut by a pay wall 8)" in reason.text


def test_pages_that_cannot_be_had_any_more_are_noticed(watch: Watch) -> None:
    for _ in range(4):
        failed = [replace(page, page_class="error", status=503) for page in watch.pages(5)[2:]]
        watch.run(*watch.pages(2), *failed)
    (reason,) = watch.look().reasons
    assert reason.kind == "more_bad"
    assert "status 503" in reason.text


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"page_class": "challenge", "status": 403}, "challenge", "a robot check"),
        ({"page_class": "challenge"}, "challenge", "a robot check"),
        ({"page_class": "consent"}, "consent", "a form of consent"),
        ({"page_class": "error", "status": 403}, "refused", "status 403"),
        ({"page_class": "error", "status": 451}, "refused", "legal"),
        (
            {"page_class": "blocked", "status": None, "error": f"{ROBOTS} forbids it (Disallow: /)"},
            "robots_refuses",
            "gazette.example/robots.txt says Disallow: /",
        ),
    ],
)
def test_a_source_that_refuses_us_in_two_runs_is_blocked(
    watch: Watch, changes: dict[str, Any], kind: str, text: str
) -> None:
    for expected in (State.OK, State.BLOCKED):
        watch.run(*watch.pages(3, **changes))
        assert watch.look().state is expected
    health = watch.look()
    assert [reason.kind for reason in health.reasons] == [kind]
    assert "6 of 6 pages" in health.reasons[0].text
    assert text in health.reasons[0].text
    assert health.since == THEN
    watch.run(*watch.pages(4))
    assert watch.look().state is State.OK


def test_twenty_refusals_are_enough_and_a_pay_wall_among_pages_is_none(watch: Watch) -> None:
    for _ in range(4):
        watch.run(*watch.pages(3), replace(watch.pages(4)[3], page_class="error", status=403))
        assert watch.kinds() == []
    watch.run(*watch.pages(20, page_class="challenge"))
    assert watch.look().state is State.BLOCKED


def test_feeds_that_are_refused_are_a_block_too(watch: Watch) -> None:
    refused = {FEED: "status 403, expected 200"}
    for _ in range(2):
        watch.run(others=[rules(), feed(403)], seeds=refused)
    (reason,) = watch.look().reasons
    assert (reason.kind, reason.state) == ("refused", State.BLOCKED)
    assert "every feed, sitemap and section" in reason.text


def test_a_robots_txt_that_changed_matters_where_it_refuses_something(watch: Watch) -> None:
    watch.run(*watch.pages(3), others=[rules("Crawl-delay: 1"), feed()])
    assert watch.kinds() == []
    rule = f"{ROBOTS} forbids it (Disallow: /politics/)"
    refused = replace(watch.pages(4)[3], page_class="blocked", status=None, error=rule)
    watch.run(*watch.pages(3), refused, others=[rules("Disallow: /politics/"), feed()])
    (reason,) = watch.look().reasons
    assert (reason.kind, reason.state) == ("robots_changed", State.DEGRADED)
    assert "now refuses 1 of " in reason.text
    assert "Disallow: /politics/" in reason.text
    assert reason.since == THEN + STEP
    watch.run(*watch.pages(3), others=[rules("all"), feed()])
    assert watch.kinds() == []


@pytest.mark.parametrize(
    ("error", "runs", "kind", "text"),
    [
        ("the host name has no address: unknown", 2, "no_address", "the host name has no address"),
        ("the certificate is not trusted: it has expired", 1, "certificate_refused", "not trusted"),
        ("no connection within 15 seconds", 2, "unreachable", "no answer in time"),
    ],
)
def test_a_source_of_which_nothing_can_be_had_is_failing(
    watch: Watch, error: str, runs: int, kind: str, text: str
) -> None:
    unread = f"gazette.example/robots.txt could not be read ({error}), so nothing of this host is fetched"
    for number in range(runs):
        assert watch.look().state is State.OK
        others = [rules(status=None, error=error), feed(None, error=unread)]
        watch.run(Seen(f"old-{number}", "error", None, unread), others=others, seeds={FEED: unread})
    (reason,) = watch.look().reasons
    assert (reason.kind, reason.state, reason.since) == (kind, State.FAILING, THEN)
    assert text in reason.text
    watch.run(*watch.pages(2))
    assert watch.look().state is State.OK


def test_listings_that_no_run_can_read_are_a_failure_and_one_of_two_is_a_loss(watch: Watch) -> None:
    error = "not a feed: HTML"
    for number in range(3):
        watch.run(*watch.pages(2), seeds={FEED: None, SITEMAP: "status 404, expected 200"})
        assert (watch.kinds() == ["listing_failed"]) == (number == 2)
    assert SITEMAP in watch.look().reasons[0].text
    for _ in range(2):
        watch.run(Seen("old", wait=90 * DAY), seeds={FEED: error, SITEMAP: "status 404, expected 200"})
    (reason,) = watch.look().reasons
    assert (reason.kind, reason.state) == ("discovery_failed", State.FAILING)
    assert error in reason.text


def test_a_site_that_leads_elsewhere_as_a_whole_has_moved(watch: Watch) -> None:
    target = "https://www.bugle.example/rss.xml"
    away = [rules(), feed(301, redirect=target), Seen(target, "listing", purpose="feed")]
    for _ in range(2):
        assert watch.kinds() == []
        watch.run(others=away)
    (reason,) = watch.look().reasons
    assert (reason.kind, reason.state) == ("site_moved", State.DEGRADED)
    assert "leads to bugle.example now" in reason.text


def test_www_is_no_other_site(watch: Watch) -> None:
    target = "https://www.gazette.example/rss.xml"
    for _ in range(2):
        watch.run(others=[rules(), feed(301, redirect=target), Seen(target, "listing", purpose="feed")])
    assert watch.kinds() == []


@pytest.mark.parametrize(
    ("life", "left", "told"), [(90, 15, False), (90, 13, True), (6, 4, False), (6, 1, True), (90, -1, True)]
)
def test_a_certificate_that_ends_soon_is_told(watch: Watch, life: int, left: int, told: bool) -> None:
    end = THEN + (left * DAY if left > 0 else timedelta(hours=1))
    certificate = Certificate(end - life * DAY, end, "Some authority")
    watch.run(*watch.pages(2), certificates={"gazette.example": certificate})
    health = watch.look()
    assert (health.state is State.DEGRADED) == told
    if told:
        (reason,) = health.reasons
        assert reason.kind == "certificate_ends"
        assert "the certificate of gazette.example" in reason.text
        assert ("ends in" if left > 0 else "has ended") in reason.text
        assert "issued by Some authority" in reason.text
        renewed = Certificate(THEN, THEN + 90 * DAY, "Some authority")
        watch.run(*watch.pages(2), certificates={"gazette.example": renewed})
        assert watch.look().state is State.OK


def test_articles_that_come_much_later_than_they_used_to_are_noticed(watch: Watch) -> None:
    for _ in range(8 * 8):
        watch.run(*watch.pages(1, wait=timedelta(hours=14)))
    (reason,) = watch.look().reasons
    assert reason.kind == "lag_grew"
    assert "articles are seen 1" in reason.text


def test_what_waits_on_this_disk_is_told_with_its_age(watch: Watch, tmp_path: Path) -> None:
    spool = tmp_path / "spool" / SOURCE
    assert watch.look(spools=tmp_path / "spool").figures.spool_segments is None
    folder = spool / "sealed" / f"{SOURCE}-{THEN - DAY:%Y%m%dT%H%M%SZ}-0123456789abcdef"
    folder.mkdir(parents=True)
    (spool / "open" / "empty").mkdir(parents=True)
    (folder / "one.warc.gz").write_bytes(b"x" * 700)
    health = watch.look(spools=tmp_path / "spool")
    (reason,) = health.reasons
    assert (reason.kind, reason.state, reason.since) == ("spool_waits", State.DEGRADED, THEN - DAY)
    assert "1 segment (700 bytes)" in reason.text
    assert "the oldest for 24 h" in reason.text
    assert (health.figures.spool_segments, health.figures.spool_bytes) == (1, 700)
    watch.settings = SETTINGS.override(health_spool_seconds=2 * 86_400)
    assert watch.look(spools=tmp_path / "spool").state is State.OK
    assert watch.look(spools=tmp_path / "nowhere").figures.spool_segments is None


def test_the_gravest_reason_comes_first_and_decides(watch: Watch, tmp_path: Path) -> None:
    folder = tmp_path / "spool" / SOURCE / "closed" / f"{SOURCE}-{THEN - DAY:%Y%m%dT%H%M%SZ}-0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "one.warc.gz").write_bytes(b"x")
    for _ in range(2):
        watch.run(*watch.pages(3, page_class="challenge"))
    health = watch.look(spools=tmp_path / "spool")
    assert [reason.kind for reason in health.reasons] == ["challenge", "spool_waits"]
    assert (health.state, health.since) == (State.BLOCKED, THEN)


def test_of_a_source_that_is_new_it_is_said_what_cannot_be_judged(
    store: MemoryStore, info: ArchiveInfo, tmp_path: Path
) -> None:
    with Catalog.open(tmp_path / "catalog.sqlite") as catalog:
        watch = Watch(Newsdesk(store, info, catalog))
        health = watch.look()
        assert (health.state, health.learning) == (State.OK, "never crawled")
        watch.run(*watch.pages(3))
        for _ in range(20):
            watch.run()
        health = watch.look()
        assert health.state is State.OK
        assert health.learning == "silence is judged after 14 days with 10 new articles"
        (foreign,) = read_health(catalog, [SOURCE], SETTINGS, watch.now + 90 * DAY)
        assert foreign.state is State.OK
        assert foreign.figures.last_new == health.figures.last_new


def test_who_asks_again_reads_only_what_was_committed_since(watch: Watch) -> None:
    first = watch.look()
    statements: list[str] = []
    watch.desk.machine.catalog._db.set_trace_callback(statements.append)
    watch.now += timedelta(minutes=1)
    again = watch.look()
    assert [one for one in statements if "FROM logs" not in one] == []
    assert replace(again, judged_at=first.judged_at) == first
    watch.run(*watch.pages(1))
    statements.clear()
    assert watch.look().figures.last_run == watch.now - STEP
    assert len(statements) > 5
