"""robots.txt by RFC 9309: what an answer stands for, what a file says to us, and that no file can make it slow."""

from __future__ import annotations

import asyncio
import gzip
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from config.errors import ExtractError
from crawler.items import RequestForbidden
from crawler.middlewares import MAX_AGE_SECONDS, RETRY_SECONDS, RulesCache
from crawler.model import Exchange, Purpose
from crawler.robots import MAX_INFLATED_BYTES, MAX_RULES_BYTES, Rules, parse_rules, read_rules

SITE = "https://gazette.example"
RULES = b"User-agent: *\nDisallow: /secret/\n"
TOKEN = "ofrecord"

SIMPLE = b"""User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot

EOF
"""
"""RFC 9309 § 5.1."""
LONGEST = b"User-Agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n"
"""§ 5.2."""
MERGED = b"user-agent: ExampleBot\ndisallow: /foo\ndisallow: /bar\n\nuser-agent: ExampleBot\ndisallow: /baz\n"
"""§ 2.2.1."""
ESCAPED = b"User-agent: *\nDisallow: "

PUBLISHED = {
    "5.1 anyone: a gif": (SIMPLE, TOKEN, "/pictures/a.gif", False),
    "5.1 anyone: a gif with a query": (SIMPLE, TOKEN, "/pictures/a.gif?size=2", True),
    "5.1 anyone: a directory": (SIMPLE, TOKEN, "/example/any", False),
    "5.1 anyone: what is allowed": (SIMPLE, TOKEN, "/publications/a", True),
    "5.1 anyone: the longer pattern allows": (SIMPLE, TOKEN, "/publications/a.gif", True),
    "5.1 anyone: what is not named": (SIMPLE, TOKEN, "/", True),
    "5.1 foobot: nothing but two pages": (SIMPLE, "foobot", "/", False),
    "5.1 foobot: one of the two": (SIMPLE, "foobot", "/example/page.html", True),
    "5.1 foobot: the other": (SIMPLE, "foobot", "/example/allowed.gif", True),
    "5.1 foobot: not under everybody's rules": (SIMPLE, "foobot", "/publications/a", False),
    "5.1 barbot: shares a group": (SIMPLE, "barbot", "/example/page.html", False),
    "5.1 bazbot: shares a group": (SIMPLE, "bazbot", "/example/page.html", False),
    "5.1 bazbot: all else": (SIMPLE, "bazbot", "/example/b.gif", True),
    "5.1 quxbot: a group without rules": (SIMPLE, "quxbot", "/example/page.html", True),
    "5.2 the longest match forbids": (LONGEST, "foobot", "/example/page/disallowed.gif", False),
    "5.2 the shorter one allows": (LONGEST, "foobot", "/example/page/", True),
    "2.2.1 groups of one name, the first": (MERGED, "ExampleBot", "/bar", False),
    "2.2.1 groups of one name, the second": (MERGED, "ExampleBot", "/baz", False),
    "2.2.1 the case of a name": (MERGED, "EXAMPLEbot", "/baz", False),
    "2.2.2 a query": (ESCAPED + b"/foo/bar?baz=quz", TOKEN, "/foo/bar?baz=quz", False),
    "2.2.2 reserved": (ESCAPED + b"/foo/bar?baz=https://foo.bar", TOKEN, "/foo/bar?baz=https%3A%2F%2Ffoo.bar", False),
    "2.2.2 reserved, as written": (ESCAPED + b"/a?b=https://foo.bar", TOKEN, "/a?b=https://foo.bar", False),
    "2.2.2 reserved, escaped in the rule": (ESCAPED + b"/a?b=https%3A%2f%2Ffoo", TOKEN, "/a?b=https://foo", False),
    "2.2.2 beyond ASCII": (ESCAPED + "/foo/bar/ツ".encode(), TOKEN, "/foo/bar/%E3%83%84", False),
    "2.2.2 beyond ASCII, escaped": (ESCAPED + b"/foo/bar/%E3%83%84", TOKEN, "/foo/bar/ツ", False),
    "2.2.2 beyond ASCII, both, lower case": (ESCAPED + b"/foo/bar/%e3%83%84", TOKEN, "/foo/bar/%E3%83%84", False),
    "2.2.2 an escape without need in the rule": (ESCAPED + b"/foo/bar/%62%61%7A", TOKEN, "/foo/bar/baz", False),
    "2.2.2 an escape without need in the URL": (ESCAPED + b"/foo/bar/baz", TOKEN, "/foo/bar/%62%61%7A", False),
    "2.2.3 a comment": (b"User-agent: * # all\nDisallow: /a # not\n# Allow: /a\n", TOKEN, "/a", False),
    "2.2.3 the end": (ESCAPED + b"/this/path/exactly$", TOKEN, "/this/path/exactly", False),
    "2.2.3 not the end": (ESCAPED + b"/this/path/exactly$", TOKEN, "/this/path/exactly/", True),
    "2.2.3 a wildcard": (ESCAPED + b"/this/*/exactly", TOKEN, "/this/path/and/exactly", False),
    "2.2.3 a star of the URL's own": (
        ESCAPED + b"/path/file-with-a-%2A.html",
        TOKEN,
        "/path/file-with-a-*.html",
        False,
    ),
    "2.2.3 that star only": (ESCAPED + b"/path/file-with-a-%2A.html", TOKEN, "/path/file-with-a-b.html", True),
    "2.2.3 a dollar of the URL's own": (ESCAPED + b"/path/foo-%24", TOKEN, "/path/foo-$", False),
    "2.2.4 a sitemap ends no group": (b"User-agent: a\nSitemap: /s\nUser-agent: b\nDisallow: /\n", "a", "/x", False),
}
"""The RFC's own examples: file, our name, path, whether it may be fetched."""

GROUPS = {
    "no file at all": (b"", "/a", True),
    "one group for all": (RULES, "/secret/a", False),
    "our own group": (b"User-agent: ofrecord\nDisallow: /a\n", "/a", False),
    "our own, with a version": (b"User-agent: Ofrecord/1.0\nDisallow: /a\n", "/a", False),
    "our own, with a comment": (b"User-agent: ofrecord# us\nDisallow: /a\n", "/a", False),
    "a name that begins with ours": (b"User-agent: ofrecordbot\nDisallow: /\n", "/a", True),
    "a name that ours begins with": (b"User-agent: of\nDisallow: /\n", "/a", True),
    "a name with ours at its end": (b"User-agent: my-ofrecord\nDisallow: /\n", "/a", True),
    "our group comes before everybody's": (
        b"User-agent: *\nDisallow: /\nUser-agent: ofrecord\nDisallow: /b\n",
        "/a",
        True,
    ),
    "our group, though it is empty": (b"User-agent: *\nDisallow: /\nUser-agent: ofrecord\nDisallow:\n", "/a", True),
    "our group is shorter than another's name": (
        b"User-agent: ofrecord\nDisallow: /a\nUser-agent: ofrecord-images\nAllow: /a\n",
        "/a",
        False,
    ),
    "everybody's groups are one": (RULES + b"User-agent: x\nDisallow: /y\nUser-agent: *\nDisallow: /a\n", "/a", False),
    "our groups are one, apart": (
        b"User-agent: ofrecord\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: ofrecord\nAllow: /a/b\n",
        "/a/b",
        True,
    ),
    "named together with all": (b"User-agent: *\nUser-agent: ofrecord\nDisallow: /a\n", "/a", False),
    "rules before any group": (b"Disallow: /a\n" + RULES, "/a", True),
    "an empty line ends no group": (b"User-agent: *\n\n\nDisallow: /b\n\nDisallow: /a\n", "/a", False),
    "a crawl-delay ends no group": (
        b"User-agent: ofrecord\nCrawl-delay: 5\nUser-agent: x\nDisallow: /a\n",
        "/a",
        False,
    ),
    "a record between rules": (b"User-agent: *\nDisallow: /b\nHost: x\nNoindex: /\nDisallow: /a\n", "/a", False),
    "a rule ends the run of names": (b"User-agent: *\nDisallow: /b\nUser-agent: x\nDisallow: /a\n", "/a", True),
    "an empty rule ends it, too": (b"User-agent: *\nDisallow:\nUser-agent: x\nDisallow: /a\n", "/a", True),
    "a name without a name": (b"User-agent: *\nDisallow: /b\nUser-agent:\nDisallow: /a\n", "/a", True),
}
"""Who is meant: file, path, whether it may be fetched."""

MATCHES = {
    "Disallow without a path": (b"", b"", "/a", True),
    "all": (b"/", b"", "/a", False),
    "all, by a star": (b"*", b"", "/", False),
    "robots.txt itself": (b"/", b"", "/robots.txt", True),
    "a path that begins like robots.txt": (b"/", b"", "/robots.txt.html", False),
    "the case of a path": (b"/A", b"", "/a", True),
    "a prefix within a word": (b"/fish", b"", "/fishheads/yummy.html", False),
    "not in the middle": (b"/fish", b"", "/big/fish", True),
    "a directory is not its name": (b"/fish/", b"", "/fish", True),
    "allow wins a tie": (b"/a", b"/a", "/a/b", True),
    "allow wins a tie of two spellings": (b"/caf\xc3\xa9", b"/caf%C3%A9", "/caf%c3%a9", True),
    "allow wins a tie with a wildcard": (b"/page", b"/*.ph", "/page.php5", True),
    "allow wins a tie of two ends": (b"/a*b$", b"/a*b$", "/ab", True),
    "the longer of two wildcards forbids": (b"/*page", b"/*p", "/page", False),
    "the longer of two wildcards allows": (b"/*p", b"/*page", "/page", True),
    "the end makes it longer than its path": (b"/a$", b"/a", "/a", False),
    "the longer of two, though a wildcard": (b"/*.htm", b"/page", "/page.htm", False),
    "an allowed index allows no directory": (b"/", b"/a/index.html", "/a/", False),
    "the end makes it longer": (b"/", b"/$", "/", True),
    "the end is not there": (b"/", b"/$", "/page.htm", False),
    "a star at the end": (b"/fish*", b"", "/fish.html", False),
    "many stars are one": (b"/a***b", b"", "/axb", False),
    "a star for nothing": (b"/a*b", b"", "/ab", False),
    "stars in order": (b"/*a*b*c", b"", "/xaxbxc", False),
    "stars out of order": (b"/*c*b*a", b"", "/xaxbxc", True),
    "a star and the end": (b"/*.php$", b"", "/dir/a.php", False),
    "a star and not the end": (b"/*.php$", b"", "/a.php?x", True),
    "parts must not overlap": (b"/aba*aba$", b"", "/aba", True),
    "parts must not overlap in the middle": (b"/*aba*ba$", b"", "/aba", True),
    "the last of several ends": (b"/*a$", b"", "/aba", False),
    "a dollar within": (b"/a$b", b"", "/a$b", False),
    "a dollar within is no end": (b"/a$b", b"", "/a", True),
    "a query by a star": (b"/*?", b"", "/a?b", False),
    "no query for it": (b"/*?", b"", "/a", True),
    "a parameter by a star": (b"/*&page=", b"", "/a?x=1&page=2", False),
    "a slash in a query": (b"/*next=/home", b"", "/a?next=%2Fhome", False),
    "an escaped slash in a query": (b"/*next=%2Fhome", b"", "/a?next=/home", False),
    "an escaped slash in a path is none": (b"/a/b", b"", "/a%2Fb", True),
    "an escaped slash in the path of a rule": (b"/a%2fb", b"", "/a%2Fb", False),
    "an escaped question mark is none": (b"/a?b", b"", "/a%3Fb", True),
    "a space": (b"/a b", b"", "/a%20b", False),
    "a per cent sign": (b"/100%", b"", "/100%25", False),
    "reserved in a path": (b"/a:b", b"", "/a%3Ab", False),
    "Latin-1": (b"/caf\xe9", b"", "/caf%E9", False),
    "a line separator that is none in ASCII": (b"/a\xc2\x85b", b"", "/a", True),
    "no slash at the beginning": (b"secret/", b"", "/secret/a", False),
    "a fragment is no part of a path": (b"/a$", b"", "/a#b", False),
    "no path at all": (b"/$", b"", "", False),
    "no path, but a query": (b"/?a", b"", "?a", False),
}
"""`Disallow`, `Allow`, path, whether it may be fetched."""

LINES = {
    "CR alone": (b"User-agent: *\rDisallow: /a\r", False),
    "CRLF": (b"User-agent: *\r\nDisallow: /a\r\n", False),
    "no end of the last line": (b"User-agent: *\nDisallow: /a", False),
    "a byte order mark": (b"\xef\xbb\xbfUser-agent: *\nDisallow: /a\n", False),
    "UTF-16, little end first": ("\ufeffUser-agent: *\nDisallow: /a\n".encode("utf-16-le"), False),
    "UTF-16, big end first": ("\ufeffUser-agent: *\nDisallow: /a\n".encode("utf-16-be"), False),
    "UTF-16 that does not say so": ("User-agent: *\nDisallow: /a\n".encode("utf-16-le"), False),
    "half a character of UTF-16": (b"\xff\xfe" + "User-agent: *\nDisallow: /a\n".encode("utf-16-le") + b"x", False),
    "NULs": (b"\0\0User-agent: *\0\nDisallow: /a\0\n", False),
    "garbage": (bytes(range(256)) * 8, True),
    "invalid UTF-8 in a line before": (b"User-agent: *\n\xff\xfe: \x80\nDisallow: /a\n", False),
    "a page in its place": (b"<!DOCTYPE html><html><body><p>User-agent: *<p>Disallow: /a</body></html>", True),
    "white space everywhere": (b" \t User-agent \t : \t * \t\n\t disallow\t:\t/a \n", False),
    "no white space": (b"user-agent:*\ndisallow:/a\n", False),
    "upper case": (b"USER-AGENT: *\nDISALLOW: /a\n", False),
    "no colon": (b"User-agent *\nDisallow /a\n", False),
    "no colon, but a sentence": (b"User-agent: *\nDisallow all robots /a\n", True),
    "no colon but in the value": (b"User-agent *\nDisallow /x:y\nDisallow /a\n", False),
    "a common misspelling": (b"useragent: *\ndissallow: /a\n", False),  # codespell:ignore
    "nothing but comments": (b"# User-agent: *\n# Disallow: /a\n", True),
    "a long line before": (b"User-agent: *\n#" + b"x" * 400_000 + b"\nDisallow: /a\n", False),
    "a line of 10 MB": (b"User-agent: *\nDisallow: /a\nDisallow: /" + b"x" * 10_000_000, False),
    "one line of 10 MB": (b"User-agent: * " * 750_000, True),
    "what comes after 500 KiB": (b"User-agent: *\n" + b"#x\n" * 200_000 + b"Disallow: /a\n", True),
}
"""How it is written: file, whether /a may be fetched."""

DELAYS = {
    "none": (RULES, None),
    "whole": (b"User-agent: *\nCrawl-delay: 10\n", 10.0),
    "with a fraction": (b"User-agent: *\nCrawl-delay: 0.5 # s\n", 0.5),
    "of our group only": (b"User-agent: *\nCrawl-delay: 10\nDisallow: /x\nUser-agent: ofrecord\nCrawl-delay: 2\n", 2.0),
    "not of our group": (b"User-agent: *\nCrawl-delay: 10\nDisallow: /x\nUser-agent: ofrecord\nDisallow: /\n", None),
    "the longest of several": (b"User-agent: *\nCrawl-delay: 1\nCrawl-delay: 3\nCrawl-delay: 2\n", 3.0),
    "before the last name of a group": (b"User-agent: x\nCrawl-delay: 4\nUser-agent: *\nDisallow: /a\n", 4.0),
    "after the rules": (b"User-agent: *\nDisallow: /a\nCrawl-delay: 4\n", 4.0),
    "outside a group": (b"Crawl-delay: 4\nUser-agent: *\nDisallow: /a\n", None),
    "words": (b"User-agent: *\nCrawl-delay: slowly\n", None),
    "negative": (b"User-agent: *\nCrawl-delay: -5\n", None),
    "no number": (b"User-agent: *\nCrawl-delay: nan\nCrawl-delay: inf\nCrawl-delay: 1e9\n", None),
    "digits without end": (b"User-agent: *\nCrawl-delay: " + b"9" * 5_000 + b"\n", None),
}
"""File, seconds."""


@pytest.mark.parametrize(("rules", "token", "path", "allowed"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_examples(rules: bytes, token: str, path: str, allowed: bool) -> None:
    assert parse_rules(rules, token).allowed(SITE + path) is allowed


@pytest.mark.parametrize(("rules", "path", "allowed"), GROUPS.values(), ids=GROUPS)
def test_who_is_meant(rules: bytes, path: str, allowed: bool) -> None:
    assert parse_rules(rules, TOKEN).allowed(SITE + path) is allowed


@pytest.mark.parametrize(("disallow", "allow", "path", "allowed"), MATCHES.values(), ids=MATCHES)
@pytest.mark.parametrize("order", ["Disallow first", "Allow first"])
def test_which_pattern_decides(disallow: bytes, allow: bytes, path: str, allowed: bool, order: str) -> None:
    lines = [b"Disallow: " + disallow, b"Allow: " + allow]
    rules = b"\n".join([b"User-agent: *", *(lines if order == "Disallow first" else lines[::-1])])
    assert parse_rules(rules, TOKEN).allowed(SITE + path) is allowed


@pytest.mark.parametrize(("rules", "allowed"), LINES.values(), ids=LINES)
def test_how_it_is_written(rules: bytes, allowed: bool) -> None:
    assert parse_rules(rules, TOKEN).allowed(f"{SITE}/a") is allowed


@pytest.mark.parametrize(("rules", "seconds"), DELAYS.values(), ids=DELAYS)
def test_crawl_delay(rules: bytes, seconds: float | None) -> None:
    assert parse_rules(rules, TOKEN).crawl_delay == seconds


def _exchange(status: int | None, body: bytes = RULES, coding: str = "identity", **known: Any) -> Exchange:
    head = f"HTTP/1.1 {status} X\r\nContent-Encoding: {coding}\r\n\r\n".encode() if status else b""
    return Exchange(
        url=f"{SITE}/robots.txt",
        purpose=Purpose.ROBOTS,
        started_at=datetime(2026, 11, 22, tzinfo=UTC),
        seconds=0.1,
        request_head=b"GET /robots.txt HTTP/1.1\r\n\r\n",
        status=status,
        response_head=head,
        body=body,
        **known,
    )


@pytest.mark.parametrize("status", [500, 502, 503, 599, 999, 429])
def test_a_server_in_trouble_forbids_all(status: int) -> None:
    with pytest.raises(ExtractError, match=f"^status {status}$"):
        read_rules(_exchange(status), TOKEN)


def test_no_answer_forbids_all() -> None:
    with pytest.raises(ExtractError, match=r"^the host name has no address$"):
        read_rules(_exchange(None, error="the host name has no address"), TOKEN)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 301, 304])
def test_rules_that_are_not_there_forbid_nothing(status: int) -> None:
    assert read_rules(_exchange(status), TOKEN) == Rules()
    assert Rules().allowed(f"{SITE}/secret/plan")


@pytest.mark.parametrize("coding", ["identity", "gzip", "utf-8", "none", "UTF8, none"])
def test_rules_are_inflated_and_read(coding: str) -> None:
    body = gzip.compress(RULES) if coding == "gzip" else RULES
    rules = read_rules(_exchange(200, body, coding), TOKEN)
    assert not rules.allowed(f"{SITE}/secret/plan")
    assert rules.allowed(f"{SITE}/plan")


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_half_a_line_at_the_limit_is_no_rule(coding: str) -> None:
    head = b"User-agent: *\nDisallow: /first\n"
    last = b"Disallow: /last/one\n"
    room = MAX_RULES_BYTES - len(head) - len(b"Disallow: /l")
    text = head + b"#" * (room - 1) + b"\n" + last + b"#" * 3_000_000
    rules = read_rules(_exchange(200, gzip.compress(text) if coding == "gzip" else text, coding), TOKEN)
    assert not rules.allowed(f"{SITE}/first")
    assert rules.allowed(f"{SITE}/last/one")
    assert rules.allowed(f"{SITE}/lost")  # which half of the last line would forbid


def test_a_whole_line_at_the_limit_is_a_rule() -> None:
    head = b"User-agent: *\n#"
    last = b"\nDisallow: /a"
    text = head + b"x" * (MAX_RULES_BYTES - len(head) - len(last)) + last
    assert len(text) == MAX_RULES_BYTES
    assert not parse_rules(text + b"\nAllow: /a\n", TOKEN).allowed(f"{SITE}/a")
    assert parse_rules(text + b"bc\n", TOKEN).allowed(f"{SITE}/abc")


def test_an_answer_that_was_cut_after_the_limit_is_read() -> None:
    text = RULES * (2 * MAX_RULES_BYTES // len(RULES))
    assert not read_rules(_exchange(200, text, truncated="length"), TOKEN).allowed(f"{SITE}/secret/plan")


@pytest.mark.parametrize("cut", ["time", "disconnect", "length"])
def test_rules_that_are_not_all_there_forbid_all(cut: str) -> None:
    with pytest.raises(ExtractError, match=rf"the answer was cut \({cut}\) after 33 bytes"):
        read_rules(_exchange(200, truncated=cut), TOKEN)


def test_rules_that_cannot_be_read_forbid_all() -> None:
    with pytest.raises(ExtractError, match="damaged gzip"):
        read_rules(_exchange(200, b"no gzip at all", "gzip"), TOKEN)
    with pytest.raises(ExtractError, match="inflates to more"):
        read_rules(_exchange(200, gzip.compress(b"\0" * (MAX_INFLATED_BYTES + 1)), "gzip"), TOKEN)


HEAVY = {
    "every line a beginning": (b"".join(b"Disallow:/%x\n" % number for number in range(100_000)), "z"),
    "every line a wildcard": (b"".join(b"Disallow:*%x\n" % number for number in range(100_000)), "z"),
    "wildcards that nearly fit": (b"".join(b"Disallow:*aaaaaaaa%xb\n" % number for number in range(100_000)), "a"),
    "stars between": (b"Disallow: /*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\n" * 100, "a"),
    "stars without end": (b"Disallow: /" + b"*a" * 200_000 + b"b\n", "a"),
    "escapes": (b"Disallow:/" + b"%c3\xa9" * 120_000, "é"),
}
"""Lines of a group; what the URL is made of."""


@pytest.mark.parametrize(("lines", "letter"), HEAVY.values(), ids=HEAVY)
def test_no_file_makes_it_slow(lines: bytes, letter: str) -> None:
    started = time.process_time()
    rules = parse_rules(b"User-agent: *\n" + lines, TOKEN)
    assert rules.allowed(f"{SITE}/{letter * 8_000}~")
    assert (
        time.process_time() - started < 6
    )  # a second or less, but for a loaded machine; a backtracking matcher: years


class Origins:
    """Answers for rules, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 0.0
        self.answers: list[Rules | Exception] = []

    async def fetch(self, url: str) -> Rules:
        self.asked.append(url)
        await asyncio.sleep(0)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cache(self) -> RulesCache:
        return RulesCache(self.fetch, clock=lambda: self.now)


def test_rules_are_fetched_once_for_all_who_wait_and_again_after_a_day() -> None:
    origins = Origins()
    first, second = parse_rules(RULES, TOKEN), Rules()
    origins.answers = [first, second]

    async def crawl() -> None:
        cache = origins.cache()
        assert await asyncio.gather(*(cache.rules_for(f"{SITE}/{number}") for number in range(3))) == [first] * 3
        origins.now = MAX_AGE_SECONDS - 1
        assert await cache.rules_for(f"{SITE}/later") == first
        origins.now = MAX_AGE_SECONDS
        assert await asyncio.gather(*(cache.rules_for(f"{SITE}/new{number}") for number in range(2))) == [second] * 2

    asyncio.run(crawl())
    assert origins.asked == [f"{SITE}/0", f"{SITE}/new0"]


def test_rules_that_cannot_be_had_again_forbid_all_until_they_can() -> None:
    origins = Origins()
    rules = parse_rules(RULES, TOKEN)
    origins.answers = [rules, RequestForbidden("status 503", explicitly=False), rules]

    async def crawl() -> None:
        cache = origins.cache()
        await cache.rules_for(f"{SITE}/a")
        origins.now = MAX_AGE_SECONDS
        for seconds in (0, RETRY_SECONDS - 1):
            origins.now = MAX_AGE_SECONDS + seconds
            with pytest.raises(RequestForbidden, match="status 503"):
                await cache.rules_for(f"{SITE}/a")
        origins.now = MAX_AGE_SECONDS + RETRY_SECONDS
        assert await cache.rules_for(f"{SITE}/a") == rules

    asyncio.run(crawl())
    assert len(origins.asked) == 3


def test_scheme_host_and_port_have_rules_of_their_own() -> None:
    origins = Origins()
    urls = [f"{SITE}/", "http://gazette.example/", f"{SITE}:8443/", "https://www.gazette.example/", f"{SITE}:443/a"]
    origins.answers = [Rules(float(number)) for number in range(4)]

    async def crawl() -> list[float | None]:
        cache = origins.cache()
        return [(await cache.rules_for(url)).crawl_delay for url in urls]

    assert asyncio.run(crawl()) == [0, 1, 2, 3, 0]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/news/2026/tax", "/news/"),
        ("/news/2026/tax?print=1", "/news/*?print"),
        ("/news/open/tax", None),
        ("/a/tax.pdf", "/*.pdf$"),
        ("/a/tax.pdf.html", None),
        ("/robots.txt", None),
    ],
)
def test_the_rule_that_forbids_is_named(path: str, rule: str | None) -> None:
    rules = b"User-agent: *\nDisallow: /news/\nDisallow: /news/*?print\nAllow: /news/open\nDisallow: /*.pdf$\n"
    assert parse_rules(rules, TOKEN).find_ban(SITE + path) == rule
