"""What other people's programs say of deploy/: Compose, hadolint, cfn-lint, Kubernetes' schemas, systemd, promtool."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.figures import expose, leave_file, make_observer

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = Path(sys.prefix) / "deploy" / "bin"
"""Where `make test` puts those that are wheels."""
FIGURES = DEPLOY / "prometheus"
UNITS = sorted((DEPLOY / "systemd").glob("ofrecord*.*"))
MANIFESTS = sorted(path for path in (DEPLOY / "kubernetes").rglob("*.yaml") if path.name != "kustomization.yaml")
SECRETS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "OFRECORD_CONTACT_URL": "https://newsroom.example/"}
LIMIT = 3.0
"""Exposure of a unit by `systemd-analyze security`, 0 to 10."""


def run(tool: str, *words: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of `make test` or of this machine; skip where there is none."""
    program = TOOLS / tool if (TOOLS / tool).exists() else shutil.which(tool)
    if program is None:
        pytest.skip(f"no {tool}: it is no wheel of tests/deploy.txt that `make test` installed, nor on this machine")
    command = [str(program), *map(str, words)]
    variables = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", **environment}
    return subprocess.run(command, env=variables, input=stdin, capture_output=True, text=True, timeout=120, check=False)


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


@pytest.mark.parametrize("name", ["daemon", "job", "reading-room"])
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


def test_promtool_takes_the_configuration() -> None:
    done = run("promtool", "check", "config", FIGURES / "prometheus.yml")
    assert done.returncode == 0, done
    assert "SUCCESS: 1 rule files found" in done.stdout


def test_promtool_finds_nothing_to_say_of_the_rules() -> None:
    done = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", FIGURES / "alerts.yml")
    assert done.returncode == 0, done


def test_each_alert_fires_where_it_must_and_nowhere_else() -> None:
    done = run("promtool", "test", "rules", FIGURES / "alerts.test.yml")
    assert done.returncode == 0, done


def test_each_alert_that_never_fires_is_found(tmp_path: Path) -> None:
    """The check before this one can fail, for each of them."""
    data = yaml.safe_load((FIGURES / "alerts.yml").read_text("utf-8"))
    rules = [rule for group in data["groups"] for rule in group["rules"]]
    for rule in rules:
        rule["expr"] = f"({rule['expr']}) and on () vector(1) == 2"
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(data), "utf-8")
    shutil.copy(FIGURES / "alerts.test.yml", tmp_path)
    done = run("promtool", "test", "rules", tmp_path / "alerts.test.yml")
    assert done.returncode != 0, done
    missed = set(re.findall(r"alertname: (\w+)", done.stdout + done.stderr))
    assert missed == {rule["alert"] for rule in rules}


def test_prometheus_can_read_what_the_dashboard_asks(tmp_path: Path) -> None:
    panels = json.loads((FIGURES / "dashboard.json").read_text("utf-8"))["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    assert len(asked) > 30

    def check(expressions: list[str]) -> int:
        rules = [{"record": f"asked:{n}", "expr": expression} for n, expression in enumerate(expressions)]
        file = tmp_path / "asked.yml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}), "utf-8")
        return run("promtool", "check", "rules", file).returncode

    assert check(asked) == 0
    assert check([*asked, asked[0].replace(")", "", 1)]) != 0, "the check can fail"


@pytest.mark.parametrize("mode", ["daemon", "run"])
def test_promtool_finds_nothing_to_say_of_the_figures(mode: str, tmp_path: Path) -> None:
    text = expose(make_observer(tmp_path)) if mode == "daemon" else leave_file(tmp_path / "ofrecord.prom")
    assert_silent(run("promtool", "check", "metrics", stdin=text))
    mistaken = run("promtool", "check", "metrics", stdin=text.replace("_pages_total", "_pages_sum"))
    assert (mistaken.returncode != 0) == (mode == "daemon"), "the check can fail"
