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
NAMES = [
    name for one in ENDPOINTS for name in ([one.name, f"{one.name}_json"] if isinstance(one, Page) else [one.name])
]


@pytest.fixture(scope="module")
def known(room_library: Library) -> dict[str, list[Any]]:
    """Parameter → what there is of it in the archive."""
    with room_library.lend("http://localhost") as desk:
        articles = [one for source in desk.sources for one in desk.catalog.list_articles(source, None)]
        captures = [one for row in articles for one in desk.catalog.list_captures(row["source"], row["url"])]
    return {
        "source": sorted({row["source"] for row in articles}),
        "url": sorted({row["url"] for row in articles}),
        "segment": sorted({one.segment for one in captures}),
        "n": sorted({one.n for one in captures}),
        "revision": [1, 2],
        "before": [1],
        "after": [2],
    }


@pytest.fixture(scope="module")
def operations(room_library: Library, known: dict[str, list[Any]]) -> dict[str, Any]:
    """Operation's id → what schemathesis makes of it."""
    load_all_checks()
    schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(room_library))

    @schema.hook
    def map_case(context: object, case: Any) -> Any:
        """Let three of four cases ask for what is there: else all that a view does would be to find nothing."""
        del context
        for asked in (case.path_parameters, case.query):
            for key, value in (asked or {}).items():
                number = sum(map(ord, str(value)))
                if key in known and number % 4 and case.meta.generation.mode.is_positive:
                    asked[key] = known[key][number % len(known[key])]
        return case

    return {name: schema.find_operation_by_id(name) for name in NAMES}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as asked for", "otherwise"])
@pytest.mark.parametrize("name", NAMES)
def test_room_does_as_its_document_says(operations: dict[str, Any], name: str, mode: GenerationMode) -> None:
    operation = operations[name]
    if mode.is_negative and not operation.query:
        pytest.skip("any path can be asked for")

    @hypothesis.settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()


def test_document_has_all_that_is_routed(room_client: Client) -> None:
    answer = room_client.get("/openapi.json")
    document = json.loads(answer.text)
    assert document["openapi"] == "3.1.0"
    operations = {one["get"]["operationId"] for one in document["paths"].values()}
    assert operations == set(NAMES)
    assert all(set(one) == {"get"} for one in document["paths"].values())
    assert all(one["get"]["summary"] for one in document["paths"].values())
