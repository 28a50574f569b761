"""The room's OpenAPI document, made of the table of endpoints: what is described is what is routed."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from config.settings import program_version
from jobs.room.endpoints import Page
from jobs.room.views import ENDPOINTS

if TYPE_CHECKING:
    from jobs.room.endpoints import Asked, Download, Endpoint

PATH = "/openapi.json"
_CONVERTOR = re.compile(r"\{(\w+):\w+\}", re.ASCII)
_REFERENCE = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_FAULTS = {
    "400": "The request makes no sense: detail says what was found and what is expected",
    "401": "Not without leave",
    "403": "A page of another site may link here, not load this",
    "404": "Not in this archive",
    "429": "Too often: wait as Retry-After says",
    "502": "Damaged, or refused by the archive's store",
    "503": "The archive's store does not answer just now",
}


@cache
def describe_room() -> bytes:
    """Return the document, OpenAPI 3.1 as JSON."""
    pages = [one for one in ENDPOINTS if isinstance(one, Page)]
    _, schemas = models_json_schema([(one.told, "serialization") for one in pages], ref_template=_REFERENCE)
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        if isinstance(endpoint, Page):
            name, path = endpoint.name, _plain(endpoint.path)
            told = {"$ref": _REFERENCE.format(model=endpoint.told.__name__)}
            twin = {"application/json": {"schema": told}}
            paths[_plain(endpoint.twin)] = {
                "get": _describe(endpoint, f"{name}_json", twin, f"{endpoint.summary}, as JSON")
            }
            paths[path] = {"get": _describe(endpoint, name, {"text/html": {}}, endpoint.summary)}
        else:
            paths[_plain(endpoint.path)] = {
                "get": _describe(endpoint, endpoint.name, _list_types(endpoint), endpoint.summary)
            }
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Reading room of an ofrecord archive",
            "version": program_version(),
            "description": "Every page has a twin for programs. Nothing can be changed. Times are RFC 3339 in UTC.",
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _describe(endpoint: Endpoint[Any, Any], name: str, content: dict[str, Any], summary: str) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}, "text/html": {}}
    responses: dict[str, Any] = {"200": {"description": "As asked for", "content": content}}
    responses["304"] = {"description": "Unchanged since the answer with that ETag"}
    if not isinstance(endpoint, Page):
        responses["302"] = {"description": "What is nearest stands at Location"}
    responses |= {status: {"description": text, "content": problem} for status, text in _FAULTS.items()}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": _list_parameters(endpoint.asked, endpoint.path),
        "responses": responses,
    }


def _list_parameters(asked: type[Asked], path: str) -> list[dict[str, Any]]:
    schema = asked.model_json_schema(mode="validation")
    definitions = schema.get("$defs", {})
    in_path = set(re.findall(r"\{(\w+)", path))
    return [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in in_path or name in schema.get("required", ()),
            "schema": _inline(found, definitions),
        }
        for name, found in schema.get("properties", {}).items()
    ]


def _inline(found: Any, definitions: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return a parameter's schema with what it refers to, and without what no query can say: null."""
    if isinstance(found, list):
        return [_inline(one, definitions) for one in found]
    if not isinstance(found, dict):
        return found
    if "$ref" in found:
        return _inline(definitions[found["$ref"].rpartition("/")[2]], definitions)
    inlined = {key: _inline(value, definitions) for key, value in found.items() if (key, value) != ("default", None)}
    kinds = [one for one in inlined.get("anyOf", ()) if one != {"type": "null"}]
    if len(kinds) == 1 and "anyOf" in inlined:
        del inlined["anyOf"]
        inlined |= kinds[0]
    return inlined


def _list_types(download: Download[Any]) -> dict[str, Any]:
    return {media_type: {} for media_type in download.media_types}


def _plain(path: str) -> str:
    return _CONVERTOR.sub(r"{\1}", path)
