"""Two states of an article → what kind of edit lies between them, each with its evidence. Pure functions of both."""

from jobs.edits.judging import judge_edit
from jobs.edits.kinds import EDIT_RULES, Edit, EditKind, EditReport, PostChange, PostEdit, report_to_json
from jobs.edits.lives import LivePage, list_frame
from jobs.edits.states import State, read_state

__all__ = [
    "EDIT_RULES",
    "Edit",
    "EditKind",
    "EditReport",
    "LivePage",
    "PostChange",
    "PostEdit",
    "State",
    "judge_edit",
    "list_frame",
    "read_state",
    "report_to_json",
]
