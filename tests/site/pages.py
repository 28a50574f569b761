"""What the test site answers to a URL in a given state: pure, from files beside this module. Opens no socket."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args
from urllib.parse import quote, unquote

HERE = Path(__file__).resolve().parent
ENGLISH, ARABIC, SPANISH = "english.almayadeen.net", "www.almayadeen.net", "espanol.almayadeen.net"
HOSTS = (ENGLISH, ARABIC, SPANISH)
SEED_PATH = "/news/politics/blinken-claims-us--working-very-aggressively--to-send-aid-to"
SEED_URL = f"https://{ENGLISH}{SEED_PATH}"
LIVE_PATH = "/live-coverage/live--book-fair-in-the-harbour-hall"

Phase: TypeAlias = Literal["2023", "edited", "2025", "gone", "403", "404", "410", "500"]
PHASES: tuple[Phase, ...] = get_args(Phase)

_HTML = "text/html; charset=utf-8"
_MEDIA_TYPES = {
    ".txt": "text/plain; charset=utf-8",
    ".rss": "application/rss+xml; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".html": _HTML,
}
_SITE_MODIFIED = "Tue, 07 Nov 2023 12:05:00 GMT"
_VERSIONS = {
    "2023": ("article-2023.html", "Mon, 06 Nov 2023 14:21:00 GMT"),
    "edited": ("edited-2023.html", "Tue, 07 Nov 2023 07:05:31 GMT"),
    "2025": ("article-2025.html", "Thu, 13 Nov 2025 09:00:00 GMT"),
}
_CHALLENGE = (
    b'<!DOCTYPE html><html><head><title>Just a moment...</title><meta name="robots" content="noindex,nofollow">'
    b"</head><body><h1>english.almayadeen.net</h1><p>Checking your browser before accessing the site.</p>"
    b"</body></html>"
)


@dataclass(frozen=True, slots=True)
class State:
    """What the publisher is doing at the moment."""

    phase: Phase = "2023"
    """Which version of the seed article is served, or which status: `gone` is a soft 404, `403` a robot check."""
    live: Literal[1, 2] = 1
    """2: the live blog has moved on."""
    hard404: bool = False
    """Unknown paths answer 404 in place of the soft 404 (status 200) that such sites like."""

    def __post_init__(self) -> None:
        """Refuse what the site does not know: a typo in a test must not pass as "nothing changed"."""
        if self.phase not in PHASES:
            raise ValueError(f"phase: found {self.phase!r}, expected one of {', '.join(PHASES)}")
        if self.live not in (1, 2):
            raise ValueError(f"live: found {self.live!r}, expected 1 or 2")


@dataclass(frozen=True, slots=True)
class Answer:
    """One response before content coding, and how the server is to misbehave while sending it."""

    status: int = 200
    body: bytes = b""
    media_type: str = _HTML
    headers: tuple[tuple[str, str], ...] = ()
    delay_seconds: float = 0.0
    """Wait that long before the status line."""
    cut_bytes: int | None = None
    """Promise the whole body, send so many bytes of it and hang up."""

    @property
    def etag(self) -> str:
        """A weak validator: the same for the plain and the gzip form of a body."""
        return f'W/"{hashlib.sha256(self.body).hexdigest()[:16]}"'


def answer(host: str, path: str, state: State) -> Answer:
    """Return what *host* answers to *path* (percent-encoded or not, without query) in *state*."""
    path = unquote(path).rstrip("/")
    if host == ENGLISH and path == SEED_PATH:
        return _seed_answer(state.phase)
    if host == ENGLISH and path == LIVE_PATH and state.live == 2:
        return Answer(body=read_page("live-later.html"), headers=(("Last-Modified", _SITE_MODIFIED),))
    file = _find_file(host, path)
    if file is None and path in list_sections(host):
        return Answer(body=_make_listing(host, path))
    if file is None:
        return Answer(status=404 if state.hard404 else 200, body=read_page("gone.html"))
    return Answer(
        body=file.read_bytes(),
        media_type=_MEDIA_TYPES[file.suffix],
        headers=(("Last-Modified", _SITE_MODIFIED),),
    )


@cache
def list_sections(host: str) -> dict[str, str]:
    """Return path → name of every section that *host* links to in its menu, or in the coverage box beside articles.

    Those without a file of their own list nothing.
    """
    if host not in HOSTS:
        return {}
    linking = _read_home(host).partition("</header>")[0]
    if host == ENGLISH:
        linking += (
            read_page("article-2025.html")
            .decode()
            .partition('<section class="coverage-box">')[2]
            .partition("</section>")[0]
        )
    links = re.findall(r'<a href="(/[^"]+)"[^>]*>(.*?)</a>', linking)
    return {unquote(path): re.sub(r"<[^>]*>", "", name).strip() for path, name in links}


def read_page(name: str) -> bytes:
    """Return a page of `versions/`: a version of the seed article, the soft 404 or the later live blog."""
    return (HERE / "versions" / name).read_bytes()


def read_expected(name: str) -> str:
    """Return an expected clean text of `expected/`."""
    return (HERE / "expected" / name).read_text("utf-8")


def list_urls() -> list[str]:
    """Return the URL of every file of every host and of the seed article, percent-encoded, sorted."""
    urls = {SEED_URL}
    for host in HOSTS:
        root = HERE / "hosts" / host
        for file in root.rglob("*"):
            if file.is_file():
                path = file.relative_to(root).as_posix().removesuffix("index.html").rstrip("/")
                urls.add(f"https://{host}/{quote(path)}")
    return sorted(urls)


def _seed_answer(phase: Phase) -> Answer:
    if phase in _VERSIONS:
        name, modified = _VERSIONS[phase]
        return Answer(body=read_page(name), headers=(("Last-Modified", modified),))
    if phase == "gone":
        return Answer(body=read_page("gone.html"))
    if phase == "403":
        return Answer(403, _CHALLENGE, headers=(("Server", "cloudflare"), ("cf-mitigated", "challenge")))
    return Answer(int(phase), f"<html><body><h1>{phase}</h1></body></html>".encode())


def _make_listing(host: str, path: str) -> bytes:
    """Return the page of a section that has no articles yet: the home page's frame around its name."""
    main = f"<main><h1>{list_sections(host)[path]}</h1></main>"
    page = re.sub(r"<main.*</main>", lambda _: main, _read_home(host), flags=re.DOTALL)
    return page.replace(f'"https://{host}/"', f'"https://{host}{quote(path)}"').encode()


def _read_home(host: str) -> str:
    return (HERE / "hosts" / host / "index.html").read_text("utf-8")


def _find_file(host: str, path: str) -> Path | None:
    root = HERE / "hosts" / host
    file = (root / path.lstrip("/")).resolve()
    if host not in HOSTS or not file.is_relative_to(root):
        return None
    if file.is_dir():
        file /= "index.html"
    return file if file.is_file() else None
