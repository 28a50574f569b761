"""What decides a snapshot beside the page: extractor, parsers, rules, zone, language → one digest.

FORMAT.md § 6. Texts are compared only within one derivation, so everything that can move a text stands in it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import ValidationError

from config.rules import ExtractRules

EXTRACTOR = "ofrecord"
EXTRACTOR_VERSION = "6"
"""Of crawler.extract and crawler.normalise: goes up whenever a page may yield another text or field than before."""
PARSERS = (*("selectolax", "pydantic-core", "trafilatura", "lxml", "charset-normalizer", "idna"),)
"""Libraries whose version can change a text or a field. Python stands beside them: its codecs and tables of Unicode."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """One way from bytes to snapshot."""

    digest: str
    """`sha256:` and hex, of the canonical JSON of `meaning`."""
    meaning: dict[str, Any]
    """What the digest stands for: goes into the commit that first uses it."""


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What of a derivation the program is given: all but itself."""

    rules: ExtractRules
    timezone: str | None
    language: str | None
    render: str | None = None
    """With what pages are rendered."""

    def derive(self) -> Derivation:
        """Return the derivation that they make with this program."""
        return derive(self.rules, timezone=self.timezone, language=self.language, render=self.render)


def derive(rules: ExtractRules, *, timezone: str | None, language: str | None, render: str | None = None) -> Derivation:
    """Return the derivation that *rules* and the source's zone and language make with this program.

    *render*: what renders pages, where texts are made of documents as rendered and not as served.
    """
    meaning: dict[str, Any] = {
        "extractor": {"name": EXTRACTOR, "version": EXTRACTOR_VERSION},
        "parsers": _parser_versions(),
        # rules that are not set are left out, so that a new kind of rule changes no derivation
        "rules": rules.model_dump(mode="json", exclude_defaults=True),
        "timezone": timezone,
        "language": language,
    } | ({} if render is None else {"render": render})
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Derivation("sha256:" + hashlib.sha256(canonical.encode()).hexdigest(), meaning)


def read_ingredients(derivation: str, meaning: object) -> Ingredients | None:
    """Return what *meaning* says is to be given to this program; `None` if that would not make *derivation* here.

    So it is where another extractor or parser made it, where it holds what this version does not know, and where it is
    none.
    """
    if not isinstance(meaning, dict):
        return None
    try:
        found = Ingredients(
            rules=ExtractRules.model_validate_json(json.dumps(meaning.get("rules"))),
            timezone=_read_text(meaning.get("timezone")),
            language=_read_text(meaning.get("language")),
            render=_read_text(meaning.get("render")),
        )
    except (ValidationError, ValueError, TypeError, RecursionError):
        return None
    here = found.derive()
    return found if (here.digest, here.meaning) == (derivation, meaning) else None


def _read_text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"found {type(value).__name__}, expected a text or null")
    return value


@cache
def _parser_versions() -> dict[str, str]:
    return {name: version(name) for name in PARSERS} | {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
