"""Messages reach a real mail server and a real webhook, each apart; what hangs or refuses harms nobody."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from config.addresses import SecretAddress
from config.errors import ConfigError
from config.settings import Settings
from jobs.alerts.delivery import Sender, list_addresses
from jobs.alerts.messages import Message
from jobs.alerts.sending import mask
from tests.sinks import MailSink, WebSink, serve_mail, serve_web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MESSAGE = Message(
    "ofrecord: gazette is silent", "gazette: silent\n  - a <b>bold</b> *claim* & 100% [silent]", "warning"
)
NOWHERE = "json://127.0.0.1:1/s3cr3t-token"


@pytest.fixture
def mail() -> Iterator[MailSink]:
    with serve_mail() as sink:
        yield sink


@pytest.fixture
def web() -> Iterator[WebSink]:
    with serve_web() as sink:
        yield sink


def send(*addresses: str, seconds: float = 60) -> list[str | None]:
    return Sender(seconds).send([(SecretAddress(address), MESSAGE) for address in addresses])


def test_each_address_gets_the_message_and_says_so_for_itself(mail: MailSink, web: WebSink) -> None:
    reasons = send(mail.address, NOWHERE, web.address, "nonsense://s3cr3t-token/x", "mailto://s3cr3t-token")
    assert [reason is None for reason in reasons] == [True, False, True, False, False]
    assert reasons[1] is not None
    assert "Connection refused" in reasons[1]
    assert "s3cr3t" not in str(reasons)
    assert web.posts[0] | {"version": ""} == {
        "version": "",
        "title": MESSAGE.title,
        "message": MESSAGE.body,
        "attachments": [],
        "type": "warning",
    }
    assert mail.subjects == [MESSAGE.title]
    assert mail.texts[0].rstrip() == MESSAGE.body
    assert str(mail.mails[0]["To"]) == "desk@newsroom.example"


def test_services_that_want_markup_get_the_text_escaped(mail: MailSink, web: WebSink) -> None:
    assert send(mail.address + "&format=html", web.address + "?format=markdown") == [None, None]
    (html,) = mail.mails
    body = html.get_body(("html",))
    assert body is not None
    assert "a &lt;b&gt;bold&lt;/b&gt; *claim* &amp; 100%" in body.get_content().replace("&nbsp;", " ")
    assert r"\*claim\*" in web.posts[0]["message"]


def test_refusals_are_told_with_the_reason_and_without_secrets(mail: MailSink, web: WebSink) -> None:
    mail.refusal, web.status = "554 not in this house", 403
    reasons = send(mail.address, web.address)
    assert all(reasons)
    assert "403" in str(reasons[1])
    assert "s3cr3t" not in str(reasons)


def test_server_that_hangs_is_given_up_and_the_others_get_theirs(web: WebSink) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        reasons = send(f"mailto://127.0.0.1:{port}?from=a@b.example&to=c@d.example", web.address, seconds=6)
        assert time.monotonic() - began < 12
    assert reasons == ["no answer within 6 s", None]
    assert len(web.posts) == 1


def test_cancel_ends_what_hangs_at_once(web: WebSink) -> None:
    web.seconds = 60
    sender = Sender()
    reasons: list[str | None] = []
    thread = threading.Thread(target=lambda: reasons.extend(sender.send([(SecretAddress(web.address), MESSAGE)])))
    thread.start()
    time.sleep(0.5)
    sender.cancel()
    thread.join(5)
    assert not thread.is_alive()
    assert reasons == ["the sending process ended early"]
    assert sender.send([(SecretAddress(web.address), MESSAGE)]) == ["it was told to stop"]


def test_the_sending_process_gets_no_keys_of_the_store(
    web: WebSink, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("OFRECORD_ALERTS", "slack://a/b/c")
    monkeypatch.setenv("GAZETTE_KEY", "hunter2")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nenv > {tmp_path}/seen\nexec {sys.executable} "$@"\n', "utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(python))
    assert send(web.address) == [None]
    seen = (tmp_path / "seen").read_text("utf-8")
    assert "PATH=" in seen
    assert "no_proxy=" in seen
    assert "hunter2" not in seen
    assert "OFRECORD_" not in seen


def test_heartbeat_is_asked_for_once_and_a_failure_is_told_without_the_url(web: WebSink) -> None:
    assert Sender().ping(SecretAddress(f"{web.root}/beat/s3cr3t-uuid")) is None
    assert web.gets == ["/beat/s3cr3t-uuid"]
    web.status = 500
    reason = Sender().ping(SecretAddress(f"{web.root}/beat/s3cr3t-uuid"))
    assert reason is not None
    assert "500" in reason
    assert "s3cr3t" not in reason


def test_heartbeat_of_a_server_that_hangs_is_given_up(web: WebSink) -> None:
    web.seconds = 60
    assert Sender(1).ping(SecretAddress(f"{web.root}/beat")) == "no answer within 1 s"


def test_apprise_is_loaded_by_no_process_but_the_one_that_sends() -> None:
    code = "import sys, jobs.cli.alerts, jobs.alerts.watch; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_no_part_of_an_address_is_left_in_a_reason() -> None:
    address = "mailtos://desk:p%40ssword@mail.example:587/?to=boss@paper.example"
    text = "535 desk p@ssword p%40ssword rejected by mail.example\nfor boss@paper.example"
    masked = mask(text, address)
    for never in ("p@ssword", "p%40ssword", "mail.example", "boss"):
        assert never not in masked
    assert masked.startswith("535")
    assert len(mask("x" * 5_000, address)) == 300


def test_addresses_come_from_the_environment_and_from_a_file_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "addresses"
    path.write_text("# the desk\njson://b.example/x\n\n  slack://t/o/ken  \njson://a.example/1\n", "utf-8")
    monkeypatch.setenv("OFRECORD_ALERTS", "json://a.example/1 mailto://c.example?to=a@b.example,d@e.example")
    monkeypatch.setenv("OFRECORD_ALERTS_FILE", str(path))
    found = [address.get_secret_value() for address in list_addresses(Settings())]
    assert found == [
        "json://a.example/1",
        "mailto://c.example?to=a@b.example,d@e.example",
        "json://b.example/x",
        "slack://t/o/ken",
    ]


@pytest.mark.parametrize("content", [b"no address: hunter2\n", b"\xff\xfe", b"json://a b\n"])
def test_file_that_holds_something_else_is_named_and_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "addresses"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="alerts_file") as caught:
        list_addresses(Settings(alerts_file=path))
    assert "hunter2" not in str(caught.value)
    path.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        list_addresses(Settings(alerts_file=path))
