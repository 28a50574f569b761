"""The form by which a browser shows the secret once, and the cookie that it keeps of that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from starlette.responses import Response

from jobs.room.allowance import Allowance
from jobs.room.answers import base_of, make_trouble, target_of, wants_page
from jobs.room.rendering import render_page
from jobs.room.tokens import COOKIE_SECONDS, FORM_SECONDS, is_nonce, make_nonce

if TYPE_CHECKING:
    from starlette.requests import Request

    from jobs.room.access import AccessRules
    from jobs.room.tokens import Token

LOGIN = "/login"
_TRIES_PER_MINUTE = 10
_NONCE = "ofrecord-form"


class LoginDesk:
    """Shows the form, takes it, and turns away."""

    def __init__(self, rules: AccessRules, token: Token) -> None:
        self._rules = rules
        self._token = token
        self._tries = Allowance(_TRIES_PER_MINUTE)

    def show(self, request: Request, now: float, *, status: int = 200, detail: str = "", to: str = "") -> Response:
        """Return the form, to come to the path *to* by; by default to what the query says."""
        given = request.cookies.get(_NONCE, "")
        nonce = given if is_nonce(given) else make_nonce()  # a form in another tab stays good
        body = render_page(
            "login",
            None,
            desk=None,
            page=None,
            twin=None,
            form=self._token.make_form(nonce, now),
            to=check_path(to or request.query_params.get("to", "")),
            detail=detail,
        )
        headers = {
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",
        }  # else the form's Origin would be null
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="reading room"'
        response = Response(body, status, headers, media_type="text/html")
        self._set_cookie(response, _NONCE, nonce, FORM_SECONDS)
        return response

    def take(self, request: Request, body: bytes, now: float) -> Response:
        """Return the answer to a form that was sent: to what was wanted, or the form again."""
        try:
            fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=5, errors="strict")
        except ValueError:
            return make_trouble(request, 400, "Not understood", "expected the form of this page")
        form, given, to = (fields.get(name, [""])[0] for name in ("form", "token", "to"))
        nonce = request.cookies.get(_NONCE, "")
        if not self._comes_from_here(request) or not self._token.accepts_form(form, nonce, now):
            return self.show(request, now, status=403, detail="The form is no longer good: try once more.", to=to)
        wait = self._tries.take(self._rules.find_client(request), time.monotonic())
        if wait:
            return make_trouble(request, 429, "Too often", "try again later", {"Retry-After": str(int(wait) + 1)})
        if not self._token.is_shown_by(given):
            return self.show(request, now, status=403, detail="That is not the secret of this room.", to=to)
        response = Response(status_code=303, headers={"Location": check_path(to), "Cache-Control": "no-store"})
        self._set_cookie(response, self._rules.cookie_name, self._token.make_cookie(now), COOKIE_SECONDS)
        return response

    def turn_away(self, request: Request, now: float) -> Response:
        """Return the answer to who may not come in: a browser has the form, in the place of what it asked for."""
        if wants_page(request):
            return self.show(request, now, status=401, to=target_of(request))
        headers = {"WWW-Authenticate": 'Bearer realm="reading room"'}
        return make_trouble(request, 401, "Not without leave", "expected the header Authorization: Bearer …", headers)

    def _comes_from_here(self, request: Request) -> bool:
        """Whether no page of others sent the form, as far as the browser says so."""
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        return origin in {None, base_of(request)} and site in {None, "same-origin", "none"}

    def _set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._rules.is_secure, httponly=True, samesite="strict"
        )


def check_path(path: str) -> str:
    """Return *path* if it leads nowhere but into this room, else that of the front page."""
    safe = quote(path, safe="/?&=%:@!$'()*+,;~.-_")
    return safe if safe.startswith("/") and not safe.startswith("//") and "\\" not in path else "/"
