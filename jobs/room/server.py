"""Serves the room: uvicorn around the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvicorn

from jobs.room.app import make_app

if TYPE_CHECKING:
    from jobs.room.library import Library


def serve(library: Library, host: str, port: int) -> None:
    """Answer requests at that address until a signal says to end."""
    config = uvicorn.Config(make_app(library), host=host, port=port, log_config=None, server_header=False)
    uvicorn.Server(config).run()
