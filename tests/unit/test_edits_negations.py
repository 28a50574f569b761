"""A not that came or went, and words that only look like one."""

from __future__ import annotations

import pytest

from jobs.edits import EditKind, judge_edit
from tests.edits import make_state


def _negates(before: str, after: str, language: str) -> bool:
    states = [make_state(text, language=language) for text in (before, after)]
    there, back = judge_edit(*states).kinds, judge_edit(*reversed(states)).kinds
    assert (EditKind.NEGATION in there) == (EditKind.NEGATION in back)
    return EditKind.NEGATION in there


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [
        ("The court has decided the case.", "The court has not decided the case.", "en"),
        ("They do think that it is safe.", "They don’t think that it is safe.", "en"),
        ("It is likely to rain on Sunday.", "It is unlikely to rain on Sunday.", "en"),
        ("Sie hat Geld bekommen, sagte er.", "Sie hat kein Geld bekommen, sagte er.", "de"),
        ("El juez aceptó la denuncia ayer.", "El juez no aceptó la denuncia ayer.", "es"),
        ("Суд принял решение по делу вчера.", "Суд не принял решение по делу вчера.", "ru"),
        ("الوزير حضر الاجتماع أمس.", "الوزير لم يحضر الاجتماع أمس.", "ar"),
        ("法院已经同意这项申请。", "法院不同意这项申请。", "zh"),
    ],
)
def test_a_negation(before: str, after: str, language: str) -> None:
    assert _negates(before, after, language)


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [
        ("He met the actor in a bar there.", "He met Dr No in a bar there.", "en"),
        ("It is the first song on the list.", "It is No. 1 on the list.", "en"),
        ("Above all the farmers complain.", "Not least the farmers complain.", "en"),
        ("Vor allem die Bauern klagen darüber.", "Nicht zuletzt die Bauern klagen darüber.", "de"),
        ("Он не только пел, но и плясал там.", "Он и пел, и много плясал там.", "ru"),
        ("البرنامج مستمر في المدينة.", "البرنامج لا يزال في المدينة.", "ar"),
        ("参加的人很多。", "参加的人不少。", "zh"),
        ("他去了南美洲旅行。", "他去了非洲旅行。", "zh"),
    ],
)
def test_what_only_looks_like_a_negation(before: str, after: str, language: str) -> None:
    assert not _negates(before, after, language)


def test_a_slip_in_a_negation_is_a_slip() -> None:
    before, after = (make_state(f"Das Amt hat {word} geantwortet.", language="de") for word in ("nciht", "nicht"))
    assert judge_edit(before, after).kinds == ["typo"]


def test_a_language_that_is_not_known_has_no_negations() -> None:
    assert not _negates("The court has decided.", "The court has not decided.", "xx")
