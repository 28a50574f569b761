"""A change of an article → JSON data, and lines for people. Text from pages is made harmless for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.rules import readable_url
from config.units import count
from crawler.rows import format_time
from jobs.changes import What, render_words
from jobs.cli.options import printable, want_colour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.catalog import Catalog
    from jobs.changes import Change, EditSummary, TextSeen


def find_title(catalog: Catalog, change: Change) -> str | None:
    """Return the article's title as of then; of a deleted one, the last that it had."""
    places = [place for seen in (change.after, change.before) if seen for place in seen.places]
    return next((title for place in places if (title := catalog.find_title(place))), None)


def describe_change(
    catalog: Catalog, change: Change, summary: EditSummary | None, *, title: str | None
) -> dict[str, Any]:
    """Return an event as JSON data, without its id. *summary*: `None` where no texts were compared."""
    before, after = summary.digests if summary else (None, None)
    told: dict[str, Any] = {
        "what": change.what.value,
        "source": change.source,
        "url": change.url,
        "title": title,
        "at": format_time(change.at),
        "run": change.run,
        "before": _describe_text(catalog, change.before, before),
        "after": _describe_text(catalog, change.after, after),
        "evidence": change.evidence,
    }
    if change.what is What.ALTERNATING:
        told |= {"since": format_time(change.since), "texts": change.texts, "times": change.times}
    if summary is None:
        return told | dict.fromkeys(("kinds", "silent", "backdated", "edits", "posts", "metadata", "words"))
    words = [[{"change": kind, "text": text} for kind, text in runs] for runs in summary.words]
    flags = {"silent": summary.silent, "backdated": summary.backdated}
    rest = {"edits": summary.edits, "posts": summary.posts, "metadata": summary.metadata, "words": words}
    return told | {"kinds": summary.kinds} | flags | rest


def render_change(change: Change, summary: EditSummary | None, *, title: str | None) -> Iterator[str]:
    """Yield the lines of an event for people."""
    head = [f"{change.at:%Y-%m-%d %H:%M}Z", change.source, change.what.value]
    if summary:
        flags = {"silent": summary.silent, "backdated": summary.backdated}
        told = [", ".join(summary.kinds), *(name for name, is_so in flags.items() if is_so)]
        head.append(" · ".join(part for part in told if part))
    yield "  ".join(part for part in head if part)
    if title:
        yield f"  {printable(title)}"
    yield f"  {readable_url(change.url)}"
    if change.what is What.ALTERNATING:
        listed = f"{', '.join(map(str, change.texts[:-1]))} and {change.texts[-1]}"
        yield f"  between texts {listed}, {count(change.times, 'time')} since {change.since:%Y-%m-%d %H:%M}Z"
    elif change.evidence:
        yield f"  {printable(change.evidence)}"
    elif change.before and change.after and change.before.revision != change.after.revision:
        sides = (f"text {seen.revision} ({seen.captured_at:%Y-%m-%d %H:%M}Z)" for seen in (change.before, change.after))
        yield f"  {' → '.join(sides)}"
    if summary and summary.posts:
        yield f"  posts: {', '.join(f'{number} {change}' for change, number in summary.posts.items())}"
    if summary and summary.metadata:
        yield f"  about it: {', '.join(one['name'] for one in summary.metadata)}"
    if summary and summary.words:
        yield from (f"  {line}" for line in render_words(summary.words, colour=want_colour()).split("\n"))
        if summary.more:
            yield f"  … {count(summary.more, 'more line')}: ofrecord diff shows all"


def _describe_text(catalog: Catalog, seen: TextSeen | None, compared: str | None) -> dict[str, Any] | None:
    """*compared*: the digest of the text that was compared, if any was; else that of the text as it was read then."""
    if seen is None:
        return None
    texts = (catalog.list_snapshot_texts(place) for place in seen.places)
    digest = compared or next((list(found.values())[-1] for found in texts if found), None)
    return {"revision": seen.revision, "captured_at": format_time(seen.captured_at), "text_digest": digest}
