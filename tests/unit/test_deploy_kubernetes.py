"""The Kubernetes manifests in deploy/ fit the program: commands parse, settings exist, no secret, no rights."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.endpoints import parse_listen
from config.settings import Settings
from crawler.addresses import find_refusal
from jobs.cli.daemon import daemon
from jobs.cli.job import job
from jobs.cli.serving import require_guarded

FOLDER = Path(__file__).parents[2] / "deploy/kubernetes"


def read(name: str, kind: str) -> dict[str, Any]:
    (found,) = (one for one in yaml.safe_load_all((FOLDER / name).read_text("utf-8")) if one["kind"] == kind)
    assert isinstance(found, dict)
    return found


JOB = read("job/cronjob.yaml", "CronJob")["spec"]["jobTemplate"]["spec"]
DEPLOYMENT = read("daemon/daemon.yaml", "Deployment")["spec"]
ROOM = read("reading-room/reading-room.yaml", "Deployment")["spec"]
PODS = {"job": JOB["template"], "daemon": DEPLOYMENT["template"], "reading-room": ROOM["template"]}


@pytest.fixture(params=PODS)
def pod(request: pytest.FixtureRequest) -> dict[str, Any]:
    spec: dict[str, Any] = PODS[request.param]["spec"]
    return spec


def test_the_job_parses() -> None:
    (container,) = PODS["job"]["spec"]["containers"]
    name, *words = container["args"]
    assert name == "job"
    given = job.make_context(name, list(words)).params
    assert given["shards"] == JOB["completions"] == JOB["parallelism"]
    assert given["max_seconds"] + given["grace"] < JOB["activeDeadlineSeconds"]
    assert given["grace"] < PODS["job"]["spec"]["terminationGracePeriodSeconds"]


def test_the_daemon_parses_and_is_alone_on_its_disk() -> None:
    pod = PODS["daemon"]["spec"]
    assert [container["args"] for container in pod["initContainers"]] == [["init"]]
    (container,) = pod["containers"]
    assert container["args"] == ["daemon"]
    daemon.make_context("daemon", [])
    assert (DEPLOYMENT["replicas"], DEPLOYMENT["strategy"]) == (1, {"type": "Recreate"})
    assert pod["terminationGracePeriodSeconds"] > Settings().grace_seconds + 5


def test_settings_exist_and_no_secret_stands_here(pod: dict[str, Any]) -> None:
    literals = yaml.safe_load((FOLDER / "base/kustomization.yaml").read_text("utf-8"))["configMapGenerator"][0][
        "literals"
    ]
    names = {literal.partition("=")[0] for literal in literals}
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        names |= {entry["name"] for entry in container.get("env", [])}
        assert container["envFrom"] == [{"configMapRef": {"name": "ofrecord"}}, {"secretRef": {"name": "ofrecord-s3"}}]
    assert {name.removeprefix("OFRECORD_").lower() for name in names} <= set(Settings.model_fields)


def test_it_runs_without_rights(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


def test_selectors_select() -> None:
    labels = PODS["daemon"]["metadata"]["labels"]
    assert DEPLOYMENT["selector"]["matchLabels"] == labels
    assert read("daemon/disruption-budget.yaml", "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    wanted = read("base/network-policy.yaml", "NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items()
    assert all(wanted <= pod["metadata"]["labels"].items() for pod in PODS.values())


def test_the_probes_ask_what_the_daemon_answers() -> None:
    pod = PODS["daemon"]
    (container,) = pod["spec"]["containers"]
    (listen,) = [entry["value"] for entry in container["env"] if entry["name"] == "OFRECORD_METRICS_LISTEN"]
    address = parse_listen(listen)
    assert address is not None
    assert container["ports"] == [{"name": "metrics", "containerPort": address[1]}]
    probes = {kind: container[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}
    asked = {kind: (probe["httpGet"]["port"], probe["httpGet"]["path"]) for kind, probe in probes.items()}
    alive, ready = ("metrics", "/healthz"), ("metrics", "/readyz")
    assert asked == {"startup": alive, "liveness": alive, "readiness": ready}
    assert probes["startup"]["periodSeconds"] * probes["startup"]["failureThreshold"] >= 1_800
    assert pod["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(address[1]),
        "prometheus.io/path": "/metrics",
    }


def test_the_reading_room_is_served_to_the_ingress_alone() -> None:
    (container,) = PODS["reading-room"]["spec"]["containers"]
    assert container["args"] == ["serve"]
    values = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert values.pop("OFRECORD_ROOM_TOKEN") is None, "a secret stands in a Secret"
    settings = {name.removeprefix("OFRECORD_").lower(): value for name, value in values.items()}
    assert require_guarded(Settings(room_token="x" * 20, **settings)) == ("0.0.0.0", 8460)
    assert container["ports"] == [{"name": "http", "containerPort": 8460}]
    for kind in ("startup", "liveness"):
        assert container[f"{kind}Probe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    labels = PODS["reading-room"]["metadata"]["labels"]
    policy = read("reading-room/network-policy.yaml", "NetworkPolicy")["spec"]
    service = read("reading-room/reading-room.yaml", "Service")["spec"]
    assert ROOM["selector"]["matchLabels"] == policy["podSelector"]["matchLabels"] == service["selector"] == labels
    assert policy["ingress"][0]["ports"] == [{"port": 8460, "protocol": "TCP"}]
    assert service["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]


def test_nobody_but_prometheus_comes_in_and_to_one_port() -> None:
    (rule,) = read("base/network-policy.yaml", "NetworkPolicy")["spec"]["ingress"]
    port = PODS["daemon"]["spec"]["containers"][0]["ports"][0]["containerPort"]
    assert rule["ports"] == [{"port": port, "protocol": "TCP"}]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


def test_packets_go_to_the_web_and_not_inside() -> None:
    policy = read("base/network-policy.yaml", "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    blocks = [to["ipBlock"] for rule in policy["egress"] for to in rule["to"] if "ipBlock" in to]

    def allowed(text: str) -> bool:
        address = ip_address(text)
        return any(
            address in ip_network(block["cidr"])
            and not any(address in ip_network(one) for one in block.get("except", []))
            for block in blocks
        )

    inside = ["10.1.2.3", "172.20.0.1", "192.168.1.1", "169.254.169.254", "127.0.0.1", "100.64.0.1", "fd00::1", "::1"]
    for text in [*inside, "fe80::1", "224.0.0.1", "0.0.0.0"]:
        assert not allowed(text), text
        assert find_refusal(text, allow_private=False), text
    for text in ("93.184.215.14", "2606:2800:21f::1"):
        assert allowed(text), text
        assert find_refusal(text, allow_private=False) is None, text
