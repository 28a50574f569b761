"""The JSON Schema of a source's file: sound, takes every example, refuses what the models refuse, explains each key."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from config.document import read_document
from config.errors import ConfigError
from config.schema import make_schema
from config.sources import Source, load_source
from tests.newcomers.registry import SITES

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

    from tests.newcomers.desk import Newcomer

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted(
    path for folder in ("config", "deploy", "tests/site") for path in (ROOT / folder).rglob("sources/**/*.yaml")
)
GAZETTE: dict[str, Any] = {
    "name": "Example Gazette",
    "home": "https://gazette.example/",
    "discover": [{"feed": "https://gazette.example/rss.xml"}],
    "articles": {"include": [r"^https://gazette\.example/\d{4}/"]},
}


@pytest.fixture(scope="module")
def schema() -> Validator:
    found = make_schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(json.loads(json.dumps(found)))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_are_valid(schema: Validator, path: Path) -> None:
    schema.validate(read_document(path).data)


def test_examples_of_the_documents_are_valid(schema: Validator) -> None:
    text = (ROOT / "config" / "sources" / "README.md").read_text("utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]
    whole = [block for block in blocks if "discover" in block]
    assert whole
    for block in whole:
        schema.validate(block)


@pytest.mark.parametrize("make", SITES.values(), ids=list(SITES))
def test_what_a_person_would_write_is_valid(schema: Validator, make: Any) -> None:
    site: Newcomer = make("http://www.newcomer.example")
    schema.validate(site.source)


VARIANTS: list[tuple[str, object]] = [
    ("schedule", "every 30 minutes"),
    ("schedule", "cron 30 6 * * * Europe/Berlin"),
    ("schedule", "now and then"),
    ("schedule", None),
    ("timezone", "Asia/Beirut"),
    ("timezone", "Asia/Beiroot"),
    ("language", "pt-BR"),
    ("language", "English"),
    ("languages", "en"),
    ("languages", ["en", "fr"]),
    ("sections", "/politics/"),
    ("sections", [7]),
    ("recheck", ["1 hour", "7 days"]),
    ("recheck", [3600]),
    ("home", "gazette.example"),
    ("home", "ftp://gazette.example/"),
    ("network", "private"),
    ("network", "secret"),
    ("politeness", {"delay_seconds": 2.5}),
    ("politeness", {"delay_seconds": -1}),
    ("politeness", {"pause": 2}),
    ("discover", []),
    ("discover", [{"feed": "https://gazette.example/a", "section": "https://gazette.example/b"}]),
    ("discover", [{"rss": "https://gazette.example/a"}]),
    ("discover", [{}]),
    ("articles", {"include": "/news/"}),
    ("articles", {"include": []}),
    ("articles", {"exclude": ["/video/"]}),
    ("extract", {"remove": ".ad"}),
    ("extract", {"title": ["h1"]}),
    ("extract", {"headline": "h1"}),
    ("skedule", "every hour"),
    ("id", "gazette"),
    ("raw_only", True),
    ("unconditional_every", 0),
    ("assets", "lead-image"),
    ("assets", "all"),
    ("render", "playwright"),
    ("headers", {"X-Key": "${KEY}"}),
    ("formerly", ["old-gazette"]),
    ("name", ""),
    ("name", None),
    ("retired", "maybe"),
]


@pytest.mark.parametrize(("key", "value"), VARIANTS, ids=lambda value: json.dumps(value)[:40])
def test_schema_and_models_agree(schema: Validator, tmp_path: Path, key: str, value: object) -> None:
    data = {**copy.deepcopy(GAZETTE), key: value}
    path = tmp_path / "gazette.yaml"
    path.write_text(yaml.safe_dump(data), "utf-8")
    try:
        load_source(path)
    except ConfigError:
        valid = False
    else:
        valid = True
    assert schema.is_valid(data) is valid


def test_every_key_is_explained() -> None:
    found = make_schema()
    assert set(found["properties"]) == set(Source.model_fields) - {"id"}
    parts = [found, *found["$defs"].values()]
    silent = [name for part in parts for name, told in part["properties"].items() if not told.get("description")]
    assert not silent


def test_zones_and_words_can_be_completed() -> None:
    keys = make_schema()["properties"]
    assert "Asia/Beirut" in keys["timezone"]["enum"]
    assert "private" in keys["network"]["enum"]
    assert "every 30 minutes" in keys["schedule"]["examples"]
