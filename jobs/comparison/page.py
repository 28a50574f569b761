"""A comparison → one page of HTML that needs nothing else: no script, no request, whatever the texts hold."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from jobs.comparison.telling import list_units, tell_units
from jobs.diff import Change, make_visible, runs_to_left
from jobs.diff.render import find_near, tell_uncompared
from jobs.edits import EditKind
from jobs.hypertext import link_to, read_own, render_document, say, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from jobs.comparison.telling import Comparison, Side
    from jobs.diff import Line, Words
    from jobs.edits import Edit, EditReport

CONTEXT_LINES = 1
MAX_EVIDENCE = 200
"""Edits whose words are shown in the table; more are counted."""
_EVIDENCE_CHARS = 280
_SAMPLE_CHARS = 2_000
_IN_POSTS = frozenset({EditKind.LIVE_APPEND, EditKind.POST_CHANGED, EditKind.POST_REMOVED})
_TAGS = {Change.REMOVED: "del", Change.ADDED: "ins"}
_HEADS = (("kind", "kind"), ("place", "where"), ("old", "before"), ("new", "after"))


def render_page(comparison: Comparison) -> str:
    """Return the page. Everything that is not ours is escaped; what could steer or reorder it is written out."""
    title = comparison.title or comparison.url
    speech = tell_speech(comparison)
    parts = {
        "source": say(comparison.source),
        "headline": say(title),
        "speech": speech,
        "address": link_to(comparison.url),
        "sides": wrap("div", "".join(map(_show_side, (comparison.before, comparison.after))), "sides"),
        "kinds": _show_report(comparison.report, speech),
        "posts": _show_posts(comparison.report, speech),
        "text": _show_text(comparison),
    }
    template = read_own("jobs.comparison", "page.html")
    return render_document(template, parts, title=say(f"{title} — what changed"), style=read_style())


def read_style() -> str:
    """Return the style sheet of the page."""
    return read_own("jobs.comparison", "page.css")


def tell_speech(comparison: Comparison) -> str:
    """Return the attributes that say the language of what the article says, and which way it runs."""
    sample = "\n".join(line.after or line.before or "" for line in comparison.diff.lines[:20])
    language = comparison.language if comparison.language.replace("-", "").isalnum() else ""
    to_left = runs_to_left(((comparison.title or "") + sample)[:_SAMPLE_CHARS])
    return f' lang="{escape(language)}" dir="{"rtl" if to_left else "ltr"}"'


def _time(when: datetime) -> str:
    return f'<time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when:%Y-%m-%d %H:%M:%S} UTC</time>'


def _show_side(side: Side) -> str:
    stated = {"published": side.published, "last change": side.modified}
    facts = [("captured", _time(side.captured_at))]
    facts += [(f"{name}, as stated", say(value)) for name, value in stated.items() if value]
    if side.digest:
        facts.append(("digest", wrap("span", say(side.digest), "mono")))
    items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    return wrap("section", f"<h2>Text {side.number}</h2><dl>{items}</dl>")


def _show_report(report: EditReport | None, speech: str) -> str:
    if report is None:
        note = "What kind of edit this was is not told, since different rules read the two texts."
        return wrap("section", f"<h2>Kinds of edits</h2>{wrap('p', note, 'note')}", "wide")
    kinds = [wrap("li", kind.value.replace("_", " ")) for kind in report.kinds]
    warnings = [("silent", report.silent), ("backdated", report.backdated)]
    kinds += [wrap("li", name, "warning") for name, is_so in warnings if is_so]
    body = wrap("ul", "".join(kinds), "kinds") if kinds else wrap("p", "None.", "note")
    notes = []
    if report.silent:
        notes.append("Silent: words changed, and the time of its last change that the page states did not.")
    elif report.silent is None:
        notes.append("The page states no time of its last change that would tell whether words changed silently.")
    if report.backdated:
        notes.append("Backdated: a time that the page states is earlier than the one that it stated before.")
    body += "".join(wrap("p", note, "note") for note in notes)
    return wrap("section", f"<h2>Kinds of edits</h2>{body}{_show_evidence(report.edits, speech)}", "wide")


def _show_evidence(edits: Iterable[Edit], speech: str) -> str:
    told = [edit for edit in edits if edit.kind not in _IN_POSTS]
    if not told:
        return ""
    rows = "".join(_show_edit(edit, speech) for edit in told[:MAX_EVIDENCE])
    direction = speech.rpartition(" ")[2]
    heads = "".join(
        wrap("th", text, name, f' scope="col" {direction if name in {"old", "new"} else ""}'.rstrip())
        for name, text in _HEADS
    )
    more = len(told) - MAX_EVIDENCE
    rest = wrap("p", f"… and {more} more", "note") if more > 0 else ""
    return wrap("table", f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>", "evidence") + rest


def _show_edit(edit: Edit, speech: str) -> str:
    words = "".join(
        wrap("td", _cut(text, tag), rest=speech) for text, tag in ((edit.before, "del"), (edit.after, "ins"))
    )
    kind = edit.kind.value.replace("_", " ")
    return wrap("tr", wrap("td", kind, "kind") + wrap("td", say(edit.place), "place") + words)


def _cut(text: str | None, tag: str) -> str:
    if not text:
        return ""
    return wrap(tag, _visible(text[:_EVIDENCE_CHARS])) + (" …" if len(text) > _EVIDENCE_CHARS else "")


def _visible(text: str) -> str:
    return escape(make_visible(text))


def _show_posts(report: EditReport | None, speech: str) -> str:
    if report is None or not report.posts:
        return ""
    units = []
    for post in report.posts:
        times = " → ".join(say(time) for time in dict.fromkeys((post.time_before, post.time_after)) if time)
        head = f"<strong>{post.change.value}</strong> " + " · ".join(part for part in (times, say(post.id)) if part)
        if post.words:
            body = _both(post.words)
        else:
            sides = ((post.before, "del"), (post.after, "ins"))
            body = " ".join(wrap(tag, _visible(text)) for text, tag in sides if text and post.before != post.after)
            body = body or say(post.after or "")
        units.append(wrap("article", f"{wrap('p', head, 'when')}{wrap('p', body, rest=speech)}", "unit"))
    return wrap("section", f"<h2>{say(tell_units(report))}</h2>{wrap('div', ''.join(units), 'units')}")


def show_lines(comparison: Comparison, heads: tuple[str, str]) -> str:
    """Return the lines of both texts, those far from any change folded. *heads*: what stands above either, as HTML.

    Side by side on a wide screen, unless the page has a choice.
    """
    speech = tell_speech(comparison)
    direction = speech.rpartition(" ")[2]
    above = wrap("div", "".join(wrap("p", head) for head in heads), "heads", f" {direction}")
    return above + wrap("div", "".join(_show_lines(comparison)), "text", speech)


def _show_text(comparison: Comparison) -> str:
    diff = comparison.diff
    sides = (comparison.before, comparison.after)
    one, other = (f"Text {side.number} · {_time(side.captured_at)}" for side in sides)
    views = "".join(
        f'<input type="radio" name="view" id="{name}"><label for="{name}">{text}</label>'
        for name, text in (("side", "Side by side"), ("inline", "Inline"))
    )
    if not diff.changed:
        name = "Beside the posts, no line changed." if list_units(comparison.report).lines else "No word changed."
        return wrap("section", f"<h2>Text</h2>{wrap('p', name, 'note')}")
    top = wrap("div", "<h2>Text</h2>" + wrap("div", views, "views", ' role="group" aria-label="View"'), "top")
    top += "".join(wrap("p", note, "note") for note in tell_uncompared(diff.uncompared))
    return wrap("section", top + show_lines(comparison, (one, other)), "compared")


def _show_lines(comparison: Comparison) -> Iterator[str]:
    lines, moved = comparison.diff.lines, comparison.diff.moved
    near = find_near(lines, CONTEXT_LINES)
    for wanted, group in groupby(zip(lines, near, strict=True), key=lambda pair: pair[1]):
        rows = [_show_line(line, comparison.title, moved=line.whole in moved) for line, _ in group]
        if wanted:
            yield from rows
        else:
            count = f"{len(rows)} line{'s' if len(rows) > 1 else ''} unchanged"
            yield wrap("details", f'<summary lang="en" dir="ltr">{count}</summary>{"".join(rows)}')


def _show_line(line: Line, title: str | None, *, moved: bool) -> str:
    first = {line.before_number, line.after_number} <= {1, None} and title in {line.before, line.after}
    top = " headline" if first else ""
    if line.change is Change.SAME:
        text = say(line.before or "")
        sides = wrap("p", text, f"old{top}") + wrap("p", text, f"new only-side{top}", ' aria-hidden="true"')
        return wrap("div", sides, "row same")
    if line.words:
        removed, added = (
            wrap("p", _one_side(line.words, side), f"{name} only-side{top}")
            for side, name in ((Change.REMOVED, "old"), (Change.ADDED, "new"))
        )
        return wrap("div", wrap("p", _both(line.words), f"both{top}") + removed + added, "row change changed")
    name, words = ("old", line.before) if line.change is Change.REMOVED else ("new", line.after)
    if moved:
        where = "from" if line.change is Change.REMOVED else "to"
        label = wrap("span", "moved from here" if where == "from" else "moved here", "label", ' lang="en" dir="ltr"')
        return wrap("div", wrap("p", label + wrap("span", say(words or ""), "words"), name), f"row moved {where}")
    text = wrap(_TAGS[line.change], _visible(words or ""))
    return wrap("div", wrap("p", text, f"{name}{top}"), f"row change {line.change.value}")


def _both(words: Iterable[Words]) -> str:
    shown = ((_TAGS.get(one.change), one.text) for one in words)
    return "".join(wrap(tag, _visible(text)) if tag else say(text) for tag, text in shown)


def _one_side(words: Iterable[Words], side: Change) -> str:
    return _both(one for one in words if one.change in {Change.SAME, side})
