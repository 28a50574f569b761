"""A look at hostile sites: it ends within its budget, says what it found, and writes nothing that does harm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml

from tests.newcomers import trials
from tests.newcomers.hostile import HOSTILE, Ground, endless_calendar, private_addresses
from tests.newcomers.scoring import MOST_REQUESTS
from tests.newcomers.server import serve

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Ofrecord, Result
    from tests.newcomers.server import Served

pytestmark = pytest.mark.slow
FIRST_ADDRESS = 71


@pytest.fixture(params=HOSTILE, ids=[ground.name for ground in HOSTILE])
def ground(request: pytest.FixtureRequest) -> Ground:
    found: Ground = request.param
    return found


def test_a_look_ends_and_says_what_it_found(ground: Ground, tmp_path: Path) -> None:
    with serve(ground.make, FIRST_ADDRESS + HOSTILE.index(ground)) as served:
        ofrecord = trials.prepare(tmp_path, resolve=served.resolve, **ground.settings)
        result = trials.add(ofrecord, served.site.home, "--json", code=None)
        asked = len(served.requests)
        assert result.returncode in {0, 3}, str(result)
        assert "Traceback" not in result.stderr
        told = result.json()
        assert asked <= told["requests"] <= MOST_REQUESTS, served.requests
        kinds = {problem["kind"] for problem in told["problems"]}
        assert ground.problems <= kinds, told["problems"]
        assert all(problem["text"] for problem in told["problems"])
        assert told["written"] is ground.writes, str(result)
        assert served.sent_bytes <= ground.most_bytes
        check_what_is_written(ofrecord, served, result)


def check_what_is_written(ofrecord: Ofrecord, served: Served, result: Result) -> None:
    """See that at most one sound file of the asked site was written, and that a crawl by it ends."""
    told = result.json()
    written = sorted(path for path in ofrecord.config.rglob("*") if path.is_file())
    expected = [ofrecord.config / "settings.yaml"]
    if told["written"]:
        expected.append(ofrecord.config / "sources" / f"{trials.ID}.yaml")
    assert written == sorted(expected)
    if not told["written"]:
        assert result.returncode == 3
        return
    ofrecord("sources", "validate")
    text = written[-1].read_text("utf-8")
    source = yaml.safe_load(text)
    assert source.keys() <= {
        "name",
        "home",
        "language",
        "timezone",
        "schedule",
        "discover",
        "articles",
        "politeness",
        "network",
    }
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    home = urlsplit(served.site.home)
    places = [urlsplit(source["home"])] + [urlsplit(url) for entry in source["discover"] for url in entry.values()]
    assert {place.netloc for place in places} == {home.netloc}
    # no test waits for a polite hour
    source["politeness"] = {"delay_seconds": 0, "concurrent_requests": 4}
    written[-1].write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    ended = ofrecord("crawl", trials.ID, "--limit", "20", "--log-format", "json", "--log-level", "info", code=None)
    assert ended.returncode in {0, 3}, str(ended)
    pages = [event for event in ended.events() if event["event"] == "captured_page" and event["purpose"] == "article"]
    assert all(urlsplit(page["url"]).hostname == home.hostname for page in pages)


def test_the_news_beside_an_endless_calendar_is_found_without_it(tmp_path: Path) -> None:
    with serve(endless_calendar, FIRST_ADDRESS + len(HOSTILE)) as served:
        ofrecord = trials.prepare(tmp_path)
        trials.add(ofrecord, served.site.home)
        score = trials.crawl(ofrecord, served)
    assert (score.find_faults(), score.wrong) == ([], ())
    assert sum("/events/" in url for url in served.requests) <= MOST_REQUESTS


def test_a_source_of_the_public_web_leads_to_no_private_address(tmp_path: Path) -> None:
    with serve(private_addresses, FIRST_ADDRESS + len(HOSTILE) + 1) as served:
        ofrecord = trials.prepare(tmp_path)
        result = ofrecord("sources", "add", served.site.home, "--yes", "--json", code=3)
        assert served.requests == []
    assert "private_address" in {problem["kind"] for problem in result.json()["problems"]}
    assert "--network private" in json.dumps(result.json()["problems"])
    assert list((ofrecord.config / "sources").iterdir()) == []
