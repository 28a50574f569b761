"""The programs of visits: what is made in a process of its own, by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from config.errors import ConfigError

if TYPE_CHECKING:
    from crawler.visit import Program

PROGRAMS = {
    "dig": "crawler.deep.digging:dig",
    "preview": "crawler.preview.program:preview_source",
    "survey": "crawler.survey.program:survey_site",
}
"""Name → module and the coroutine function in it. Loaded in the visit's own process only."""


def load_program(name: str) -> Program:
    """Return the program *name*. Raises ConfigError if there is none."""
    if name not in PROGRAMS:
        raise ConfigError(f"no program {name!r} of a visit; there are: {', '.join(sorted(PROGRAMS))}")
    module, _, function = PROGRAMS[name].partition(":")
    program: Program = getattr(importlib.import_module(module), function)
    return program
