"""One message for all that changed in a round: a title and plain text, bounded in length. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from config.units import count
from crawler.rows import format_time
from jobs.alerts.texts import clean, cut
from jobs.health import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from jobs.alerts.changes import Change, Standing

_MAX_TITLE_CHARS = 120
_MAX_CHARS = 3_400
"""Of a whole message: the least of what chats take is 4,000, and escaping makes it longer."""
_MAX_NAMES = 20
_STATES = {
    State.OK: "well",
    State.DEGRADED: "degraded",
    State.SILENT: "silent",
    State.FAILING: "failing",
    State.BLOCKED: "blocked",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What one address gets."""

    title: str
    body: str
    kind: Literal["failure", "warning", "success", "info"]
    """As apprise has it: chats show it by a colour."""


def write_message(
    changes: Sequence[Change], standings: Mapping[str, Standing], *, place: str, left_out: int = 0
) -> Message:
    """Return the message that tells *changes*, the gravest first, and what else is open by *standings*.

    *place*: the archive's, for people. *left_out*: changes that were given up, since too many waited.
    """
    named = {change.source: change for change in changes}
    """Of each source its last change: earlier ones are told with it, where they waited together."""
    alarms = sorted((one for one in named.values() if one.worse), key=lambda one: (-one.after.gravity, one.source))
    better = sorted((one for one in named.values() if not one.worse), key=lambda one: one.source)
    lines = [line for last in alarms for one in changes if one.source == last.source for line in _describe(one)]
    if better:
        lines += ["", "Better:"] if alarms else []
        lines += [line for last in better for one in changes if one.source == last.source for line in _describe(one)]
    rest = [name for name, one in sorted(standings.items()) if one.state is not State.OK and name not in named]
    end = [f"Still open: {_list_names(rest)}"] if rest else []
    if left_out:
        end.append(f"{count(left_out, 'earlier change')} waited too long to be told, and was left out.")
    end += [f"Archive: {clean(place)}", "Now: ofrecord status. What each word asks of you: deploy/README.md."]
    kind: Literal["failure", "warning", "success"] = "success"
    if alarms:
        kind = "failure" if alarms[0].after.gravity >= State.FAILING.gravity else "warning"
    return Message(_write_title(alarms, better), "\n".join([*_fit(lines, end), "", *end]), kind)


def write_test(place: str) -> Message:
    """Return the message of `ofrecord alerts test`."""
    body = f"This is a test: alerts of ofrecord arrive here. Nothing is wrong.\nArchive: {clean(place)}"
    return Message("ofrecord: a test", body, "info")


def _write_title(alarms: Sequence[Change], better: Sequence[Change]) -> str:
    told = alarms or better
    if len(told) == 1:
        change = told[0]
        again = " again" if change.after is State.OK else ""
        text = f"{clean(change.source)} is {_STATES[change.after]}{again}"
    else:
        text = f"{count(len(alarms), 'source')} in trouble" if alarms else f"{count(len(better), 'source')} better"
    if alarms and better:
        text += f", {len(better)} better"
    return cut(f"ofrecord: {text}", _MAX_TITLE_CHARS)


def _describe(change: Change) -> list[str]:
    before = f"was {_STATES[change.before]}"
    if change.since is not None:
        before += f" for {_describe_time(change.at - change.since)}"
    if change.before is change.after:
        before = "still, for another reason"
    head = (
        f"{clean(change.source)}: {_STATES[change.after]} ({before}), {format_time(change.at.replace(microsecond=0))}"
    )
    return [head, *(f"  - {reason.text} [{reason.kind}]" for reason in change.reasons)]


def _describe_time(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 120:
        return count(minutes, "minute")
    return count(minutes // 60, "hour") if minutes < 48 * 60 else count(minutes // 1440, "day")


def _fit(lines: Sequence[str], end: Sequence[str]) -> list[str]:
    """Return as many whole lines as there is room for beside *end*, and how many are not there."""
    room = _MAX_CHARS - sum(len(line) + 1 for line in end) - 60
    fitting: list[str] = []
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return [*fitting, f"… and {count(len(lines) - number, 'more line')}: ofrecord alerts lists all"]
        fitting.append(line)
    return fitting


def _list_names(names: Sequence[str]) -> str:
    shown = ", ".join(clean(name, 60) for name in names[:_MAX_NAMES])
    return shown if len(names) <= _MAX_NAMES else f"{shown} and {len(names) - _MAX_NAMES} more"
