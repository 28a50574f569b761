"""What the suites share: a sound archive to damage; a proxy before the real S3 server, and stores with its keys."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from jobs.store.s3 import S3Options, S3Store
from tests.archives import build_archive, copy_store
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.store.memory import MemoryStore
    from tests.seaweed import S3Server


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    """A sound archive of three segments, which no test may change."""
    return build_archive(tmp_path_factory.mktemp("spool"))


@pytest.fixture
def store(sound: MemoryStore) -> MemoryStore:
    """A copy of `sound`, to be damaged."""
    return copy_store(sound)


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with Proxy(s3_server.endpoint_url) as made:
        yield made


@pytest.fixture
def open_bucket(s3_environment: S3Server) -> Iterator[Callable[..., S3Store]]:
    """Open stores with the server's keys; closed at the end."""
    made: list[S3Store] = []

    def open_one(
        bucket: str = s3_environment.bucket, endpoint_url: str | None = None, attempts: int = 1, **more: Any
    ) -> S3Store:
        options = S3Options(
            endpoint_url=endpoint_url or s3_environment.endpoint_url, path_style=True, attempts=attempts, **more
        )
        made.append(S3Store(bucket, f"s3/{secrets.token_hex(6)}", options))
        return made[-1]

    yield open_one
    for store in made:
        store.close()
