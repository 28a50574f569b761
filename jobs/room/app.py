"""The room as an ASGI application: its table of endpoints as routes."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from jobs.room.answers import answer_download, answer_page, answer_trouble, answer_twin
from jobs.room.endpoints import BadRequest, NotThere, Page
from jobs.room.views import ENDPOINTS

if TYPE_CHECKING:
    from starlette.requests import Request

    from jobs.room.library import Library


def make_app(library: Library) -> Starlette:
    """Return the application that reads in *library*."""
    routes = [Route("/static/{name}", _answer_static)]
    for endpoint in ENDPOINTS:
        if isinstance(endpoint, Page):  # the twin first: a path's last part may hold a point
            routes.append(Route(endpoint.twin, answer_twin(endpoint, library), name=f"{endpoint.name}_json"))
            routes.append(Route(endpoint.path, answer_page(endpoint, library), name=endpoint.name))
        else:
            routes.append(Route(endpoint.path, answer_download(endpoint, library), name=endpoint.name))
    return Starlette(routes=routes, exception_handlers={NotThere: answer_trouble, BadRequest: answer_trouble})


def _answer_static(request: Request) -> Response:
    name = request.path_params["name"]
    found = {one.name: one for one in files("jobs.room").joinpath("static").iterdir() if one.is_file()}.get(name)
    if found is None:
        raise HTTPException(404)
    kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "txt": "text/plain"}
    return Response(found.read_bytes(), media_type=kinds.get(name.rpartition(".")[2], "application/octet-stream"))
