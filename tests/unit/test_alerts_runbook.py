"""The runbook says of each alert what it means and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.health import BAD_ENDS

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "deploy" / "README.md").read_text("utf-8")
_IN_CODE = (
    r'\bReason\(\s*"([a-z_]+)"',
    r'^\s+word = \{(.*)\}\.get\(kind, (".*")\)',
    r'^\s+\("([a-z_]+)", _split_',
)


def list_kinds() -> set[str]:
    """Return the kinds of reasons that the code knows, as it writes them."""
    found = {BAD_ENDS}
    for path in sorted((ROOT / "jobs" / "health").glob("*.py")):
        for pattern in _IN_CODE:
            for match in re.finditer(pattern, path.read_text("utf-8"), re.MULTILINE):
                words = [part for part in match.groups() if part]
                values = [re.findall(r'(?:: |\A)"([a-z_]+)"(?!:)', word) or [word] for word in words]
                found.update(kind for several in values for kind in several)
    return found


KINDS = sorted(list_kinds())


def test_kinds_are_found_in_the_code() -> None:
    assert {"silent", "refused", "challenge", "unreachable", "no_address", "more_bad", "certificate_ends"} <= set(KINDS)
    assert len(KINDS) > 15


@pytest.mark.parametrize("kind", KINDS)
def test_runbook_has_a_paragraph_for_each(kind: str) -> None:
    (paragraph,) = re.findall(rf"^- `{kind}`: (.+)$", RUNBOOK, re.MULTILINE)
    assert len(paragraph) > 100


def test_runbook_names_no_alert_that_there_is_not() -> None:
    chapter = RUNBOOK.partition("## What each alert means and what to do\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^- `([a-z_]+)`: ", chapter, re.MULTILINE)) == set(KINDS)
