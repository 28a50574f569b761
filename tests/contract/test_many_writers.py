"""Eight processes append to one log on a real S3 server: one chain, and no commit is lost or there twice."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from jobs.archive.identity import create_archive, read_info
from jobs.archive.log import Log
from jobs.store import open_store
from jobs.verify import verify_archive
from tests.installation import ROOT
from tests.writer import draft_id

if TYPE_CHECKING:
    from tests.seaweed import S3Server

WRITERS = 8
SOURCE = "gazette"

pytestmark = [pytest.mark.s3, pytest.mark.slow]


@pytest.mark.parametrize("commits", [10, pytest.param(200, marks=pytest.mark.soak)])
def test_eight_writers_make_one_chain(s3_environment: S3Server, commits: int) -> None:
    place = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}"
    settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
    store = open_store(place, settings)
    create_archive(store, single_writer=False, now=datetime.now(UTC))
    variables = {
        "OFRECORD_S3_ENDPOINT_URL": s3_environment.endpoint_url,
        "OFRECORD_S3_PATH_STYLE": "true",
        "PATH": os.environ["PATH"],
        **s3_environment.environment(),
    }
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.writer", place, SOURCE, str(number), str(commits)],
            cwd=ROOT,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(1, WRITERS + 1)
    ]
    try:
        told = [writer.communicate(timeout=60 + 3 * commits) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
    assert not any(writer.returncode for writer in writers), told
    assert sum(int(out) for out, _ in told) > commits  # they did meet
    chain = [stored.commit for stored in Log(store, read_info(store), SOURCE).read()]
    expected = {draft_id(one, number) for one in range(1, WRITERS + 1) for number in range(commits)}
    assert [commit.seq for commit in chain] == list(range(1, WRITERS * commits + 1))
    assert sorted(commit.id for commit in chain) == sorted(expected)
    for one in range(1, WRITERS + 1):  # each in the order in which it was put
        own = [commit.id for commit in chain if commit.epoch == one]
        assert own == [draft_id(one, number) for number in range(commits)]
    report = verify_archive(store, full=True)
    assert not report.damaged, [str(finding) for finding in report.findings]
