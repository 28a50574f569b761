"""Visits to a real server: the rules and guards of a crawl hold, nothing is kept, and every visit ends in time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError, FetchError
from config.settings import Settings
from config.sources import Source
from crawler.preview.facts import Preview, decode_preview
from crawler.visit import VisitLimits
from jobs.visits import VisitStep, make_visit
from jobs.visits.words import VisitOrder
from tests.crawls import NO_ANSWER, Answer, Site, page, serve_site, wait_until
from tests.installation import ROOT
from tests.visits import finish_visit, start_visit, visit

if TYPE_CHECKING:
    from collections.abc import Iterator

FETCH = """
async def program(visit, parameters):
    found = []
    for url in parameters["urls"]:
        exchange = await visit.fetch(url if "://" in url else parameters["root"] + url, Purpose.ARTICLE, via="x")
        found.append([exchange.status, exchange.error, exchange.forbidden, len(exchange.body), exchange.truncated])
    return found
"""
FOLLOW = """
async def program(visit, parameters):
    chain = await visit.follow(parameters["root"] + parameters["path"], Purpose.ARTICLE)
    cut = len(parameters["root"])
    return [[one.url[cut:], one.status, one.error, one.via and one.via[cut:]] for one in chain]
"""
READ = """
async def program(visit, parameters):
    exchange = await visit.fetch(parameters["root"] + "/rss.xml", Purpose.FEED)
    stream = await visit.pool.links(exchange, 10)
    return [link.url for links in stream for link in links]
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


def test_a_visit_obeys_robots_txt_and_tells_what_became_of_each_request(site: Site) -> None:
    site.answers["/a"] = Answer(page("A"))
    site.answers["/mute"] = Answer(status=NO_ANSWER)
    found = visit(site, FETCH, parameters={"urls": ["/a", "/secret/x", "/none", "/mute"]}).result
    assert found[0] == [200, None, False, len(page("A")), None]
    assert found[1] == [None, f"{site.root}/robots.txt forbids it (Disallow: /secret/)", True, 0, None]
    assert found[2][:2] == [404, None]
    assert found[3][:2] == [None, "the server closed the connection without an answer"]
    assert site.paths.keys() == {"/robots.txt", "/a", "/none", "/mute"}


def test_robots_txt_that_fails_forbids_all(site: Site) -> None:
    site.answers["/robots.txt"] = Answer(status=503)
    ((status, error, forbidden, *_),) = visit(site, FETCH, parameters={"urls": ["/a"]}).result
    assert (status, forbidden) == (None, False)
    assert "could not be read (status 503), so nothing of this host is fetched" in error
    assert site.paths == {"/robots.txt": 1}


def test_an_address_that_may_not_be_reached_is_an_error_of_its_exchange(site: Site) -> None:
    urls = ["http://169.254.169.254/", "http://10.0.0.1:1/"]
    source = {"network": "public", "politeness": {"delay_seconds": 1}}
    for status, error, *_ in visit(site, FETCH, parameters={"urls": urls}, source=source).result:
        assert status is None
        assert "is never connected to" in error or "is not a public address" in error or "not permitted" in error


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "mailto://x", "http://a b/", "https://u:p@127.0.0.1/"])
def test_what_no_honest_link_would_be_is_not_requested(site: Site, url: str) -> None:
    ((status, error, *_),) = visit(site, FETCH, parameters={"urls": [url]}).result
    assert status is None
    assert error.startswith("not requested: ")
    assert not site.requests


def test_delays_are_kept(site: Site) -> None:
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nCrawl-delay: 0.5\n", media_type="text/plain")
    program = """
async def program(visit, parameters):
    await asyncio.gather(*(visit.fetch(f"{parameters['root']}/{n}", Purpose.ARTICLE) for n in range(3)))
"""
    visit(site, program)
    first, *_, last = site.times[1:]
    assert len(site.times) == 4
    assert last - first >= 0.95


def test_secrets_of_headers_go_to_the_source_alone_and_are_masked(site: Site) -> None:
    program = """
async def program(visit, parameters):
    return [(await visit.fetch(url, Purpose.ARTICLE)).request_head.decode() for url in parameters["urls"]]
"""
    with serve_site() as other:
        answer = visit(
            site,
            program,
            parameters={"urls": [f"{site.root}/a", f"{other.root}/a"]},
            source={"headers": {"X-Key": "${GAZETTE_KEY}"}},
            environment={"GAZETTE_KEY": "hush-hush-hush"},
        )
        assert dict(site.requests)["/a"]["X-Key"] == "hush-hush-hush"
        assert "X-Key" not in dict(other.requests)["/a"]
    assert "X-Key: ***\r\n" in answer.result[0]
    assert "hush-hush" not in answer.log + repr(answer.result)


def test_a_secret_that_is_not_there_is_said_before_anything_is_requested(site: Site) -> None:
    source = {"headers": {"X-Key": "${GAZETTE_KEY}"}}
    answer = visit(site, FETCH, parameters={"urls": ["/a"]}, source=source)
    assert answer.result["raised"] == "ConfigError"
    assert "found no GAZETTE_KEY in the environment" in answer.result["message"]
    assert not site.requests


def test_redirects_are_followed_to_their_end(site: Site) -> None:
    site.answers["/old"] = Answer(status=301, headers={"Location": "/older"})
    site.answers["/older"] = Answer(status=302, headers={"Location": "/new"})
    site.answers["/new"] = Answer(page("New"))
    assert visit(site, FOLLOW, parameters={"path": "/old"}).result == [
        ["/old", 301, None, None],
        ["/older", 302, None, "/old"],
        ["/new", 200, None, "/older"],
    ]


def test_a_circle_of_redirects_ends_at_its_first_turn(site: Site) -> None:
    site.answers["/a"] = Answer(status=302, headers={"Location": "/b"})
    site.answers["/b"] = Answer(status=302, headers={"Location": "/a"})
    found = visit(site, FOLLOW, parameters={"path": "/a"}).result
    assert [path for path, *_ in found] == ["/a", "/b"]
    assert found[-1][2] == f"redirects in a circle, back to {site.root}/a"


def test_a_way_of_too_many_redirects_is_given_up(site: Site) -> None:
    for number in range(12):
        site.answers[f"/{number}"] = Answer(status=302, headers={"Location": f"/{number + 1}"})
    site.answers["/self"] = Answer(status=302, headers={"Location": "/self"})  # as sites do that set a cookie first
    for path in ("/0", "/self"):
        found = visit(site, FOLLOW, parameters={"path": path}, settings={"max_redirects": 3}).result
        assert len(found) == 4
        assert found[-1][2].startswith("more than 3 redirects, the last one to ")


def test_robots_txt_is_read_once_and_handed_over(site: Site) -> None:
    site.answers["/rules.txt"] = site.answers["/robots.txt"]
    site.answers["/robots.txt"] = Answer(status=301, headers={"Location": "/rules.txt"})
    program = """
async def program(visit, parameters):
    first = await visit.read_robots(parameters["root"])
    await visit.fetch(parameters["root"] + "/a", Purpose.ARTICLE)
    again = await visit.read_robots(parameters["root"] + "/a?b#c")
    bad = await visit.read_robots("gopher://x")
    return [first.url, first.status, first.body.decode(), first == again, bad.error, visit.requests]
"""
    found = visit(site, program).result
    assert found[:4] == [f"{site.root}/rules.txt", 200, "User-agent: *\nDisallow: /secret/\n", True]
    assert found[4].startswith("not requested: ")
    assert found[5] == 3
    assert site.paths == {"/robots.txt": 1, "/rules.txt": 1, "/a": 1}


@pytest.mark.parametrize("status", [503, NO_ANSWER])
def test_robots_txt_that_fails_is_handed_over_too(site: Site, status: int) -> None:
    site.answers["/robots.txt"] = Answer(status=status)
    program = """
async def program(visit, parameters):
    found = await visit.read_robots(parameters["root"])
    return [found.status, found.error]
"""
    found = visit(site, program).result
    assert found == ([503, None] if status else [None, "the server closed the connection without an answer"])


def test_no_more_is_requested_than_the_limit(site: Site) -> None:
    program = """
async def program(visit, parameters):
    async def fetch(n):
        try:
            return (await visit.fetch(f"{parameters['root']}/{n}", Purpose.ARTICLE)).status
        except VisitOver as error:
            return str(error)
    return [await asyncio.gather(*map(fetch, range(9))), visit.requests]
"""
    answers, requests = visit(site, program, requests=4).result
    assert answers == [404] * 3 + ["the limit of 4 requests is reached"] * 6
    assert requests == 4
    assert len(site.requests) == 4


def test_a_body_is_cut_at_the_limit(site: Site) -> None:
    site.answers["/long"] = Answer(b"x" * 300_000)
    ((status, _, _, size, truncated),) = visit(site, FETCH, parameters={"urls": ["/long"]}, body_bytes=100_000).result
    assert (status, size, truncated) == (200, 100_000, "length")


def test_when_the_time_is_over_the_program_may_return_what_it_has(site: Site) -> None:
    site.answers["/slow"] = Answer(page("Slow"), seconds=600)
    program = """
async def program(visit, parameters):
    try:
        for path in ("/a", "/slow", "/b"):
            await visit.fetch(parameters["root"] + path, Purpose.ARTICLE)
    except VisitOver as error:
        return str(error)
"""
    assert visit(site, program, seconds=2).result == "its 2 seconds are over"
    assert "/b" not in site.paths


def test_a_request_that_waits_for_its_turn_is_given_up_at_a_stop(site: Site) -> None:
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nCrawl-delay: 600\n", media_type="text/plain")
    program = """
async def program(visit, parameters):
    try:
        await visit.fetch(parameters["root"] + "/a", Purpose.ARTICLE)
        await visit.fetch(parameters["root"] + "/b", Purpose.ARTICLE)
    except VisitOver as error:
        return str(error)
"""
    child = start_visit(site, program, source={"politeness": {"delay_seconds": 600}})
    wait_until(lambda: bool(site.requests))
    time.sleep(0.2)
    child.send_signal(signal.SIGTERM)
    assert finish_visit(child).result == "it was stopped"


def test_a_program_that_does_not_end_is_ended(site: Site) -> None:
    program = """
async def program(visit, parameters):
    while True:
        try:
            await asyncio.sleep(600)
        except VisitOver:
            pass
"""
    answer = visit(site, program, seconds=0.5).result
    assert answer == {"raised": "VisitOver", "message": "its 0.5 seconds are over"}


def test_requests_that_the_program_did_not_wait_for_hold_up_nobody(site: Site) -> None:
    site.answers["/slow"] = Answer(page("Slow"), seconds=600)
    program = """
async def program(visit, parameters):
    visit.forgotten = asyncio.create_task(visit.fetch(parameters["root"] + "/slow", Purpose.ARTICLE))
    visit.forgotten.add_done_callback(lambda task: task.exception())
    while visit.requests < 2:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    return "done"
"""
    assert visit(site, program).result == "done"


def test_what_a_program_raises_is_raised(site: Site) -> None:
    program = """
async def program(visit, parameters):
    raise ValueError("a fault of the program")
"""
    assert visit(site, program).result == {"raised": "ValueError", "message": "a fault of the program"}


def test_workers_that_do_not_start_end_the_visit(site: Site) -> None:
    answer = visit(site, READ, worker_bytes=40 << 20)
    assert answer.result["raised"] == "ExtractError"
    assert "the worker ended" in answer.result["message"]


def test_pages_are_read_by_workers(site: Site) -> None:
    site.announce("/2026/bridge")
    assert visit(site, READ).result == [f"{site.root}/2026/bridge"]


# --- in a process of its own


def make(site: Site, *, pages: int = 1, **options: Any) -> Preview:
    source = Source(id="gazette", name="Gazette", **site.describe_source(delay_seconds=0.01))
    parameters = {"url": None, "pages": pages, "still": False}
    return decode_preview(
        make_visit("preview", parameters, source, Settings(workers=1), VisitLimits(10, 20, 100_000), **options)
    )


def test_a_visit_is_made_in_a_process_of_its_own_that_tells_of_each_request(site: Site) -> None:
    site.publish(1)
    steps: list[VisitStep] = []
    assert [page.status for page in make(site, tell=steps.append).pages] == [200]
    assert steps == [VisitStep(n, site.root + path) for n, path in enumerate(["/robots.txt", "/rss.xml", "/2026/0"], 1)]


def test_the_process_of_a_visit_has_no_credentials(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("OFRECORD_ARCHIVE", "s3://somewhere")
    seen: list[str] = []
    site.publish(1)
    site.answers["/2026/0"].seconds = 2

    def look(step: VisitStep) -> None:
        if step.url.endswith("/2026/0"):
            seen.extend(list_environments(b"jobs.visits.child"))

    make(site, tell=look)
    assert seen
    assert not any("hush" in text or "somewhere" in text for text in seen)


def list_environments(command: bytes) -> list[str]:
    """Return the environments of all processes of this user with *command* in their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and command in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append((folder / "environ").read_bytes().decode("utf-8", "replace"))
    return found


def test_a_stop_brings_what_the_program_has_by_then(site: Site) -> None:
    site.publish(3)
    site.answers["/2026/1"].seconds = 600
    stop = threading.Event()

    def look(step: VisitStep) -> None:
        if step.url.endswith("/2026/1"):
            stop.set()

    found = make(site, pages=3, stop=stop, tell=look)
    assert found.over == "it was stopped"
    assert len(found.links) == 3
    assert [page.url for page in found.pages] == [f"{site.root}/2026/0"]
    assert "/2026/2" not in site.paths


def test_a_process_whose_parent_dies_ends(site: Site) -> None:
    site.publish(1)
    site.answers["/2026/0"].seconds = 600
    source = Source(id="gazette", name="Gazette", **site.describe_source(delay_seconds=0.01))
    parameters = {"url": None, "pages": 1, "still": False}
    order = VisitOrder("preview", parameters, source, Settings(workers=1), VisitLimits(9, 60, 9_999), {"json": True})
    child = subprocess.Popen(
        [sys.executable, "-m", "jobs.visits.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert child.stdin is not None
    child.stdin.write(order.encode())
    child.stdin.flush()
    wait_until(lambda: "/2026/0" in site.paths)
    out, _ = child.communicate(timeout=100)  # closes its standard input
    assert decode_preview(json.loads(out.splitlines()[-1])["result"]).over == "it was stopped"


def test_a_process_that_dies_is_an_error(site: Site) -> None:
    site.publish(1)

    def kill(step: VisitStep) -> None:
        if step.url.endswith("/rss.xml"):
            for folder in Path("/proc").iterdir():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                    if b"jobs.visits.child" in words and parent == os.getpid():
                        os.kill(int(folder.name), signal.SIGKILL)

    with pytest.raises(FetchError, match=r"the visit's process ended with nothing to say \(code -9\)"):
        make(site, tell=kill)


def test_a_program_that_there_is_not_is_a_config_error(site: Site) -> None:
    source = Source(id="gazette", name="Gazette", **site.describe_source())
    with pytest.raises(ConfigError, match="no program 'nonsense' of a visit; there are: "):
        make_visit("nonsense", {}, source, Settings(workers=1), VisitLimits(1, 5, 1_000))
