"""A preview → one page of HTML: each page as served on the left, what is made of it on the right. Loads nothing.

What was served stands in a frame without scripts, under a policy that lets neither load anything.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from config.units import count
from jobs.diff import runs_to_left
from jobs.hypertext import link_to, read_own, render_document, say, wrap, write_policy
from jobs.previews.blocks import group_pieces, list_pieces
from jobs.previews.telling import FIELDS, flatten, say_listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crawler.explanation import Passage
    from crawler.preview.facts import LinkSeen, ListingSeen, PageSeen, Preview
    from jobs.previews.blocks import Piece

POLICY = write_policy("'unsafe-inline'")
"""Styles are let in so that a page looks like itself as far as it can without loading anything."""
MAX_LINKS = 2_000
"""Rows of the table."""
_FOLDED = 3
"""So many dropped blocks in a row are folded away."""
_SAMPLE_CHARS = 2_000
_UNFIT = frozenset("{}<@;/")
"""Of a selector that a style cannot be trusted with."""
_KEPT, _DROPPED = "outline:2px solid #2e8b57;outline-offset:2px", "outline:1px dashed #b04a3f;opacity:.55"


def render_preview(preview: Preview, *, source: str, name: str) -> str:
    """Return the page. Everything that is not ours is escaped; what could steer or reorder it is written out."""
    parts = {
        "name": say(name),
        "about": say(_describe(preview, source)),
        "listings": _show_listings(preview.listings),
        "pages": "".join(_show_page(number, page) for number, page in enumerate(preview.pages, 1)),
        "links": _show_links(preview),
    }
    return render_document(
        read_own("jobs.previews", "page.html"),
        parts,
        title=say(f"{name}: a preview"),
        style=read_own("jobs.previews", "page.css"),
        policy=POLICY,
    )


def _describe(preview: Preview, source: str) -> str:
    told = f"{source} · {preview.looked_at:%Y-%m-%d %H:%M} UTC · {count(preview.requests, 'request')}"
    return f"{told} · {preview.over}" if preview.over else told


def _show_listings(listings: Iterable[ListingSeen]) -> str:
    rows = []
    for one in listings:
        wanted = not (one.error or one.unread)
        told = say_listing(one)
        cells = wrap("td", one.purpose) + wrap("td", link_to(one.url)) + wrap("td", say(told))
        rows.append(wrap("tr", cells, "" if wanted else "out"))
    return _table("Listings", ("kind", "address", "what it gave"), rows)


def _show_links(preview: Preview) -> str:
    links = sorted(preview.links, key=lambda link: not link.wanted)
    rows = [_show_link(link) for link in links[:MAX_LINKS]]
    title = f"Links: a run would fetch {preview.links_wanted} of {preview.links_found}"
    more = preview.links_found - len(rows)
    rest = wrap("p", f"… and {more} more", "note") if more > 0 else ""
    return _table(title, ("", "address", "why"), rows) + rest


def _show_link(link: LinkSeen) -> str:
    title = wrap("p", say(link.title), "quiet", ' dir="auto"') if link.title else ""
    cells = wrap("td", "in" if link.wanted else "out") + wrap("td", link_to(link.url) + title)
    return wrap("tr", cells + wrap("td", say(link.reason)), "" if link.wanted else "out")


def _table(title: str, heads: tuple[str, ...], rows: list[str]) -> str:
    if not rows:
        return ""
    head = "".join(wrap("th", name, rest=' scope="col"') for name in heads)
    return wrap("section", f"<h2>{title}</h2>" + wrap("table", f"<thead><tr>{head}</tr></thead>{''.join(rows)}"))


# --- pages


def _show_page(number: int, page: PageSeen) -> str:
    heading = f"<h2>Page {number}: {link_to(page.url)}</h2>"
    notes = [f"{'in' if page.wanted else 'out'}: {page.reason}", f"{page.page_class}: {page.class_reason}"]
    notes += [f"led on to {url}" for url in page.way]
    notes += [f"error: {page.error}"] if page.error else []
    notes += [f"says to robots: {', '.join(page.directives)}"] if page.directives else []
    if page.explanation is not None:
        notes += page.explanation.notes
    told = "".join(wrap("p", say(note), "note") for note in notes)
    sides = wrap("div", _show_served(number, page) + _show_clean(page), "sides")
    return wrap("section", heading + told + sides, "page")


def _show_served(number: int, page: PageSeen) -> str:
    if page.still is None:
        return wrap("div", wrap("h3", "As served") + wrap("p", "There is no page to show.", "note"), "served")
    marks = _list_marks(page.explanation.passages if page.explanation is not None else ())
    document = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">{page.still}<style>{marks}</style>'
    frame = f'<iframe sandbox title="page {number} as served" srcdoc="{escape(document)}"></iframe>'
    return wrap("div", wrap("h3", "As served, without what scripts and other files would add") + frame, "served")


def _list_marks(passages: Iterable[Passage]) -> str:
    """Return styles that mark what was kept and what was dropped, where a selector names nothing else."""
    alike: dict[str, list[Passage]] = {}
    for passage in passages:
        alike.setdefault(passage.selector, []).append(passage)
    rules = []
    for selector, named in alike.items():
        kept = {passage.kept for passage in named}
        if len(kept) == 1 and named[0].matches == len(named) and not _UNFIT.intersection(selector):
            rules.append(f"{selector}{{{_KEPT if kept.pop() else _DROPPED}}}")
    return "\n".join(rules)


def _show_clean(page: PageSeen) -> str:
    first = {name: page.fields[name] for name in FIELDS if name in page.fields}
    rest = {name: one for name, one in page.fields.items() if name not in first}
    more = f"<summary>{count(len(rest), 'more field')}</summary>{_show_fields(rest)}"
    facts = _show_fields(first) + (wrap("details", more, "fields") if rest else "")
    kind = "As it would be kept" if page.text is not None else "No text would be kept"
    sample = (page.text or "")[:_SAMPLE_CHARS]
    direction = f' dir="{"rtl" if runs_to_left(sample) else "ltr"}"'
    body = "".join(_show_group(kept, group) for kept, group in group_pieces(list_pieces(page)))
    return wrap("div", wrap("h3", kind) + facts + wrap("div", body, "text", direction), "clean")


def _show_fields(fields: Mapping[str, Any]) -> str:
    rows = (
        wrap("dt", say(name)) + wrap("dd", wrap("span", say(flatten(one["value"])), rest=' dir="auto"') + _where(one))
        for name, one in fields.items()
    )
    return wrap("dl", "".join(rows)) if fields else ""


def _where(found: Mapping[str, Any]) -> str:
    """Return where a field is from, how sure it is, and the zone that was assumed for it."""
    told = [str(found["from"])]
    told += [f"{found['confidence']:g} sure"] if found.get("confidence") is not None else []
    told += [f"zone assumed: {found['assumed_zone']}"] if found.get("assumed_zone") else []
    return say(f" ({', '.join(told)})")


def _show_group(kept: bool, group: list[Piece]) -> str:  # noqa: FBT001 - as itertools has it
    shown = "".join(_show_kept(piece) if kept else _show_dropped(piece) for piece in group)
    if kept or len(group) <= _FOLDED:
        return shown
    return wrap("details", f'<summary dir="ltr">{len(group)} blocks dropped</summary>{shown}')


def _show_kept(piece: Piece) -> str:
    label = wrap("span", say(piece.reason), "why", ' dir="ltr"') if piece.reason else ""
    return wrap("p", label + say(piece.text), "kept")


def _show_dropped(piece: Piece) -> str:
    why = wrap("span", say(f"{piece.reason} · {piece.selector}"), "why", ' dir="ltr"')
    return wrap("p", why + say(piece.text), "dropped")
