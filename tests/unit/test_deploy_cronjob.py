"""The Kubernetes CronJob in deploy/ fits the program: its command parses, its settings exist, it holds no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from config.settings import Settings
from jobs.cli.job import job

CRONJOB: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "deploy/cronjob.yaml").read_text("utf-8"))
JOB = CRONJOB["spec"]["jobTemplate"]["spec"]
POD = JOB["template"]["spec"]
(CONTAINER,) = POD["containers"]


def test_the_command_parses() -> None:
    name, *words = CONTAINER["args"]
    assert name == "job"
    given = job.make_context(name, list(words)).params
    assert given["shards"] == JOB["completions"] == JOB["parallelism"]
    assert given["max_seconds"] + given["grace"] < JOB["activeDeadlineSeconds"]
    assert given["grace"] < POD["terminationGracePeriodSeconds"]


def test_settings_exist_and_no_secret_stands_here() -> None:
    names = {entry["name"].removeprefix("OFRECORD_").lower() for entry in CONTAINER["env"]}
    assert names <= set(Settings.model_fields)
    assert [entry["secretRef"]["name"] for entry in CONTAINER["envFrom"]] == ["ofrecord-s3"]


def test_it_runs_without_rights() -> None:
    context = CONTAINER["securityContext"]
    assert context["runAsNonRoot"]
    assert context["readOnlyRootFilesystem"]
    assert not context["allowPrivilegeEscalation"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert [mount["mountPath"] for mount in CONTAINER["volumeMounts"]] == ["/tmp"]
