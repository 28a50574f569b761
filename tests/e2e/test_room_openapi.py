"""The room holds what its OpenAPI document says, whatever is asked: all its pages, twins and downloads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import schemathesis
from hypothesis import Phase
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from jobs.room.app import make_app
from jobs.room.endpoints import Page
from jobs.room.views import ENDPOINTS

if TYPE_CHECKING:
    from jobs.room.library import Library
    from tests.rooms import Client

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
EXAMPLES = 10
"""Of each operation, twice."""
OFFERED = {
    name: one for one in ENDPOINTS for name in ([one.name, f"{one.name}_json"] if isinstance(one, Page) else [one.name])
}
QUERIED = [name for name, one in OFFERED.items() if any(f"{{{key}" not in one.path for key in one.asked.model_fields)]
"""Of the others any path can be asked for, so nothing is wrong to ask."""


@pytest.fixture(scope="module")
def known(room_library: Library) -> list[dict[str, Any]]:
    """What there is in the archive to ask for: a capture each, by parameter."""
    with room_library.lend("http://localhost") as desk:
        articles = [row for source in desk.sources for row in desk.catalog.list_articles(source, None)]
        edited = [(row["source"], row["url"]) for row in articles if row["revisions"] > 1]
        captures = [one for article in edited for one in desk.catalog.list_captures(*article) if one.revision]
    return [
        {
            "source": one.source,
            "url": one.url,
            "segment": one.segment,
            "n": one.n,
            "stamp": f"{one.captured_at:%Y%m%d%H%M%S}",
            "revision": 1,
            "before": 1,
            "after": 2,
            "run": one.run,
        }
        for one in captures
    ]


@pytest.fixture(scope="module")
def operations(room_library: Library, known: list[dict[str, Any]]) -> dict[str, Any]:
    """Operation's id → what schemathesis makes of it."""
    load_all_checks()
    schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(room_library))

    @schema.hook
    def map_case(context: object, case: Any) -> Any:
        """Let three of four cases ask for what is there: else all that a view does would be to find nothing."""
        del context
        asked = {**(case.path_parameters or {}), **(case.query or {})}
        number = sum(ord(char) for value in asked.values() for char in str(value))
        if not case.meta.generation.mode.is_positive or not number % 4:
            return case
        row = known[number // 4 % len(known)]
        required = {one["name"] for one in case.operation.definition.raw["parameters"] if one["required"]}
        case.path_parameters = {key: row.get(key, value) for key, value in (case.path_parameters or {}).items()}
        case.query = {
            key: row[key] if key in row and key in required else value
            for key, value in (case.query or {}).items()
            if key in required or number % 4 == 1
        }
        return case

    return {name: schema.find_operation_by_id(name) for name in OFFERED}


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *(pytest.param(name, GenerationMode.POSITIVE, id=f"{name}, as asked for") for name in OFFERED),
        *(pytest.param(name, GenerationMode.NEGATIVE, id=f"{name}, otherwise") for name in QUERIED),
    ],
)
def test_room_does_as_its_document_says(operations: dict[str, Any], name: str, mode: GenerationMode) -> None:
    operation = operations[name]

    @hypothesis.settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answers.append(case.call_and_validate(checks=CHECKS).status_code)

    answers: list[int] = []
    ask()
    if mode.is_positive and name != "capture_asset":  # few pages have one
        assert {200, 302} & set(answers), "nothing that is there was asked for"


def test_document_has_all_that_is_routed(room_client: Client) -> None:
    answer = room_client.get("/openapi.json")
    document = json.loads(answer.text)
    assert document["openapi"] == "3.1.0"
    operations = {one["get"]["operationId"] for one in document["paths"].values()}
    assert operations == OFFERED.keys()
    assert all(set(one) == {"get"} for one in document["paths"].values())
    assert all(one["get"]["summary"] for one in document["paths"].values())
