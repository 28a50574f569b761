"""Comparison reports → one page of HTML that needs nothing else: no script, no request, whatever the texts hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.units import count
from jobs.comparison import compare_snapshots, read_style, show_lines
from jobs.hypertext import link_to, read_own, render_document, say, wrap
from jobs.rebuild.comparing import Difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.rebuild.comparing import ComparedArticle, ComparedCapture, ComparisonReport, SampleText

MAX_ARTICLES = 300
"""That are listed by source; the JSON report has all."""
MAX_SAMPLE_CHARS = 60_000
"""Of a text; what is longer is cut, and it is said."""
MEANINGS = {
    Difference.SAME: "the same text",
    Difference.HEADING: "only title or lead",
    Difference.SMALL: "text, a little",
    Difference.LARGE: "text, much",
    Difference.CLASS: "kind of page",
    Difference.NEW: "has a text now",
    Difference.LOST: "loses its text",
    Difference.NONE: "has no text, as before",
    Difference.FAILED: "could not be read",
}


def render_report(reports: Sequence[ComparisonReport]) -> str:
    """Return the page. Everything that is not ours is escaped; what could steer or reorder it is written out."""
    names = ", ".join(report.source for report in reports[:5]) + (" …" if len(reports) > 5 else "")
    title = say(f"{names}: texts derived again")
    return render_document(
        read_own("jobs.rebuild", "page.html"),
        {"title": title, "sources": "\n".join(map(_show_source, reports))},
        title=title,
        style=read_style() + read_own("jobs.rebuild", "page.css"),
    )


def _show_source(report: ComparisonReport) -> str:
    rows = "".join(
        wrap("tr", wrap("td", meaning, "kind") + wrap("td", str(report.counts[name]), "number"))
        for name, meaning in MEANINGS.items()
        if report.counts[name]
    )
    seen = f"{count(report.captures, 'capture')} compared; {count(len(report.articles), 'article')} differ"
    top = wrap("h2", say(report.source)) + wrap("p", f"{seen}. Derivation {say(report.derivation)}", "note")
    top += wrap("table", f"<tbody>{rows}</tbody>", "evidence counts") if rows else ""
    samples = "".join(map(_show_sample, report.samples, [report.source] * len(report.samples)))
    return wrap("section", top + _list_articles(report) + samples, "wide")


def _list_articles(report: ComparisonReport) -> str:
    told = report.differing
    if not told:
        return wrap("p", "No text differs.", "note")
    names = ("difference", "article", "words", "captures")
    heads = "".join(wrap("th", name, rest=' scope="col"') for name in names)
    rows = "".join(map(_show_article, told[:MAX_ARTICLES]))
    more = len(told) - MAX_ARTICLES
    rest = wrap("p", f"… and {more} more, in the JSON report", "note") if more > 0 else ""
    return wrap("table", f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>", "evidence") + rest


def _show_article(article: ComparedArticle) -> str:
    cells = wrap("td", MEANINGS[article.worst.difference], "kind") + wrap("td", link_to(article.url))
    return wrap("tr", cells + wrap("td", say(tell_words(article.worst))) + wrap("td", str(article.captures), "number"))


def tell_words(compared: ComparedCapture) -> str:
    """Return by how much a text differs: words that went and came, how much is alike, the kinds of page."""
    parts = []
    if compared.removed or compared.added:
        parts.append(f"−{compared.removed} +{compared.added}")
    if compared.likeness is not None:
        parts.append(f"{100 * compared.likeness:.0f} % alike")
    if compared.difference is Difference.CLASS:
        parts.append(f"{compared.classes[0]} → {compared.classes[1]}")
    return ", ".join(parts)


def _show_sample(sample: SampleText, source: str) -> str:
    one = sample.compared
    top = wrap("h3", link_to(one.url))
    facts = [MEANINGS[one.difference], say(tell_words(one)), f"captured {one.captured_at:%Y-%m-%d %H:%M:%S} UTC"]
    facts += [say(one.reason)] if one.reason else []
    top += wrap("p", " · ".join(filter(None, facts)), "note")
    before, after = ({**text, "text": str(text.get("text") or "")} for text in (sample.before, sample.after))
    if not before["text"] and not after["text"]:
        return wrap("div", top, "sample")
    if max(len(before["text"]), len(after["text"])) > MAX_SAMPLE_CHARS:
        top += wrap("p", f"Only the first {MAX_SAMPLE_CHARS:,} characters are shown.", "note")
        before["text"], after["text"] = before["text"][:MAX_SAMPLE_CHARS], after["text"][:MAX_SAMPLE_CHARS]
    sides = ((1, one.captured_at), (2, one.captured_at))
    comparison = compare_snapshots(before, after, sides, url=one.url, source=source)
    lines = show_lines(comparison, ("As it decides now", "Derived again"))
    return wrap("div", top + wrap("div", lines, "lines"), "sample")
