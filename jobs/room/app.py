"""The room as an ASGI application: its table of endpoints as routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.errors import ArchiveError
from jobs.room import openapi
from jobs.room.answers import (
    answer_download,
    answer_http_trouble,
    answer_page,
    answer_trouble,
    answer_twin,
    make_trouble,
    target_of,
)
from jobs.room.endpoints import BadRequest, NotThere, Page, TookTooLong
from jobs.room.headers import SafeHeaders
from jobs.room.static_files import FOLDER, find_static
from jobs.room.views import ENDPOINTS
from jobs.search.queries import QueryError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from jobs.room.library import Library

log = structlog.get_logger()

THREADS = 8
"""Views that work at a time, each with a catalog and an index of its own: more would not be faster, only larger."""
_FOR_GOOD = "public, max-age=31536000, immutable"


def make_app(library: Library) -> Starlette:
    """Return the application that reads in *library*; who may come in is the guard's business."""
    routes = [Route(FOLDER + "{name}", _answer_static), Route(openapi.PATH, _answer_openapi)]
    for endpoint in ENDPOINTS:
        if isinstance(endpoint, Page):  # the twin first: a path's last part may hold a point
            routes.append(Route(endpoint.twin, answer_twin(endpoint, library), name=f"{endpoint.name}_json"))
            routes.append(Route(endpoint.path, answer_page(endpoint, library), name=endpoint.name))
        else:
            routes.append(Route(endpoint.path, answer_download(endpoint, library), name=endpoint.name))
    told = (NotThere, BadRequest, TookTooLong, QueryError, ArchiveError)
    return Starlette(
        routes=routes,
        middleware=[Middleware(SafeHeaders), Middleware(_Faults)],
        exception_handlers={HTTPException: answer_http_trouble, **dict.fromkeys(told, answer_trouble)},
    )


def bound_threads() -> None:
    """Have no more than THREADS views work at a time in the event loop that runs."""
    to_thread.current_default_thread_limiter().total_tokens = THREADS


class _Faults:
    """ASGI: what nobody foresaw is logged, and a reader told no more than that it happened."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            request = Request(scope, receive)
            log.exception("failed_request", path=target_of(request))
            if begun:
                raise
            trouble = make_trouble(request, 500, "Something went wrong", "it is in the log of who runs this room")
            await trouble(scope, receive, send)


def _answer_openapi(request: Request) -> Response:
    del request
    return Response(openapi.describe_room(), media_type="application/json")


def _answer_static(request: Request) -> Response:
    found = find_static(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    headers = {"Cache-Control": _FOR_GOOD if found.for_good else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.body, headers=headers, media_type=found.media_type)
    return Response(found.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.media_type)
