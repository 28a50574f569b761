"""The runbook's restore: a new machine, the bucket's address and its credentials, one command; everything is back."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from jobs.catalog import Catalog
from tests.installation import ROOT, Ofrecord

if TYPE_CHECKING:
    from pathlib import Path

    from tests.seaweed import S3Server

pytestmark = [pytest.mark.s3, pytest.mark.slow]

SOURCE = "almayadeen-english"


@pytest.fixture
def place(s3_environment: S3Server) -> str:
    return f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}/news"


@pytest.fixture
def variables(s3_environment: S3Server, place: str) -> dict[str, str]:
    """All that a new machine is told."""
    return {
        **s3_environment.environment(),
        "OFRECORD_ARCHIVE": place,
        "OFRECORD_S3_ENDPOINT_URL": s3_environment.endpoint_url,
        "OFRECORD_S3_PATH_STYLE": "true",
    }


def read_catalog(folder: Path) -> dict[str, Any]:
    """Return all that the one catalog below *folder* knows."""
    (path,) = folder.rglob("catalog.sqlite")
    with Catalog.open(path, read_only=True) as catalog:
        return catalog.dump()


def test_a_new_machine_has_everything_from_the_bucket_alone(
    ofrecord: Ofrecord, variables: dict[str, str], s3_environment: S3Server, place: str, tmp_path: Path
) -> None:
    old = Ofrecord(ofrecord.config, ofrecord.home, variables)
    old("init")
    old("crawl", SOURCE)
    old("index")
    before = read_catalog(tmp_path / "state")
    assert len(before["articles"]) > 5

    home = tmp_path / "new-home"
    home.mkdir()
    new = Ofrecord(ROOT / "config", home, variables)
    result = new("index", "--verify")
    assert "clean (every byte read back)" in result.stdout
    assert read_catalog(home) == before

    # the log goes on where the old machine left it, and nothing is known twice
    moved = Ofrecord(ofrecord.config, home, {**variables, "OFRECORD_STATE_DIR": str(home / ".local/state/ofrecord")})
    report = moved("crawl", SOURCE, "--recheck", "all", "--json").json()
    assert (report["new"], report["exit_code"]) == (0, 0)

    client = s3_environment.client()
    prefix = place.removeprefix(f"s3://{s3_environment.bucket}/")
    listed = client.list_objects_v2(Bucket=s3_environment.bucket, Prefix=f"{prefix}/segments/")["Contents"]
    key = listed[0]["Key"]
    body = bytearray(client.get_object(Bucket=s3_environment.bucket, Key=key)["Body"].read())
    body[len(body) // 2] ^= 1
    client.put_object(Bucket=s3_environment.bucket, Key=key, Body=bytes(body))
    again = tmp_path / "third-home"
    again.mkdir()
    damaged = Ofrecord(ROOT / "config", again, variables)("index", "--verify", code=13)
    assert key.removeprefix(f"{prefix}/") in damaged.stdout + damaged.stderr
