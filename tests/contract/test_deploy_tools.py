"""What other people's programs say of deploy/: Compose, hadolint, cfn-lint, Kubernetes' schemas, systemd."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = Path(sys.prefix) / "deploy" / "bin"
"""Where `make test` puts those that are wheels."""
UNITS = sorted((DEPLOY / "systemd").glob("ofrecord*.*"))
MANIFESTS = sorted(path for path in (DEPLOY / "kubernetes").rglob("*.yaml") if path.name != "kustomization.yaml")
SECRETS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "OFRECORD_CONTACT_URL": "https://newsroom.example/"}
LIMIT = 3.0
"""Exposure of a unit by `systemd-analyze security`, 0 to 10."""


def run(tool: str, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of `make test` or of this machine; skip where there is none."""
    program = TOOLS / tool if (TOOLS / tool).exists() else shutil.which(tool)
    if program is None:
        pytest.skip(f"no {tool}: it is no wheel of tests/deploy.txt that `make test` installed, nor on this machine")
    command = [str(program), *map(str, words)]
    variables = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)


def assert_silent(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_compose_takes_the_file() -> None:
    assert_silent(run("docker-compose", "-f", DEPLOY / "compose.yaml", "config", "-q", **SECRETS))


@pytest.mark.parametrize("name", SECRETS)
def test_compose_starts_nothing_without_a_secret(name: str) -> None:
    given = {key: value for key, value in SECRETS.items() if key != name}
    done = run("docker-compose", "-f", DEPLOY / "compose.yaml", "config", "-q", **given)
    assert done.returncode != 0
    assert name in done.stderr


def test_hadolint_has_nothing_to_say() -> None:
    assert_silent(run("hadolint", DEPLOY / "Dockerfile"))


def test_cfn_lint_has_nothing_to_say() -> None:
    assert_silent(run("cfn-lint", "--template", DEPLOY / "aws" / "ofrecord.yaml"))


def test_kubernetes_knows_every_key() -> None:
    done = run("kubernetes-validate", "--strict", *MANIFESTS)
    assert done.returncode == 0, done
    passed = re.findall(r"passed for resource (\w+)/", done.stdout + done.stderr)
    assert {"deployment", "cronjob", "networkpolicy", "poddisruptionbudget", "persistentvolumeclaim"} <= set(passed)


def test_kubernetes_refuses_a_key_that_is_none(tmp_path: Path) -> None:
    """The check before this one can fail."""
    text = (DEPLOY / "kubernetes" / "job" / "cronjob.yaml").read_text("utf-8")
    broken = tmp_path / "cronjob.yaml"
    broken.write_text(text.replace("activeDeadlineSeconds", "activeDedlineSeconds"), "utf-8")
    assert run("kubernetes-validate", "--strict", broken).returncode != 0


@pytest.mark.parametrize("name", ["daemon", "job"])
def test_kustomize_builds_what_kubernetes_takes(name: str, tmp_path: Path) -> None:
    built = run("kubectl", "kustomize", DEPLOY / "kubernetes" / name)
    assert built.returncode == 0, built.stderr
    assert built.stderr == ""
    file = tmp_path / "built.yaml"
    file.write_text(built.stdout, "utf-8")
    assert run("kubernetes-validate", "--strict", file).returncode == 0
    assert "image: registry.example/ofrecord:" in built.stdout
    names = set(re.findall(r"configMapRef:\n\s+name: (\S+)", built.stdout))
    assert len(names) == 1
    assert re.search(rf"kind: ConfigMap\nmetadata:\n  name: {names.pop()}\n", built.stdout)


def test_systemd_has_nothing_to_say(tmp_path: Path) -> None:
    """Of the units as they are, but for the place of the program, which must exist."""
    for unit in UNITS:
        text = unit.read_text("utf-8").replace(
            "/opt/ofrecord/bin/ofrecord", str(Path(sys.executable).parent / "ofrecord")
        )
        (tmp_path / unit.name).write_text(text, "utf-8")
    assert_silent(run("systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())))


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda path: path.name)
def test_systemd_finds_little_exposed(unit: Path) -> None:
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done
    assert float(found[1]) <= LIMIT
