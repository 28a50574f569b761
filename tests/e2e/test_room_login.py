"""A browser signs in: by the form alone, without scripts, and comes back by links from elsewhere."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from config.settings import Settings
from crawler.render.renderer import find_browser
from tests.browsers import needs_browser
from tests.rooms import SOURCE, serve_room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from tests.rooms import Room

SECRET = "correct-horse-battery-staple"

pytestmark = needs_browser


@pytest.fixture
def browser() -> Iterator[BrowserContext]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        sandbox = os.geteuid() != 0
        found = playwright.chromium.launch(executable_path=find_browser(Settings()), chromium_sandbox=sandbox)
        context = found.new_context(java_script_enabled=False)
        yield context
        found.close()


@contextmanager
def serve_elsewhere(link: str) -> Iterator[str]:
    """Serve a page at another site than 127.0.0.1 is: it links to the room, and would send its form."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            origin = "/".join(link.split("/")[:3])
            form = (
                f'<form method="post" action="{origin}/login"><input name="token" value="{SECRET}"><button>Win</button>'
            )
            self.wfile.write(f'<a href="{link}">An article</a>{form}</form>'.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_reader_signs_in_and_comes_back(room_archive: Room, tmp_path: Path, browser: BrowserContext) -> None:
    (tmp_path / "token").write_text(SECRET, encoding="ascii")
    options = ("--token-file", tmp_path / "token", "--state", tmp_path / "state")
    with serve_room(room_archive, *options) as url:
        article = f"{url}/sources/{SOURCE}/article?url={quote(room_archive.find_url(SOURCE), safe='')}"
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))

        answer = page.goto(article)
        assert answer is not None
        assert answer.status == 401
        page.get_by_label("Secret of this room").fill("not that, though it is long")
        page.get_by_role("button", name="Come in").click()
        assert "not the secret" in page.get_by_role("alert").inner_text()
        page.get_by_label("Secret of this room").fill(SECRET)
        page.get_by_role("button", name="Come in").click()
        assert page.url == article
        assert page.locator("h1").count() == 1
        assert SOURCE in page.content()

        (cookie,) = [one for one in browser.cookies() if one["name"] == "ofrecord"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert SECRET not in cookie["value"]

        with serve_elsewhere(article) as elsewhere:
            page.goto(elsewhere)
            page.get_by_role("link", name="An article").click()
            page.get_by_role("link", name="Go on").click()
            assert page.url == article
            assert page.locator("input[name=token]").count() == 0, "the cookie came with a link of ours"
            browser.clear_cookies()
            page.goto(elsewhere)
            page.get_by_role("button", name="Win").click()
            assert page.url == f"{url}/login"
            assert "no longer good" in page.get_by_role("alert").inner_text()
            assert [one["name"] for one in browser.cookies() if one["name"] == "ofrecord"] == []
        refused = [text for text in said if "Content Security Policy" in text or "Refused" in text]
        assert refused == []
