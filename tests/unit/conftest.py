"""What tests of logs and catalogs share: an empty archive in memory, and catalogs that are closed at the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from jobs.archive.identity import create_archive
from jobs.catalog import Catalog
from jobs.store.memory import MemoryStore
from tests.machines import START

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo

MakeCatalog = Callable[[str], Catalog]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def info(store: MemoryStore) -> ArchiveInfo:
    """What `ofrecord.json` of the new archive in `store` says."""
    return create_archive(store, single_writer=False, now=START)


@pytest.fixture
def catalogs(tmp_path: Path) -> Iterator[MakeCatalog]:
    """Open catalogs by name; the same name gives the same file."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Catalog.open(tmp_path / f"{name}.sqlite"))
