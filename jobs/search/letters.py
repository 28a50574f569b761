"""Letters as the index has them: the words of a text, folded so that spellings meet; the same for what is searched.

Marks above and below letters go, and so do the forms of Arabic letters that people write for one another. Scripts that
put no spaces between words are taken as pairs of letters, in their order.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TOKEN_CHARS = 64
"""Of a word; what is beyond is left out, in the index as in a search."""

_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08d3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\u200d\u2060\ufe00-\ufe0f\ufe20-\ufe2f\u00ad"
)
"""What is no letter of its own: accents, Hebrew points, Arabic vowels, tatweel, joiners that nobody sees."""
_SIGNS = (
    "\u0900-\u0963\u0966-\u0df3\u0e00-\u0e4e\u0e50-\u0eff\u0f18-\u0fbc\u1000-\u109f\u1700-\u17d3\u1800-\u1aad"
    "\u1b00-\u1c37\ua8e0-\uabed\u3099\u309a"
)
"""Vowel signs and the like of the scripts of South and South-East Asia, which spell words: `\\w` leaves some out."""
_WORD = re.compile(rf"[\w{_MARKS}{_SIGNS}]+")
_STRIPPED = re.compile(f"[{_MARKS}]+")
FIRST_UNSPACED = "\u0e00"
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese; Korean too, which writes particles without a space."""
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_PARTS = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_LETTERS = str.maketrans(
    {
        "_": " ",
        **dict.fromkeys("\u0671\u0672\u0673\u0675", "\u0627"),  # alefs that do not come apart
        "\u0649": "\u064a",  # alef maksura → ya
        "\u06cc": "\u064a",  # Persian ya
        "\u06d2": "\u064a",
        "\u0629": "\u0647",  # ta marbuta → ha
        "\u06c1": "\u0647",
        "\u06d5": "\u0647",
        "\u06be": "\u0647",
        "\u06a9": "\u0643",  # Persian kaf
        **{chr(0x0660 + digit): str(digit) for digit in range(10)},
        **{chr(0x06F0 + digit): str(digit) for digit in range(10)},
        "\u0131": "i",  # Turkish i without its point
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ħ": "h",
        "ŧ": "t",
        "æ": "ae",
        "œ": "oe",
        "ð": "d",
        "þ": "th",
        "ĸ": "k",
        "ŋ": "n",
    }
)


def fold_words(text: str) -> str:
    """Return the words of *text* as the index has them, a space between any two."""
    if text.isascii():
        return " ".join([word[:MAX_TOKEN_CHARS] for word in _ASCII_WORD.findall(text.lower())])
    return " ".join([token for word in _WORD.findall(text.replace("_", " ")) for token in _list_tokens(word)])


def walk_words(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield where each word of *text* begins and ends, and as what the index has it; usually that is one token."""
    for found in _WORD.finditer(text.replace("_", " ")):
        if tokens := _list_tokens(found[0]):
            yield found.start(), found.end(), tokens


def is_unspaced(token: str) -> bool:
    """Whether *token* is of a script that puts no spaces between words."""
    return _UNSPACED_LETTER.match(token) is not None


def _list_tokens(word: str) -> tuple[str, ...]:
    return _list_of_short(word) if len(word) <= MAX_TOKEN_CHARS else tuple(_split(word))


@lru_cache(maxsize=32_768)
def _list_of_short(word: str) -> tuple[str, ...]:
    return tuple(_split(word))


def _split(word: str) -> Iterator[str]:
    plain = _STRIPPED.sub("", unicodedata.normalize("NFKD", word)).casefold()
    folded = unicodedata.normalize("NFC", plain).translate(_LETTERS)
    for part in (part for word in _WORD.findall(folded) for part in _PARTS.findall(word)):
        if len(part) > 1 and is_unspaced(part):
            yield from (part[at : at + 2] for at in range(len(part)))
        else:
            yield part[:MAX_TOKEN_CHARS]
