"""robots.txt by RFC 9309: an exchange in, what it lets our product token fetch out.

Never asks the network. What a publisher wrote is never an error: a line that cannot be read is passed over.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from config.errors import ExtractError
from crawler.encoding import inflate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.model import Exchange

MAX_RULES_BYTES = 500 * 1024
"""RFC 9309 § 2.5 asks for no less; what comes after is not read."""
MAX_INFLATED_BYTES = 16 * 1024 * 1024
ANYONE = b"*"
"""As a product token; in a pattern, the same sign stands for any octets."""

_USER_AGENT = frozenset({b"user-agent", b"useragent", b"user agent"})
# as publishers write it, and others read it; codespell:ignore-next-line
_DISALLOW = frozenset({b"disallow", b"dissallow", b"dissalow", b"disalow", b"diasllow", b"disallaw"})
_ALLOW = frozenset({b"allow"})
_CRAWL_DELAY = frozenset({b"crawl-delay", b"crawldelay", b"crawl delay"})
_SITEMAP = b"sitemap"
MAX_SITEMAPS = 100
_KNOWN = _USER_AGENT | _DISALLOW | _ALLOW | _CRAWL_DELAY
_SECONDS = re.compile(rb"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}", re.ASCII)
_NAME_GOES_ON = re.compile(rb"[A-Za-z0-9_-]")

_BEFORE_PATH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", re.ASCII)
_TO_FOLD = re.compile(rb"%([0-9A-Fa-f]{2})|[^A-Za-z0-9._~!&'()+,;=:@\[\]/?-]")
_IN_QUERY = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!&'()+,;=:@[]/?")
_IN_PATH = _IN_QUERY - frozenset(b"/?")
"""Where they divide a path, these two and their escapes are not the same."""


class _Wildcard(NamedTuple):
    """A pattern with `*` or an end; `*` stands between the parts."""

    weight: int
    allow: bool
    parts: tuple[str, ...]
    anchored: bool

    def matches(self, path: str) -> bool:
        """Tell whether *path* fits. The first place where a part fits is always good enough, so nothing is retried."""
        first, *middle = self.parts
        if not path.startswith(first):
            return False
        if not middle:
            return len(path) == len(first)
        at, last = len(first), middle.pop()
        for part in middle:
            at = path.find(part, at)
            if at < 0:
                return False
            at += len(part)
        if self.anchored:
            return len(path) - len(last) >= at and path.endswith(last)
        return path.find(last, at) >= 0

    def spell(self) -> str:
        """Return the pattern as it would be written."""
        return "*".join(self.parts) + "$" * self.anchored


@dataclass(frozen=True, slots=True)
class Rules:
    """What one robots.txt says to us."""

    crawl_delay: float | None = None
    """Seconds between two requests that our group asks for."""
    _plain: dict[str, bool] = field(default_factory=dict)
    """Patterns that are beginnings of paths → whether they allow."""
    _lengths: tuple[int, ...] = ()
    """Of the plain patterns, the longest first."""
    _wildcards: tuple[_Wildcard, ...] = ()
    """The heaviest first; of two that weigh the same, the one that allows."""

    def allowed(self, url: str) -> bool:
        """Tell whether *url* may be fetched: the longest pattern decides, `Allow` where two are as long."""
        return self.find_ban(url) is None

    def find_ban(self, url: str) -> str | None:
        """Return the pattern, as it is compared, that forbids to fetch *url*; `None` if it may be fetched."""
        path = _path_to_match(url)
        if path.partition("?")[0] == "/robots.txt":
            return None
        best = self._match_plain(path)
        for rule in self._wildcards:
            if rule[:2] <= best:
                break
            if rule.matches(path):
                return None if rule.allow else rule.spell()
        return None if best[1] else path[: best[0]]

    def _match_plain(self, path: str) -> tuple[int, bool]:
        for length in self._lengths:
            if length <= len(path):
                allow = self._plain.get(path[:length])
                if allow is not None:
                    return length, allow
        return 0, True


@dataclass(slots=True)
class _Group:
    """Lines of one group: those who are named, and what they are told."""

    ours: bool = False
    anyones: bool = False
    rules: list[tuple[bytes, bool]] = field(default_factory=list)
    crawl_delay: float | None = None

    def name(self, value: bytes, token: bytes) -> None:
        """Take in a user-agent line."""
        rest = value[len(token) :]
        self.ours |= value.lower().startswith(token.lower()) and not _NAME_GOES_ON.match(rest)
        self.anyones |= value.split()[:1] == [ANYONE]


def read_rules(exchange: Exchange, token: str) -> Rules:
    """Return what the answer to a robots.txt request says to *token*: RFC 9309 § 2.3.1.

    A server error, 429, no answer, or one that was cut or is damaged is no answer to go by. Raises ExtractError then.
    """
    status = exchange.status
    if status is None:
        raise ExtractError(exchange.error or "no answer")
    if status >= 500 or status == 429:
        raise ExtractError(f"status {status}")
    if not 200 <= status < 300:
        return Rules()
    body = read_body(exchange)
    if exchange.truncated is not None and len(body) <= MAX_RULES_BYTES:
        raise ExtractError(f"the answer was cut ({exchange.truncated}) after {len(exchange.body)} bytes")
    return parse_rules(body, token)


def parse_rules(body: bytes, token: str) -> Rules:
    """Return what the robots.txt *body* says to the product token *token*. Raises nothing."""
    groups = _read_groups(_cut(_as_utf8(body)), token.encode())
    chosen = [group for group in groups if group.ours] or [group for group in groups if group.anyones]
    plain: dict[str, bool] = {}
    wildcards: dict[tuple[tuple[str, ...], bool], _Wildcard] = {}
    for pattern, allow in (rule for group in chosen for rule in group.rules):
        for text, weight, anchored in _spell_pattern(pattern):
            if anchored or "*" in text:
                found = _Wildcard(weight, allow, tuple(re.split(r"\*+", text)), anchored)
                wildcards[found.parts, anchored] = max(found, wildcards.get((found.parts, anchored), found))
            else:
                plain[text] = allow or plain.get(text, False)
    return Rules(
        crawl_delay=max((group.crawl_delay for group in chosen if group.crawl_delay is not None), default=None),
        _plain=plain,
        _lengths=tuple(sorted({len(text) for text in plain}, reverse=True)),
        _wildcards=tuple(sorted(wildcards.values(), reverse=True)),
    )


def list_sitemaps(body: bytes) -> list[str]:
    """Return the sitemaps that the robots.txt *body* names, as written, each once and a hundred at most."""
    found: dict[str, None] = {}
    for line in _cut(_as_utf8(body)).splitlines():
        key, colon, value = line.strip().partition(b":")
        if colon and key.strip().lower() == _SITEMAP and len(found) < MAX_SITEMAPS:
            found[value.partition(b" #")[0].strip().decode("utf-8", "replace")] = None
    return [url for url in found if url]


def read_body(exchange: Exchange) -> bytes:
    """Return the body of a robots.txt, its coding undone. Raises ExtractError."""
    limit = max(len(exchange.body), MAX_INFLATED_BYTES)
    return inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=limit)


def _as_utf8(body: bytes) -> bytes:
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        body = body.decode("utf-16", "replace").encode()
    return body.removeprefix(BOM_UTF8).replace(b"\0", b"")  # of UTF-16 without its mark, the rest is ASCII


def _cut(body: bytes) -> bytes:
    if len(body) <= MAX_RULES_BYTES:
        return body
    end = max(body.rfind(mark, 0, MAX_RULES_BYTES + 1) for mark in (b"\n", b"\r"))
    return body[: end + 1]  # half a line would be another rule


def _read_groups(body: bytes, token: bytes) -> list[_Group]:
    groups: list[_Group] = []
    naming = False
    for key, value in _read_records(body):
        if key in _USER_AGENT:
            if not naming:
                groups.append(_Group())
            naming = True
            groups[-1].name(value, token)
        elif groups and key in _CRAWL_DELAY:  # like every other record, it ends no run of user-agent lines: § 2.2.4
            if _SECONDS.fullmatch(value):
                groups[-1].crawl_delay = max(float(value), groups[-1].crawl_delay or 0.0)
        elif groups:
            naming = False
            if value:
                groups[-1].rules.append((value, key in _ALLOW))
    return groups


def _read_records(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and value of each line that we know. Where the colon is missing, there must be two words."""
    for line in body.splitlines():
        text = line.partition(b"#")[0].strip()
        key, _, value = text.partition(b":")
        key = b" ".join(key.lower().split())
        if key in _KNOWN:
            yield key, value.strip()
            continue
        words = text.split()
        if len(words) == 2 and words[0].lower() in _KNOWN:
            yield words[0].lower(), words[1]


def _spell_pattern(pattern: bytes) -> Iterator[tuple[str, int, bool]]:
    """Yield the forms to compare paths with, their weight, and whether the path must end there.

    There are two forms of a pattern whose `*` leaves open whether what follows belongs to the path or to the query.
    """
    anchored = pattern.endswith(b"$")
    text = pattern[:-1] if anchored else pattern
    if not text.startswith((b"/", ANYONE)):
        text = b"/" + text  # what was meant is plain
    path, mark, query = text.partition(b"?")
    form = _fold_pattern(path, _IN_PATH) + mark.decode() + _fold_pattern(query, _IN_QUERY)
    weight = len(form) + anchored
    yield form, weight, anchored
    head, star, tail = path.partition(ANYONE)
    if star and not mark and b"%2f" in tail.lower():
        yield _fold_pattern(head, _IN_PATH) + "*" + _fold_pattern(tail, _IN_QUERY), weight, anchored


def _path_to_match(url: str) -> str:
    before = _BEFORE_PATH.match(url)
    target = url[before.end() if before else 0 :].partition("#")[0].encode("utf-8", "surrogatepass")
    path, mark, query = target.partition(b"?")
    return _fold(path or b"/", _IN_PATH) + mark.decode() + _fold(query, _IN_QUERY)


def _fold_pattern(text: bytes, literal: frozenset[int]) -> str:
    return "*".join(_fold(part, literal) for part in text.split(ANYONE))


def _fold(text: bytes, literal: frozenset[int]) -> str:
    """Spell each octet in one way: as itself if it is in *literal*, else escaped. § 2.2.2, but the other way round.

    The RFC escapes what is reserved; that it is the same with and without an escape is all that counts.
    """

    def spell(match: re.Match[bytes]) -> bytes:
        octet = int(match[1], 16) if match[1] else match[0][0]
        return bytes((octet,)) if octet in literal else b"%%%02X" % octet

    return _TO_FOLD.sub(spell, text).decode("ascii")
