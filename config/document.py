"""A YAML file as plain data that knows its line numbers, and what is wrong with it in one line an error.

Only the safe core of YAML is read: no tags, no aliases, no key twice, bounded size and depth.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydantic_core import ErrorDetails

MAX_FILE_BYTES = 1024 * 1024
_MAX_DEPTH = 16
_MAX_NODES = 50_000
_MAX_SHOWN = 60

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}", re.ASCII)

Location = tuple[int | str, ...]
"""Path of a value: keys and list positions from the top."""


class DocumentError(Exception):
    """A file cannot be read as a document; `problems` has one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        """Keep *problems*."""
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    """The mapping that a YAML file holds."""

    path: Path
    data: dict[str, Any]
    lines: dict[Location, int] = field(default_factory=dict)
    """Where each key or list entry stands, counted from 1."""

    def problem(self, location: Location, text: str) -> str:
        """Return *text* as one line with file, line and key of *location*."""
        known = location
        while known and known not in self.lines:
            known = known[:-1]
        key = f"{format_key(location)}: " if location else ""
        return f"{self.path}:{self.lines.get(known, 1)}: {key}{text}"


def read_document(path: Path) -> Document:
    """Return the mapping in the YAML file *path*; an empty file is an empty mapping. Raises DocumentError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DocumentError([f"{path}: cannot be read: {error.strerror or error}"]) from error
    if len(raw) > MAX_FILE_BYTES:
        raise DocumentError([f"{path}: larger than {MAX_FILE_BYTES} bytes; split it or shorten it"])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DocumentError([f"{path}:{line}: not UTF-8; save the file as UTF-8"]) from error
    try:
        _check_events(path, text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise DocumentError([_describe_syntax(path, text, error)]) from error
    if root is None:
        return Document(path, {})
    if not isinstance(root, yaml.MappingNode):
        raise DocumentError(
            [f"{path}:{root.start_mark.line + 1}: found {_describe_node(root)}, expected `key: value` lines"]
        )
    problems: list[str] = []
    document = Document(path, {})
    document.data.update(_build_mapping(root, (), document, problems))
    if problems:
        raise DocumentError(problems)
    return document


def format_key(location: Location) -> str:
    """Return *location* as people write it: `discover[2].feed`."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def find_nearest(word: str, known: Iterable[str], *, cutoff: float = 0.55) -> str | None:
    """Return the word of *known* that is nearest to *word*, or `None` if none is near (*cutoff*: 0 to 1)."""
    folded = {option.lower().replace("-", "_"): option for option in known}
    near = difflib.get_close_matches(word.lower().replace("-", "_")[:100], folded, n=1, cutoff=cutoff)
    return folded[near[0]] if near else None


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?` with the word of *known* that is nearest to *word*, or an empty string."""
    near = find_nearest(word, known)
    return f"; did you mean {near}?" if near else ""


def show(value: object) -> str:
    """Return *value* for a message: short, on one line, without control characters."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = "".join(char if char.isprintable() else "?" for char in text[: _MAX_SHOWN + 1])
    text = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
    return f"'{text}'" if isinstance(value, str) else text


def describe_error(error: ErrorDetails, known: Iterable[str], *, secret: bool = False) -> str:
    """Return what is wrong as `found …, expected …`.

    *known*: the keys that may stand where the error is. *secret*: do not show what was found.
    """
    kind, context = error["type"], error.get("ctx", {})
    names = sorted(known)
    if kind == "extra_forbidden":
        return f"found an unknown key, expected one of {', '.join(names)}{suggest(str(error['loc'][-1]), names)}"
    if kind == "missing":
        return "found nothing, expected a value: this key is needed"
    found = "another value" if secret else show(error["input"])
    return f"found {found}, expected {_describe_expected(kind, context, error['msg'])}"


def _describe_expected(kind: str, context: dict[str, Any], message: str) -> str:
    if kind == "value_error":
        return str(context.get("error", message))
    bounds = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    for key, words in bounds.items():
        if key in context:
            return f"{words} {context[key]}"
    if kind in {"too_long", "too_short"}:
        side, number = ("at most", "max_length") if kind == "too_long" else ("at least", "min_length")
        return f"{side} {context[number]} of them"
    if kind in {"string_too_long", "string_too_short"}:
        side, number = ("at most", "max_length") if kind.endswith("long") else ("at least", "min_length")
        return f"{side} {context[number]} characters"
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    words_by_kind = {
        "string_type": "text (put it in quotes)",
        "bool_parsing": "true or false",
        "bool_type": "true or false",
        "int_parsing": "a whole number",
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "float_parsing": "a number",
        "float_type": "a number",
        "finite_number": "a number",
        "list_type": "a list",
        "dict_type": "a mapping of `key: value` lines",
        "model_type": "a mapping of `key: value` lines",
        "path_type": "a path",
    }
    return words_by_kind.get(kind, message)


def _check_events(path: Path, text: str) -> None:
    """Refuse what makes YAML dangerous or ambiguous before any tree is built. Raises DocumentError, YAMLError."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        documents += isinstance(event, yaml.DocumentStartEvent)
        problem = None
        if isinstance(event, yaml.AliasEvent):
            problem = "found an alias (*name), expected the value itself: aliases are not allowed"
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            problem = f"found the tag {show(event.tag)}, expected a plain value: tags are not allowed"
        elif depth > _MAX_DEPTH:
            problem = f"found more than {_MAX_DEPTH} levels, expected fewer"
        elif count > _MAX_NODES:
            problem = f"found more than {_MAX_NODES} values, expected fewer"
        elif documents > 1:
            problem = "found a second document (---), expected one"
        if problem:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise DocumentError([f"{path}:{line}: {problem}"])


def _describe_syntax(path: Path, text: str, error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        problem = " ".join(part for part in (error.problem, error.context) if part)
        return f"{path}:{mark.line + 1}: not YAML: {problem} (column {mark.column + 1})"
    position = getattr(error, "position", 0) or 0
    return f"{path}:{text.count(chr(10), 0, position) + 1}: not YAML: {show(str(error))}"


def _describe_node(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return show(str(node.value))
    return "a mapping" if isinstance(node, yaml.MappingNode) else "a list"


def _build(node: yaml.Node, location: Location, document: Document, problems: list[str]) -> Any:  # noqa: ANN401 - YAML
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, location, document, problems)
    if isinstance(node, yaml.SequenceNode):
        entries = []
        for index, child in enumerate(node.value):
            document.lines[(*location, index)] = child.start_mark.line + 1
            entries.append(_build(child, (*location, index), document, problems))
        return entries
    plain = isinstance(node, yaml.ScalarNode) and not node.style
    return _build_scalar(str(node.value)) if plain else str(node.value)


def _build_mapping(
    node: yaml.MappingNode, location: Location, document: Document, problems: list[str]
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(f"{document.path}:{line}: found {_describe_node(key_node)} as a key, expected a word")
            continue
        key = str(key_node.value)
        here = (*location, key)
        if key in data:
            first = document.lines[here]
            problems.append(
                f"{document.path}:{line}: {format_key(here)}: found the key again, expected it once"
                f" (it stands in line {first} too)"
            )
            continue
        document.lines[here] = line
        data[key] = _build(value_node, here, document, problems)
    return data


def _build_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted *text*. YAML 1.2's core rules: `no` and `12:30` are text, as people expect."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
