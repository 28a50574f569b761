"""What `sources add` says in the end."""

from __future__ import annotations

from pathlib import Path

from crawler.survey.facts import Problem, Survey
from crawler.survey.proposal import propose
from jobs.cli.adding import _conclude, make_draft
from jobs.cli.surveying import describe_look, show_look
from tests.unit.test_survey_proposal import HOME, NOW


def test_what_a_page_says_steers_no_terminal() -> None:
    problem = "https://gazette.example/ says that it is at https://herald.example/\x9b2J\u202e, another site"
    told = _conclude(Path("gazette.yaml"), None, problem, written=False)
    assert told.startswith("\nnothing to write: https://gazette.example/ says")
    assert told[1:].isprintable()


def test_why_nothing_can_be_written_is_said_once() -> None:
    reasons = [f"the home page {HOME} refuses us (status 403); ask the publisher", "another", "a third", "a fourth"]
    survey = Survey(HOME, HOME, NOW, 1, problems=tuple(Problem("refused", text, HOME) for text in reasons))
    proposal = propose(survey)
    draft, problem = make_draft(proposal, survey, "gazette", name=None, delay=None, network="public")
    look = show_look(describe_look(survey, proposal) | {"problem": problem})
    shown = look + _conclude(Path("gazette.yaml"), draft, problem, written=False)
    assert [shown.count(text) for text in reasons] == [1] * 4
    assert shown.splitlines()[-1].startswith("nothing to write: the home page")
