"""Nothing that could move a text is missing from its derivation: found by walking the models and the imports."""

from __future__ import annotations

import ast
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError

from config.rules import ExtractRules
from crawler import derivation
from crawler.derivation import PARSERS, Ingredients, derive, read_ingredients

if TYPE_CHECKING:
    from collections.abc import Iterator

CRAWLER = Path(derivation.__file__).parent
READING = [
    *CRAWLER.joinpath("extract").rglob("*.py"),
    *(
        CRAWLER / f"{name}.py"
        for name in ("charset", "encoding", "normalise", "prescan", "nesting", "workers/task", "urls")
    ),
]
WITHOUT_EFFECT = {
    "brotli": "undoes codings, of which there is one result",
    "isal": "the same",
    "zstandard": "the same",
    "w3lib": "knows byte order marks",
    "pydantic": "reads our own rules",
    "certifi": "is for those who fetch",
    "urllib3": "the same",
    "justext": "trafilatura's last resort where it may be slow; we ask it to be fast",
    "htmldate": "trafilatura's for metadata, which we do not ask it for",
    "courlan": "trafilatura's for links, which we do not ask it for",
}
SAMPLES: list[object] = [[".x"], [".x", ".y"], ["Read also:"], ".x", "x", True, False, 1, 0.5, {"x": ".x"}]


def vary(model: type[BaseModel]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield, for each field of *model* and of the models in it, its path and an input that sets it alone."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for path, inner in vary(field.annotation):
                yield f"{name}.{path}", {name: inner}
        else:
            yield name, {name: find_sample(model, name)}


def find_sample(model: type[BaseModel], name: str) -> object:
    """Return what field *name* may be beside its default."""
    for sample in SAMPLES:
        try:
            set_alone = model.model_validate({name: sample})
        except ValidationError:
            continue
        if getattr(set_alone, name) != model.model_fields[name].get_default(call_default_factory=True):
            return sample
    pytest.fail(f"{model.__name__}.{name}: no sample fits; add one to SAMPLES")


VARIED = dict(vary(ExtractRules))


def derive_plain(
    rules: ExtractRules | None = None,
    timezone: str | None = None,
    language: str | None = None,
    render: str | None = None,
) -> str:
    return derive(rules or ExtractRules(), timezone=timezone, language=language, render=render).digest


def test_every_field_of_the_rules_makes_a_derivation_of_its_own() -> None:
    assert {path.partition(".")[0] for path in VARIED} == set(ExtractRules.model_fields)
    digests = {path: derive_plain(ExtractRules.model_validate(data)) for path, data in VARIED.items()}
    assert len({*digests.values(), derive_plain()}) == len(VARIED) + 1, digests


@pytest.mark.parametrize("path", VARIED)
def test_every_rule_is_read_back_from_what_the_derivation_stands_for(path: str) -> None:
    rules = ExtractRules.model_validate(VARIED[path])
    made = derive(rules, timezone="Asia/Beirut", language="ar")
    assert read_ingredients(made.digest, made.meaning) == Ingredients(rules, "Asia/Beirut", "ar")


def test_what_renders_pages_is_read_back_and_where_nothing_does_it_is_not_named() -> None:
    made = derive(ExtractRules(), timezone=None, language=None, render="playwright")
    assert read_ingredients(made.digest, made.meaning) == Ingredients(ExtractRules(), None, None, "playwright")
    assert "render" not in derive(ExtractRules(), timezone=None, language=None).meaning


def test_what_is_given_besides_the_rules_makes_a_derivation_of_its_own() -> None:
    given = ["timezone", "language", "render"]
    assert {"rules", *given} == set(Ingredients.__slots__)
    values = [derive_plain(timezone=value) for value in ("Asia/Beirut", "ar", "")]
    values += [derive_plain(language=value) for value in ("Asia/Beirut", "ar", "")]
    values += [derive_plain(render=value) for value in ("playwright", "ar", "")]
    assert len({*values, derive_plain()}) == len(values) + 1


def test_the_order_of_selectors_counts() -> None:
    assert derive_plain(ExtractRules(include=[".x", ".y"])) != derive_plain(ExtractRules(include=[".y", ".x"]))


def test_another_extractor_makes_another_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    before = derive_plain()
    monkeypatch.setattr(derivation, "EXTRACTOR_VERSION", "other")
    assert derive_plain() != before


@pytest.mark.parametrize("name", [*PARSERS, "python"])
def test_another_parser_makes_another_derivation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = derive(ExtractRules(), timezone=None, language=None)
    assert before.meaning["parsers"][name]
    versions = before.meaning["parsers"] | {name: "other"}
    monkeypatch.setattr(derivation, "_parser_versions", lambda: versions)
    assert derive_plain() != before.digest


def test_every_library_that_reads_pages_is_a_parser_or_without_effect() -> None:
    imported: set[str] = set()
    for path in READING:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
    names = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names) - {"config", "crawler"}
    needs = [need for need in metadata.requires("trafilatura") or [] if "extra ==" not in need]
    names |= {need[0] for text in needs if (need := re.match(r"[\w.-]+", text))}
    unknown = {name.lower().replace("_", "-") for name in names} - set(PARSERS) - WITHOUT_EFFECT.keys()
    assert not unknown - {"lxml-html-clean"}, "add to PARSERS, or to WITHOUT_EFFECT with a reason"
