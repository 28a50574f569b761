"""`make demo` as a person runs it, and the README's first session, which must be what the demo prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.installation import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_VARYING = (
    (r"/\S+/(archive|config|log\.jsonl)", r"demo/\1"),
    (r"\bsha256:[0-9a-f]{64}\b", "DIGEST"),
    (r"\b[0-9a-f]{32}\b", "ARCHIVE"),
    (r"\b\d{8}T\d{6}Z-[0-9a-f]{16}\b", "ID"),
    (r"\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z)?", "TIME"),
    (r"\b\d+(?:\.\d+)? (?:s|kB|bytes)\b", "SIZE"),
)


def blank_varying(text: str) -> list[str]:
    """Return the lines of *text* with times, ids, durations and places blanked, white space folded."""
    for pattern, word in _VARYING:
        text = re.sub(pattern, word, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the demo prints, played into a folder of its own."""
    folder: Path = tmp_path_factory.mktemp("demo") / "demo"
    process = subprocess.run(
        [sys.executable, "-m", "tests.demo", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stderr == ""
    return process.stdout


def test_demo_shows_what_a_person_wants_to_see(printed: str) -> None:
    for shown in (
        "links found",
        " new",
        "1 revised",
        "1 reverted",
        "1 suspected",
        "1 gone",
        "$ ofrecord diff https://",
    ):
        assert shown in printed, shown
    for word in ("[-claimed-]", "{+said+}", "- He even clashed with Arab leaders"):
        assert word in printed, word
    assert " bad" not in printed


def test_readme_shows_what_the_demo_prints(printed: str) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    sessions = re.findall(r"^```[a-z]*\n\$ make demo\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert len(sessions) == 1, "README.md shows one session that begins with `$ make demo`"
    lines = iter(blank_varying(printed))
    for wanted in blank_varying(sessions[0]):
        if wanted != "…":  # lines left out; at the end of a line, words left out
            start, cut = wanted.removesuffix("…").rstrip(), wanted.endswith("…")
            found = any(line.startswith(start) if cut else line == wanted for line in lines)
            assert found, f"the demo does not print, in this order: {wanted}"
