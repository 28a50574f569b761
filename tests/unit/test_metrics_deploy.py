"""deploy/prometheus/ asks for figures that there are, each alert is tried and explained, the dashboard imports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from config.endpoints import parse_listen
from config.settings import Settings
from jobs.health import State
from jobs.metrics.instruments import SLOT_OUTCOMES, VERDICTS, Outcome
from tests.figures import expose, leave_file, make_observer

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
OTHERS = {"up", "ALERTS"}
"""Prometheus' own."""
WORDS = {"outcome": {*Outcome, *SLOT_OUTCOMES}, "state": {*State}, "verdict": {*VERDICTS}}


def list_expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\b((?:ofrecord|process)_[a-z_0-9]+|up(?=\{))", re.sub(r'"[^"]*"', '""', expression)))


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("figures")
    return [expose(make_observer(folder)), leave_file(folder / "ofrecord.prom")]


@pytest.fixture(scope="module")
def told(texts: list[str]) -> dict[str, set[str]]:
    """Name of each sample that is told → its labels."""
    found: dict[str, set[str]] = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_what_rules_and_dashboard_ask_for_is_told(told: dict[str, set[str]]) -> None:
    asked = {name: title for title, expression in list_expressions() for name in names_in(expression)}
    assert len(asked) > 30
    assert {name: title for name, title in asked.items() if name not in {*told, *OTHERS}} == {}


def test_labels_that_are_asked_for_are_told(told: dict[str, set[str]]) -> None:
    for title, expression in list_expressions():
        for name, matchers in re.findall(r"((?:ofrecord|process)_[a-z_0-9]+)\{([^}]*)\}", expression):
            for label, values in re.findall(r'(\w+)!?=~?"([^"]*)"', matchers):
                assert label in told[name] | {"instance", "job"}, f"{title}: {name} has no {label}"
                if label in WORDS:
                    assert set(values.split("|")) <= WORDS[label], f"{title}: {name}: {values}"


def test_every_figure_is_shown_or_alerted_on(told: dict[str, set[str]]) -> None:
    asked = {name for _, expression in list_expressions() for name in names_in(expression)}
    ours = {name for name in told if name.startswith("ofrecord_")}
    unused = {re.sub(r"_(bucket|count|sum)$", "", name) for name in ours} - {
        re.sub(r"_(bucket|count|sum)$", "", name) for name in asked
    }
    single = {name for name in unused if name.startswith(("ofrecord_last_run_", "ofrecord_command_"))}
    assert unused == single, "only single runs may tell more than the dashboard shows"


def test_every_figure_has_help_and_a_type(texts: list[str]) -> None:
    for text in texts:
        families = list(text_string_to_metric_families(text))
        assert len(families) > 10
        for family in families:
            assert family.documentation.endswith("."), family.name
            assert family.type in {"counter", "gauge", "histogram"}, family.name


def test_every_alert_is_tried_explained_and_graded() -> None:
    tests = yaml.safe_load((FOLDER / "alerts.test.yml").read_text("utf-8"))["tests"]
    tried = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert tried == {rule["alert"] for rule in RULES}
    page = (FOLDER.parent / "README.md").read_text("utf-8")
    anchors = {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"(?m)^#+ (.+)$", page)}
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith(".")
        place, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert place == "deploy/README.md"
        assert anchor == rule["alert"].lower()
        assert anchor in anchors, f"deploy/README.md explains no {rule['alert']}"


def test_the_dashboard_imports() -> None:
    assert DASHBOARD["id"] is None, "the one who imports it gives it a number"
    assert re.fullmatch(r"[a-z0-9-]{1,40}", DASHBOARD["uid"])
    assert DASHBOARD["schemaVersion"] >= 36
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) - {"__all"}
    assert used <= set(variables)
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in PANELS:
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


def test_panels_lie_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_prometheus_looks_where_the_daemon_listens() -> None:
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    (daemon,) = [job for job in jobs if job["job_name"] == "ofrecord"]
    (target,) = daemon["static_configs"][0]["targets"]
    assert parse_listen(target) == parse_listen(Settings().metrics_listen)
    assert {name for _, expression in list_expressions() for name in re.findall(r'job="(\w+)"', expression)} == {
        "ofrecord"
    }
