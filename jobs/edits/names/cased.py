"""Names in scripts with capitals: words with one within a sentence, or that the article shows to be names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.times.months import read_month
from jobs.edits.names.german import is_german_name
from jobs.edits.names.known import WORD, list_words
from jobs.edits.spelling import is_form, is_respelled
from jobs.edits.vocabulary.days import read_days
from jobs.edits.vocabulary.titles import PARTICLES, read_titles

if TYPE_CHECKING:
    from jobs.edits.hunks import Hunk
    from jobs.edits.names.known import Names, Word

_MOST_WORDS = 5
_TITLE_CASE = 0.6
"""Share of a headline's words with a capital where all the telling ones have one."""
_TITLE_CHARS = 400
_SHORT = 3
"""Letters of words that have none even there."""
_WITHOUT_CASES = frozenset({"en", "de", "es", "fr", "it", "pt", "nl", "sv", "da", "no", "id", "vi"})
_GENITIVE = "s'’"
_MARKS = '"“„«「‘ '
_SPEECH_ENDS = ".!?,…"


def changes_cased_name(hunk: Hunk, names: Names) -> bool:
    """Whether *hunk* changes a name."""
    old, new = ([*list_words(part.line, part.start, part.end)] for part in (hunk.old, hunk.new))
    if not (old or new) or max(len(old), len(new)) > _MOST_WORDS:
        return False
    title_case = _is_title_case(hunk.new.line)
    old_names, new_names = (
        {word.text for word in words if _is_name(word, names, [*old, *new], title_case=title_case)}
        for words in (old, new)
    )
    gone, come = old_names - new_names, new_names - old_names
    if not gone and not come:
        return _changes_particle(hunk, old or new)
    if not old or not new:  # something was said more fully, or less so
        return all(word.text in gone | come or word.text.casefold() in PARTICLES for word in old or new)
    if gone and come:
        return not all(any(_is_inflected(one, other, names.language) for other in come) for one in gone)
    return False


def is_work_title(hunk: Hunk) -> bool:
    """Whether *hunk*, all that stands between quotation marks, is more like the title of a work than like speech."""
    old, new = hunk.old.text, hunk.new.text
    head = hunk.new.head.rstrip(_MARKS)
    short = max(len(old.split()), len(new.split())) <= _MOST_WORDS
    upper = old[:1].isupper() and new[:1].isupper()
    return short and upper and head[-1:].isalnum() and new[-1:] not in _SPEECH_ENDS


def _changes_particle(hunk: Hunk, words: list[Word]) -> bool:
    """Whether *words*, which came or went between two names, are such as join them (*de la*, *von*)."""
    if (hunk.before and hunk.after) or not all(word.text.casefold() in PARTICLES for word in words):
        return False
    part = hunk.old if hunk.before else hunk.new
    before, after = WORD.findall(part.head)[-1:], WORD.match(part.tail.lstrip())
    return bool(before and before[0][0].isupper() and after is not None and after[0][0].isupper())


def _is_inflected(one: str, other: str, language: str) -> bool:
    """Whether *one* and *other* are one name in two cases; where names have none, but for an *s* behind them."""
    if language in _WITHOUT_CASES:
        return one.rstrip(_GENITIVE) == other.rstrip(_GENITIVE)
    return is_form(one, other) and not is_respelled(one, other)


def _is_name(word: Word, names: Names, words: list[Word], *, title_case: bool) -> bool:
    """Whether *word*, one of the *words* of a hunk, is a name."""
    folded = word.text.casefold()
    if not word.text[:1].isupper() or folded in read_days(names.language) or read_month(folded):
        return False
    if folded in names.listed:
        return True
    if folded in read_titles(names.language):
        return False
    if names.language == "de":
        return any(is_german_name(one) for one in words if one.text == word.text)
    if title_case:
        return word.text in names.seen
    return not word.begins or word.text in names.seen or _stands_by_name(word)


def _stands_by_name(word: Word) -> bool:
    """Whether a word with a capital follows: at a sentence's beginning it tells a name."""
    end = word.start + len(word.text)
    following = WORD.match(word.line, end + 1) if word.line[end : end + 1] == " " else None
    return following is not None and following[0][0].isupper()


def _is_title_case(line: str) -> bool:
    words = [word for word in WORD.findall(line[:_TITLE_CHARS]) if len(word) > _SHORT]
    return len(words) > 2 and sum(word[0].isupper() for word in words) >= _TITLE_CASE * len(words)
