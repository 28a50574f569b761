"""Two texts → what changed from one to the other as lines, all of them: a unified diff with the whole text as context.

So both texts can be had from it again, and whoever has them can check it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import DamageFound
from jobs.diff import Change, diff_texts

if TYPE_CHECKING:
    from jobs.evidence.manifest import ChangeTold


def encode_change(before: str, after: str, change: ChangeTold) -> str:
    """Return the diff of two texts."""
    lines = _write_head(before, after, change)
    for line in diff_texts(before, after).lines:
        if line.change is Change.SAME:
            lines.append(f" {line.before or ''}")
            continue
        lines += [f"{sign}{text}" for sign, text in (("-", line.before), ("+", line.after)) if text is not None]
    return "".join(f"{line}\n" for line in lines)


def _write_head(before: str, after: str, change: ChangeTold) -> list[str]:
    old, new = before.count("\n") + 1, after.count("\n") + 1
    return [f"--- text {change.before}", f"+++ text {change.after}", f"@@ -1,{old} +1,{new} @@"]


def apply_change(text: str, change: ChangeTold) -> tuple[str, str]:
    """Return both texts of a diff. Raises DamageFound where it is none of ours."""
    head, lines = text.split("\n")[:3], text.split("\n")[3:]
    sides: tuple[list[str], list[str]] = ([], [])
    for line in lines[:-1]:
        if line[:1] not in {" ", "-", "+"}:
            raise DamageFound(f"a line that begins with {line[:1]!a}")
        if line[0] != "+":
            sides[0].append(line[1:])
        if line[0] != "-":
            sides[1].append(line[1:])
    before, after = "\n".join(sides[0]), "\n".join(sides[1])
    if head != _write_head(before, after, change) or lines[-1:] != [""]:
        raise DamageFound("not a diff as bundles have it")
    return before, after
