"""The CloudFormation template in deploy/ fits the program, and its roles may what the policies say and no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import Settings
from jobs.cli.job import job

DEPLOY = Path(__file__).parents[2] / "deploy"


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms: `!Sub x` as {"Sub": "x"}."""


def read_short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    assert isinstance(node, yaml.ScalarNode)
    return {suffix: loader.construct_scalar(node)}


Loader.add_multi_constructor("!", read_short_form)
TEMPLATE: dict[str, Any] = yaml.load((DEPLOY / "aws/ofrecord.yaml").read_text("utf-8"), Loader)
RESOURCES: dict[str, dict[str, Any]] = {name: one.get("Properties", {}) for name, one in TEMPLATE["Resources"].items()}
(CONTAINER,) = RESOURCES["Task"]["ContainerDefinitions"]


def read_policy(role: str) -> list[dict[str, Any]]:
    """Return the statements of policy-ROLE.json as the template must have them."""
    text = (DEPLOY / f"policy-{role}.json").read_text("utf-8")
    statements: list[dict[str, Any]] = json.loads(text)["Statement"]
    for statement in statements:
        keys = [resource.removeprefix("arn:aws:s3:::BUCKET") for resource in statement["Resource"]]
        statement["Resource"] = [{"Sub": f"${{Bucket.Arn}}{key}"} if key else {"GetAtt": "Bucket.Arn"} for key in keys]
    return statements


def test_the_command_parses() -> None:
    name, *words = CONTAINER["Command"]
    assert name == "job"
    given = job.make_context(name, list(words)).params
    assert given["max_seconds"] <= 1_800
    assert given["grace"] < CONTAINER["StopTimeout"]


def test_settings_exist_and_no_secret_stands_here() -> None:
    names = {entry["Name"] for entry in CONTAINER["Environment"]} - {"TMPDIR"}
    assert {name.removeprefix("OFRECORD_").lower() for name in names} <= set(Settings.model_fields)


def test_it_runs_without_rights() -> None:
    assert CONTAINER["ReadonlyRootFilesystem"]
    assert CONTAINER["User"] == "10001:10001"
    assert CONTAINER["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert f"VOLUME {CONTAINER['MountPoints'][0]['ContainerPath']}\n" in dockerfile


def test_the_task_may_what_a_crawler_may() -> None:
    (policy,) = RESOURCES["CrawlRole"]["Policies"]
    assert policy["PolicyDocument"]["Statement"] == read_policy("crawl")
    assert "ManagedPolicyArns" not in RESOURCES["CrawlRole"]


@pytest.mark.parametrize("role", ["reader", "maintenance"])
def test_policies_for_others_are_those_of_this_folder(role: str) -> None:
    assert RESOURCES[f"{role.title()}Policy"]["PolicyDocument"]["Statement"] == read_policy(role)


def test_the_bucket_is_kept_and_closed() -> None:
    assert TEMPLATE["Resources"]["Bucket"]["DeletionPolicy"] == "Retain"
    assert all(RESOURCES["Bucket"]["PublicAccessBlockConfiguration"].values())
    assert RESOURCES["Bucket"]["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = json.loads((DEPLOY / "lifecycle.json").read_text("utf-8"))["Rules"]
    (own,) = RESOURCES["Bucket"]["LifecycleConfiguration"]["Rules"]
    assert own == {"Id": rule["ID"], "Status": rule["Status"]} | {
        key: rule[key] for key in ("AbortIncompleteMultipartUpload",)
    }
