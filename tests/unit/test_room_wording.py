"""Every word that the archive has for events, edits and states has a name for readers."""

from __future__ import annotations

from jobs.edits import EditKind
from jobs.fold import State as Presence
from jobs.health import State
from jobs.room import wording
from jobs.search import ARTICLE_EVENTS


def test_every_word_has_a_name() -> None:
    assert set(wording.EVENTS) == set(ARTICLE_EVENTS)
    assert set(wording.KINDS) == set(EditKind)
    assert set(wording.STATES) == {*Presence, *State}


def test_words_of_later_versions_are_spelled_out() -> None:
    assert wording.name_event("split_up") == "Split up"
    assert wording.name_kind("tone_shift") == "tone shift"
    assert wording.name_state("half_gone") == "Half gone"
    assert wording.tone_of("half_gone") == "plain"
