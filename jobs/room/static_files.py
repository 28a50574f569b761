"""The room's own files: style sheets joined to one, names with a digest that may be kept for good."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FOLDER = "/static/"
SHEET = "room.css"
"""All sheets in one: this one first, then those of single pages by name."""
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served."""

    body: bytes
    packed: bytes
    """The same as gzip has it: a style sheet is a quarter of what it was."""
    media_type: str
    for_good: bool
    """Whether what is served under that name will never be another."""


def link_static(name: str) -> str:
    """Return the path of a file of that *name* below static/. Raises KeyError if there is none."""
    return FOLDER + _read_all()[0][name]


def find_static(name: str) -> StaticFile | None:
    """Return the file that is served as *name*, with a digest in it or without."""
    return _read_all()[1].get(name)


@cache
def _read_all() -> tuple[dict[str, str], dict[str, StaticFile]]:
    bodies = {
        one.name: one.read_bytes()
        for one in files("jobs.room").joinpath("static").iterdir()
        if one.is_file() and one.name.rpartition(".")[2] in _TYPES
    }
    sheets = sorted((name for name in bodies if name.endswith(".css")), key=lambda name: (name != SHEET, name))
    bodies = {name: body for name, body in bodies.items() if name not in sheets} | {
        SHEET: b"\n".join(bodies[name] for name in sheets)
    }
    links: dict[str, str] = {}
    served: dict[str, StaticFile] = {}
    for name, body in bodies.items():
        stem, _, ending = name.rpartition(".")
        links[name] = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{ending}"
        packed = gzip.compress(body, mtime=0)
        served[links[name]] = StaticFile(body, packed, _TYPES[ending], for_good=True)
        served[name] = StaticFile(body, packed, _TYPES[ending], for_good=False)
    return links, served
