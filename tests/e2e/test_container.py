"""The image of deploy/Dockerfile is built and crawls, read-only, without rights. Needs buildah, podman and runc.

`PYTHON_IMAGE` names the image to build upon where Docker Hub is out of reach: any in `CONTAINER_STORE`, the folder that
keeps images from one run to the next, with Python, pip, venv and the headers of Python. On Debian such a one is made of
what debootstrap brings (`--variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates`), the headers of
libpython3-dev, `python` as a name for python3 and no EXTERNALLY-MANAGED, by `buildah from scratch`, `copy`, `commit`.
A quarter of an hour, most of it compiling.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.histories import check_archive, read_histories
from tests.installation import ROOT, write_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.seaweed import S3Server
    from tests.site.server import Site

pytestmark = [pytest.mark.soak, pytest.mark.slow]

SOURCE = "almayadeen-english"
IMAGE = "localhost/ofrecord:tested"
BASE = os.environ.get("PYTHON_IMAGE", "docker.io/library/python:3.13-slim")
STORE = os.environ.get("CONTAINER_STORE")
BOUNDS = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024")
"""Podman's own are above what a container in a container may ask for."""
LOCKED = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--network", "host")


def call(program: str, store: Path, *words: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run buildah or podman on the images in *store*."""
    command = [program, "--root", str(store / "store"), "--runroot", str(store / "run"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for program in ("buildah", "podman", "runc"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on this machine")
    folder = Path(STORE) if STORE else tmp_path_factory.mktemp("containers")
    if call("podman", folder, "image", "exists", BASE, seconds=60).returncode != 0:
        pulled = call("podman", folder, "pull", "--quiet", BASE, seconds=300)
        if pulled.returncode != 0:
            pytest.skip(f"{BASE} cannot be had (PYTHON_IMAGE names another): {pulled.stderr.strip()[-200:]}")
    return folder


@pytest.fixture(scope="module")
def podman(store: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return the function that runs `ofrecord` in the image, built just now, with words and more options."""
    words = [
        "bud",
        "--format",
        "docker",
        "--isolation",
        "chroot",
        "--network",
        "host",
        "--layers",
        "--target",
        "ofrecord",
    ]
    words += ["--build-arg", f"PYTHON_IMAGE={BASE}", "--volume", "/etc/ssl/certs:/etc/ssl/certs:ro"]
    built = call("buildah", store, *words, "-f", "deploy/Dockerfile", "-t", IMAGE, str(ROOT), seconds=2_400)
    assert built.returncode == 0, built.stderr[-3_000:]

    def run(*words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        runtime = ("--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file")
        return call("podman", store, *runtime, "run", "--rm", *BOUNDS, *LOCKED, *options, IMAGE, *words, seconds=600)

    return run


def test_the_container_crawls_read_only_and_without_rights(
    podman: Callable[..., subprocess.CompletedProcess[str]], site: Site, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o777)
    data.chmod(0o777)
    config = write_config(tmp_path / "config", site, archive="/data/archive", state=tmp_path / "none", workers=1)
    for path in (config, *config.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    mounts = ("-v", f"{config}:/etc/ofrecord:ro", "-v", f"{data}:/data", "-e", "OFRECORD_CONFIG_DIR=/etc/ofrecord")
    options = (*mounts, "-e", "OFRECORD_CA_FILE=/etc/ofrecord/ca.pem")
    probe = "import os; print(os.getuid(), os.access('/', os.W_OK), open('/proc/self/status').read())"
    python = (*options, "--entrypoint", "/opt/ofrecord/bin/python")
    user = podman("-c", probe, options=python)
    assert user.stdout.startswith("10001 False "), user
    assert "CapEff:\t0000000000000000\n" in user.stdout
    compiled = podman("-c", "import crawler.prescan; print(crawler.prescan.__file__)", options=python)
    assert compiled.stdout.strip().endswith(".so"), compiled

    made = podman("init", options=options)
    assert made.returncode == 0, made
    crawled = podman("crawl", SOURCE, "--json", options=options)
    assert crawled.returncode == 0, crawled
    report = json.loads(crawled.stdout.splitlines()[-1])
    assert (report["exit_code"], report["failed"]) == (0, 0)
    assert report["new"] > 5
    assert podman("tables", "build", options=options).returncode == 0  # with what is left of Arrow
    assert not check_archive(data / "archive").damaged
    assert len(read_histories(data / "archive")) >= report["new"]


def test_a_job_in_the_container_needs_a_bucket_and_no_disk(
    podman: Callable[..., subprocess.CompletedProcess[str]], site: Site, s3_server: S3Server, tmp_path: Path
) -> None:
    archive = f"s3://{s3_server.bucket}/container"
    config = write_config(
        tmp_path / "config",
        site,
        archive=archive,
        state=tmp_path / "none",
        workers=1,
        s3_endpoint_url=s3_server.endpoint_url,
        s3_path_style=True,
    )
    for path in (config, *config.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    given = {
        "AWS_ACCESS_KEY_ID": s3_server.access_key,
        "AWS_SECRET_ACCESS_KEY": s3_server.secret_key,
        "AWS_DEFAULT_REGION": s3_server.region,
        "OFRECORD_CONFIG_DIR": "/etc/ofrecord",
        "OFRECORD_CA_FILE": "/etc/ofrecord/ca.pem",
        "OFRECORD_STATE_DIR": "",
    }
    options = ("-v", f"{config}:/etc/ofrecord:ro", *(word for pair in given.items() for word in ("-e", "=".join(pair))))
    assert podman("init", options=options).returncode == 0
    done = podman("job", SOURCE, "--json", options=options)
    assert done.returncode == 0, done
    assert json.loads(done.stdout.splitlines()[-1])["exit_code"] == 0
    assert s3_server.secret_key not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert sum(line["event"] == "finished_run" for line in lines) == 1
    checked = podman("verify", "--full", options=options)
    assert checked.returncode == 0, checked
    assert checked.stdout.startswith("clean (every byte read back)\n"), checked


def test_the_image_knows_how_it_is_asked_for_its_health(
    podman: Callable[..., subprocess.CompletedProcess[str]], store: Path
) -> None:
    del podman  # it has built the image
    shown = call("podman", store, "image", "inspect", IMAGE, seconds=60)
    (image,) = json.loads(shown.stdout)
    assert "/healthz" in str(image["Healthcheck"]["Test"])
    assert image["User"] == "10001:10001"
    assert image["Size"] < 450e6, "the image grew by a fifth: what takes it?"
