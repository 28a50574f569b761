"""A reader's browser: real Chromium in which every name leads to a doorbell, what axe-core and html-validate say of a
page, and a folder for what it looked like.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from config.settings import Settings
from crawler.render.renderer import find_browser
from tests.browsers import SETTINGS
from tests.installation import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MODULES = ROOT / ".venv" / "npm" / "node_modules"
"""Where `make test` puts them: see tests/npm.txt."""
AXE = _MODULES / "axe-core" / "axe.min.js"
VALIDATOR = _MODULES / "html-validate" / "bin" / "html-validate.mjs"
PLAYER = ROOT / ".venv" / "npm" / "player"
"""replayweb.page: see tests/player.txt."""
PICTURES = ROOT / "build" / "screenshots"
"""What pages looked like when they were last tested, for people to look at."""

needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: `make test` does, with npm")
needs_player = pytest.mark.skipif(
    not (PLAYER / "sw.js").is_file(), reason="replayweb.page is not there: `make test` gets it, with npm"
)
needs_validator = pytest.mark.skipif(
    not VALIDATOR.is_file() or shutil.which("node") is None,
    reason="html-validate is not installed: `make test` does, with npm",
)


@dataclass
class Doorbell:
    """Where every name but this machine's own address leads: counts who knocks."""

    port: int
    knocks: list[bytes] = field(default_factory=list)


@contextmanager
def count_knocks() -> Iterator[Doorbell]:
    """Lend a doorbell."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        bell = Doorbell(server.getsockname()[1])

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(0.5)
                    try:
                        bell.knocks.append(connection.recv(4096))
                    except OSError:
                        bell.knocks.append(b"")

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield bell
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def open_browser(bell: Doorbell) -> Iterator[Browser]:
    """Lend a browser in which every name leads to *bell*."""
    arguments = [f"--host-resolver-rules=MAP * 127.0.0.1:{bell.port}, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(Settings()), args=arguments, chromium_sandbox=SETTINGS["render_sandbox"]
        )
        try:
            yield browser
        finally:
            browser.close()


def picture(page: Page, name: str) -> None:
    """Keep what *page* looks like: on a telephone, on a desk, on paper."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)
    page.pdf(path=PICTURES / f"{name}-print.pdf", prefer_css_page_size=True)


def find_barriers(page: Page, *rules: str) -> list[str]:
    """Return what axe-core holds for a serious or critical barrier on *page*. *rules*: of these only."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))  # evaluated by the browser itself: no policy of the page is in its way
    options: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False}
    if rules:
        options["runOnly"] = list(rules)
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{one['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def find_errors(pages: Mapping[str, str], folder: Path) -> list[str]:
    """Return what html-validate holds for an error in *pages*, HTML by name. *folder*: an empty one for its files."""
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    settings = folder / ".htmlvalidate.json"
    settings.write_text(json.dumps({"root": True, "extends": ["html-validate:standard", "html-validate:a11y"]}))
    told = subprocess.run(
        ["node", VALIDATOR, "--config", settings, "--formatter", "json", *sorted(folder.glob("*.html"))],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    if not told.stdout:
        raise AssertionError(told.stderr)
    return [
        f"{Path(one['filePath']).stem}:{message['line']}: {message['ruleId']}: {message['message']}"
        for one in json.loads(told.stdout)
        for message in one["messages"]
        if message["severity"] == 2
    ]
