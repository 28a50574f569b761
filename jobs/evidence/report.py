"""What a bundle holds and proves → one page that a court clerk can read: no script, nothing loaded, prints on A4."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from config.errors import DamageFound
from config.units import count
from crawler.rows import format_time
from jobs.archive.ranges import COMPACTED
from jobs.diff import Change, diff_texts, make_visible, runs_to_left
from jobs.evidence.manifest import FOLDER, MAX_TEXT_BYTES, commit_path, rows_path, text_path
from jobs.evidence.parts import read_part
from jobs.hypertext import link_to, read_own, render_document, say, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from jobs.diff import Line
    from jobs.evidence.manifest import CaptureTold, ChangeTold, Manifest, SegmentTold, TextTold
    from jobs.evidence.parts import Parts
    from jobs.evidence.rows import CaptureFact
    from jobs.evidence.verifying import BundleReport

MAX_LINES = 3_000
"""Of a text, and of what changed in all: the rest is in the files beside."""
MAX_LINE_CHARS = 20_000
MAX_CHANGED_CHARS = 400_000
"""Of what is told of changes, as HTML: those after are in the files alone."""
MAX_ROWS = 500
_CONTEXT = 1
_VERDICTS = {
    "new": "first seen",
    "revised": "changed",
    "reverted": "changed back",
    "unchanged": "as before",
    "returned": "there again",
    "uncompared": "not compared",
    "suspected": "perhaps gone",
    "gone": "gone",
    "bad": "no text",
    "unread": "not read",
}


def render_report(parts: Parts, report: BundleReport) -> str:
    """Return the page of a sound bundle. All that is stored is escaped; what could steer an eye is written out."""
    manifest = report.manifest
    if manifest is None:
        raise DamageFound("no report of a bundle that cannot be read")
    shown = _find_shown(manifest)
    statements = report.statements
    headline = (shown.title if shown else None) or manifest.url
    shown_parts = {
        "headline": say(_cut(headline, 1_000)),
        "facts": _show_facts(manifest, shown),
        "said": _show_text(parts, manifest, shown),
        "changed": _show_changes(parts, manifest),
        "captures": _show_captures(report, manifest),
        "proven": wrap("ul", "".join(wrap("li", say(one)) for one in statements.proven)),
        "unproven": wrap("ul", "".join(wrap("li", say(one)) for one in statements.unproven)),
        "check": _show_check(report, manifest),
        "writer": say(manifest.writer),
        "created": _time(manifest.created),
    }
    return render_document(
        read_own("jobs.evidence", "report.html"),
        shown_parts,
        title=say(f"Evidence: {_cut(headline, 200)}"),
        style=read_own("jobs.evidence", "report.css"),
        dark=False,  # it is printed
    )


def _find_shown(manifest: Manifest) -> TextTold | None:
    """Return the text that is shown whole: that of the time asked for, else the last one."""
    seen = [one for one in manifest.captures if one.number and one.why == "article"]
    if manifest.at is not None:
        seen = [one for one in seen if one.captured_at <= manifest.at]
    return manifest.find_text(seen[-1].number) if seen and seen[-1].number else None


def _find_captures(manifest: Manifest, number: int) -> list[CaptureTold]:
    """Return the captures that show the text *number*: the very one, where one does."""
    found = [one for one in manifest.captures if one.number == number and one.why == "article"]
    return [one for one in found if not manifest.is_alike(one)] or found


def _time(when: datetime) -> str:
    return f'<time datetime="{format_time(when)}">{when:%Y-%m-%d %H:%M:%S} UTC</time>'


def _show_facts(manifest: Manifest, shown: TextTold | None) -> str:
    own = [one for one in manifest.captures if one.why == "article"]
    seen = count(len(own), "capture")
    facts = [
        ("Address", link_to(manifest.url)),
        ("Publication", f'<span dir="auto">{say(manifest.site)}</span>'),
        ("Captured", f"{_time(own[0].captured_at)} to {_time(own[-1].captured_at)}: {seen}" if own else "never"),
        ("Texts", say(f"{len(manifest.texts)} in this bundle")),
    ]
    if manifest.at is not None:
        facts.append(("Asked for", f"what it said at {_time(manifest.at)}"))
    if shown is not None:
        facts.append(("Text shown here", f"number {shown.number}"))
        facts.append(("Its digest", wrap("span", say(shown.text_digest), "mono")))
    facts.append(("Archive", wrap("span", say(f"{manifest.archive}, source {manifest.source}"), "mono")))
    return "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)


def _speech(text: TextTold) -> str:
    language = text.language if text.language.replace("-", "").isalnum() and text.language.isascii() else ""
    return f' dir="auto" lang="{escape(language)}"' if language else ' dir="auto"'


def _show_text(parts: Parts, manifest: Manifest, shown: TextTold | None) -> str:
    if shown is None:
        return wrap("p", "No text was read of these captures.", "note")
    seen = _find_captures(manifest, shown.number)
    note = f"Text {shown.number}, seen {_time(seen[0].captured_at)}"
    note += f" and last {_time(seen[-1].captured_at)}." if len(seen) > 1 else "."
    lines = _read_text(parts, shown).split("\n")
    speech = _speech(shown)
    body = "".join(
        wrap("p", say(_cut(line)), "headline" if number == 0 and line == shown.title else "", speech)
        for number, line in enumerate(lines[:MAX_LINES])
    )
    more = len(lines) - MAX_LINES
    rest = wrap("p", say(f"… and {more} more lines, in {text_path(shown.text_digest)}"), "note") if more > 0 else ""
    return wrap("p", note, "note") + wrap("div", body, "text") + rest


def _show_changes(parts: Parts, manifest: Manifest) -> str:
    if not manifest.changes:
        return wrap("p", "The captures in this bundle show one text alone, or none.", "note")
    left, room, shown = MAX_LINES, MAX_CHANGED_CHARS, []
    for number, change in enumerate(manifest.changes):
        if left <= 0 or room <= 0:
            rest = count(len(manifest.changes) - number, "further change")
            shown.append(wrap("p", say(f"{rest}: in the files evidence/change-….diff"), "note"))
            break
        html, used = _show_change(parts, manifest, change, left)
        shown.append(html)
        left, room = left - used, room - len(html)
    return "".join(shown)


def _show_change(parts: Parts, manifest: Manifest, change: ChangeTold, left: int) -> tuple[str, int]:
    before, after = manifest.find_text(change.before), manifest.find_text(change.after)
    if before is None or after is None:
        return "", 0
    first, second = (_find_captures(manifest, number)[0] for number in (change.before, change.after))
    head = wrap("h3", f"From text {before.number} to text {after.number}")
    back = ", and again after that" if second.captured_at < first.captured_at else ""
    times = _time(first.captured_at), _time(second.captured_at)
    told = f"Text {before.number} was first seen {times[0]}; text {after.number} {times[1]}{back}."
    head += wrap("p", told, "note")
    if before.derivation != after.derivation:
        head += wrap("p", "Different rules read the two texts: some lines may differ for that alone.", "note")
    lines = diff_texts(_read_text(parts, before), _read_text(parts, after)).lines
    rows = list(_show_lines(lines, _speech(after)))
    return head + wrap("div", "".join(rows[:left]), "text"), len(rows)


def _show_lines(lines: tuple[Line, ...], speech: str) -> Iterator[str]:
    changed = [number for number, line in enumerate(lines) if line.change is not Change.SAME]
    near = {other for number in changed for other in range(number - _CONTEXT, number + _CONTEXT + 1)}
    for wanted, group in groupby(enumerate(lines), key=lambda pair: pair[0] in near):
        rows = [line for _, line in group]
        if wanted:
            yield from (wrap("p", _show_line(line), _side(line.after or line.before or ""), speech) for line in rows)
        else:
            yield wrap("p", f"… {count(len(rows), 'line')} unchanged …", "note")


def _side(text: str) -> str:
    """Return the class of lines that run to the left: in their scripts a line through a word hides its dots."""
    return "rtl" if runs_to_left(text[:2_000]) else ""


def _show_line(line: Line) -> str:
    tags = {Change.REMOVED: "del", Change.ADDED: "ins"}
    if line.change is Change.SAME:
        return say(_cut(line.before or ""))
    if line.words and sum(len(one.text) for one in line.words) <= MAX_LINE_CHARS:
        return "".join(
            wrap(tags[one.change], escape(make_visible(one.text))) if one.change in tags else say(one.text)
            for one in line.words
        )
    sides = (("del", line.before), ("ins", line.after))
    return " ".join(wrap(tag, escape(make_visible(_cut(text)))) for tag, text in sides if text is not None)


def _show_captures(report: BundleReport, manifest: Manifest) -> str:
    heads = ("captured", "status", "what was found", "text", "server", "committed", "proven")
    top = "".join(wrap("th", name, rest=' scope="col"') for name in heads)
    facts = [fact for one in manifest.captures if (fact := report.held.captures.get(one.place))]
    body = "".join(wrap("tr", _show_capture(report, fact)) for fact in facts[:MAX_ROWS])
    more = len(facts) - MAX_ROWS
    rest = wrap("p", say(f"… and {more} more, in evidence/manifest.json"), "note") if more > 0 else ""
    if manifest.others:
        rest += wrap(
            "p", say(f"The archive holds {count(manifest.others, 'further capture')}, not in this bundle."), "note"
        )
    table = wrap("table", f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>")
    return wrap("section", table, "captures", ' tabindex="0" aria-label="Captures"') + rest


def _show_capture(report: BundleReport, fact: CaptureFact) -> str:
    told = fact.told
    found = _VERDICTS.get(told.verdict or "", told.verdict or "")
    if told.why == "payload":
        found = "named by another"
    found += f" ({fact.page_class}: {fact.class_reason[:200]})" if told.number is None else ""
    found += f"; {fact.origin[:300]}" if fact.origin else ""
    if fact.warc is None:
        proven = f"that no answer came ({fact.error[:200]})" if fact.error else "that nothing was recorded"
    else:
        proven = "page and headers" if fact.headers_proven else "page"
        proven = proven if fact.payload_proven else "headers" if fact.headers_proven else "the answer’s row"
    cells = (
        _time(told.captured_at),
        say(told.status if told.status is not None else "—"),
        say(found),
        say(f"like {told.number}" if report.manifest and report.manifest.is_alike(told) else told.number or "—"),
        say(fact.peer or "—"),
        _show_commit(report, fact),
        say(proven),
    )
    return "".join(wrap("td", cell) for cell in cells)


def _show_commit(report: BundleReport, fact: CaptureFact) -> str:
    """Return which commit proves a capture, and which one says that it brought it, if that is another."""
    commit, first = (report.chain.commits.get(seq) for seq in (fact.seq, fact.brought_by))
    if commit is None:
        return "—"
    told = f"{_time(commit.committed)}, number {commit.seq}"
    if first is None or first.seq == commit.seq:
        return told
    return f"{told}: put elsewhere; brought {_time(first.committed)}, number {first.seq}"


def _show_check(report: BundleReport, manifest: Manifest) -> str:
    chain = report.chain
    key = " --trusted-key FINGERPRINT" if chain.keys else ""
    said = "With the program (free, open source), on any machine, without a network:"
    command = wrap("pre", say_lines(["pip install ofrecord", f"ofrecord verify-bundle FILE.wacz{key}"]))
    hand = (
        "Without it, by sha256sum, openssl, jq and zcat alone: FORMAT.md § 13 of the program has ten lines that do. The"
        " most telling ones, in the unpacked bundle:"
    )
    segment = manifest.segments[-1].segment
    lines = [
        f"sha256sum {FOLDER}text-*.txt          # each file is named by its own digest",
        *_show_rows(report, manifest.segments[-1]),
        f"zcat {rows_path(segment)} | grep '^{{' | jq -c 'select(.text_digest) | {{url, captured_at, text_digest}}'",
    ]
    files = [("Its keys", ", ".join(chain.keys) or "none: the archive is not signed")]
    for run in chain.runs[:50]:
        end = chain.commits[run.last]
        head = chain.heads.get(run.head or 0)
        files.append((f"Commits {run.first} to {run.last}", f"the last has the digest {end.digest}"))
        if head is not None:
            files.append((f"Head {head.n}", f"{format_time(head.created)}, digest {head.digest}"))
    told = "".join(f'<dt>{say(name)}</dt><dd class="mono">{say(value)}</dd>' for name, value in files)
    note = (
        "Compare the fingerprint of the key with one that you had from elsewhere: one that comes with what it protects"
        " proves nothing."
        if chain.keys
        else "Compare the last digest with one that somebody noted outside of the archive, if there is one."
    )
    return (
        wrap("p", said, "note")
        + command
        + wrap("p", hand, "note")
        + wrap("pre", say_lines(lines))
        + wrap("dl", told, "facts")
        + wrap("p", note, "note")
    )


def _show_rows(report: BundleReport, told: SegmentTold) -> list[str]:
    """Return the commands that hold the rows of a segment against the commit that has their digest."""
    path, seq, where = rows_path(told.segment), told.moved_by or told.seq, ".rows.sha256"
    mover = report.chain.commits.get(told.moved_by or 0)
    moved = mover.moved.get(told.segment) if mover else None
    if moved is not None:
        compacted = moved.rows.key.endswith(COMPACTED)
        where = f'.detail.segments[] | select(.segment=="{told.segment}") | ' + (".inflated" if compacted else where)
        command = f"zcat {path} | sha256sum" if compacted else f"sha256sum {path}"
    else:
        command = f"sha256sum {path}"
    return [command, f"head -n1 {commit_path(seq)} | jq -r '{where}'     # the same"]


def say_lines(lines: list[str]) -> str:
    """Return *lines* as HTML, each on its own."""
    return "\n".join(say(line) for line in lines)


def _read_text(parts: Parts, text: TextTold) -> str:
    return read_part(parts, text_path(text.text_digest), MAX_TEXT_BYTES).decode("utf-8", "replace")


def _cut(text: str, most: int = MAX_LINE_CHARS) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
