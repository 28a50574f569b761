"""Types of settings that are sizes or times: numbers, or texts with a unit."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

from config.units import parse_duration, parse_size


def _read_size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) and not value.strip().isdigit() else value


def _read_duration(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
        return parse_duration(value)
    return value


Size = Annotated[int, BeforeValidator(_read_size)]
"""Bytes: a whole number or a text such as `64 MiB`."""
Seconds = Annotated[float, BeforeValidator(_read_duration)]
"""Seconds: a number or a text such as `6 hours`."""
