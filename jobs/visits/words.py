"""What a visit's process and its parent tell each other: one JSON line with the order, then lines about how it goes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from config.errors import ArchiveError, ConfigError, ExtractError, FetchError
from config.settings import Settings
from config.sources import Source
from crawler.visit import VisitLimits, VisitOver

_ERRORS: dict[str, type[ArchiveError]] = {
    error.__name__: error for error in (ArchiveError, ConfigError, ExtractError, FetchError, VisitOver)
}


@dataclass(frozen=True, slots=True)
class VisitStep:
    """How far a visit is."""

    requests: int
    """Made so far, this one among them."""
    url: str


@dataclass(frozen=True, slots=True)
class VisitOrder:
    """What a visit's process is to do."""

    program: str
    parameters: dict[str, Any]
    source: Source
    settings: Settings
    limits: VisitLimits
    logging: dict[str, Any]

    def encode(self) -> bytes:
        """Return the order as one line."""
        data = {
            "program": self.program,
            "parameters": self.parameters,
            "source": json.loads(self.source.model_dump_json(by_alias=True, exclude_unset=True)),
            "settings": json.loads(self.settings.model_dump_json()),
            "limits": asdict(self.limits),
            "logging": self.logging,
        }
        return json.dumps(data).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> VisitOrder:
        """Undo `encode`."""
        data: dict[str, Any] = json.loads(line)
        return cls(
            data["program"],
            data["parameters"],
            Source.model_validate(data["source"]),
            Settings(**data["settings"]),
            VisitLimits(**data["limits"]),
            data["logging"],
        )


def encode_step(step: VisitStep) -> bytes:
    """Return *step* as one line, short enough for a pipe to take it whole."""
    return json.dumps({"requests": step.requests, "url": step.url[:500]}).encode() + b"\n"


def encode_result(result: Any) -> bytes:  # noqa: ANN401 - JSON data
    """Return what the program returned as one line."""
    return json.dumps({"result": result}).encode() + b"\n"


def encode_error(error: ArchiveError) -> bytes:
    """Return *error* as one line."""
    kind = next((name for cls in type(error).__mro__ if (name := cls.__name__) in _ERRORS), "ArchiveError")
    return json.dumps({"error": kind, "message": str(error)}).encode() + b"\n"


def read_line(line: bytes) -> VisitStep | dict[str, Any]:
    """Return the step in *line*, or `{"result": …}`. Raises the error in it, ArchiveError if it is none of these."""
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise ArchiveError(f"a visit's process said {line[:100]!r}, expected a JSON object")
    if "error" in data:
        raise _ERRORS.get(data["error"], ArchiveError)(data["message"])
    if "result" in data:
        return data
    return VisitStep(int(data["requests"]), str(data["url"]))
