"""Language tags beside each other: may two mean the same? What texts tell is in `extract/fields/language.py`."""

from __future__ import annotations

_ALIKE = (
    {"no", "nb", "nn", "da"},
    {"hr", "bs", "sr", "sh", "cnr"},
    {"id", "ms", "in"},
    {"tl", "fil"},
    {"zh", "yue"},
    {"he", "iw"},
)
"""Languages and codes that are too near to each other to call one a contradiction of the other."""
_SAME = {"iw": "he", "in": "id", "ji": "yi", "fil": "tl", "nb": "no", "nn": "no", "cmn": "zh"}
"""Codes → those that stand for the same, or for the language that they are a form of."""


def is_alike(one: str, other: str) -> bool:
    """Whether two language tags are of one language, or of two that are hard to tell apart."""
    first, second = one.partition("-")[0], other.partition("-")[0]
    return first == second or any(first in group and second in group for group in _ALIKE)


def may_be(tag: str, wanted: str) -> bool:
    """Whether what is in *tag* may be in *wanted*, as far as both say: `en` may be `en-GB`, `en-US` is not."""
    (first, *rest), (second, *more) = tag.lower().split("-"), wanted.lower().split("-")
    if _SAME.get(first, first) != _SAME.get(second, second):
        return False
    said, asked = {len(part) == 4: part for part in rest}, {len(part) == 4: part for part in more}
    return all(said[kind] == asked[kind] for kind in said.keys() & asked.keys())
