"""A preview as JSON data, and as lines for people."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from config.rules import readable_url
from config.units import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.sources import Source
    from crawler.preview.facts import LinkSeen, ListingSeen, PageSeen, Preview

_LABEL = 12
_TEXT_CHARS = 400
_VALUE_CHARS = 160
_MAX_LISTINGS = 40
FIELDS = (
    *("title", "lead", "published", "modified", "authors", "section", "tags", "language", "source", "image"),
    *("correction", "paywall"),
)
"""Those that people are shown first of all."""


def describe_preview(source: Source, found: Preview, due: int | None, notes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the preview as JSON data: one object for it, then one for each listing, link and page.

    *due*: how many known articles a run would look at again now; `None`: nobody knows.
    """
    yield {
        "type": "preview",
        "source": source.id,
        "looked_at": found.looked_at,
        "requests": found.requests,
        "links": found.links_found,
        "wanted": found.links_wanted,
        "over": found.over,
        "due": due,
        "notes": list(notes),
    }
    yield from ({"type": "listing", **asdict(one)} for one in found.listings)
    yield from ({"type": "link", **asdict(one)} for one in found.links)
    for page in found.pages:
        data = {"type": "page", **asdict(page)}
        del data["still"]
        yield data


# --- for people


def list_lines(source: Source, found: Preview, due: int | None, notes: Sequence[str], *, links: int) -> Iterator[str]:
    """Yield the preview for people, at most so many *links* in it. *due*: known articles whose turn it is."""
    yield f"{source.id} · {source.name} · {count(found.requests, 'request')}, nothing is stored"
    if found.over:
        yield _label("ended", found.over)
    yield from _list_listings(found.listings)
    yield from (_label("note", note) for note in notes)
    if found.links_found:
        yield ""
        yield f"a run would fetch {found.links_wanted} of {count(found.links_found, 'page')} that are announced"
        yield from _list_links(found, links)
    if due:
        yield f"and look again at {count(due, 'article')} that it knows: ofrecord plan"
    for number, page in enumerate(found.pages, 1):
        yield ""
        yield from _list_page(number, page)


def _label(name: str, text: str) -> str:
    return f"{name.ljust(_LABEL)} {text}".rstrip()


def _list_listings(listings: tuple[ListingSeen, ...]) -> Iterator[str]:
    for one in listings[:_MAX_LISTINGS]:
        yield _label(one.purpose, f"{'-' if one.error or one.unread else '+'} {one.url}  ({say_listing(one)})")
    if len(listings) > _MAX_LISTINGS:
        yield _label("", f"… and {len(listings) - _MAX_LISTINGS} more listings")


def say_listing(one: ListingSeen) -> str:
    """Return what *one* gave, or why nothing."""
    if one.unread:
        return f"not looked at: {one.unread}"
    said = []
    if one.links or not (one.listings or one.error):
        said.append(f"{count(one.links, 'link')}, {one.articles} of articles, {one.first} not seen before")
    if one.listings:
        said.append(f"names {count(one.listings, 'listing')}")
    return "; ".join([*([one.error] if one.error else []), *said])


def _list_links(found: Preview, most: int) -> Iterator[str]:
    wanted = [link for link in found.links if link.wanted]
    reasons: dict[str, list[LinkSeen]] = {}
    for link in found.links:
        if not link.wanted:
            reasons.setdefault(_shorten_reason(link.reason), []).append(link)
    room = most - min(most // 2, sum(map(len, reasons.values())))
    for link in wanted[:room]:
        yield f"  in   {readable_url(link.url)}  ({link.reason})"
        if link.title:
            yield f"         {link.title}"
    if len(wanted) > room:
        yield f"  in   … and {found.links_wanted - room} more"
    each = max(1, (most - len(wanted[:room])) // max(1, len(reasons))) if most else 0
    for reason, links in sorted(reasons.items(), key=lambda item: -len(item[1])):
        yield f"  out  {len(links)} × {reason}"
        yield from (f"         {readable_url(link.url)}" for link in links[:each])


def _shorten_reason(reason: str) -> str:
    """Return *reason* without its time: what is known since different days is out for one reason."""
    return "known, and not announced as changed since" if reason.startswith("known: ") else reason


def _list_page(number: int, page: PageSeen) -> Iterator[str]:
    yield _label(f"page {number}", readable_url(page.url))
    yield _label("", f"{'in' if page.wanted else 'out'}: {page.reason}")
    yield from (_label("", f"leads on to {url}") for url in page.way)
    if page.status is None:
        yield _label("  answer", f"none: {page.error}")
        return
    yield _label("  kind", f"{page.page_class}: {page.class_reason}")
    if page.error:
        yield _label("  error", page.error)
    if page.directives:
        yield _label("  robots", ", ".join(page.directives))
    if page.text is None:
        yield _label("  text", "none would be kept")
        return
    shown = {name: page.fields[name] for name in FIELDS if name in page.fields}
    yield from (_label(f"  {name}", _say_field(one)) for name, one in shown.items())
    if len(page.fields) > len(shown):
        yield _label("", f"and {count(len(page.fields) - len(shown), 'more field')}: --json and --html show all")
    known = [one for one in (page.title, page.lead) if one]
    text = " ".join(line for line in page.text.split("\n") if line not in known)
    yield _label("  text", f"{_cut(text, _TEXT_CHARS)}  ({len(page.text)} characters, confidence {page.confidence:g})")
    if page.explanation is not None and page.explanation.error is None:
        dropped = [one for one in page.explanation.passages if not one.kept]
        kept = len(page.explanation.passages) - len(dropped)
        yield _label(
            "  blocks", f"{kept} kept, {len(dropped)} dropped; --html shows them, and `ofrecord extract --explain`"
        )


def _say_field(one: dict[str, Any]) -> str:
    value = flatten(one["value"])
    sure = f", {one['confidence']:g}" if one.get("confidence") is not None else ""
    zone = f", zone assumed: {one['assumed_zone']}" if one.get("assumed_zone") else ""
    return f"{_cut(value, _VALUE_CHARS)}  ({one['from']}{sure}{zone})"


def flatten(value: object) -> str:
    """Return the value of a field in one line: a list with commas, of an object its URL."""
    if isinstance(value, list):
        return ", ".join(map(flatten, value))
    return str(value.get("url") or value) if isinstance(value, dict) else " ".join(str(value).split())


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1]}…"
