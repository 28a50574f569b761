"""Who may come into the room: ways around the door, rebinding, spoofed headers, others' forms, too much of anything."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from starlette.requests import Request

from config.errors import ConfigError
from config.loading import load_settings
from config.settings import Settings
from jobs.room.access import AccessRules
from jobs.room.allowance import MOST_CLIENTS, Allowance, name_client
from jobs.room.app import make_app
from jobs.room.guard import Guard
from jobs.room.headers import SAFE_HEADERS
from jobs.room.keeper import encode_assignment
from jobs.room.login import check_path
from jobs.room.tokens import COOKIE_SECONDS, FORM_SECONDS, Token
from tests.doors import ARTICLE, Visitor, open_small_library
from tests.machines import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    from starlette.types import ASGIApp, Message

    from jobs.room.library import Library

SECRET = "correct-horse-battery-staple"
PORT = 8460
HERE = f"http://127.0.0.1:{PORT}"
PUBLIC = "https://room.example"
PROXY = "10.1.2.3"


def ask_raw(app: ASGIApp, target: str, *headers: tuple[bytes, bytes]) -> tuple[int, bytes]:
    """Return status and body of what no client would send: the path as it is."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", f"127.0.0.1:{PORT}".encode()), *headers],
        "client": ("127.0.0.1", 50_000),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with open_small_library(tmp_path_factory.mktemp("state")) as library:
        yield library


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(SECRET + "\n", encoding="ascii")
    return path


def enter(library: Library, *, at: str = HERE, peer: str = "127.0.0.1", **settings: object) -> Visitor:
    """Return a client at the door of a room with those settings, whose requests come from *peer*."""
    rules = AccessRules.of(Settings().override(**{f"room_{name}": value for name, value in settings.items()}), PORT)
    app = Guard(make_app(library), rules)
    return Visitor(app, at, peer)


def sign_in(client: Visitor, secret: str = SECRET, to: str = "/", **fields: str) -> httpx.Response:
    page = client.get("/login").text
    form = page.partition('name="form" value="')[2].partition('"')[0]
    return client.post("/login", data={"form": form, "token": secret, "to": to, **fields})


def test_this_machine_reads_without_leave(library: Library) -> None:
    client = enter(library)
    assert client.get(ARTICLE).status_code == 200
    assert client.get(ARTICLE, headers={"Host": f"localhost:{PORT}"}).status_code == 200
    assert client.get(ARTICLE, headers={"Host": f"[::1]:{PORT}"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", f"127.0.0.1:{PORT}.evil.example", ""]
)
def test_a_name_that_leads_to_this_machine_is_not_this_room(library: Library, host: str) -> None:
    answer = enter(library).get(ARTICLE, headers={"Host": host})
    assert answer.status_code == 421
    assert "bridge" not in answer.text


def test_room_behind_a_name_answers_to_that_and_to_where_it_listens(library: Library) -> None:
    client = enter(library, at=PUBLIC, public_url="https://Room.Example/")
    assert client.get(ARTICLE).status_code == 200
    assert client.get(ARTICLE, headers={"Host": "ROOM.example:443"}).status_code == 200
    assert client.get(ARTICLE, headers={"Host": f"127.0.0.1:{PORT}"}).status_code == 200
    assert client.get(ARTICLE, headers={"Host": "room.example:8443"}).status_code == 421
    open_to_all = enter(library, at=PUBLIC, public_url=PUBLIC, listen="0.0.0.0:8460")
    assert open_to_all.get(ARTICLE, headers={"Host": f"127.0.0.1:{PORT}"}).status_code == 421


def test_nothing_leads_out_of_tls(library: Library) -> None:
    client = enter(library, at="http://room.example", public_url=PUBLIC)  # as the proxy asks
    assert client.get("/sources/").headers["Location"] == f"{PUBLIC}/sources"
    assert enter(library).get("/sources/").headers["Location"] == f"{HERE}/sources"


def test_bearer_token_lets_in_and_nothing_like_it(library: Library, token_file: Path) -> None:
    client = enter(library, token_file=token_file)
    assert client.get(ARTICLE, headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200
    assert client.get(ARTICLE, headers={"Authorization": f"bearer  {SECRET} "}).status_code == 200
    for value in ("", "Bearer", "Bearer ", f"Basic {SECRET}", f"Bearer {SECRET}x", f"Bearer {SECRET[:-1]}", SECRET):
        answer = client.get(ARTICLE, headers={"Authorization": value})
        assert answer.status_code == 401, value
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "bridge" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        ARTICLE,
        ARTICLE.replace("article?", "article.json?"),
        "/openapi.json",
        "/login/../sources",
        "//static/../sources",
        "/static/../sources/gazette",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2fapp.py",
        "/healthz/",
        "/robots.txt/x",
        "/LOGIN",
        "/nothing",
    ],
)
def test_no_path_leads_past_the_door(library: Library, token_file: Path, path: str) -> None:
    status, body = ask_raw(enter(library, token_file=token_file).app, path)
    assert status in {401, 404}
    assert b"bridge" not in body
    assert b"import" not in body


def test_programs_are_turned_away_in_their_own_words(library: Library, token_file: Path) -> None:
    answer = enter(library, token_file=token_file).get(ARTICLE, headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 401


def test_what_needs_no_leave_tells_nothing(library: Library, token_file: Path) -> None:
    client = enter(library, token_file=token_file)
    assert client.get("/healthz", headers={"Host": "10.0.0.9:8460"}).json() == {"status": "ok"}
    assert client.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"
    assert client.get("/static/room.css").status_code == 200


def test_browser_signs_in_once(library: Library, token_file: Path) -> None:
    client = enter(library, token_file=token_file)
    turned_away = client.get(ARTICLE)
    assert turned_away.status_code == 401
    assert "Secret of this room" in turned_away.text
    assert turned_away.headers["Referrer-Policy"] == "same-origin", "with no-referrer a browser sends Origin: null"
    answer = sign_in(client, to=ARTICLE)
    assert (answer.status_code, answer.headers["Location"]) == (303, ARTICLE)
    cookie = next(one for one in answer.headers.get_list("Set-Cookie") if one.startswith("ofrecord="))
    assert SECRET not in cookie
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert client.get(ARTICLE).status_code == 200


def test_cookie_over_tls_is_of_that_host_alone(library: Library, token_file: Path) -> None:
    client = enter(library, at=PUBLIC, public_url=PUBLIC, token_file=token_file)
    answer = sign_in(client)
    cookie = next(one for one in answer.headers.get_list("Set-Cookie") if one.startswith("__Host-ofrecord="))
    assert "; secure" in cookie.lower()
    assert "domain" not in cookie.lower()
    assert client.get(ARTICLE).status_code == 200


def test_wrong_secrets_are_few(library: Library, token_file: Path) -> None:
    client = enter(library, token_file=token_file)
    answers = [sign_in(client, "wrong").status_code for _ in range(12)]
    assert answers == [403] * 10 + [429] * 2
    assert client.get(ARTICLE).status_code == 401
    assert sign_in(client).status_code == 429, "a guess that comes too late tells nothing"


def test_form_of_others_signs_nobody_in(library: Library, token_file: Path) -> None:
    victim, attacker = (enter(library, token_file=token_file) for _ in range(2))
    form = attacker.get("/login").text.partition('name="form" value="')[2].partition('"')[0]
    victim.get("/login")
    good = {"form": form, "token": SECRET, "to": "/"}
    assert victim.post("/login", data=good).status_code == 403, "the form is made for another browser"
    assert attacker.post("/login", data={**good, "form": ""}).status_code in {400, 403}
    own = victim.get("/login").text.partition('name="form" value="')[2].partition('"')[0]
    for header in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = victim.post("/login", data={**good, "form": own}, headers=header)
        assert answer.status_code == 403
        assert "ofrecord=" not in answer.headers.get("Set-Cookie", "")
    assert victim.post("/login", data={**good, "form": own}, headers={"Origin": HERE}).status_code == 303


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "\r\nX: y"]
)
def test_login_leads_nowhere_else(library: Library, token_file: Path, to: str) -> None:
    answer = sign_in(enter(library, token_file=token_file), to=to)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert check_path(to) == "/"


def test_where_one_came_from_is_kept_as_it_was(library: Library, token_file: Path) -> None:
    client = enter(library, token_file=token_file)
    path = "/memento/20260101000000/https://gazette.example/%C3%A4?a=1&b=%2F%22"
    page = client.get(path).text
    to = page.partition('name="to" value="')[2].partition('"')[0].replace("&amp;", "&")
    assert sign_in(client, to=to).headers["Location"] == path


def test_proxy_says_who_a_reader_is(library: Library) -> None:
    client = enter(
        library, at=PUBLIC, peer=PROXY, public_url=PUBLIC, trust_header="X-Forwarded-User", trust_from="10.1.0.0/16"
    )
    assert client.get(ARTICLE).status_code == 401
    assert client.get(ARTICLE, headers={"X-Forwarded-User": "ada"}).status_code == 200
    assert client.get(ARTICLE, headers={"X_Forwarded_User": "ada"}).status_code == 401
    assert client.get(ARTICLE, headers={"X-Forwarded-User": " "}).status_code == 401
    twice = [("X-Forwarded-User", "ada"), ("X-Forwarded-User", "")]
    assert client.get(ARTICLE, headers=twice).status_code == 401, "one of them was smuggled past the proxy"


def test_header_of_who_is_no_proxy_is_nothing(library: Library) -> None:
    for peer in ("10.2.0.1", "127.0.0.1", "::1", "", "10.1.2.3.evil"):
        client = enter(
            library, at=PUBLIC, peer=peer, public_url=PUBLIC, trust_header="X-Forwarded-User", trust_from="10.1.0.0/16"
        )
        headers = {"X-Forwarded-User": "ada", "X-Forwarded-For": PROXY, "X-Real-Ip": PROXY, "Forwarded": f"for={PROXY}"}
        assert client.get(ARTICLE, headers=headers).status_code == 401


def test_page_of_another_site_can_link_and_not_load(library: Library) -> None:
    client = enter(library)

    def come(site: str, mode: str, target: str, path: str = ARTICLE) -> int:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": target}
        return client.get(path, headers=headers).status_code

    for site in ("cross-site", "same-site"):
        assert come(site, "navigate", "document") == 200, "a link"
        for mode, target in (("no-cors", "image"), ("no-cors", "script"), ("cors", "empty"), ("navigate", "iframe")):
            assert come(site, mode, target) == 403
            assert come(site, mode, target, "/static/room.css") == 403
    for site in ("same-origin", "none"):
        assert come(site, "no-cors", "image") == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_nothing_can_be_changed(library: Library, method: str) -> None:
    answer = enter(library).request(method, ARTICLE)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert enter(library).request(method, "/login").status_code == 405, "there is no form where there is no secret"


def test_head_is_get_without_a_body(library: Library) -> None:
    client = enter(library)
    head, get = client.request("HEAD", ARTICLE), client.get(ARTICLE)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get.content))


def test_what_is_too_long_ends_at_the_door(library: Library, token_file: Path) -> None:
    client = enter(library, token_file=token_file)
    assert client.get("/search?words=" + "x" * 9_000).status_code == 414
    assert client.request("GET", "/", content=b"GET /evil HTTP/1.1").status_code == 413
    assert client.post("/login", content=b"x" * 5_000).status_code == 413


def test_every_answer_has_the_headers_that_keep_a_browser_safe(library: Library, token_file: Path) -> None:
    client = enter(library, token_file=token_file)
    leave = {"Authorization": f"Bearer {SECRET}"}
    answers = {
        200: client.get(ARTICLE, headers=leave),
        400: client.get(f"/sources/{SOURCE}/article?url=x&nothing=1", headers=leave),
        401: client.get(ARTICLE),
        404: client.get("/nothing", headers=leave),
        405: client.post(ARTICLE),
        421: client.get(ARTICLE, headers={"Host": "evil.example"}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        for name in set(SAFE_HEADERS) - {"Cache-Control", "Referrer-Policy" if status == 401 else ""}:
            assert answer.headers[name] == SAFE_HEADERS[name], (status, name)
        assert answer.headers["Cache-Control"] in {"private, no-cache", "no-store"}
        assert "server" not in answer.headers


def test_who_asks_too_often_waits(library: Library) -> None:
    client = enter(library, requests_per_minute=3)
    assert [client.get(ARTICLE).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert 1 <= int(client.get(ARTICLE).headers["Retry-After"]) <= 21
    assert client.get("/static/room.css").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_readers_behind_one_proxy_are_counted_apart(library: Library) -> None:
    options = {"public_url": PUBLIC, "trust_from": PROXY, "requests_per_minute": 1}
    client = enter(library, at=PUBLIC, peer=PROXY, **options)
    forwarded = ["192.0.2.1", "192.0.2.2", "198.51.100.7, 192.0.2.1", "192.0.2.2"]
    statuses = [client.get(ARTICLE, headers={"X-Forwarded-For": one}).status_code for one in forwarded]
    assert statuses == [200, 200, 429, 429], "all but the last address is what a reader may have written"
    alone = enter(library, at=PUBLIC, peer="192.0.2.9", **options)
    statuses = [alone.get(ARTICLE, headers={"X-Forwarded-For": one}).status_code for one in forwarded[:2]]
    assert statuses == [200, 429], "nobody but the proxy is believed"


def test_proxy_that_adds_a_line_of_its_own_is_believed_that(library: Library) -> None:
    options = {"public_url": PUBLIC, "trust_from": PROXY, "requests_per_minute": 1}
    client = enter(library, at=PUBLIC, peer=PROXY, **options)
    written = [[("X-Forwarded-For", f"198.51.100.{n}"), ("X-Forwarded-For", "192.0.2.1")] for n in range(2)]
    assert [client.get(ARTICLE, headers=lines).status_code for lines in written] == [200, 429]


def test_allowance_comes_back_and_is_bounded() -> None:
    allowance = Allowance(60)
    assert [allowance.take("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert allowance.take("a", 0.0) == 1.0
    assert allowance.take("a", 0.9) == pytest.approx(0.1)
    assert allowance.take("a", 1.9) == 0.0
    for number in range(2 * MOST_CLIENTS):
        allowance.take(str(number), 2.0)
    assert len(allowance._left) == MOST_CLIENTS
    assert Allowance(0).take("a", 0.0) == 0.0


def test_network_of_ipv6_is_one_client() -> None:
    assert name_client("2001:db8::1:2:3:4") == name_client("2001:db8::ffff:1") == "2001:db8::"
    assert name_client("::ffff:192.0.2.1") == "192.0.2.1"
    assert name_client("no address") == "no address"


def test_cookies_and_forms_end() -> None:
    token, now = Token(SECRET), 1_000_000.0
    cookie, form = token.make_cookie(now), token.make_form("nonce", now)
    assert token.accepts_cookie(cookie, now + COOKIE_SECONDS - 1)
    assert not token.accepts_cookie(cookie, now + COOKIE_SECONDS)
    assert token.accepts_form(form, "nonce", now + FORM_SECONDS - 1)
    assert not token.accepts_form(form, "nonce", now + FORM_SECONDS)
    assert not token.accepts_form(form, "another", now)
    assert not Token(SECRET).accepts_form(form, "nonce", now), "another process"
    assert Token(SECRET).accepts_cookie(cookie, now)
    assert not Token(SECRET + "x").accepts_cookie(cookie, now), "a new secret ends all cookies"
    until, _, digest = cookie.partition(".")
    for forged in (
        f"{int(until) + 1}.{digest}",
        f"{until}.",
        f".{digest}",
        "",
        "9" * 5_000,
        f"٣.{digest}",
        "-1.x",
        "\udce9.x",
    ):
        assert not token.accepts_cookie(forged, now)


@pytest.mark.parametrize("text", ["", "short", "x" * 5_000, "with a blank in its midst", "schlüssel-zum-lesesaal-1234"])
def test_token_file_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="room_token_file"):
        Token.of(Settings(room_token_file=path))
    with pytest.raises(ConfigError, match="ROOM_TOKEN"):
        Token.of(Settings(room_token=text))
    with pytest.raises(ConfigError, match="cannot be read"):
        Token.of(Settings(room_token_file=tmp_path / "none"))
    with pytest.raises(ConfigError, match="found both"):
        Token.of(Settings(room_token_file=path, room_token=SECRET))


def test_token_of_the_environment_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFRECORD_ROOM_TOKEN", SECRET)
    settings = load_settings()
    token = Token.of(settings)
    assert token is not None
    assert token.is_shown_by(SECRET)
    assert SECRET not in repr(settings) + settings.model_dump_json() + encode_assignment(settings, {}).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("room_listen", "off"),
        ("room_listen", "localhost:8460"),
        ("room_trust_header", "Cookie"),
        ("room_trust_header", "X-User\r\nEvil"),
        ("room_trust_from", "proxy.example"),
        ("room_public_url", "room.example"),
        ("room_public_url", "https://room.example/path"),
        ("room_public_url", "https://user@room.example"),
        ("room_public_url", "javascript:alert(1)"),
        ("room_public_url", "https://room.example:x"),
        ("room_refresh_seconds", "0"),
        ("room_requests_per_minute", "-1"),
    ],
)
def test_settings_that_make_no_sense_are_told(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Settings().override(**{name: value})


def test_time_goes_by_the_wall_clock_in_cookies(library: Library, token_file: Path) -> None:
    rules = AccessRules.of(Settings(room_token_file=token_file), PORT)
    assert rules.token is not None
    cookie = rules.token.make_cookie(time.time() - COOKIE_SECONDS - 1)
    client = enter(library, token_file=token_file)
    assert client.get(ARTICLE, headers={"Cookie": f"ofrecord={cookie}"}).status_code == 401
    good = rules.token.make_cookie(time.time())
    assert client.get(ARTICLE, headers={"Cookie": f"ofrecord={good}"}).status_code == 200


def test_host_that_is_sent_twice_is_not_this_room() -> None:
    rules = AccessRules.of(Settings(), PORT)
    host = (b"host", f"127.0.0.1:{PORT}".encode())
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [host]}
    assert rules.knows_host(Request(scope))
    assert not rules.knows_host(Request({**scope, "headers": [host, (b"host", b"evil.example")]}))
    assert not rules.knows_host(Request({**scope, "headers": []}))
