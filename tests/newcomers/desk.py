"""What a site of a newcomer is, and the desk at which one is put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from tests.newcomers.pages import Frame
from tests.newcomers.prose import load_tongue, write_stories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.newcomers.pages import Anchor, Layout
    from tests.newcomers.prose import Story

XML = "application/xml"
RSS = "application/rss+xml; charset=utf-8"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says to a request."""

    body: bytes = b""
    status: int = 200
    media_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()
    start: bytes = b""
    """Sent before the body."""
    repeat: int = 1
    """So often the body is sent, for answers that no memory would hold."""
    seconds: float = 0.0
    """Waited before."""


@dataclass
class Newcomer:
    """A site that nobody has described yet, and the truth about it."""

    name: str
    home: str
    pages: dict[str, Answer] = field(default_factory=dict)
    """Canonical URL → answer."""
    articles: set[str] = field(default_factory=set)
    """Canonical URLs of all its articles."""
    either: set[str] = field(default_factory=set)
    """Pages that one may take for articles or not: videos, galleries, advertorials."""
    source: dict[str, Any] = field(default_factory=dict)
    """Keys of a YAML file that somebody who knows the site would write: what there is to be found."""
    otherwise: Callable[[str], Answer] | None = None
    """What URLs answer that are not in `pages`; by default a 404."""

    def answer(self, url: str) -> Answer:
        """Return what *url* answers."""
        place = canonical(url)
        if place in self.pages:
            return self.pages[place]
        if f"{place}/" in self.pages:
            return Answer(b"", 301, headers=(("Location", f"{place}/"),))
        return (
            self.otherwise(url)
            if self.otherwise
            else Answer(b"<html><title>404</title><h1>404</h1><p>Not here.</p></html>", 404)
        )


@dataclass
class Desk:
    """Puts a site together: stories, pages and what announces them."""

    name: str
    root: str
    language: str
    layout: Layout
    count: int
    seed: int
    path: Callable[[Story], str]
    """Of a story; relative to the root, or a whole URL."""
    a_day: float = 4
    site: Newcomer = field(init=False)
    frame: Frame = field(init=False)
    stories: list[Story] = field(init=False)

    def __post_init__(self) -> None:
        self.site = Newcomer(self.name.lower().replace(" ", "-"), f"{self.root}/")
        self.frame = Frame(self.name, load_tongue(self.language), self.layout)
        self.stories = write_stories(self.language, self.count, seed=self.seed, a_day=self.a_day)

    @property
    def entries(self) -> list[tuple[Story, str]]:
        """Return all stories and their URLs, newest first."""
        return [(story, self.url(self.path(story))) for story in self.stories]

    def of_section(self, section: str) -> list[tuple[Story, str]]:
        """Return those of a section."""
        return [(story, url) for story, url in self.entries if story.section == section]

    def url(self, path: str) -> str:
        """Return the canonical URL of *path*."""
        return canonical(urljoin(f"{self.root}/", path))

    def put(self, path: str, body: bytes | Answer, media_type: str = HTML) -> str:
        """Put an answer at *path*; return its URL."""
        url = self.url(path)
        self.site.pages[url] = body if isinstance(body, Answer) else Answer(body, media_type=media_type)
        return url

    def put_articles(
        self, *, related: int = 4, after: Callable[[Story, str], str] | None = None, head: str = ""
    ) -> None:
        """Put a page for each story, with links to *related* others."""
        entries = self.entries
        for story, url in entries:
            others: list[Anchor] = [
                (
                    entries[(story.number * 5 + step * 11 + 1) % len(entries)][1],
                    entries[(story.number * 5 + step * 11 + 1) % len(entries)][0].title,
                )
                for step in range(related)
            ]
            page = self.frame.article(story, url, related=others, after=after(story, url) if after else "", head=head)
            self.put(url, page)
            self.site.articles.add(url)

    def put_house(self, path: Callable[[str], str] = "/{}".format) -> list[str]:
        """Put the pages about the house, link them in the footer; return their URLs."""
        self.frame.footer += [(path(key), text) for key, text in self.frame.tongue.about.items()]
        for number, (key, text) in enumerate(self.frame.tongue.about.items()):
            self.put(path(key), self.frame.house(text, seed=number + self.seed))
        return [self.url(path(key)) for key in self.frame.tongue.about]

    def put_list(
        self,
        path: str,
        title: str,
        entries: Sequence[tuple[Story, str]],
        *,
        size: int = 10,
        page: str | None = None,
        **how: Any,
    ) -> list[str]:
        """Put a list at *path*, *size* entries a page; return all URLs.

        *page*: where the further pages stand, `{}` for the number; without it there are none.
        """
        parts = [entries[at : at + size] for at in range(0, len(entries), size)] if page else [entries[:size]]
        places = [path, *(page.format(number) for number in range(2, len(parts) + 1))] if page else [path]
        for number, (place, part) in enumerate(zip(places, parts, strict=True)):
            following = self.url(places[number + 1]) if number + 1 < len(places) else None
            self.put(place, self.frame.listing(title, part, next_url=following, **how))
        return [self.url(place) for place in places]

    def put_tags(self, path: Callable[[str], str], **how: Any) -> list[str]:
        """Put a list for each thing that stories are about; return their URLs."""
        for tag in self.frame.tongue.things:
            told = [(story, url) for story, url in self.entries if tag in story.tags]
            self.put(path(tag), self.frame.listing(tag, told[:8], **how))
        return [self.url(path(tag)) for tag in self.frame.tongue.things]

    def put_robots(self, *lines: str) -> None:
        """Put a robots.txt."""
        self.put("/robots.txt", "\n".join(["User-agent: *", *(lines or ("Disallow:",)), ""]).encode(), TEXT)

    def finish(self, *discover: dict[str, str], include: Iterable[str], exclude: Iterable[str] = ()) -> Newcomer:
        """Return the site, with what a person who knows it would write."""
        listed = [{kind: self.url(path) for kind, path in entry.items()} for entry in discover]
        self.site.source = {
            "name": self.name,
            "home": self.site.home,
            "language": self.language,
            "discover": listed,
            "articles": {"include": list(include), "exclude": list(exclude)},
        }
        return self.site


def canonical(url: str) -> str:
    """Return *url* with its path escaped one way, and without a fragment: as truth and server name it."""
    parts = urlsplit(url)
    path = quote(unquote(parts.path), safe="/:@!$&'()*+,;=~-._") or "/"
    return f"{parts.scheme}://{parts.netloc.lower()}{path}" + (f"?{parts.query}" if parts.query else "")
