"""Which language an article is in: what the page declares, and what its own words say. Both are kept.

By the script where that settles it, by the commonest words where it does not.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from crawler.extract.fields.function_words import CYRILLIC, DEVANAGARI, LATIN
from crawler.extract.page.metadata import Metadata, text_of
from crawler.languages import is_alike

if TYPE_CHECKING:
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.tree import Element

_SAMPLE_CHARS = 1_000
_SCRIPT_CHARS = 300
_LEAST_LETTERS = 40
_MOSTLY = 0.8
"""A text with so many of its characters in ASCII is in Latin letters."""
_CERTAIN = 0.9
_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}")
_LEAST_SCORE = 2.0
_LEAST_SHARE = 0.04
_SURE_SCORE = 8.0
"""Words of a language that are no other's, or as many shared ones as come to that."""
_BLOCK_BITS = 7
_SCRIPTS = {
    "latin": [*range(6)],
    "el": [6, 7, 62, 63],
    "cyrillic": [8, 9, 10],
    "he": [11],
    "arabic": [12, 13, 14],
    "devanagari": [18],
    "bn": [19],
    "pa": [20],
    "gu": [21],
    "or": [22],
    "ta": [23],
    "te": [24],
    "kn": [25],
    "ml": [26],
    "si": [27],
    "th": [28],
    "lo": [29],
    "bo": [30, 31],
    "my": [32],
    "ka": [33],
    "am": [36, 37, 38],
    "km": [47],
    "latin more": [60, 61],
    "kana": [96, 97],
    "han": [*range(156, 320)],
    "ko": [34, *range(344, 432)],
}
"""Script, or the language that is alone in it, and the blocks of 128 code points that it is written in."""
_SCRIPT_OF = {block: name.removesuffix(" more") for name, blocks in _SCRIPTS.items() for block in blocks}
_ARABIC_LETTERS = {
    "ckb": re.compile("[ێۆڕڵە]"),
    "ps": re.compile("[ټډړښځڅېۍږ]"),
    "ur": re.compile("[ٹڈڑںےھہ]"),
    "fa": re.compile("[پچژگیک]"),
}
"""Letters that Arabic has not, in the order in which they settle it; Persian's are in the others too."""
_ARABIC_SHARE = 0.02


Index = dict[str, tuple[list[str], float]]


def _index(lists: dict[str, str]) -> Index:
    """Return word → its languages and what it says for each of them: a word of many says little."""
    spoken: dict[str, list[str]] = {}
    for language, words in lists.items():
        for word in dict.fromkeys(words.split()):
            spoken.setdefault(word, []).append(language)
    return {word: (languages, 1 / len(languages)) for word, languages in spoken.items()}


_INDEX = {"latin": _index(LATIN), "cyrillic": _index(CYRILLIC), "devanagari": _index(DEVANAGARI)}


def read_language(fields: Fields, found: Metadata, *, place: Element, text: str, assumed: str | None) -> None:
    """Add `language_declared`, `language_detected` and `language`, the one to believe.

    *place*: the body's element. *text*: the article's. *assumed*: the source's language, where nothing else is known.
    """
    declared = _list_declared(found, place)
    detected, confidence = detect_language(text)
    for tag, origin in declared:
        fields.put("language_declared", tag, origin)
    fields.put("language_detected", detected, "guess", confidence=confidence)
    stated, origin = declared[0] if declared else ("", "")
    if stated and (detected is None or confidence < _CERTAIN or is_alike(stated, detected)):
        fields.put("language", stated, origin)
    elif detected is not None and (confidence >= _CERTAIN or not assumed):
        fields.put("language", detected, "guess", confidence=confidence)
    fields.put("language", assumed, "guess")
    if stated and detected is not None and fields["language"].value == stated:
        fields.witness("language", agrees=is_alike(stated, detected))


def _list_declared(found: Metadata, place: Element) -> list[tuple[str, str]]:
    """Return what the page says its language is, each with its origin: what is said nearest to the text comes first."""
    nearest = (one.get("lang") or one.get("xml:lang") for one in [place, *place.ancestors()])
    stated = [(next((tag for tag in nearest if tag), ""), "meta")]
    stated += [(found.first("content-language", "language", "inlanguage") or "", "meta")]
    stated += [(text_of(found.article.get("inLanguage")) or "", "json-ld"), (found.first("og:locale") or "", "meta")]
    tags = [(_TAG.match(tag.strip().lower().replace("_", "-")[:40]), origin) for tag, origin in stated]
    return [(match[0], origin) for match, origin in tags if match]


def detect_language(text: str) -> tuple[str | None, float]:
    """Return the ISO 639 code of the language that *text* is in, and 0 to 1; `None` where it says too little."""
    sample = text[:_SAMPLE_CHARS]
    plain = len(sample.encode("ascii", "ignore")) > _MOSTLY * len(sample)
    script = "latin" if plain else _find_script(sample)
    if script is None or sum(map(str.isalpha, sample[: 4 * _LEAST_LETTERS])) < _LEAST_LETTERS:
        return None, 0.0
    if script == "arabic":
        return _tell_arabic(sample), 0.95
    if script == "han":
        return "zh", 0.95
    if script == "kana":
        return "ja", 0.98
    if script not in _INDEX:
        return script, 0.98
    return _tell_by_words(sample, _INDEX[script])


def _find_script(sample: str) -> str | None:
    counts: Counter[str] = Counter()
    blocks = Counter([ord(character) >> _BLOCK_BITS for character in sample[:_SCRIPT_CHARS] if character.isalpha()])
    for block, count in blocks.items():
        if name := _SCRIPT_OF.get(block):
            counts[name] += count
    if 10 * counts["kana"] > counts["han"] + counts["kana"] > counts["latin"]:
        return "kana"
    counts["han"] *= 3  # a letter of Han, or of Hangul, says more than one of Latin
    counts["ko"] *= 2
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None


def _tell_arabic(sample: str) -> str:
    least = _ARABIC_SHARE * len(sample)
    return next((code for code, letters in _ARABIC_LETTERS.items() if len(letters.findall(sample)) > least), "ar")


def _tell_by_words(sample: str, index: Index) -> tuple[str | None, float]:
    words = sample.lower().split()
    scores: dict[str, float] = {}
    for word, count in Counter(words).items():
        if word in index:
            languages, weight = index[word]
            for language in languages:
                scores[language] = scores.get(language, 0.0) + weight * count
    best = max(scores, key=scores.__getitem__, default=None)
    if best is None or scores[best] < _LEAST_SCORE or scores[best] < _LEAST_SHARE * len(words):
        return None, 0.0
    most = scores.pop(best)
    second = max(scores.values(), default=0.0)
    # sure where the words are many and no other language has nearly as many
    margin = (most - second) / most
    return best, round(0.99 * min(0.5 + margin, 1.0) * min(most / _SURE_SCORE, 1.0), 2)
