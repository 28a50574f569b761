"""Addresses are secrets: from the environment alone, and shown by nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from config.addresses import SecretAddress, read_addresses
from config.errors import ConfigError
from config.loading import check_settings, load_settings
from config.settings import SECRETS, Settings
from jobs.cli.configuration import list_values, show_value

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {
    "OFRECORD_ALERTS": "slack://hunter2/hunter2/hunter2 mailtos://me:hunter2@mail.example?to=a@b.example,c@d.example",
    "OFRECORD_HEARTBEAT_URL": "https://beat.example/hunter2",
    "OFRECORD_HEARTBEAT_FAIL_URL": "https://beat.example/hunter2/fail",
}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_addresses_stand_with_blanks_between_them_and_may_have_commas(settings: Settings) -> None:
    assert [address.get_secret_value() for address in settings.alerts] == VALUES["OFRECORD_ALERTS"].split()


def test_nothing_that_shows_settings_shows_them(settings: Settings) -> None:
    shown = list_values(settings)
    assert (shown["alerts"], shown["heartbeat_url"]) == (["slack://***", "mailtos://***"], "https://***")
    assert show_value(shown["alerts"]) == "[slack://***, mailtos://***]"
    with capture_logs() as logs:
        assert load_settings() == settings
    for text in (repr(settings), str(settings), repr(settings.alerts), settings.model_dump_json(), str(logs)):
        assert "hunter2" not in text


def test_what_the_process_that_reads_pages_is_given_has_none_and_is_valid(settings: Settings) -> None:
    given = json.loads(settings.model_dump_json())
    assert "hunter2" not in str(given)
    assert Settings(**given).alerts[0].get_secret_value() == "slack://***"


def test_changing_other_settings_keeps_them(settings: Settings) -> None:
    assert settings.override(workers=3).alerts == settings.alerts
    assert "hunter2" not in repr(settings.override(workers=3))


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_file_must_not_have_them(tmp_path: Path, name: str) -> None:
    value = "[json://hunter2.example/x]" if name == "alerts" else "https://hunter2.example/x"
    (tmp_path / "settings.yaml").write_text(f"workers: 1\n{name}: {value}\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path)
    assert f"settings.yaml:2: {name}: found a secret, expected none: set OFRECORD_{name.upper()}" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(check_settings(tmp_path))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OFRECORD_ALERTS", "slack:hunter2/x"),
        ("OFRECORD_ALERTS", "json://hunter2.example/x hunter2"),
        ("OFRECORD_ALERTS", " ".join(f"json://hunter2.example/{number}" for number in range(51))),
        ("OFRECORD_HEARTBEAT_URL", "ftp://hunter2.example/x"),
        ("OFRECORD_HEARTBEAT_FAIL_URL", "hunter2"),
    ],
)
def test_mistake_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert f"environment: {name}: found another value, expected" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_scheme_is_what_may_be_shown() -> None:
    address = SecretAddress("Slack://Token/x")
    assert (str(address), address.scheme) == ("slack://***", "slack")
    assert read_addresses("# json://no\n\n json://b \n") == [SecretAddress("json://b")]
