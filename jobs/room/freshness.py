"""Whether a reader has an answer already: told, for a minute, by what the archive holds alone, without rendering."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from jobs.room.desk import Desk

TRUSTED_SECONDS = 60
"""So long nothing changes but by commits: what is due, late or silent changes by itself."""
_TAG = re.compile(r'"([0-9a-f]{16})-([0-9a-f]{1,10})-([0-9a-f]{24})"', re.ASCII)
_MOST_TAGS = 10
_PROCESS = secrets.token_bytes(16)
"""Templates and settings are what they are for as long as we live."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """One request, as its answer depends on it."""

    state: str
    """Digest of what is asked for and of the ends of all logs, as far as catalog and index know them."""
    second: int
    had: tuple[tuple[str, int, str], ...]
    """State, second and digest of the body of answers that the reader has."""

    @classmethod
    def of(cls, desk: Desk, request: Request) -> Freshness:
        """Return what a request, with that *desk* before it, has."""
        known = repr((desk.catalog.list_heads(), sorted(desk.index.count_heads().items()), desk.base))
        asked = repr((request.scope["path"], request.scope["query_string"], desk.wanted_time))
        state = hashlib.sha256(_PROCESS + known.encode() + asked.encode()).hexdigest()[:16]
        found = _TAG.findall(request.headers.get("if-none-match", ""))[:_MOST_TAGS]
        had = tuple((one, int(second, 16), body) for one, second, body in found)
        return cls(state, int(desk.now.timestamp()), had)

    def is_had(self) -> bool:
        """Whether the reader has what would be the answer, and that can be told without making it."""
        return self._find_had() is not None

    def answer_unchanged(self) -> Response:
        """Return that nothing changed. For who `is_had`."""
        had = self._find_had()
        if had is None:
            raise ValueError("not had")
        return Response(status_code=304, headers={"ETag": _write(*had)})

    def mark(self, response: Response) -> Response:
        """Return *response* with its tag, or that the reader has just that."""
        if response.status_code != 200:
            return response
        body = hashlib.sha256(bytes(response.body)).hexdigest()[:24]
        tag = _write(self.state, self.second, body)
        if any(digest == body for _, _, digest in self.had):
            return Response(status_code=304, headers={"ETag": tag})
        response.headers["ETag"] = tag
        return response

    def _find_had(self) -> tuple[str, int, str] | None:
        for one in self.had:
            if one[0] == self.state and 0 <= self.second - one[1] < TRUSTED_SECONDS:
                return one
        return None


def _write(state: str, second: int, body: str) -> str:
    return f'"{state}-{second:x}-{body}"'
