"""Names that change, by the means of each script; other words with a capital that do not."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.edits import EditKind, judge_edit
from tests.edits import make_state


def _names(before: str, after: str, language: str, **fields: Any) -> bool:
    states = [make_state(text, language=language, **fields) for text in (before, after)]
    return EditKind.NAME in judge_edit(*states).kinds


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [
        ("The prize went to Anna Keller yesterday.", "The prize went to Anna Kellner yesterday.", "en"),
        ("They live in Port Anselm by the sea.", "They live in Port Lorne by the sea.", "en"),
        ("Cove in Quirimay, high up there.", "Cove in Quirimaya, high up there.", "es"),
        ("La casa de Juan de Paz arde hoy.", "La casa de Juan Paz arde hoy.", "es"),
        ("Der Preis ging an Frau Keller in Ulm.", "Der Preis ging an Frau Kellner in Ulm.", "de"),
        ("Sie wohnt seit Jahren in Ulm am Fluss.", "Sie wohnt seit Jahren in Bonn am Fluss.", "de"),
        ("Приз получила вчера Анна Белова из школы.", "Приз получила вчера Анна Серова из школы.", "ru"),
        ("قال الوزير سامي الحداد أمس.", "قال الوزير سامي النجار أمس.", "ar"),
        ("记者王小明表示同意。", "记者李大伟表示同意。", "zh"),
        ("候选人张志宏以五百票之差胜出。", "候选人张志弘以五百票之差胜出。", "zh"),
    ],
)
def test_another_name(before: str, after: str, language: str) -> None:
    assert _names(before, after, language)


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [
        ("Rain fell on the coast all night.", "Snow fell on the coast all night.", "en"),
        ("She will come on Monday at noon.", "She will come on Friday at noon.", "en"),
        ("Das ist eine Lösung für alle hier.", "Das ist eine Regelung für alle hier.", "de"),
        ("Es fielen 30 Zentimeter Schnee.", "Es fielen 30 Meter Schnee.", "de"),
        ("Он приехал к Ивану утром.", "Он приехал с Иваном утром.", "ru"),
        ("قال المدير من تهمة التزوير.", "قال المدير بتهمة التزوير.", "ar"),
        ("他们走得很快。", "他们跑得很快。", "zh"),
    ],
)
def test_no_other_name(before: str, after: str, language: str) -> None:
    assert not _names(before, after, language)


def test_a_word_that_the_article_shows_to_be_a_name_is_one_at_a_sentences_beginning() -> None:
    rest = "They met Orla and Brannock there."
    assert _names(f"Orla left early.\n{rest}", f"Brannock left early.\n{rest}", "en")


def test_a_word_of_the_authors_is_a_name() -> None:
    assert _names("قالت ليان إنها هنا.", "قالت لينا إنها هنا.", "ar", authors=["ليان حداد"])


def test_a_name_in_one_place_is_a_name_in_the_other() -> None:
    before = make_state("Keller left early.\nThe prize went to Keller today.")
    after = make_state("Kellner left early.\nThe prize went to Kellner today.")
    assert [edit.kind for edit in judge_edit(before, after).edits] == ["name", "name"]
