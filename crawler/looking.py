"""The least that a visit can be for: what some URLs answer, redirects followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.model import Purpose
from crawler.visit import VisitOver

if TYPE_CHECKING:
    from crawler.model import Exchange
    from crawler.visit import Visit


async def look_at(visit: Visit, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what each of `urls` in *parameters* came to; `over`: why not all of them were asked for."""
    seen: list[list[dict[str, Any]]] = []
    over = None
    try:
        for url in parameters["urls"]:
            chain = await visit.follow(url, Purpose(parameters.get("purpose", "article")))
            seen.append([_describe(exchange) for exchange in chain])
    except VisitOver as error:
        over = str(error)
    return {"seen": seen, "over": over, "requests": visit.requests}


def _describe(exchange: Exchange) -> dict[str, Any]:
    return {
        "url": exchange.url,
        "status": exchange.status,
        "error": exchange.error,
        "forbidden": exchange.forbidden,
        "truncated": exchange.truncated,
        "size_bytes": len(exchange.body),
        "sent": exchange.request_head.decode("latin-1"),
    }
