"""What is told → HTML. Everything is escaped; what cannot be seen, or would steer a reader's eye, is written out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from config.rules import readable_url
from jobs.citation import MONTHS
from jobs.diff import make_safe, make_visible
from jobs.health.quality import show_span
from jobs.room import addresses, wording
from jobs.room.static_files import link_static

if TYPE_CHECKING:
    from datetime import date

    from jobs.room.endpoints import Told


def render_page(name: str, told: Told | None, **rest: object) -> bytes:
    """Return the page *name* of what is told. *rest*: what base.html needs beside it."""
    return _environment().get_template(f"{name}.html").render(told=told, **rest).encode()


def load_templates() -> None:
    """Compile all templates now, so that no reader waits for it."""
    environment = _environment()
    for name in environment.list_templates():
        environment.get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("jobs.room"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"at": addresses, "static": link_static, "wording": wording}
    environment.filters |= {
        "readable": readable_url,
        "visible": make_visible,
        "when": _tell_time,
        "day": _tell_day,
        "clock": _tell_clock,
        "long_day": _tell_long_day,
        "thousands": _tell_number,
        "bytes": _tell_bytes,
        "counted": _tell_count,
        "span": _tell_span,
        "event": wording.name_event,
        "kind": wording.name_kind,
        "state": wording.name_state,
        "tone": wording.tone_of,
        "verdict": wording.name_verdict,
        "stamp": _stamp,
    }
    return environment


def _finalize(value: object) -> object:
    return make_safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _tell_time(at: datetime) -> Markup:
    return _mark_time(at, "{0:%Y-%m-%d %H:%M} UTC")


def _tell_day(at: date) -> Markup:
    return _mark_time(at, "{0:%Y-%m-%d}")


def _tell_clock(at: datetime) -> Markup:
    return _mark_time(at, "{0:%H:%M}")


def _tell_long_day(at: date) -> Markup:
    return _mark_time(at, "{weekday} {0.day} {month} {0.year}")


def _mark_time(at: date, form: str) -> Markup:
    """*at*: an instant, or a day that is none: the same wherever one is."""
    utc = at.astimezone(UTC) if isinstance(at, datetime) else at
    text = form.format(utc, weekday=wording.DAYS[utc.weekday()], month=MONTHS[utc.month - 1])
    exact = f"{utc:%Y-%m-%dT%H:%M:%SZ}" if isinstance(at, datetime) else f"{utc:%Y-%m-%d}"
    return Markup(f'<time datetime="{exact}">{text}</time>')  # noqa: S704 - digits and words of ours


def _stamp(at: datetime | str) -> str:
    """Return a time as pages state it for programs: RFC 3339, or what it was stated as."""
    return at if isinstance(at, str) else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _tell_number(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _tell_count(number: int, one: str, more: str | None = None) -> str:
    return f"{_tell_number(number)} {one if number == 1 else more or f'{one}s'}"


def _tell_span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return show_span(timedelta(seconds=seconds))


def _tell_bytes(size: int) -> str:
    value, unit = float(size), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if value < 1_000 or unit == "TB":
            break
        value /= 1_000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
