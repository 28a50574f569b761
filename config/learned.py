"""`<source>.learned.yaml`, the file beside a source's own: what `sources learn` found, with its evidence.

Data that a program writes and a person may read, cut or delete. Its rules go into the source's `ExtractRules`, and so
into the derivation of every text that they touch.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidationError

from config.document import DocumentError, describe_error, read_document
from config.errors import ConfigError
from config.rules import LearnedRules, Line, Selector, StrictModel
from config.units import count

SUFFIX = ".learned.yaml"
_HEAD = """\
# Written by `ofrecord sources learn`, which writes it anew. Take a rule out, or delete the file, to unlearn;
# rules of your own belong into the source's file, and come before these.
"""

_Count = Annotated[int, Field(ge=0, le=1_000_000)]
Basis = Literal["recurring", "changing"]
"""Why a box is none of the article: it says the same in many articles, or something else in each capture of one."""


class LearnedSelector(StrictModel):
    """An element that is taken out, and why."""

    selector: Selector
    basis: Basis
    articles: _Count
    """In which that was seen."""
    lines: _Count
    """That it took out of the pages at hand."""


class LearnedLine(StrictModel):
    """A line that is taken out, and why."""

    line: Line
    articles: _Count
    """In whose text it stood."""


class LearnedLabel(StrictModel):
    """Words before a link, a line that is taken out with it, and why."""

    label: Line
    articles: _Count
    """In which the link was another in each capture."""


class LearnedFile(StrictModel):
    """What was learned of one source."""

    version: Annotated[int, Field(ge=1, le=1_000_000)]
    """Goes up whenever the rules change."""
    learned: AwareDatetime
    archive: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Whose pages were looked at."""
    articles: _Count
    captures: _Count
    remove: list[LearnedSelector] = Field(default_factory=list, max_length=200)
    links: list[LearnedSelector] = Field(default_factory=list, max_length=200)
    lines: list[LearnedLine] = Field(default_factory=list, max_length=1_000)
    labels: list[LearnedLabel] = Field(default_factory=list, max_length=200)

    @property
    def rules(self) -> LearnedRules:
        """What of it decides a text."""
        return LearnedRules(
            remove=[one.selector for one in self.remove],
            links=[one.selector for one in self.links],
            lines=[one.line for one in self.lines],
            labels=[one.label for one in self.labels],
        )

    def describe(self) -> str:
        """Return what was learned, in a few words."""
        elements, lines = len(self.remove) + len(self.links), len(self.lines) + len(self.labels)
        rules = f"{count(elements, 'element')} and {count(lines, 'line')}"
        seen = count(self.articles, "article")
        return f"learned version {self.version} of {self.learned:%Y-%m-%d}: {rules} from {seen}"


def learned_path(source_file: Path) -> Path:
    """Return where the learned rules of the source in *source_file* are, or would be."""
    return source_file.with_name(source_file.stem + SUFFIX)


def is_learned(path: Path) -> bool:
    """Whether *path* is a file of learned rules by its name."""
    return path.name.endswith(SUFFIX)


def read_learned(path: Path) -> LearnedFile | None:
    """Return what *path* holds; `None` if there is no such file. Raises ConfigError, a line for each error."""
    if not path.exists():
        return None
    try:
        document = read_document(path)
    except DocumentError as error:
        raise ConfigError(str(error)) from error
    try:
        return LearnedFile.model_validate(document.data)
    except ValidationError as error:
        lines = []
        for item in error.errors():
            known = _known_keys(item["loc"])
            lines.append(document.problem(item["loc"], describe_error(item, known)))
        raise ConfigError("\n".join(lines)) from error


def write_learned(path: Path, learned: LearnedFile) -> None:
    """Put *learned* to *path*, whole or not at all. Raises ConfigError if it cannot be written there."""
    text = _HEAD + encode_learned(learned)
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".", delete=False) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written ({error.strerror}); keep the sources in a folder of yours: --config DIR"
        ) from error


def encode_learned(learned: LearnedFile) -> str:
    """Return *learned* as YAML, a rule a line, every text in quotes."""
    lines: list[str] = []
    for key, value in learned.model_dump(mode="json").items():
        if not isinstance(value, list):
            lines.append(f"{key}: {_encode(value)}")
        elif value:
            lines.append(f"{key}:")
            lines += [
                "  - {" + ", ".join(f"{name}: {_encode(part)}" for name, part in rule.items()) + "}" for rule in value
            ]
    return "\n".join(lines) + "\n"


def _encode(value: str | int) -> str:
    return json.dumps(value, ensure_ascii=False)


def update_learned(known: LearnedFile | None, found: LearnedFile) -> LearnedFile | None:
    """Return *found* with the version that follows *known*; `None` if there is nothing new to write."""
    if known is None:
        return None if found.rules == LearnedRules() else found
    if known.rules == found.rules:
        return None
    return found.model_copy(update={"version": known.version + 1})


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    models: dict[object, type[StrictModel]] = {
        "remove": LearnedSelector,
        "links": LearnedSelector,
        "lines": LearnedLine,
        "labels": LearnedLabel,
    }
    model = models.get(location[0], LearnedFile) if len(location) > 1 else LearnedFile
    return list(model.model_fields)
