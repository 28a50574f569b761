"""What stands in deploy/ fits the program: settings, commands, options of the S3 server, no secrets."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from config.errors import ConfigError, ExitCode
from config.settings import Settings
from jobs.cli.commands import COMMANDS, group
from jobs.cli.serving import require_guarded
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


def test_the_container_is_asked_where_the_daemon_answers() -> None:
    (check,) = re.findall(r"HEALTHCHECK[^\n]*\\\n.*127\.0\.0\.1:9464(/\w+)", DOCKERFILE)
    assert check == "/healthz"
    assert Settings().metrics_listen == "127.0.0.1:9464"
    for service in ("init", "daemon"):
        assert "OFRECORD_METRICS_LISTEN" not in SERVICES[service]["environment"], "then the check asks elsewhere"


def test_the_reading_room_is_asked_where_it_answers_and_lets_in_whoever_has_the_secret() -> None:
    room = SERVICES["reading-room"]
    environment = room["environment"]
    assert room["profiles"] == ["reading-room"], "nobody gets one by chance"
    assert "127.0.0.1:8460/healthz" in room["healthcheck"]["test"][-1]
    settings = {
        name.removeprefix("OFRECORD_").lower(): value
        for name, value in environment.items()
        if name.startswith("OFRECORD_ROOM_")
    }
    assert settings.pop("room_token") == "${OFRECORD_ROOM_TOKEN:-}"
    settings["room_public_url"] = settings["room_public_url"].partition(":-")[2].rstrip("}")
    with pytest.raises(ConfigError, match="token"):
        require_guarded(Settings(**settings))
    assert require_guarded(Settings(room_token="x" * 20, **settings)) == ("0.0.0.0", 8460)


def test_nothing_runs_as_root_or_is_published() -> None:
    for target in re.split(r"(?m)^FROM ", DOCKERFILE):
        if " AS s3" in target or " AS ofrecord" in target:
            assert "\nUSER 10001:10001\n" in target
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["reading-room"]
    assert SERVICES["reading-room"]["ports"] == ["127.0.0.1:8460:8460"], "this machine alone"
    for service in SERVICES.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("service", ["init", "daemon", "reading-room"])
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


def read_policy(role: str) -> list[dict[str, Any]]:
    policy = json.loads((DEPLOY / f"policy-{role}.json").read_text(encoding="utf-8"))
    assert policy["Version"] == "2012-10-17"
    statements: list[dict[str, Any]] = policy["Statement"]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return statements


def what_is_allowed(role: str) -> dict[str, list[dict[str, Any]]]:
    """Return action → the statements that allow it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for statement in read_policy(role):
        for action in statement["Action"]:
            found.setdefault(action, []).append(statement)
    return found


@pytest.mark.parametrize("role", ["crawl", "maintenance", "reader"])
def test_policies_name_each_action_and_one_bucket(role: str) -> None:
    sids = [statement["Sid"] for statement in read_policy(role)]
    assert len(set(sids)) == len(sids)
    for action, statements in what_is_allowed(role).items():
        assert re.fullmatch(r"s3:[A-Za-z]+", action)
        for statement in statements:
            of_bucket = action in {"s3:ListBucket", "s3:ListBucketMultipartUploads"}
            shape = r"arn:aws:s3:::BUCKET" if of_bucket else r"arn:aws:s3:::BUCKET/([a-z]+/)?\*"
            assert all(re.fullmatch(shape, resource) for resource in statement["Resource"])


def test_reader_only_reads() -> None:
    assert set(what_is_allowed("reader")) == {"s3:ListBucket", "s3:GetObject"}


def test_crawler_creates_and_neither_replaces_nor_removes() -> None:
    allowed = what_is_allowed("crawl")
    assert set(allowed) == {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"}
    # As Amazon documents it: If-None-Match must be there, but for the steps of an upload in parts that create nothing.
    assert [statement["Condition"] for statement in allowed["s3:PutObject"]] == [
        {"Null": {"s3:if-none-match": "false"}},
        {"Bool": {"s3:ObjectCreationOperation": "false"}},
    ]


def test_maintenance_removes_nothing_that_proves_anything() -> None:
    allowed = what_is_allowed("maintenance")
    removable = {resource.split("/")[1] for one in allowed["s3:DeleteObject"] for resource in one["Resource"]}
    assert removable == {"lease", "probe", "checkpoint", "tables", "feeds", "segments"}
    unconditional = [one["Resource"] for one in allowed["s3:PutObject"] if "Condition" not in one]
    assert unconditional == [["arn:aws:s3:::BUCKET/feeds/*"]]


def test_commits_are_what_is_listened_for() -> None:
    notification = json.loads((DEPLOY / "notification.json").read_text(encoding="utf-8"))
    (queue,) = notification["QueueConfigurations"]
    assert queue["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "log/"}]
    assert queue["Events"] == ["s3:ObjectCreated:*"]


def test_life_cycle_ends_uploads_and_expires_nothing() -> None:
    (rule,) = json.loads((DEPLOY / "lifecycle.json").read_text(encoding="utf-8"))["Rules"]
    assert set(rule) == {"ID", "Status", "Filter", "AbortIncompleteMultipartUpload"}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_page_shows_every_file() -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for path in DEPLOY.iterdir():
        if path.name not in {"README.md", "Dockerfile.dockerignore"}:
            shown = (f"`{path.name}`", f"`{path.name}/", f"[{path.name}]")
            assert any(name in page for name in shown), path


def test_runbook_tells_what_each_exit_code_asks_for() -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| (\d+) \|", page)
    assert [int(code) for code in rows] == sorted(ExitCode)


def test_commands_of_the_runbook_exist() -> None:
    for page in ("README.md", "OPERATING.md"):
        text = (DEPLOY / page).read_text(encoding="utf-8")
        named = re.findall(r"(?:`|/bin/|    |exec daemon )ofrecord ([a-z]+)", text)
        assert named
        assert set(named) <= set(COMMANDS), page
