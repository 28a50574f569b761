"""An import while the real store is away: it ends in time, loses nothing, and the next one goes on."""

from __future__ import annotations

import secrets
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.crawls import wait_until
from tests.foreign import HOST, make_info, make_response, plain
from tests.installation import Ofrecord, Result, install_on_s3
from tests.proxy import Proxy

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.seaweed import S3Server

pytestmark = [pytest.mark.s3, pytest.mark.slow]

GAZETTE = {"home": f"{HOST}/", "discover": [{"feed": f"{HOST}/feed.xml"}], "articles": {"include": ["/2019/"]}}
PAGES = 60


@pytest.fixture
def proxy(s3_environment: S3Server) -> Iterator[Proxy]:
    with Proxy(s3_environment.endpoint_url) as proxy:
        yield proxy


@pytest.fixture
def gazette(tmp_path: Path, s3_environment: S3Server, proxy: Proxy) -> Ofrecord:
    """The command with an archive behind the proxy, and a file to import."""
    (tmp_path / "dump.warc").write_bytes(plain([make_info(), *map(make_response, range(PAGES))]))
    place = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}/news"
    return install_on_s3(
        tmp_path, GAZETTE, s3_environment, place, endpoint_url=proxy.url, segment_bytes=20_000, grace_seconds=3
    )


def finish(process: subprocess.Popen[str], code: int) -> Result:
    out, errors = process.communicate(timeout=60)
    result = Result(process.args, process.returncode, out, errors)
    assert result.returncode == code, result
    assert "Traceback" not in errors, result
    return result


def start(gazette: Ofrecord, tmp_path: Path) -> subprocess.Popen[str]:
    """Start the import and wait until something of it is kept."""
    process = gazette.start("import", tmp_path / "dump.warc", "--json")
    wait_until(lambda: any((tmp_path / "state").glob("*/spool/gazette/*/gazette-*")))
    return process


def require_all(gazette: Ofrecord, tmp_path: Path) -> None:
    gazette("import", tmp_path / "dump.warc")
    assert len(gazette("list", "--json").rows()) == PAGES


def test_a_store_that_refuses_ends_it(gazette: Ofrecord, proxy: Proxy, tmp_path: Path) -> None:
    proxy.add("status", 403, text="AccessDenied", method="PUT", path="segments/")
    result = finish(start(gazette, tmp_path), code=12)
    assert "access denied" in result.json()["problems"][-1]
    assert "wait in" in result.json()["problems"][-1]
    proxy.clear()
    require_all(gazette, tmp_path)


def test_a_store_that_hangs_keeps_nobody_from_stopping(gazette: Ofrecord, proxy: Proxy, tmp_path: Path) -> None:
    proxy.add("blackhole", method="PUT", path="segments/")
    process = start(gazette, tmp_path)
    process.send_signal(signal.SIGTERM)
    stopped = time.monotonic()
    result = finish(process, code=12)
    assert time.monotonic() - stopped < 3 + 8  # the grace time, and to close the segments
    assert "grace_seconds" in result.json()["problems"][-1]
    proxy.clear()
    require_all(gazette, tmp_path)
