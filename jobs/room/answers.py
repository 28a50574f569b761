"""A request → its answer: parameters checked, the view asked, the result as a page, as JSON, or as it is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import ValidationError
from starlette.responses import Response

from jobs.room.endpoints import BadRequest, Document, Download, NotThere, Page
from jobs.room.rendering import render_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from jobs.room.endpoints import Asked, Told
    from jobs.room.library import Library

_JSON = "application/json"
_PROBLEM = "application/problem+json"


def answer_page(page: Page[Any, Any], library: Library) -> Callable[[Request], Response]:
    """Return what answers requests for *page*."""

    def answer(request: Request) -> Response:
        with library.lend(base_of(request)) as desk:
            told = page.view(desk, read_asked(page.asked, request))
            body = render_page(page.name, told, desk=desk, page=page, twin=twin_of(request))
        return _make_fresh(request, Response(body, media_type="text/html"))

    return answer


def answer_twin(page: Page[Any, Any], library: Library) -> Callable[[Request], Response]:
    """Return what answers requests for the JSON twin of *page*."""

    def answer(request: Request) -> Response:
        with library.lend(base_of(request)) as desk:
            told: Told = page.view(desk, read_asked(page.asked, request))
            body = told.model_dump_json().encode()
        return _make_fresh(request, Response(body, media_type=_JSON))

    return answer


def answer_download(download: Download[Any], library: Library) -> Callable[[Request], Response]:
    """Return what answers requests for *download*."""

    def answer(request: Request) -> Response:
        with library.lend(base_of(request), request.headers.get("accept-datetime")) as desk:
            document = download.view(desk, read_asked(download.asked, request))
        return _make_fresh(request, _to_response(document))

    return answer


def read_asked(asked: type[Asked], request: Request) -> Asked:
    """Return what a request asks for. Raises BadRequest naming the parameter."""
    given: dict[str, Any] = dict(request.path_params)
    for name in request.query_params:
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


def base_of(request: Request) -> str:
    """Return the room's address as the reader sees it."""
    return str(request.base_url).rstrip("/")


def twin_of(request: Request) -> str:
    """Return the path of the twin of the page that is asked for, with its query."""
    path = "/index.json" if request.url.path == "/" else f"{request.url.path}.json"
    return f"{path}?{request.url.query}" if request.url.query else path


def answer_trouble(request: Request, error: Exception) -> Response:
    """Return the answer where a view found nothing, or the request makes no sense: a page or, of a twin, RFC 9457."""
    status, title = (404, "Not in this archive") if isinstance(error, NotThere) else (400, "Not understood")
    if request.url.path.endswith(".json"):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": str(error)}
        return Response(json.dumps(problem, ensure_ascii=False).encode(), status, media_type=_PROBLEM)
    body = render_page("trouble", None, title=title, detail=str(error), desk=None, page=None, twin=None)  # type: ignore[arg-type]
    return Response(body, status, media_type="text/html")


def _to_response(document: Document) -> Response:
    headers = dict(document.headers)
    if document.filename is not None:
        headers["Content-Disposition"] = f'attachment; filename="{document.filename}"'
    return Response(document.body, document.status, headers, media_type=document.media_type)


def _make_fresh(request: Request, response: Response) -> Response:
    """Return 304 in place of an answer that the reader has."""
    if response.status_code != 200:
        return response
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    return response
