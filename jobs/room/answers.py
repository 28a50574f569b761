"""A request → its answer: parameters checked, the view asked, the result as a page, as JSON, or as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_origin

import structlog
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from config.errors import DamageFound, ObjectMissing, RecordError, StoreError
from jobs.room.endpoints import BadRequest, Document, Download, NotThere, Page, TookTooLong
from jobs.room.freshness import Freshness
from jobs.room.headers import encode_value, name_file
from jobs.room.rendering import render_page
from jobs.search.queries import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from jobs.room.endpoints import Asked, Told
    from jobs.room.library import Library

log = structlog.get_logger()

_JSON = "application/json"
_PROBLEM = "application/problem+json"
_BASE = "ofrecord.base"
"""Of a request's scope: the room's address as the reader sees it, where the guard says so."""


def answer_page(page: Page[Any, Any], library: Library) -> Callable[[Request], Response]:
    """Return what answers requests for *page*."""

    def answer(request: Request) -> Response:
        with library.lend(base_of(request)) as desk:
            freshness = Freshness.of(desk, request)
            if freshness.is_had():
                return freshness.answer_unchanged()
            told = page.view(desk, read_asked(page.asked, request))
            body = render_page(page.name, told, desk=desk, page=page, twin=twin_of(request))
        return freshness.mark(Response(body, headers=_encode_all(told.headers), media_type="text/html"))

    return answer


def answer_twin(page: Page[Any, Any], library: Library) -> Callable[[Request], Response]:
    """Return what answers requests for the JSON twin of *page*."""

    def answer(request: Request) -> Response:
        with library.lend(base_of(request)) as desk:
            freshness = Freshness.of(desk, request)
            if freshness.is_had():
                return freshness.answer_unchanged()
            told: Told = page.view(desk, read_asked(page.asked, request))
            body = told.model_dump_json().encode()
        return freshness.mark(Response(body, headers=_encode_all(told.headers), media_type=_JSON))

    return answer


def answer_download(download: Download[Any], library: Library) -> Callable[[Request], Response]:
    """Return what answers requests for *download*."""

    def answer(request: Request) -> Response:
        with library.lend(base_of(request), request.headers.get("accept-datetime")) as desk:
            freshness = Freshness.of(desk, request)
            if freshness.is_had():
                return freshness.answer_unchanged()
            document = download.view(desk, read_asked(download.asked, request, rest=_find_rest(download, request)))
        return freshness.mark(_to_response(document))

    return answer


def read_asked(asked: type[Asked], request: Request, *, rest: Mapping[str, str] | None = None) -> Asked:
    """Return what a request asks for. Raises BadRequest naming the parameter.

    *rest*: the parameter that has all that follows in the request's target, its query among it.
    """
    given: dict[str, Any] = {**request.path_params, **(rest or {})}
    for name in request.query_params if rest is None else ():
        values = request.query_params.getlist(name)
        field = asked.model_fields.get(name)
        several = field is not None and get_origin(field.annotation) in {tuple, list}
        if len(values) > 1 and not several:
            raise BadRequest(f"{name}: found {len(values)} times, expected once")
        if name in request.path_params:
            raise BadRequest(f"{name}: found in the query, expected in the path alone")
        given[name] = values if several else values[0]
    try:
        return asked.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"][:1])) or "request"
        raise BadRequest(f"{name}: {first['msg']}") from error


def _find_rest(download: Download[Any], request: Request) -> dict[str, str] | None:
    if not download.rest:
        return None
    before, _, last = download.path.rpartition("/{")
    *_, rest = target_of(request).split("/", before.count("/") + 1)
    return {last.partition(":")[0]: rest}


def base_of(request: Request) -> str:
    """Return the room's address as the reader sees it."""
    return request.scope.get(_BASE) or str(request.base_url).rstrip("/")


def set_base(request: Request, base: str) -> None:
    """Note *base* as the room's address, for those who answer the request after us."""
    request.scope[_BASE] = base
    request.scope["scheme"] = base.partition(":")[0]  # a redirect would lead out of TLS, which ends at the proxy


def target_of(request: Request) -> str:
    """Return path and query as they were sent."""
    path = request.scope.get("raw_path", request.scope["path"].encode()).partition(b"?")[0]
    query = request.scope["query_string"]
    return bytes(path + (b"?" + query if query else b"")).decode("ascii", "replace")


def twin_of(request: Request) -> str:
    """Return the path of the twin of the page that is asked for, with its query."""
    path, mark, query = target_of(request).partition("?")
    return ("/index.json" if path == "/" else f"{path}.json") + mark + query


def answer_trouble(request: Request, error: Exception) -> Response:
    """Return the answer where a view failed in a way that a reader can be told of."""
    status, title, detail = _tell_trouble(error)
    if status >= 500:
        log.error("failed_request", path=target_of(request), reason=f"{type(error).__name__}: {error}")
    headers = {"Retry-After": "10"} if status == 503 else {}
    return make_trouble(request, status, title, detail, headers)


def answer_http_trouble(request: Request, error: Exception) -> Response:
    """Return the answer where there is no such path."""
    if not isinstance(error, HTTPException):
        raise TypeError("no HTTPException") from error
    detail = "there is no such page in this room" if error.status_code == 404 else error.detail
    return make_trouble(request, error.status_code, error.detail, detail, error.headers)


def wants_page(request: Request) -> bool:
    """Whether who asks is to be answered by a page, if no endpoint knows better."""
    accepted = request.headers.get("accept", "*/*")
    return not request.scope["path"].endswith(".json") and ("text/html" in accepted or "*/*" in accepted)


def make_trouble(
    request: Request, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer that says what is wrong: a page or, where a program asks, RFC 9457."""
    given = {"Cache-Control": "no-store", **(headers or {})}
    if not wants_page(request):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        return Response(json.dumps(problem, ensure_ascii=False).encode(), status, given, media_type=_PROBLEM)
    body = render_page("trouble", None, title=title, detail=detail, desk=None, page=None, twin=None)
    return Response(body, status, given, media_type="text/html")


def _tell_trouble(error: Exception) -> tuple[int, str, str]:
    """Return status, title and detail. Of a store that fails only that: its messages are for who runs the room."""
    match error:
        case NotThere():
            return 404, "Not in this archive", str(error)
        case BadRequest() | QueryError():
            return 400, "Not understood", str(error)
        case TookTooLong():
            return 503, "Too much at once", str(error)
        case DamageFound() | ObjectMissing() | RecordError():
            return 502, "Damaged", str(error)
        case StoreError() if not error.retryable:
            return 502, "Out of reach", "the archive's store does not give that; who runs this room has the reason"
        case StoreError():
            return 503, "Out of reach", "the archive's store does not answer just now; what is known here is still here"
    return 503, "Out of order", "what this room knows cannot be read just now; try again in a moment"


def _to_response(document: Document) -> Response:
    headers = _encode_all(document.headers)
    if document.filename is not None:
        headers["Content-Disposition"] = name_file(document.filename)
    return Response(document.body, document.status, headers, media_type=document.media_type)


def _encode_all(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: encode_value(value) for name, value in headers.items()}
