"""What stands in deploy/ fits the program: settings, commands, options of the S3 server, no secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from config.settings import Settings
from jobs.cli import group
from tests.seaweed import _program

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_settings_exist() -> None:
    named = set(re.findall(r"OFRECORD_([A-Z0-9_]+)", DOCKERFILE)) | {
        name.removeprefix("OFRECORD_")
        for service in SERVICES.values()
        for name in service["environment"]
        if name.startswith("OFRECORD_")
    }
    assert {name.lower() for name in named} <= set(Settings.model_fields) | {"archive"}


def test_secrets_come_from_outside() -> None:
    for service in SERVICES.values():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            assert service["environment"][name].startswith(f"${{{name}:?")
    assert "SECRET_ACCESS_KEY=" not in DOCKERFILE


def test_nothing_runs_as_root_or_is_published() -> None:
    for target in re.split(r"(?m)^FROM ", DOCKERFILE):
        if " AS s3" in target or " AS ofrecord" in target:
            assert "\nUSER 10001:10001\n" in target
    for service in SERVICES.values():
        assert "ports" not in service
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("service", ["init", "daemon"])
def test_commands_exist(service: str) -> None:
    result = CliRunner().invoke(group, [*SERVICES[service]["command"], "--help"])
    assert result.exit_code == 0


def test_targets_and_networks_exist() -> None:
    for service in SERVICES.values():
        assert f" AS {service['build']['target']}\n" in DOCKERFILE
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert {mount.partition(":")[0] for mount in service.get("volumes", [])} <= set(COMPOSE["volumes"])
    for copied in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", DOCKERFILE):
        for name in copied.split():
            assert (DEPLOY.parent / name).exists(), name


def test_server_knows_its_options() -> None:
    shown = subprocess.run([_program(), "mini", "-h"], check=False, capture_output=True, text=True, timeout=60)
    known = set(re.findall(r"(?m)^  -(\S+)", shown.stdout + shown.stderr))
    entry = DOCKERFILE.partition('ENTRYPOINT ["weed"')[2].partition("]")[0]
    used = set(re.findall(r'"-([a-zA-Z0-9.]+)=', entry))
    assert used > {"dir", "s3.port", "master.telemetry"}
    assert used <= known
