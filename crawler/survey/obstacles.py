"""What stood in a survey's way, told from the exchanges: for a person, with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.outcome import REDIRECTS
from crawler.sites import Sites
from crawler.survey.facts import Problem
from crawler.survey.words import LOGIN_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.discover.page_facts import PageFacts
    from crawler.model import Exchange

_REFUSED = "refused to"
"""How the address guard begins what it says."""
_PORT_REFUSED = "another protocol than HTTP"
"""How it ends where only the port is wrong."""
_NEVER = "is never connected to"
"""What it says of addresses that no source may reach."""
_FEW_LINKS = 15


def judge_exchanges(exchanges: Sequence[Exchange], what: str) -> Problem | None:
    """Return why the last of *exchanges*, a request and the hops of its redirects, is no page; `None` if it may be one.

    *what*: as in `the home page`.
    """
    asked, last = exchanges[0], exchanges[-1]
    way = "" if last is asked else f", to which {asked.url} leads,"
    where = f"{what} {last.url}{way}"
    if last.error is not None:
        return _judge_error(last, where)
    status = last.status
    if status is None:
        return Problem("unreachable", f"{where} gave no answer; try again later", last.url)
    if status in {401, 407}:
        return Problem(
            "login_wall",
            f"{where} asks for a name and a password (status {status}); what it shows to all readers cannot be told",
            last.url,
        )
    if status == 429:
        return Problem(
            "rate_limited", f"{where} asks for fewer requests (status 429); try again later, with --delay", last.url
        )
    if status in {402, 403, 451}:
        return Problem("refused", f"{where} refuses us (status {status}); ask the publisher", last.url)
    if status >= 500:
        return Problem("unreachable", f"{where} is out of order (status {status}); try again later", last.url)
    if status >= 400 or not 200 <= status < 300:
        return Problem("missing", f"{where} answers with status {status}; check the address", last.url)
    return None


def _judge_error(last: Exchange, where: str) -> Problem:
    error = last.error or ""
    if _REFUSED in error and _PORT_REFUSED not in error:
        hint = "" if _NEVER in error else "; --network private allows addresses of your own network"
        text = f"{where} is at an address that is not on the public internet: {error}{hint}"
        return Problem("private_address", text, last.url)
    if last.forbidden or "robots.txt" in error:
        return Problem("robots_refuses", f"{where} is not to be fetched: {error}", last.url)
    if last.status in REDIRECTS:
        return Problem("redirect_loop", f"{where} leads nowhere: {error}; look at it in a browser", last.url)
    return Problem("unreachable", f"{where} cannot be had: {error}", last.url)


def judge_move(asked: str, reached: str) -> Problem | None:
    """Return that the site of *asked* leads to another one, at *reached*; `None` if it is the same."""
    if reached in Sites([asked]):
        return None
    text = f"{asked} leads to another site, {describe_host(reached)}; if you mean that one, add {reached}"
    return Problem("other_site", text, reached)


def judge_name(url: str) -> Problem | None:
    """Return that the host of *url* has letters beyond ASCII, which may look like those of another name."""
    host = urlsplit(url).hostname or ""
    if not any(label.startswith("xn--") for label in host.split(".")):
        return None
    return Problem(
        "look_alike",
        f"the name {describe_host(url)} has letters that can look like others: make sure that it is the paper's own",
        url,
    )


def judge_names(page: PageFacts) -> Problem | None:
    """Return that *page* gives another site's address for its own, or announces articles there."""
    own = Sites([page.url])
    named = [page.canonical, *(one.url for one in page.alternates if one.media_type and not one.hreflang)]
    for url in named:
        if url is not None and url not in own:
            look_alike = judge_name(url)
            if look_alike is not None:
                return Problem("look_alike", f"{page.url} refers to {url}: {look_alike.text}", url)
    if page.canonical is not None and page.canonical not in own:
        text = f"{page.url} says that it is at {page.canonical}, another site; if you mean that one, add it by that"
        return Problem("other_site", text, page.canonical)
    return None


def describe_host(url: str) -> str:
    """Return the host of *url* as it is asked for, and how it reads where that differs."""
    host = urlsplit(url).hostname or url
    if "xn--" not in host:
        return host
    try:
        shown = ".".join(label.encode("ascii").decode("idna") for label in host.split("."))
    except UnicodeError:
        return host
    return f"{host} (reads {shown})"


def judge_login(exchanges: Sequence[Exchange], page: PageFacts) -> Problem | None:
    """Return that a form for a password stands in the place of the page; `None` if it does not."""
    own = Sites([page.url])
    links = sum(link.url in own for link in page.links)
    path = urlsplit(exchanges[-1].url)
    words = {part.lower() for part in path.path.split("/")} | {(path.hostname or "").partition(".")[0]}
    sent = len(exchanges) > 1 and bool(words & LOGIN_WORDS)
    if (page.asks_password and links < _FEW_LINKS) or sent:
        text = f"{exchanges[0].url} shows a form for a password in place of the page; what is behind it is not crawled"
        return Problem("login_wall", text, exchanges[-1].url)
    return None
