"""What one hostile document is, and how it becomes an exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.rules import ExtractRules
from crawler.model import Exchange, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HOST = "hostile.example"
MB = 1_000_000
_SENTENCE = "The council opened the new library on Monday, and the mayor read the first page of a book aloud. "
STORY = "<article><h1>Library opens</h1>" + f"<p>{_SENTENCE * 3}</p>" * 5 + "</article>"
"""An honest article: stands beside what is hostile in most pages."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One document; its body is built when it is asked for."""

    name: str
    build: Callable[[], bytes]
    purpose: Purpose = Purpose.ARTICLE
    content_type: str | None = "text/html; charset=utf-8"
    codings: tuple[str, ...] = ()
    """Values of Content-Encoding, one header line each."""
    rules: ExtractRules = field(default_factory=ExtractRules)

    @property
    def path(self) -> str:
        """The path of the document's URL."""
        return "/" + self.name.replace(" ", "-")

    def headers(self) -> list[tuple[str, str]]:
        """Return the response's headers, without its length."""
        stated = [] if self.content_type is None else [("Content-Type", self.content_type)]
        return stated + [("Content-Encoding", coding) for coding in self.codings]

    def exchange(self) -> Exchange:
        """Return the document as it would come from the wire."""
        body = self.build()
        lines = [f"{name}: {value}" for name, value in [*self.headers(), ("Content-Length", str(len(body)))]]
        return Exchange(
            url=f"https://{HOST}{self.path}",
            purpose=self.purpose,
            started_at=datetime(2026, 11, 22, 3, 45, tzinfo=UTC),
            seconds=0.1,
            request_head=f"GET {self.path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode(),
            status=200,
            response_head="\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode(),
            body=body,
        )


def page(body: str, *, head: str = "", story: bool = True) -> bytes:
    """Return a page with *body* after an honest article."""
    date = '<meta property="article:published_time" content="2026-11-20T08:00:00Z">'
    whole = f"<!doctype html><html lang=en><head><title>Library opens</title>{date if story else ''}{head}</head><body>"
    return f"{whole}{STORY if story else ''}{body}</body></html>".encode("utf-8", "surrogatepass")


def pages(bodies: Iterable[tuple[str, Callable[[], str]]]) -> list[Hostile]:
    """Return one document for each name and hostile body; each stands after an honest article."""
    return [Hostile(name, lambda make=make: page(make())) for name, make in bodies]  # type: ignore[misc]
