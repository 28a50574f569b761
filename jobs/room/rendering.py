"""What is told → HTML. Everything is escaped; what cannot be seen, or would steer a reader's eye, is written out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from config.rules import readable_url
from jobs.diff import make_safe
from jobs.room import addresses

if TYPE_CHECKING:
    from jobs.room.endpoints import Told


def render_page(name: str, told: Told, **rest: object) -> bytes:
    """Return the page *name* of what is told. *rest*: what base.html needs beside it."""
    return _environment().get_template(f"{name}.html").render(told=told, at=addresses, **rest).encode()


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
    environment.filters |= {"readable": readable_url, "when": _tell_time, "day": _tell_day}
    return environment


def _finalize(value: object) -> object:
    return make_safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _tell_time(at: Any) -> Markup:  # noqa: ANN401 - a datetime of a model
    return Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}">{:%Y-%m-%d %H:%M} UTC</time>').format(at, at)


def _tell_day(at: Any) -> Markup:  # noqa: ANN401 - the same
    return Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}">{:%Y-%m-%d}</time>').format(at, at)
