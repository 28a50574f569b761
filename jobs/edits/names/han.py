"""Names in Han letters: by how they are built, and by what stands before and behind them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jobs.edits.vocabulary.han import begins_with_kind, begins_with_role, ends_in_role, is_name, is_surname

if TYPE_CHECKING:
    from jobs.edits.hunks import Hunk

_LETTERS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN = re.compile(f"[{_LETTERS}]+")
_SAYS = re.compile(
    "(?:表示|称|稱|说|說|指出|告诉|告訴|认为|認為|强调|強調|透露|介绍|介紹|回应|回應|宣布|承认|承認|在|于|於|和|与|與"
    "|当选|當選|的|，|、|。|：|是|将|將)"
)
"""What follows a person's name."""
_BEFORE = re.compile(
    "(?:名叫|名为|名為|叫做|叫|在|位于|位於|前往|来自|來自|抵达|抵達|到|与|與|和|由|据|據|对|對|向|、|，|“|「|《|^)$"
)
_FOREIGN = re.compile("[·・][\u3400-\u9fff]{1,4}$")
"""The first part of a foreigner's name."""
_WORK = re.compile("[《〈][^》〉]*$")
_MOST_LETTERS = 6
_FULL_NAME = 3
"""Letters of a family and a given name."""


def has_han(text: str) -> bool:
    """Whether *text* has Han letters."""
    return _HAN.search(text) is not None


def is_han(text: str) -> bool:
    """Whether *text* is of Han letters alone."""
    return _HAN.fullmatch(text) is not None


def changes_han_name(hunk: Hunk) -> bool:
    """Whether *hunk* changes a name or a part of one."""
    old, new = hunk.before, hunk.after
    if max(len(old), len(new)) > _MOST_LETTERS or not all(is_han(one) for one in (old, new) if one):
        return False
    head, tail = hunk.new.head, hunk.new.tail
    if _FOREIGN.search(head) or (_WORK.search(head) and tail[:1] in {"》", "〉"}):
        return True
    if not old or not new:
        return False
    if len(old) > 1 and len(new) > 1:
        if begins_with_kind(tail):
            return True
        if is_name(old) and is_name(new):
            return _stands_as_name(head, tail)
    return _is_given_name(head, new, tail)


def _stands_as_name(head: str, tail: str) -> bool:
    before = _BEFORE.search(head) is not None or ends_in_role(head)
    return before or _SAYS.match(tail) is not None or begins_with_role(tail)


def _is_given_name(head: str, new: str, tail: str) -> bool:
    """Whether *new* stands where a given name does, behind a family name: after a post, or before what people do."""
    for back in (1, 2):
        if len(head) < back or not is_surname(head[-back]) or back + len(new) > _FULL_NAME:
            continue
        rest = _FULL_NAME - back - len(new)
        says = any(_SAYS.match(tail[skip:]) or begins_with_role(tail[skip:]) for skip in range(rest + 1))
        if says or ends_in_role(head[:-back]):
            return True
    return False
