"""Edits of a YAML file that leave its comments, its order and all else as they are.

Each edit changes the lines of one value; what is edited is read again before it is believed.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from config.errors import ConfigError
from config.sources import load_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.document import Location

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Replacement:
    """Another value in place of one that stands there."""

    at: Location
    text: str
    """YAML, on one line."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An entry of a list that is made a comment, with the reason beside it."""

    at: Location
    remark: str


@dataclass(frozen=True, slots=True)
class Addition:
    """An entry more at the end of a list, which is begun where it is not there yet."""

    at: Location
    """Of the list."""
    text: str
    """YAML, on one line."""
    remark: str = ""
    """Comment above it; one line."""


Edit = Replacement | Withdrawal | Addition


def edit_text(text: str, edits: Sequence[Edit]) -> str:
    """Return the YAML *text* with *edits* made. Raises ConfigError where a place is not there, or cannot be edited."""
    root = yaml.compose(text, Loader=_LOADER)
    changes: list[tuple[int, int, str]] = []
    added: dict[Location, list[Addition]] = {}
    for edit in edits:
        if isinstance(edit, Replacement):
            node = _find(root, edit.at)
            changes.append((node.start_mark.index, node.end_mark.index, edit.text))
        elif isinstance(edit, Withdrawal):
            changes.append(_withdraw(text, root, edit))
        else:
            added.setdefault(edit.at, []).append(edit)
    for location, additions in added.items():
        node = _find(root, location, missing=True)
        changes.append(_begin(text, root, location, additions) if node is None else _append(text, node, additions))
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def check_text(text: str, source_id: str) -> None:
    """Raise ConfigError if *text* does not describe a source."""
    with tempfile.TemporaryDirectory(prefix="ofrecord-edit-") as folder:
        path = Path(folder) / f"{source_id}.yaml"
        path.write_text(text, "utf-8")
        load_source(path)


def _find(root: Any, location: Location, *, missing: bool = False) -> Any:  # noqa: ANN401 - YAML's nodes have no types
    node = root
    for part in location:
        if isinstance(part, int) and isinstance(node, yaml.SequenceNode) and part < len(node.value):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode) and (found := [v for k, v in node.value if k.value == part]):
            node = found[0]
        elif missing:
            return None
        else:
            raise ConfigError(f"found no {'.'.join(map(str, location))}, which was to be edited")
    return node


def _withdraw(text: str, root: Any, edit: Withdrawal) -> tuple[int, int, str]:  # noqa: ANN401
    """Return the change that makes an entry a comment; only of a list with an entry a line."""
    node, above = _find(root, edit.at), _find(root, edit.at[:-1])
    start = text.rfind("\n", 0, node.start_mark.index) + 1
    before = text[start : node.start_mark.index]
    end = _end_of(node)
    if above.flow_style or before.strip() != "-" or "\n" in text[start:end]:
        raise ConfigError(f"{'.'.join(map(str, edit.at))} shares its line with others; it is to be edited by hand")
    indent = before[: len(before) - len(before.lstrip())]
    return start, end, f"{indent}# {text[start + len(indent) : end]}  # {edit.remark}"


def _append(text: str, node: Any, additions: Sequence[Addition]) -> tuple[int, int, str]:  # noqa: ANN401
    start, end = node.start_mark.index, node.end_mark.index
    new = ", ".join(addition.text for addition in additions)
    if isinstance(node, yaml.ScalarNode):  # a single text stands for a list of it
        return start, end, f"[{text[start:end]}, {new}]"
    if node.flow_style or not node.value:
        return end - 1, end - 1, f", {new}" if node.value else new
    last = node.value[-1]
    line = text.rfind("\n", 0, last.start_mark.index) + 1
    indent = text[line : last.start_mark.index].partition("-")[0]
    at = _end_line(text, last)
    return at, at, "".join(_list_entry(indent, addition) for addition in additions)


def _begin(text: str, root: Any, location: Location, additions: Sequence[Addition]) -> tuple[int, int, str]:  # noqa: ANN401
    """Return the change that begins a list as the last key of the mapping above it."""
    above = _find(root, location[:-1])
    if not isinstance(above, yaml.MappingNode) or above.flow_style or not above.value:
        raise ConfigError(f"{'.'.join(map(str, location[:-1]))} is on one line; it is to be edited by hand")
    key, last = above.value[-1]
    indent = " " * key.start_mark.column
    at = _end_line(text, last)
    entries = "".join(_list_entry(f"{indent}  ", addition) for addition in additions)
    return at, at, f"\n{indent}{location[-1]}:{entries}"


def _list_entry(indent: str, addition: Addition) -> str:
    return (f"\n{indent}# {addition.remark}" if addition.remark else "") + f"\n{indent}- {addition.text}"


def _end_line(text: str, node: Any) -> int:  # noqa: ANN401
    """Return where the last line of *node* ends, with a comment beside it."""
    found = text.find("\n", _end_of(node))
    return len(text) if found < 0 else found


def _end_of(node: Any) -> int:  # noqa: ANN401
    """Return where the last value in *node* ends: a block itself is said to end only where the next one begins."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    return int(node.end_mark.index)
