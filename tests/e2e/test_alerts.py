"""Four ways in which a source goes bad, by real crawls: each is told once by mail and webhook, the recovery too."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme

from config.loading import load_settings
from config.sources import load_sources
from jobs.alerts.watch import watch_archive
from jobs.archive.identity import read_info
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE
from jobs.runs.ending import RunEnded
from jobs.store.local import LocalStore
from tests.crawls import Answer, Site, wait_until
from tests.installation import Ofrecord, install
from tests.machines import Look, Machine
from tests.sinks import MailSink, WebSink, serve_mail, serve_web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.seaweed import S3Server

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
_HISTORY_DAYS = 42
HOST = "gazette.example"
TEXT = "".join(f"<p>The council met on day {day} and agreed that the bridge will be built.</p>" for day in range(12))
CHALLENGE = b"""<!doctype html><html><head><title>Just a moment...</title></head><body><div id="cf-wrapper">
<h1>Checking your browser before you go on</h1><p>Enable JavaScript and cookies to continue</p></div>
<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script></body></html>"""


class SecureSite(Site):
    """A news site over HTTPS, whose certificate may be renewed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certify(90 * DAY)
        super().__init__()
        self.server.socket = self._context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.published = 0

    @property
    def root(self) -> str:
        return f"https://{HOST}"

    @property
    def resolve(self) -> list[str]:
        return [f"{HOST}:443:127.0.0.1:{self.server.server_port}"]

    def certify(self, lifetime: timedelta) -> None:
        """Show another certificate to whoever connects from now on."""
        issued = self._authority.issue_cert(HOST, not_after=datetime.now(UTC) + lifetime)
        issued.private_key_and_cert_chain_pem.write_to_path(str(self._folder / "server.pem"))
        self._context.load_cert_chain(self._folder / "server.pem")

    def bring(self, count: int, *, whole: bool = True) -> None:
        """Publish and announce *count* articles more; not *whole*: in a markup without byline, date, section."""
        paths = [f"/2026/{number}" for number in range(self.published, self.published + count)]
        self.published += count
        self.announce(*paths)
        self.answers.update({path: Answer(make_page(path, whole=whole)) for path in paths})


def make_page(path: str, *, whole: bool) -> bytes:
    about = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": f"Bridge of {path} will be built",
        "author": {"@type": "Person", "name": "Ada Quill"},
        "datePublished": datetime.now(UTC).isoformat(timespec="seconds"),
        "articleSection": "Town",
    }
    told = f'<script type="application/ld+json">{json.dumps(about)}</script>' if whole else ""
    head = f"<head><title>Bridge of {path} will be built</title>{told}</head>"
    body = f"<h1>Bridge of {path} will be built</h1>{TEXT}"
    return f'<!doctype html><html lang="en">{head}<body><article>{body}</article></body></html>'.encode()


@dataclass
class Desk:
    """The installation of somebody who is told by mail and webhook."""

    site: SecureSite
    ofrecord: Ofrecord
    mail: MailSink
    web: WebSink

    def crawl(self, *, code: int | None = 0) -> None:
        self.ofrecord("crawl", "gazette", code=code)

    def look(self) -> list[tuple[str, str]]:
        """Look as the daemon does; return what came: title and text, the same by mail and webhook."""
        mails, posts = len(self.mail.mails), len(self.web.posts)
        self.ofrecord("alerts", "check")
        by_web = [(post["title"], post["message"]) for post in self.web.posts[posts:]]
        by_mail = list(zip(self.mail.subjects, self.mail.texts, strict=True))[mails:]
        assert [(title, text.strip()) for title, text in by_mail] == by_web
        return by_web

    def open_kinds(self) -> list[str]:
        """Return the kinds of the reasons that are open."""
        rows = self.ofrecord("alerts", "--json").rows()
        return [reason["kind"] for row in rows for reason in row["reasons"]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    site = SecureSite(tmp_path)
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nAllow: /\n", media_type="text/plain")
    with serve_mail() as mail, serve_web() as web:
        try:
            ofrecord = install(
                tmp_path,
                {**site.describe_source(), "schedule": "every 30 minutes", "recheck": []},
                environment={"OFRECORD_ALERTS": f"{mail.address} {web.address}"},
                ca_file=str(site.ca_file),
                resolve=site.resolve,
                alerts_settle_seconds=0,
            )
            yield Desk(site, ofrecord, mail, web)
        finally:
            site.stop()


def assert_told_once(desk: Desk, title: str, kind: str) -> None:
    told = desk.look()
    assert [one for one, _ in told] == [title]
    assert f"[{kind}]" in told[0][1]
    assert kind in desk.open_kinds()
    assert desk.look() == [], "it is told once"


def assert_recovery_told_once(desk: Desk) -> None:
    assert [title for title, _ in desk.look()] == ["ofrecord: gazette is well again"]
    assert desk.look() == []
    assert desk.open_kinds() == []


def test_source_whose_markup_changes(desk: Desk) -> None:
    desk.site.bring(40)
    desk.crawl()
    assert desk.look() == []
    desk.site.bring(12, whole=False)
    desk.crawl()
    assert_told_once(desk, "ofrecord: gazette is degraded", "fields_vanished")
    desk.site.bring(12)
    desk.crawl()
    assert_recovery_told_once(desk)


def test_source_whose_certificate_ends(desk: Desk) -> None:
    desk.site.bring(3)
    desk.crawl()
    assert desk.look() == []
    desk.site.certify(5 * DAY)
    desk.crawl()
    assert_told_once(desk, "ofrecord: gazette is degraded", "certificate_ends")
    desk.site.certify(90 * DAY)
    desk.crawl()
    assert_recovery_told_once(desk)


def test_source_that_starts_to_serve_a_challenge(desk: Desk) -> None:
    desk.site.bring(12)
    desk.crawl()
    assert desk.look() == []
    served = dict(desk.site.answers)
    for _ in range(3):
        desk.site.bring(8)
        served |= {path: answer for path, answer in desk.site.answers.items() if path not in served}
        desk.site.answers.update({path: Answer(CHALLENGE, 403) for path in desk.site.answers if "/2026/" in path})
        desk.crawl(code=None)
    assert_told_once(desk, "ofrecord: gazette is blocked", "challenge")
    desk.site.answers = served
    desk.site.bring(8)
    desk.crawl()
    assert_recovery_told_once(desk)


def test_source_that_goes_silent(desk: Desk, tmp_path: Path) -> None:
    fill_history(tmp_path, datetime.now(UTC) - 4 * DAY)
    desk.site.bring(0)
    desk.crawl()  # its feed is there, and there is nothing new in it
    assert_told_once(desk, "ofrecord: gazette is silent", "silent")
    desk.site.bring(4)
    desk.crawl()
    assert_recovery_told_once(desk)


def test_the_daemons_watch_tells_the_same_and_asks_nothing_of_the_store(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.site.bring(3)
    desk.site.certify(5 * DAY)
    desk.crawl()
    (tmp_path / "archive").rename(tmp_path / "away")
    monkeypatch.setenv("OFRECORD_ALERTS", desk.ofrecord.environment["OFRECORD_ALERTS"])
    monkeypatch.setenv("OFRECORD_HEARTBEAT_URL", f"{desk.web.root}/beat")
    sources = list(load_sources(desk.ofrecord.config / "sources").values())
    (state,) = (path.parent for path in (tmp_path / "state").glob(f"*/{CATALOG_FILE}"))
    watch = watch_archive(load_settings(desk.ofrecord.config), state, lambda: sources)
    assert watch is not None
    with watch:
        watch.run_ended(RunEnded("gazette", None, datetime.now(UTC), 1.0, 0, {}))
        wait_until(lambda: desk.web.gets == ["/beat"])
    assert desk.web.titles == desk.mail.subjects == ["ofrecord: gazette is degraded"]
    (tmp_path / "away").rename(tmp_path / "archive")
    assert desk.look() == [], "what the daemon told, the command does not tell again"


def test_daemon_tells_of_a_source_and_gives_its_heartbeat(desk: Desk) -> None:
    desk.site.bring(3)
    desk.site.certify(5 * DAY)
    beat = {"OFRECORD_HEARTBEAT_URL": f"{desk.web.root}/beat"}
    ofrecord = replace(desk.ofrecord, environment={**desk.ofrecord.environment, **beat})
    ofrecord("daemon", "--max-runs", "1")
    assert desk.web.titles == desk.mail.subjects == ["ofrecord: gazette is degraded"]
    assert set(desk.web.gets) == {"/beat"}


def test_job_without_a_disk_keeps_what_was_told_in_a_bucket(desk: Desk, tmp_path: Path, s3_server: S3Server) -> None:
    place = f"s3://{s3_server.bucket}/alerts-{tmp_path.name}"
    variables = {"OFRECORD_S3_ENDPOINT_URL": s3_server.endpoint_url, "OFRECORD_S3_PATH_STYLE": "true"}
    ofrecord = replace(desk.ofrecord, environment={**desk.ofrecord.environment, **s3_server.environment(), **variables})

    def work(task: str) -> list[str]:
        """Do what a schedule does on a machine of its own; return what arrived."""
        before = len(desk.web.posts)
        ofrecord("job", "gazette", "--state", tmp_path / task)
        ofrecord("alerts", "check", "--told", place, "--state", tmp_path / task)
        return desk.web.titles[before:]

    desk.site.bring(3)
    assert work("first") == []
    desk.site.certify(5 * DAY)
    assert work("second") == ["ofrecord: gazette is degraded"]
    assert work("third") == []
    desk.site.certify(90 * DAY)
    assert work("fourth") == ["ofrecord: gazette is well again"]
    assert desk.mail.subjects == desk.web.titles
    listed = s3_server.client().list_objects_v2(
        Bucket=s3_server.bucket, Prefix=place.partition(f"{s3_server.bucket}/")[2]
    )
    assert listed["KeyCount"] == 1


def fill_history(folder: Path, until: datetime) -> None:
    """Commit six weeks of a source that had an article each hour."""
    store = LocalStore(folder / "archive")
    with Catalog.open(folder / "history.sqlite") as catalog:
        machine = Machine(store, read_info(store), catalog)
        for number in range(_HISTORY_DAYS):
            opened = until - (_HISTORY_DAYS - number) * DAY
            looks = [Look(f"2025/{number}-{hour}", f"text {number} {hour}", minutes=60 * hour) for hour in range(24)]
            machine.commit(looks, number=number, opened=opened)
