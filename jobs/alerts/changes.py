"""What is told of a source, and when: on a change of state, once, and no more often for going back and forth. Pure.

The rule. A state graver than the one told last is told at once; so is, within a state, a gravest reason of a kind that
was not told since the source was last well. A better state is told once it has lasted `settle`; while it has not, going
back to what was told tells nothing. Each alarm within a day of a recovery doubles how long the next recovery must last,
up to a day: of a source that flaps for good less and less is told, in the end an alarm in two days.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jobs.alerts.texts import MAX_REASONS, clean
from jobs.health import Reason, SourceHealth, State

if TYPE_CHECKING:
    from collections.abc import Sequence

_REMEMBERED = timedelta(days=1)
"""So long after a recovery another alarm counts as flapping; also the longest that a recovery is waited for."""
_LOOK_DAYS = timedelta(days=1)
_FORGOTTEN = timedelta(days=7)
_MAX_KINDS = 50


class Change(BaseModel):
    """What is to be told of one source."""

    model_config = ConfigDict(frozen=True)

    source: str
    before: State
    after: State
    reasons: tuple[Reason, ...]
    """The gravest first, cleaned; none in a recovery."""
    at: AwareDatetime
    since: AwareDatetime | None = None
    """When `before` was told; `None`: it was well."""

    @property
    def worse(self) -> bool:
        """Whether it is an alarm: graver than before, or a new reason in the same state."""
        return self.after.gravity >= self.before.gravity


class Standing(BaseModel):
    """What was told of one source. None is kept of those that are well, but for a day after a recovery."""

    model_config = ConfigDict(frozen=True)

    state: State
    since: AwareDatetime
    """When that was told."""
    reasons: tuple[Reason, ...] = ()
    """As they were when their kinds last changed."""
    kinds: tuple[str, ...] = Field((), max_length=_MAX_KINDS)
    """Of the reasons that were told since it was last well."""
    better: State | None = None
    """The gravest state since it is better than told."""
    better_since: AwareDatetime | None = None
    alarms: int = 0
    """How often it opened again within a day of a recovery."""
    looked: AwareDatetime | None = None
    """When somebody looked at the source, to the day."""


def follow(
    standing: Standing | None, health: SourceHealth, now: datetime, *, least: State, settle: timedelta
) -> tuple[Standing | None, Change | None]:
    """Return what is told of a source after the look *health*, and what is to be told now, by the rule above.

    *least*: states below it count as ok. *settle*: how long a recovery must last.
    """
    state = health.state if health.state.gravity >= least.gravity else State.OK
    reasons = clean_reasons(health.reasons) if state is not State.OK else ()
    told = standing.state if standing else State.OK
    news = state is told and reasons and standing and reasons[0].kind not in standing.kinds
    if state.gravity > told.gravity or news:
        return _raise_alarm(standing, state, reasons, health.source, now)
    if standing is None:
        return None, None
    if state.gravity < told.gravity:
        return _wait(standing, replace(health, state=state, reasons=reasons), now, settle)
    if told is State.OK:
        return (standing if now - standing.since < _REMEMBERED else None), None
    kinds = [reason.kind for reason in reasons]
    changed = kinds != [reason.kind for reason in standing.reasons]
    fields: dict[str, object] = {"reasons": reasons} if changed else {}
    if standing.better is not None:
        fields |= {"better": None, "better_since": None}
    return (standing.model_copy(update=fields) if fields else standing), None


def _raise_alarm(
    standing: Standing | None, state: State, reasons: tuple[Reason, ...], source: str, now: datetime
) -> tuple[Standing, Change]:
    before = standing.state if standing else State.OK
    flapping = standing is not None and standing.state is State.OK and now - standing.since < _REMEMBERED
    kinds = {*(standing.kinds if standing else ()), *(reason.kind for reason in reasons)}
    opened = Standing(
        looked=standing.looked if standing else None,
        state=state,
        since=now,
        reasons=reasons,
        kinds=tuple(sorted(kinds))[:_MAX_KINDS],
        alarms=(standing.alarms if standing else 0) + flapping,
    )
    since = standing.since if standing and before is not State.OK else None
    return opened, Change(source=source, before=before, after=state, reasons=reasons, at=now, since=since)


def _wait(standing: Standing, health: SourceHealth, now: datetime, settle: timedelta) -> tuple[Standing, Change | None]:
    """Count the time that it has been better; tell it once that is long enough."""
    since = min(standing.better_since or now, now)  # clocks are set back
    better = max(standing.better or health.state, health.state, key=lambda one: one.gravity)
    wanted = min(settle * 2 ** min(standing.alarms, 16), max(settle, _REMEMBERED))
    if now - since < wanted:
        if (better, since) == (standing.better, standing.better_since):
            return standing, None
        return standing.model_copy(update={"better": better, "better_since": since}), None
    reasons = health.reasons if better is not State.OK else ()
    change = Change(
        source=health.source, before=standing.state, after=better, reasons=reasons, at=now, since=standing.since
    )
    kinds = standing.kinds if better is not State.OK else ()
    told = Standing(
        state=better, since=now, reasons=reasons, kinds=kinds, alarms=standing.alarms, looked=standing.looked
    )
    return told, change


def mark_look(standing: Standing, now: datetime) -> Standing:
    """Return *standing* with the day of a look, which changes once a day."""
    if standing.looked is not None and timedelta() <= now - standing.looked < _LOOK_DAYS:
        return standing
    return standing.model_copy(update={"looked": now})


def is_looked_at(standing: Standing, now: datetime) -> bool:
    """Whether anybody still looks at the source: one that was taken out is forgotten in a week."""
    return standing.looked is not None and now - standing.looked < _FORGOTTEN


def clean_reasons(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Return at most MAX_REASONS of *reasons*, with texts that may stand in a message."""
    return tuple(replace(one, kind=clean(one.kind, 60), text=clean(one.text)) for one in reasons[:MAX_REASONS])
