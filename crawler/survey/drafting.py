"""A proposal → the draft of a source's file: what is written, and what is said beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from config.drafts import Draft, DraftSeed, Remarked, clean_remark
from config.rules import readable_url

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Literal

    from crawler.survey.patterns import Pattern
    from crawler.survey.proposal import Proposal, Reasoned

MAX_SEEDS = 200
_MAX_NAME = 200
_SHORT = frozenset(["co", "com", "org", "net", "gov", "gob", "gouv", "edu", "ac", "or", "ne", "go", "info", "web"])
"""Second-level names below which others register theirs."""
_MAX_ID = 64


def draft_source(
    proposal: Proposal,
    *,
    source_id: str,
    looked_at: datetime,
    name: str | None = None,
    delay_seconds: float | None = None,
    network: Literal["public", "private"] = "public",
) -> Draft:
    """Return the draft of the file `SOURCE_ID.yaml`. *name*, *delay_seconds*: as a person wants them."""
    told = delay_seconds is not None
    delay = proposal.delay_seconds if delay_seconds is None else delay_seconds
    return Draft(
        id=source_id,
        name=clean_remark(name or proposal.name)[:_MAX_NAME] or source_id,
        home=readable_url(proposal.home),
        discover=tuple(DraftSeed(one.kind, readable_url(one.url), one.why) for one in proposal.discover[:MAX_SEEDS]),
        include=tuple(map(_remark_pattern, proposal.patterns.include)),
        exclude=tuple(Remarked(one.expression) for one in proposal.patterns.exclude),
        language=_remark(proposal.language),
        timezone=_remark(proposal.timezone),
        schedule=_remark(proposal.schedule),
        delay_seconds=round(delay, 3),
        delay_remark="as you asked for" if told else proposal.delay_why,
        network=network,
        head=(
            f"Written by `ofrecord sources add` on {looked_at:%Y-%m-%d}; yours from now on. All keys: README.md",
            *proposal.hints,
        ),
    )


def _remark(one: Reasoned | None) -> Remarked | None:
    return None if one is None else Remarked(one.value, one.why)


def _remark_pattern(pattern: Pattern) -> Remarked:
    example = f", as {pattern.example}" if pattern.example else ""
    return Remarked(pattern.expression, f"{pattern.matches} of the articles that were seen{example}")


def make_id(url: str) -> str:
    """Return an id for the source at *url*, from its host: `gazette` of `https://www.gazette.example/`."""
    parts = urlsplit(url)
    host = (parts.hostname or "source").removeprefix("www.").strip("[]").replace(":", ".")
    labels = [label for label in host.split(".") if label]
    if not labels[-1].isdigit() and len(labels) > 1:
        labels.pop()
        if len(labels) > 1 and labels[-1] in _SHORT:
            labels.pop()
    elif parts.port:
        labels.append(str(parts.port))
    text = "-".join(labels).replace("_", "-")
    return (
        "".join(char for char in text if char.isascii() and (char.isalnum() or char == "-"))[:_MAX_ID].strip("-")
        or "source"
    )
