"""robots.txt and politeness in whole crawls: what is not fetched, why, and how long is waited between two requests."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from crawler.rows import LinkRow
from tests.crawls import NO_ANSWER, Answer, Crawl, Site, page, serve_site, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


def test_robots_txt_that_fails_forbids_all(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/bridge")
    site.answers["/robots.txt"] = Answer(b"busy", 503)
    result = crawl.run()
    assert site.paths == {"/robots.txt": 1}
    assert result.captures["/robots.txt"].status == 503
    assert result.run is not None
    assert result.run.discovery[0]["error"] == _unread(site, "status 503")


def test_robots_txt_is_followed_over_a_redirect(site: Site, crawl: Crawl) -> None:
    site.announce("/secret/2026/plan")
    site.answers["/rules.txt"] = site.answers["/robots.txt"]
    site.answers["/robots.txt"] = Answer(status=301, headers={"Location": "/rules.txt"})
    result = crawl.run()
    assert "/secret/2026/plan" not in site.paths
    assert {path: row.purpose for path, row in result.captures.items() if row.purpose == "robots"} == {
        "/robots.txt": "robots",
        "/rules.txt": "robots",
    }


@pytest.mark.parametrize("seconds", [0, 0.5], ids=["quick", "slow"])
def test_robots_txt_that_forbids_all_holds_for_every_request_that_waits_for_it(
    site: Site, crawl: Crawl, seconds: float
) -> None:
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /\n", media_type="text/plain", seconds=seconds)
    seeds = _sow(crawl, site.root)
    result = crawl.run()
    assert site.paths == {"/robots.txt": 1}
    assert {path: row.error for path, row in result.captures.items()} == {
        "/robots.txt": None,
        **dict.fromkeys(seeds, _forbidden(site, "/")),
    }
    assert result.run is not None
    assert {seed["error"] for seed in result.run.discovery} == {_forbidden(site, "/")}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(b"busy", 500), "status 500"),
        (Answer(b"slow down", 429), "status 429"),
        (Answer(status=NO_ANSWER), "the server closed the connection without an answer"),
        (Answer(seconds=2), "no complete answer within 1 seconds"),
        (Answer(b"no gzip", headers={"Content-Encoding": "gzip"}), "body: damaged gzip data of 7 bytes"),
    ],
    ids=["500", "429", "no answer", "time-out", "damaged"],
)
def test_robots_txt_that_cannot_be_read_forbids_all_and_says_why(
    site: Site, crawl: Crawl, answer: Answer, reason: str
) -> None:
    site.answers["/robots.txt"] = answer
    crawl.settings["request_seconds"] = 1
    seeds = _sow(crawl, site.root)
    result = crawl.run()
    assert set(site.paths) == {"/robots.txt"}  # aiohttp asks again where a connection was closed
    before, _, after = _unread(site, reason).rpartition(")")
    assert {result.captures[path].page_class for path in seeds} == {"error"}
    errors = [result.captures[path].error or "" for path in seeds]
    assert [error for error in errors if not (error.startswith(before) and error.endswith(after))] == []
    assert result.run is not None
    assert [seed["error"] for seed in result.run.discovery] == errors


def test_a_host_that_refuses_the_connection_is_asked_for_robots_txt_alone(site: Site, crawl: Crawl) -> None:
    site.stop()
    seeds = _sow(crawl, site.root)
    result = crawl.run()
    refused = result.captures["/robots.txt"].error or ""
    assert refused.startswith("no connection: ")
    assert {result.captures[path].error for path in seeds} == {_unread(site, refused)}


def test_part_of_a_site_that_robots_txt_forbids_is_left_alone_by_all_who_wait(site: Site, crawl: Crawl) -> None:
    rules = b"\xef\xbb\xbfUser-agent: other\nDisallow: /\n\nUser-agent: Ofrecord\nDisallow: /secret/\n"
    site.answers["/robots.txt"] = Answer(rules, media_type="text/plain", seconds=0.5)
    forbidden, allowed = _sow(crawl, site.root, "/secret/"), _sow(crawl, site.root, "/open/")
    result = crawl.run()
    assert site.paths == dict.fromkeys(["/robots.txt", *allowed], 1)
    assert {result.captures[path].error for path in forbidden} == {_forbidden(site, "/secret/")}
    assert {result.captures[path].status for path in allowed} == {404}


@pytest.mark.parametrize("hops", [5, 6])
def test_robots_txt_is_followed_over_five_redirects_and_no_more(site: Site, crawl: Crawl, hops: int) -> None:
    site.answers["/hop0"] = site.answers["/robots.txt"]
    for hop in range(1, hops):
        site.answers[f"/hop{hop}"] = Answer(status=302, headers={"Location": f"/hop{hop - 1}"})
    site.answers["/robots.txt"] = Answer(status=301, headers={"Location": f"/hop{hops - 1}"})
    seeds = _sow(crawl, site.root, "/secret/")
    result = crawl.run()
    asked = ["/robots.txt", *(f"/hop{hop}" for hop in range(hops - 1, hops - 6, -1))]
    assert [path for path in result.captures if result.captures[path].purpose == "robots"] == asked
    assert result.captures[asked[1]].via == f"{site.root}/robots.txt"
    assert sum(site.paths[seed] for seed in seeds) == (0 if hops == 5 else len(seeds))


def test_each_origin_has_rules_of_its_own(site: Site, crawl: Crawl) -> None:
    other = Site()
    try:
        site.answers["/robots.txt"] = Answer(status=302, headers={"Location": f"{other.root}/rules.txt"}, seconds=0.2)
        other.answers["/rules.txt"] = Answer(b"User-agent: *\nDisallow: /a\n", media_type="text/plain")
        other.answers["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /b\n", media_type="text/plain")
        for root in (site.root, other.root):
            _sow(crawl, root, "/a")
            _sow(crawl, root, "/b")
        crawl.run()
        assert site.paths == dict.fromkeys(["/robots.txt", *(f"/b{number}" for number in range(6))], 1)
        expected = ["/robots.txt", "/rules.txt", *(f"/a{number}" for number in range(6))]
        assert other.paths == dict.fromkeys(expected, 1)
    finally:
        other.stop()


def test_a_target_of_redirected_rules_that_fails_forbids_all(site: Site, crawl: Crawl) -> None:
    site.answers["/robots.txt"] = Answer(status=301, headers={"Location": "/rules.txt"})
    site.answers["/rules.txt"] = Answer(b"busy", 503)
    seeds = _sow(crawl, site.root)
    result = crawl.run()
    assert site.paths == {"/robots.txt": 1, "/rules.txt": 1}
    reason = f"it leads to {site.root}/rules.txt: status 503"
    assert {result.captures[path].error for path in seeds} == {_unread(site, reason)}


def test_a_stop_while_robots_txt_is_awaited_requests_and_claims_nothing(site: Site, crawl: Crawl) -> None:
    site.answers["/robots.txt"].seconds = 30
    crawl.settings["request_seconds"] = 60
    _sow(crawl, site.root)
    child = crawl.start()
    wait_until(lambda: site.paths["/robots.txt"] == 1)
    time.sleep(0.3)  # for the other seeds to begin waiting
    asked = time.monotonic()
    child.terminate()
    result = crawl.finish(child)
    assert time.monotonic() - asked < 5
    assert site.paths == {"/robots.txt": 1}
    assert not result.captures
    assert result.run is not None
    assert result.run.reason == "stopped"
    assert "failed_run" not in result.log


def _sow(crawl: Crawl, root: str, prefix: str = "/news/") -> list[str]:
    """Add six seeds that are requested at once; return their paths."""
    paths = [f"{prefix}{number}" for number in range(6)]
    crawl.source["discover"] = [*crawl.source.get("discover", []), *({"section": f"{root}{path}"} for path in paths)]
    crawl.source["politeness"] = {"delay_seconds": 0, "concurrent_requests": 4}
    return paths


def _unread(site: Site, reason: str) -> str:
    host = site.root.removeprefix("http://")
    return f"{host}/robots.txt could not be read ({reason}), so nothing of this host is fetched"


def _forbidden(site: Site, rule: str) -> str:
    return f"{site.root}/robots.txt forbids it (Disallow: {rule})"


@pytest.mark.parametrize("status", [401, 403, 410])
def test_a_robots_txt_that_is_not_to_be_had_forbids_nothing(site: Site, crawl: Crawl, status: int) -> None:
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /\n", status)
    seeds = _sow(crawl, site.root)
    result = crawl.run()
    assert site.paths == dict.fromkeys(["/robots.txt", *seeds], 1)
    assert {result.captures[path].error for path in seeds} == {None}


RULES = "User-agent: *\nDisallow: /secret/\n"


@pytest.mark.parametrize(
    "rules",
    [
        b"\xef\xbb\xbf" + RULES.encode(),
        b"\xff\xfe" + RULES.encode("utf-16-le"),
        RULES.encode() + b"#" + b"x" * 1_000_000,
        RULES.encode() + b"User-agent: *\nAllow: /secret/" + b"x" * 1_000_000,
        RULES.encode() + b"#\n" * 300_000 + b"Disallow: /open/\n",
    ],
    ids=["byte order mark", "UTF-16", "long line", "long rule", "500 KiB"],
)
def test_a_strange_robots_txt_is_read_as_far_as_it_goes(site: Site, crawl: Crawl, rules: bytes) -> None:
    site.answers["/robots.txt"] = Answer(rules, media_type="text/plain")
    forbidden, allowed = _sow(crawl, site.root, "/secret/"), _sow(crawl, site.root, "/open/")
    result = crawl.run()
    assert site.paths == dict.fromkeys(["/robots.txt", *allowed], 1)
    assert {result.captures[path].error for path in forbidden} == {_forbidden(site, "/secret/")}


def test_rules_of_another_host_hold_where_a_redirect_leads_to_them(site: Site, crawl: Crawl) -> None:
    with serve_site() as other:
        root = _name(crawl, other, "rules.example")
        site.answers["/robots.txt"] = Answer(status=301, headers={"Location": f"{root}/all.txt"})
        other.answers["/all.txt"] = Answer(b"User-agent: *\nDisallow: /a\nCrawl-delay: 0.5\n", media_type="text/plain")
        forbidden, allowed = _sow(crawl, site.root, "/a"), _sow(crawl, site.root, "/b")
        result = crawl.run()
        assert site.paths == dict.fromkeys(["/robots.txt", *allowed], 1)
        assert other.paths == {"/all.txt": 1}
        assert {result.captures[path].error for path in forbidden} == {_forbidden(site, "/a")}
        assert min(_gaps(site)[1:]) > 0.4


def test_crawl_delay_is_kept_between_all_requests_to_a_host(site: Site, crawl: Crawl) -> None:
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nCrawl-delay: 1\n", media_type="text/plain", seconds=0.3)
    seeds = _sow(crawl, site.root)[:4]
    crawl.source["discover"] = crawl.source["discover"][:4]
    crawl.run()
    assert site.paths == dict.fromkeys(["/robots.txt", *seeds], 1)
    assert min(_gaps(site)) > 0.7


def test_crawl_delay_of_one_host_is_not_anothers(site: Site, crawl: Crawl) -> None:
    with serve_site() as other:
        root = _name(crawl, other, "quick.example")
        site.answers["/robots.txt"] = Answer(b"User-agent: *\nCrawl-delay: 2\n", media_type="text/plain")
        _sow(crawl, site.root)
        crawl.source["discover"] = crawl.source["discover"][:2]
        _sow(crawl, root)
        crawl.run()
        assert min(_gaps(site)) > 1.6
        assert other.times[-1] - other.times[0] < 1.9  # seven requests


def test_crawl_delay_is_cut(site: Site, crawl: Crawl) -> None:
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nCrawl-delay: 3600\n", media_type="text/plain")
    crawl.settings["max_crawl_delay_seconds"] = 0.5
    seeds = _sow(crawl, site.root)
    crawl.run()
    assert site.paths == dict.fromkeys(["/robots.txt", *seeds], 1)
    assert 0.25 < min(_gaps(site)) < max(_gaps(site)) < 10


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for_once(site: Site, crawl: Crawl, status: int) -> None:
    site.announce(*(f"/2026/{number}" for number in range(4)))
    site.answers["/2026/1"] = Answer(b"later", status, headers={"Retry-After": "3"})
    crawl.run()
    assert [path for path, _ in site.requests] == [
        "/robots.txt",
        "/rss.xml",
        *(f"/2026/{number}" for number in range(4)),
    ]
    before, after, last = _gaps(site)[2:]
    assert before < 2
    assert after > 2.9
    assert last < 2


def test_retry_after_is_cut(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/0", "/2026/1")
    site.answers["/2026/0"] = Answer(b"later", 503, headers={"Retry-After": "86400"})
    crawl.settings["max_retry_after_seconds"] = 2
    crawl.run()
    assert 1.9 < _gaps(site)[-1] < 20


@pytest.mark.parametrize("wish", [{}, {"Retry-After": "soon"}, {"Retry-After": "0"}], ids=["none", "a word", "0"])
def test_a_refusal_without_a_useful_retry_after_doubles_the_delay(
    site: Site, crawl: Crawl, wish: dict[str, str]
) -> None:
    site.announce("/2026/0", "/2026/1", "/2026/2")
    for path in ("/2026/0", "/2026/1"):
        site.answers[path] = Answer(b"slow down", 429, headers=wish)
    crawl.run()
    first, second = _gaps(site)[-2:]
    assert first > 0.9
    assert 1.9 < second < 20


def test_a_slow_answer_makes_the_next_delays_longer(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/0", "/2026/1", "/2026/2")
    site.answers["/2026/0"] = Answer(page("Slow"), seconds=2)
    crawl.run()
    assert _gaps(site)[-1] > 0.9  # half of the two seconds


def test_a_stop_waits_for_no_retry_after(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/0", "/2026/1", "/2026/2")
    site.answers["/2026/0"] = Answer(b"later", 503, headers={"Retry-After": "500"})
    child = crawl.start()
    wait_until(lambda: site.paths["/2026/0"] == 1)
    time.sleep(0.5)  # for the answer to be there, and the next request to wait
    asked = time.monotonic()
    child.terminate()
    result = crawl.finish(child)
    assert time.monotonic() - asked < 5
    assert result.captures["/2026/0"].status == 503
    assert {row.url for row in result.rows if isinstance(row, LinkRow)} == {f"{site.root}/2026/{n}" for n in (1, 2)}
    assert result.run is not None
    assert result.run.reason == "stopped"


def _name(crawl: Crawl, site: Site, host: str) -> str:
    """Let the crawl know *site* by a host name, too; return its root there."""
    port = site.server.server_port
    crawl.settings["resolve"] = [f"{host}:{port}:127.0.0.1"]
    return f"http://{host}:{port}"


def _gaps(site: Site) -> list[float]:
    """Return the seconds between one request and the next."""
    return [later - earlier for earlier, later in pairwise(site.times)]
