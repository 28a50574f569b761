"""The systemd units in deploy/ fit the program and each other: commands, settings, the same sandbox."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.errors import ExitCode
from config.settings import Settings
from jobs.cli.commands import group

FOLDER = Path(__file__).parents[2] / "deploy/systemd"
SERVICES = ["ofrecord.service", "ofrecord-crawl.service"]
ROOM = "ofrecord-room.service"


def read(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def read_seconds(text: str, key: str) -> int:
    found = re.search(rf"(?m)^{key}=(\d+)(s|h)$", text)
    assert found
    return int(found[1]) * {"s": 1, "h": 3600}[found[2]]


@pytest.mark.parametrize("name", [*SERVICES, ROOM])
def test_commands_and_settings_exist(name: str) -> None:
    (words,) = re.findall(r"(?m)^ExecStart=/opt/ofrecord/bin/ofrecord (.+)$", read(name))
    command, *rest = words.split()
    found = group.get_command(None, command)  # type: ignore[arg-type]
    assert found is not None
    found.make_context(command, list(rest))
    assert CliRunner().invoke(group, [command, "--help"]).exit_code == 0
    for text in (read(name), read("environment.example"), read("environment-room.example")):
        named = {setting.lower() for setting in re.findall(r"(?<![A-Za-z])OFRECORD_([A-Z0-9_]+)=", text)}
        assert named <= set(Settings.model_fields) | {"config_dir"}


def test_both_services_have_one_sandbox() -> None:
    shared = [read(name).partition("# Everything below")[2].partition("\n")[2] for name in SERVICES]
    assert shared[0].partition("\n[Install]")[0].strip() == shared[1].strip()
    assert "CapabilityBoundingSet=\n" in shared[0]


def test_the_room_is_in_the_same_sandbox_with_a_place_and_keys_of_its_own() -> None:
    def read_walls(name: str) -> set[str]:
        lines = read(name).partition("UMask=")[2].partition("[Install]")[0].splitlines()
        return {line for line in lines if line and not line.startswith(("#", "MemoryMax=", "TasksMax="))}

    room = read(ROOM)
    assert read_walls(ROOM) == read_walls(SERVICES[0])
    assert "StateDirectory=ofrecord-room\n" in room
    assert "/var/lib/ofrecord\n" not in room
    assert "EnvironmentFile=-/etc/ofrecord/environment-room\n" in room
    assert "LoadCredential=room-token:/etc/ofrecord/room-token\n" in room
    assert "OFRECORD_ROOM_TOKEN_FILE=%d/room-token\n" in room


def test_a_stop_leaves_the_time_that_a_run_takes() -> None:
    settings = Settings()
    for name in SERVICES:
        assert read_seconds(read(name), "TimeoutStopSec") > settings.grace_seconds + 5
    assert read_seconds(read("ofrecord-crawl.service"), "TimeoutStartSec") > settings.max_run_seconds


def test_what_trying_again_does_not_mend_is_not_tried_again() -> None:
    for name in ("ofrecord.service", ROOM):
        (codes,) = re.findall(r"(?m)^RestartPreventExitStatus=(.+)$", read(name))
        assert {int(code) for code in codes.split()} == {ExitCode.USAGE, ExitCode.NO_ARCHIVE}
        assert f"SuccessExitStatus={ExitCode.INTERRUPTED:d}\n" in read(name)


def test_the_example_holds_no_secret() -> None:
    for name in ("environment.example", "environment-room.example"):
        values = dict(line.split("=", 1) for line in read(name).splitlines() if line[:1] not in {"", "#"})
        assert values["AWS_ACCESS_KEY_ID"] == values["AWS_SECRET_ACCESS_KEY"] == ""


def test_the_timer_starts_the_crawl() -> None:
    assert (FOLDER / "ofrecord-crawl.timer").with_suffix(".service").name in SERVICES
    assert "Persistent=true\n" in read("ofrecord-crawl.timer")
