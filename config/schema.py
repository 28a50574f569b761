"""The JSON Schema of a source's YAML file, made of the models themselves: editors complete and explain keys by it.

It is a help, no judge: `sources validate` knows more, and takes `yes` for a truth value, which this one does not.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import zoneinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from config.announcements import DiscoverEntry
from config.politeness import Politeness
from config.rules import ArticlePatterns, ExtractRules
from config.scope import LANGUAGE
from config.sources import Source

if TYPE_CHECKING:
    from pydantic import BaseModel

_MODELS: tuple[type[BaseModel], ...] = (Source, DiscoverEntry, ArticlePatterns, ExtractRules, Politeness)
_OWN = frozenset({"id", "learned"})
"""Keys of the models that no file of a person has: the file's name, and another file."""
_URL = {"pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"}
_DURATION = r"^\s*[0-9]{1,9}(\.[0-9]{1,3})?\s*[A-Za-z]+\s*$"
_SINGLE = {
    "ArticlePatterns": ("include", "exclude"),
    "ExtractRules": ("include", "remove"),
    "Source": ("sections", "languages"),
}
"""Lists for which one text may stand."""


def make_schema() -> dict[str, Any]:
    """Return the schema as JSON data, draft 2020-12."""
    schema = Source.model_json_schema()
    parts: dict[str, dict[str, Any]] = {"Source": schema, **schema["$defs"]}
    for model in _MODELS:
        _polish(parts[model.__name__], model)
    _refine(parts)
    schema["$defs"] = {model.__name__: schema["$defs"][model.__name__] for model in _MODELS[1:]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A source of ofrecord",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _polish(part: dict[str, Any], model: type[BaseModel]) -> None:
    """Say of each key what the model says of it, and nothing that only repeats its name."""
    part.pop("title", None)
    told = read_docstrings(model)
    for name in list(part["properties"]):
        if name in _OWN:
            del part["properties"][name]
            continue
        described = _flatten(part["properties"][name])
        default = (
            f"CSS selector of the {name.replace('_', ' ')}; commas for alternatives." if model is ExtractRules else ""
        )
        if text := told.get(name, default):
            described = {"description": text.replace("`None`", "nothing"), **described}
        if name in _SINGLE.get(model.__name__, ()):
            described = _allow_single(described)
        part["properties"][name] = described
    part["required"] = [name for name in part.get("required", ()) if name not in _OWN]
    if not part["required"]:
        del part["required"]


def _flatten(described: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a key: no title, `null` as one of its types, a default only where that is a value."""
    found = {key: value for key, value in described.items() if key not in {"title", "anyOf"}}
    choices = described.get("anyOf", [])
    real = [choice for choice in choices if choice.get("type") != "null"]
    if choices and len(real) == 1:
        found |= {key: value for key, value in real[0].items() if key != "title"}
        if len(real) < len(choices):
            _allow_nothing(found)
    elif choices:
        found["anyOf"] = choices
    if found.get("default") is None or isinstance(found.get("default"), dict | list):
        found.pop("default", None)
    return found


def _allow_nothing(found: dict[str, Any]) -> None:
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if "enum" in found:
        found["enum"] = [*found["enum"], None]
    if "type" in found:
        found["type"] = [found["type"], "null"]


def _allow_single(described: dict[str, Any]) -> dict[str, Any]:
    whole = {key: described.pop(key) for key in ("type", "items", "minItems", "maxItems") if key in described}
    return {**described, "anyOf": [whole, whole["items"]]}


def _refine(parts: dict[str, dict[str, Any]]) -> None:
    """Say what validators check and types do not tell."""
    keys = parts["Source"]["properties"]
    keys["home"] |= _URL
    keys["language"] |= {"pattern": f"^{LANGUAGE.pattern}$", "examples": ["en", "ar", "pt-BR"]}
    zones = sorted(zoneinfo.available_timezones())
    keys["timezone"] = {**keys["timezone"], "enum": [*zones, None]}
    keys["schedule"] |= {
        "pattern": r"^\s*(every\s+\S.*|cron(\s+\S+){5,6})\s*$",
        "examples": ["every 30 minutes", "cron */15 * * * *", "cron 30 6 * * * Europe/Berlin"],
    }
    keys["recheck"] |= {
        "items": {"type": "string", "pattern": _DURATION},
        "examples": [["1 hour", "6 hours", "1 day", "7 days"]],
    }
    for name in ("headers", "cookies"):
        keys[name]["examples"] = [{"name": "${SECRET}"}]
    for described in keys.values():
        if "description" not in described and "$ref" in described:
            described["description"] = parts[described["$ref"].rpartition("/")[2]]["description"]
    entry = parts["DiscoverEntry"]
    for name, described in entry["properties"].items():
        entry["properties"][name] = {**described, "type": "string", **_URL}
    entry |= {"minProperties": 1, "maxProperties": 1}
    for key in list(keys):  # a key without a value is as none
        if key not in parts["Source"]["required"] and "type" in keys[key] and isinstance(keys[key]["type"], str):
            _allow_nothing(keys[key])


def read_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the texts below the fields of *model*, by field; none where the source is not to be had."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    except (OSError, SyntaxError):
        return {}
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
    found = {}
    for field, text in pairwise(body):
        is_text = (
            isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
        )
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            found[field.target.id] = inspect.cleandoc(text.value.value).replace("\n", " ")  # type: ignore[attr-defined]
    return found
