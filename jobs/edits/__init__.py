"""Two states of an article → what kind of edit lies between them, each with its evidence. Pure functions of both."""

from jobs.edits.judging import judge_edit
from jobs.edits.kinds import Edit, EditKind, EditReport, State

__all__ = ["Edit", "EditKind", "EditReport", "State", "judge_edit"]
