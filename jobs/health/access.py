"""Whether a source can be had at all: refused, failing, moved, its listings, robots.txt and certificates. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from config.units import count
from jobs.health.outcomes import (
    NEUTRAL,
    REFUSED,
    USABLE,
    add_up,
    count_telling,
    explain,
    look_back,
    newest,
    take,
)
from jobs.health.quality import show_span
from jobs.health.states import Reason, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.catalog.health import RunTally, SourceTally

LEAST_PAGES = 3
"""So many pages, of two runs, or twenty of one, are enough to call a source blocked."""
MANY_PAGES = 20
RUNS = 2
"""So many runs in a row make a failure one of the source."""
SEED_RUNS = 3
SHARE = 0.5
RULES_AGE = timedelta(days=14)
"""A change of robots.txt is told for so long."""
CERTIFICATE_AGE = timedelta(days=7)
"""A host that was not met for so long before the newest run is not the source's any more."""
_PART_OF_LIFE = 4
_LEAST_LISTINGS = 10
_READ = frozenset({"read", "same"})
_MOST_TOLD = 3


def judge_access(tally: SourceTally) -> Iterator[Reason]:
    """Yield why the source cannot be had, or only in part, as far as its runs tell."""
    refused = _judge_pages(tally) or _judge_listings(tally)
    failing = None if refused else _judge_failures(tally)
    yield from (reason for reason in (refused, failing) if reason is not None)
    if failing is None:
        yield from _judge_seeds(tally, alone=refused is None)
    if refused is None:
        yield from _judge_rules(tally)
    yield from _judge_move(tally)


def judge_certificates(tally: SourceTally, now: datetime, ahead: timedelta) -> Iterator[Reason]:
    """Yield which certificates end within *ahead*, or within the last quarter of their life if that is shorter."""
    hosts: dict[str, tuple[datetime, datetime, str | None]] = {}
    for run in tally.ran:
        if tally.ran[0].started - run.started <= CERTIFICATE_AGE:
            for host, one in run.certificates.items():
                hosts.setdefault(host, (one.not_before, one.not_after, one.issuer))
    ending = sorted(
        (end, host, issuer)
        for host, (begin, end, issuer) in hosts.items()
        if end - now < min(ahead, (end - begin) / _PART_OF_LIFE)
    )
    if ending:
        told = [_tell_end(*one, now) for one in ending[:_MOST_TOLD]]
        more = f"; and of {len(ending) - _MOST_TOLD} more" if len(ending) > _MOST_TOLD else ""
        yield Reason("certificate_ends", "; ".join(told) + more, State.DEGRADED)


def _tell_end(end: datetime, host: str, issuer: str | None, now: datetime) -> str:
    by = f", issued by {issuer}" if issuer else ""
    when = f"ends in {show_span(end - now)}" if end > now else "has ended"
    return f"the certificate of {host} {when} ({end:%Y-%m-%d %H:%M}Z{by})"


def _judge_pages(tally: SourceTally) -> Reason | None:
    window = look_back(tally, lambda counts: count_telling(take(counts, "page")) >= LEAST_PAGES)
    if window is None:
        return None
    pages = take(window.now, "page")
    asked, refused = count_telling(pages), add_up(pages, REFUSED)
    if refused < SHARE * asked:
        return None
    number, since = newest(tally.runs, _are_pages_refused)
    if number < RUNS and asked < MANY_PAGES:
        return None
    counts = _add_runs(tally.runs[:number]) if number > window.runs else window.now
    pages = take(counts, "page")
    what = f"{add_up(pages, REFUSED)} of {count(count_telling(pages), 'page')}"
    return _tell_refusal(pages, what, counts, since)


def _are_pages_refused(counts: Counter[str]) -> bool | None:
    pages = take(counts, "page")
    asked = count_telling(pages)
    return add_up(pages, REFUSED) >= SHARE * asked if asked else None


def _judge_listings(tally: SourceTally) -> Reason | None:
    number, since = newest(tally.runs, _are_listings_refused)
    if number < RUNS:
        return None
    counts = _add_runs(tally.runs[:number])
    listings = take(counts, "listing")
    return _tell_refusal(listings, "every feed, sitemap and section", counts, since)


def _add_runs(runs: Iterable[RunTally]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run.counts)
    return counts


def _are_listings_refused(counts: Counter[str]) -> bool | None:
    listings = take(counts, "listing")
    if not listings.total():
        return None
    return add_up(listings, REFUSED) > 0 and add_up(listings, _READ) == 0


def _tell_refusal(outcomes: Counter[str], what: str, counts: Counter[str], since: datetime | None) -> Reason:
    told = Counter({name: number for name, number in outcomes.items() if name in REFUSED})
    (kind, _), *_ = told.most_common(1)
    names = ", ".join(f"{explain(name)} {number}" for name, number in told.most_common(_MOST_TOLD))
    text = f"refused: {what} ({names})" + (f"; {_tell_rules(counts)}" if kind == "robots" else "")
    word = {"challenge": "challenge", "consent": "consent", "robots": "robots_refuses"}.get(kind, "refused")
    return Reason(word, text, State.BLOCKED, since)


def _tell_rules(counts: Counter[str]) -> str:
    rules = take(counts, "rule")
    return "; ".join(
        f"{host}/robots.txt says {rule}" for host, _, rule in (n.partition(" ") for n, _ in rules.most_common(3))
    )


def _judge_failures(tally: SourceTally) -> Reason | None:
    number, since = newest(tally.runs, _has_failed)
    if not number:
        return None
    causes = _list_causes(next(run for run in tally.runs if _has_failed(run.counts)))
    if number < RUNS and causes.keys() != {"certificate"}:
        return None
    kind = causes.most_common(1)[0][0]
    names = ", ".join(f"{explain(name)} {times}" for name, times in causes.most_common(_MOST_TOLD))
    word = {"dns": "no_address", "certificate": "certificate_refused"}.get(kind, "unreachable")
    since_text = f" since {since:%Y-%m-%d %H:%M}Z" if since else ""
    return Reason(word, f"nothing could be had in {count(number, 'run')}{since_text}: {names}", State.FAILING, since)


def _has_failed(counts: Counter[str]) -> bool | None:
    """Whether a run asked for something, and got nothing of what it asked for."""
    pages, listings = take(counts, "page"), take(counts, "listing")
    if not count_telling(pages) and not listings.total():
        return None
    had = add_up(pages, USABLE) + add_up(pages, NEUTRAL) + add_up(listings, _READ)
    return had == 0


def _list_causes(run: RunTally) -> Counter[str]:
    """Return why a run that got nothing got nothing; that robots.txt could not be had has a reason of its own."""
    causes: Counter[str] = Counter()
    for group in ("robots", "listing", "page"):
        causes.update({name: n for name, n in take(run.counts, group).items() if name not in NEUTRAL | _READ})
    roots = Counter({name: n for name, n in causes.items() if name != "unreadable"})
    return roots or causes


def _judge_seeds(tally: SourceTally, *, alone: bool) -> Iterator[Reason]:
    """Yield whether no listing, or some not, can be read; *alone*: nothing graver is known of them."""
    ran = [run for run in tally.ran if run.seeds]
    if not ran:
        return
    failed = [run for run in ran[:RUNS] if all(run.seeds.values())]
    seeds = ran[0].seeds
    first = next((f"{url}: {error}" for url, error in seeds.items() if error), "")
    if alone and len(failed) == RUNS:
        text = f"none of {count(len(seeds), 'listing')} could be read in {RUNS} runs; {first}"
        yield Reason("discovery_failed", text, State.FAILING, failed[-1].started)
        return
    lately = ran[:SEED_RUNS]
    gone = [url for url in seeds if len(lately) == SEED_RUNS and all(run.seeds.get(url) for run in lately)]
    if gone and len(gone) < len(seeds):
        told = "; ".join(f"{url}: {seeds[url]}" for url in gone[:_MOST_TOLD])
        text = f"{len(gone)} of {count(len(seeds), 'listing')} could not be read in {SEED_RUNS} runs; {told}"
        yield Reason("listing_failed", text, State.DEGRADED, lately[-1].started)


def _judge_rules(tally: SourceTally) -> Iterator[Reason]:
    """Yield which rules of a robots.txt that changed refuse what was had before."""
    changed = [one for one in tally.rules if one.since is not None]
    if not changed or not tally.runs:
        return
    latest = max(one.since for one in changed if one.since is not None)
    if tally.runs[0].began - latest > RULES_AGE:
        return
    since = [run for run in tally.runs if run.began >= latest - timedelta(hours=1)]
    counts = _add_runs(since)
    refused = sum(take(counts, group)["robots"] for group in ("page", "listing"))
    before = any(take(run.counts, "rule") for run in tally.runs if run not in since)
    if refused and not before:
        asked = sum(take(counts, group).total() for group in ("page", "listing"))
        text = f"robots.txt changed at {latest:%Y-%m-%d %H:%M}Z and now refuses {refused} of {asked} requests;"
        yield Reason("robots_changed", f"{text} {_tell_rules(counts)}", State.DEGRADED, latest)


def _judge_move(tally: SourceTally) -> Iterator[Reason]:
    """Yield whether all listings of the last two runs redirect to another host, which they did not before."""
    runs = [run for run in tally.runs if take(run.counts, "listing")][:RUNS]
    if len(runs) < RUNS:
        return
    hosts = [take(run.counts, "away") for run in runs]
    whole = all(
        away
        and away.total() >= sum(n for name, n in take(run.counts, "listing").items() if name.startswith("http 3"))
        and away.total() >= _count_seeds(tally, run)
        for run, away in zip(runs, hosts, strict=True)
    )
    before: Counter[str] = Counter()
    for day in tally.days.values():
        before.update(day)
    for run in runs:
        before.subtract(run.counts)
    listings = take(before, "listing").total()
    if whole and listings >= _LEAST_LISTINGS and take(before, "away").total() < SHARE / 2 * listings:
        host = hosts[0].most_common(1)[0][0]
        text = f"every feed, sitemap and section leads to {host} now: is that the source's new address?"
        yield Reason("site_moved", text, State.DEGRADED, runs[-1].began)


def _count_seeds(tally: SourceTally, run: RunTally) -> int:
    return next((len(ran.seeds) for ran in tally.ran if ran.run == run.run), 1)
