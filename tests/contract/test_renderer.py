"""The browser's process against pages that want out, do not end, or want too much; and against its own death."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError, ExtractError
from config.settings import Settings
from crawler.family import read_process, read_processes
from crawler.model import Exchange, Purpose
from crawler.render.renderer import AskedRequest, Renderer, WebAnswer, find_browser
from tests.browsers import SETTINGS, needs_browser
from tests.crawls import wait_until
from tests.installation import ROOT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from crawler.model import Rendition

    Fetch = Callable[[AskedRequest], Awaitable[WebAnswer]]

MAX_BYTES = 1 << 20
FINE = "<!doctype html><p id=a>shell</p><script>setTimeout(() => { a.textContent = 'rendered' }, 5000)</script>"


def make_exchange(body: str, *, url: str = "https://gazette.example/2026/1", media_type: str = "text/html") -> Exchange:
    return Exchange(
        url=url,
        purpose=Purpose.ARTICLE,
        started_at=datetime(2026, 11, 27, tzinfo=UTC),
        seconds=0.1,
        request_head=b"",
        status=200,
        response_head=f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n\r\n".encode(),
        body=body.encode(),
    )


async def refuse(_: AskedRequest) -> WebAnswer:
    return WebAnswer(refused=True)


def render(*bodies: str, fetch: Fetch = refuse, **settings: Any) -> list[Rendition]:
    """Return the renditions of pages that one renderer is given one after the other."""

    async def run() -> list[Rendition]:
        renderer = Renderer(Settings(**(SETTINGS | settings)), user_agent="ofrecord/1", max_bytes=MAX_BYTES)
        try:
            return [await renderer.render(make_exchange(body), fetch) for body in bodies]
        finally:
            renderer.kill()

    return asyncio.run(run())


@contextmanager
def listen() -> Iterator[tuple[int, list[Any]]]:
    """A port of this machine, and who connected to it or sent to it."""
    came: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        port = stream.getsockname()[1]
        datagrams.bind(("127.0.0.1", port))
        for one in (stream, datagrams):
            one.settimeout(0.1)
        stopping = threading.Event()

        def take() -> None:
            while not stopping.is_set():
                for receive in (stream.accept, lambda: datagrams.recvfrom(10)):
                    try:
                        came.append(receive())
                    except TimeoutError:
                        continue

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield port, came
        finally:
            stopping.set()
            thread.join()


@needs_browser
def test_scripts_run_by_a_clock_that_does_not_wait() -> None:
    started = datetime.now(UTC)
    slow = FINE.replace("5000", "59000")
    (rendition,) = render(slow, render_settle_seconds=60, render_seconds=30)
    assert rendition.error is None
    assert b'<p id="a">rendered</p>' in rendition.document
    assert rendition.browser.startswith("Chromium/")
    assert (datetime.now(UTC) - started).total_seconds() < 59


@needs_browser
def test_the_pages_clock_stands_still_while_it_waits_for_the_web() -> None:
    page = """<p id=a></p><script>
      setTimeout(() => { a.textContent += ' gave up' }, 500);
      fetch('/api').then((answer) => answer.text()).then((text) => { a.textContent += text });
    </script>"""

    async def fetch(asked: AskedRequest) -> WebAnswer:
        await asyncio.sleep(1.5)
        return WebAnswer(make_exchange("answered", url=asked.url, media_type="text/plain"))

    (rendition,) = render(page, fetch=fetch)
    assert b">answered gave up<" in rendition.document


@needs_browser
def test_what_a_page_shows_does_not_depend_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    page = """<p id=a></p><script>
      const time = new Date('2026-11-27T12:00:00Z');
      const text = time.toLocaleString(undefined, {weekday: 'long', hour: 'numeric', timeZoneName: 'short'});
      a.textContent = [text, navigator.language, navigator.userAgent].join('|');
    </script>"""

    async def run(**reader: str) -> str:
        renderer = Renderer(Settings(**SETTINGS), user_agent="ofrecord/1 (+here)", max_bytes=MAX_BYTES, **reader)
        try:
            document = (await renderer.render(make_exchange(page), refuse)).document.decode()
        finally:
            renderer.kill()
        return document.partition('<p id="a">')[2].partition("<")[0]

    text, language, agent = asyncio.run(run()).split("|")
    assert ("Friday" in text, "UTC" in text, language, agent) == (True, True, "en", "ofrecord/1 (+here)")
    text, language, _ = asyncio.run(run(language="es", timezone="America/New_York")).split("|")
    assert ("viernes" in text, " 7" in text, language) == (True, True, "es")


@needs_browser
def test_no_page_reaches_a_network() -> None:
    with listen() as (port, came):
        place = f"127.0.0.1:{port}"
        page = f"""<!doctype html><link rel=preconnect href=http://{place}><link rel=dns-prefetch href=//{place}>
        <img src=http://{place}/image><iframe src=http://{place}/frame></iframe><link rel=prefetch href=http://{place}/p>
        <p id=a></p><form id=f method=post action=http://{place}/form></form><script>
        const quietly = (step) => {{ try {{ step() }} catch (error) {{ }} }};
        quietly(() => fetch('http://{place}/fetch').catch(() => 0));
        quietly(() => fetch('http://{place}/post', {{method: 'POST', body: 'x'}}).catch(() => 0));
        quietly(() => navigator.sendBeacon('http://{place}/beacon', 'x'));
        quietly(() => new WebSocket('ws://{place}/socket'));
        quietly(() => new EventSource('http://{place}/events'));
        quietly(() => new WebTransport('https://{place}/transport'));
        quietly(() => window.open('http://{place}/popup'));
        quietly(() => new Worker(URL.createObjectURL(new Blob(["fetch('http://{place}/worker').catch(() => 0)"]))));
        quietly(() => {{
          const peer = new RTCPeerConnection({{iceServers: [{{urls: 'stun:{place}'}}]}});
          peer.createDataChannel('x');
          peer.createOffer().then((offer) => peer.setLocalDescription(offer));
        }});
        setTimeout(() => {{ a.textContent = 'done' }}, 5000);
        </script>"""
        asked = []

        async def fetch(request: AskedRequest) -> WebAnswer:
            asked.append(request.url)
            return WebAnswer(refused=True)

        (rendition,) = render(page, fetch=fetch)
        assert b">done<" in rendition.document
        assert f"http://{place}/fetch" in asked
        assert set(asked) <= {f"http://{place}/fetch", f"http://{place}/worker"}
        assert came == []


@needs_browser
def test_no_process_of_the_browser_has_a_socket_that_leads_out() -> None:
    async def run() -> None:
        renderer = Renderer(Settings(**SETTINGS), user_agent="ofrecord/1", max_bytes=MAX_BYTES)
        try:
            await renderer.render(make_exchange(FINE), refuse)
            process = renderer._process
            assert process is not None
            members = [list_sockets(one.pid) for one in process.family.find(read_processes())]
            there = [sockets for sockets in members if sockets is not None]
            assert len(there) >= 4  # Python, the driver, the browser, a page
            held = set[str]().union(*there)
            assert held
            assert not held & list_inet_sockets()
        finally:
            renderer.kill()

    asyncio.run(run())


def list_sockets(pid: int) -> set[str] | None:
    """Return the inodes of a process's sockets; `None`: it has ended, as that of a page that is done may."""
    found = set()
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    for entry in entries:
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def list_inet_sockets() -> set[str]:
    tables = [Path("/proc/net") / name for name in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")]
    lines = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    return {fields[9] for fields in lines}


HOSTILE = {
    "loop": ("<script>while (true);</script>", "time-out"),
    "late loop": ("<script>setTimeout(() => { while (true); }, 100)</script>", "time-out"),
    "leads elsewhere": ("<script>location.href = 'https://elsewhere.example/'</script>", "leads to https://elsewhere"),
    "loads itself": ("<script>location.reload()</script>", "leads to"),
    "refreshes": (
        "<meta http-equiv=refresh content='0; url=https://elsewhere.example/'>",
        "leads to https://elsewhere",
    ),
    "long": ("<script>document.write('x'.repeat(2e6))</script>", "at most 1048576"),
    "heap": ("<script>const all = []; while (true) all.push(new Array(1e6).fill(1.5))</script>", "memory"),
    "buffers": (
        "<script>const all = []; setInterval(() => all.push(new Uint8Array(1e8).fill(1)), 1)</script>",
        "memory",
    ),
}


@needs_browser
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_a_fact_and_the_next_is_rendered(name: str) -> None:
    page, reason = HOSTILE[name]
    seconds = 2 if reason == "time-out" else 60
    failed, after = render(page, FINE, render_seconds=seconds, render_memory_bytes=2 << 30)
    assert failed.error is not None
    assert reason in failed.error, failed.error
    assert failed.document == b""
    assert b">rendered<" in after.document


@needs_browser
def test_a_page_may_ask_for_so_much_and_no_more() -> None:
    page = (
        "<p id=a></p><script>for (let i = 0; i < 200; i++) fetch('/' + i).then(() => { a.textContent += '.' })</script>"
    )
    asked = []

    async def fetch(request: AskedRequest) -> WebAnswer:
        asked.append(request.url)
        return WebAnswer(make_exchange("x", url=request.url, media_type="text/plain"))

    (rendition,) = render(page, fetch=fetch, render_requests=7)
    assert len(asked) == 7
    assert b">.......<" in rendition.document


@needs_browser
def test_a_browser_that_dies_is_followed_by_another() -> None:
    async def run() -> None:
        renderer = Renderer(Settings(**SETTINGS), user_agent="ofrecord/1", max_bytes=MAX_BYTES)

        async def fetch(_: AskedRequest) -> WebAnswer:
            assert renderer._process is not None
            os.kill(renderer._process.family.root, signal.SIGKILL)
            await asyncio.sleep(60)
            return WebAnswer()

        try:
            failed = await renderer.render(make_exchange("<script src=/a.js></script>"), fetch)
            assert failed.error == "the browser ended"
            assert b">rendered<" in (await renderer.render(make_exchange(FINE), refuse)).document
        finally:
            renderer.kill()

    asyncio.run(run())


KILLED = """
import asyncio, json
from config.settings import Settings
from crawler.family import read_processes
from crawler.render.renderer import Renderer, WebAnswer
from tests.contract.test_renderer import MAX_BYTES, make_exchange
from tests.browsers import SETTINGS

async def main():
    renderer = Renderer(Settings(**SETTINGS), user_agent="ofrecord/1", max_bytes=MAX_BYTES)
    async def fetch(_):
        process = renderer._process
        pids = [one.pid for one in process.family.find(read_processes())]
        print(json.dumps([pids, process._folder]), flush=True)
        await asyncio.sleep(300)
    await renderer.render(make_exchange("<script src=/a.js></script>"), fetch)

asyncio.run(main())
"""


@needs_browser
def test_nothing_is_left_of_a_browser_whose_crawl_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as crawl:
        assert crawl.stdout is not None
        pids, folder = json.loads(crawl.stdout.readline())
        assert len(pids) >= 4
        assert Path(folder).is_dir()
        crawl.kill()
    wait_until(lambda: not any(read_process(pid) for pid in pids))
    wait_until(lambda: not Path(folder).exists())


@needs_browser
def test_a_browser_that_is_stopped_while_it_starts_holds_up_nobody(tmp_path: Path) -> None:
    hanging = tmp_path / "chromium"
    hanging.write_text(f"#!/bin/sh\ntouch {tmp_path}/begun\nsleep 600\n:\n")
    hanging.chmod(0o700)

    async def run() -> None:
        settings = Settings(**(SETTINGS | {"render_browser": hanging}))
        renderer = Renderer(settings, user_agent="ofrecord/1", max_bytes=MAX_BYTES)
        rendering = asyncio.create_task(renderer.render(make_exchange(FINE), refuse))
        await asyncio.to_thread(wait_until, (tmp_path / "begun").exists)
        assert find_processes(hanging)
        renderer.kill()
        with pytest.raises(ExtractError, match="does not start"):
            await asyncio.wait_for(rendering, 10)

    asyncio.run(run())
    wait_until(lambda: not find_processes(hanging))


def find_processes(program: Path) -> list[int]:
    return [pid for pid in read_processes() if str(program) in read_command(pid)]


def read_command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


@needs_browser
def test_a_process_that_asks_for_nonsense_is_ended_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lying = tmp_path / "python"
    lying.write_text(
        f"#!{sys.executable}\nimport socket, time\nfrom crawler.workers.main import encode_frame\n"
        "ours = socket.socket(fileno=0)\nours.sendall(encode_frame({'ready': 'Chromium/1.0'}))\n"
        "ours.recv(100)\nours.sendall(encode_frame({'request': 1, 'url': 7}))\ntime.sleep(600)\n"
    )
    lying.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(lying))
    (rendition,) = render(FINE)
    assert rendition.error == "the browser asked for nothing that can be understood"


@needs_browser
def test_where_the_browser_does_not_start_that_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho 'No usable sandbox!' >&2\nexit 1\n")
    broken.chmod(0o700)
    with pytest.raises(ExtractError, match="render_sandbox: false"):
        render(FINE, render_browser=broken)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.render.renderer.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'ofrecord\[render\]'"):
        find_browser(Settings())
    monkeypatch.undo()
    if find_browser.__globals__["find_spec"]("playwright") is None:
        return
    with pytest.raises(ConfigError, match=r"render_browser: found .*/none to run, expected Chromium"):
        find_browser(Settings(render_browser=tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="found none of chromium"):
        find_browser(Settings())
