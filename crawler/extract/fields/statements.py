"""The fields of one page while they are gathered: the best statement of each, and what the others say of it.

A field's confidence comes from where it was found and from whether the page's other statements agree.
"""

from __future__ import annotations

from datetime import datetime

from crawler.extract.page.words import bare
from crawler.model import FieldValue

_BASE = {"rule": 0.95, "json-ld": 0.85, "meta": 0.8, "visible": 0.8, "guess": 0.4}
"""How often a lone statement is right, about: titles, names and days on 124 news pages."""
_DOUBT_LEFT = 0.5
"""Of the doubt, for each other statement that says the same."""
_TRUST_LEFT = 0.85
"""Of the trust, for each other statement that says something else."""
_MAX_OTHERS = 3


class Fields(dict[str, FieldValue]):
    """Fields by name. The first statement of a field stands: ask the better sources first."""

    def __init__(self) -> None:
        super().__init__()
        self._others: dict[str, list[bool]] = {}

    def put(self, name: str, value: object, origin: str, *, confidence: float | None = None) -> None:
        """Set field *name*, or note whether *value* agrees with what it has. Empty values state nothing."""
        if value in (None, "", [], {}):
            return
        known = self.get(name)
        if known is None:
            self[name] = FieldValue(value, origin, confidence=confidence)
        else:
            self.witness(name, agrees=_letters(value) == _letters(known.value))

    def witness(self, name: str, *, agrees: bool) -> None:
        """Note that another statement agrees with field *name*, or does not."""
        self._others.setdefault(name, []).append(agrees)

    def weigh(self) -> None:
        """Give every field that has none its confidence."""
        for name, found in self.items():
            if found.confidence is not None:
                continue
            others = self._others.get(name) or self._compare_times(name, found)
            self[name] = FieldValue(found.value, found.origin, found.assumed_zone, _weigh(found.origin, others))

    def _compare_times(self, name: str, found: FieldValue) -> list[bool]:
        """Return whether each other origin among the candidates of a time says the same."""
        candidates = self.get(f"{name}_candidates")
        if candidates is None:
            return []
        heard: dict[str, bool] = {}
        for one in candidates.value:
            if one["from"] != found.origin:
                same = _is_same_time(one["value"], found.value)
                heard[one["from"]] = heard.get(one["from"], False) or same
        return list(heard.values())


def _weigh(origin: str, others: list[bool]) -> float:
    agreeing = min(others.count(True), _MAX_OTHERS)
    contradicting = min(others.count(False), _MAX_OTHERS) if not agreeing else 0
    doubt = (1 - _BASE[origin]) * _DOUBT_LEFT**agreeing
    return round((1 - doubt) * _TRUST_LEFT**contradicting, 2)


def _letters(value: object) -> object:
    if isinstance(value, str):
        return bare(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return {bare(item) for item in value}
    return value


def _is_same_time(one: str, other: str) -> bool:
    if "T" not in one or "T" not in other:
        return one[:10] == other[:10]
    first, second = datetime.fromisoformat(one), datetime.fromisoformat(other)
    if (first.tzinfo is None) is not (second.tzinfo is None):
        return one[:16] == other[:16]
    return abs((first - second).total_seconds()) < 60
