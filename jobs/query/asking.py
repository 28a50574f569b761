"""A query → rows, by DuckDB in this process: nothing is downloaded, no other file is read, nothing can be written.

The only importer of duckdb, which is an extra and is imported when it is asked.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError
from jobs.query.files import ListedFiles, open_tables
from jobs.query.views import VIEWS
from jobs.tables import read_newest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.identity import ArchiveInfo
    from jobs.store import ObjectStore

_ROWS = 1_000
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "allow_persistent_secrets": False,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query brought: rows are fetched as they are taken."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def ask_tables(store: ObjectStore, info: ArchiveInfo, query: str) -> Iterator[Answer]:
    """Lend the answer to *query* (SQL) over the tables of the newest manifest.

    Raises ConfigError where there are no tables, no DuckDB, or the query is refused, within the block too; StoreError.
    """
    try:
        import duckdb  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError("query: needs DuckDB: pip install 'ofrecord[query]'") from error
    stored = read_newest(store, info)
    if stored is None:
        raise ConfigError(f"{store.url}: has no tables yet: make them with ofrecord tables build")
    files = ListedFiles(store, stored.manifest.files)
    with (
        tempfile.TemporaryDirectory(prefix="ofrecord-query-") as scratch,
        duckdb.connect(":memory:", config=_SETTINGS) as connection,
    ):
        for name, data in open_tables(stored.manifest, files).items():
            connection.register(name, data)
        for name, text in VIEWS.items():
            connection.execute(f"CREATE VIEW {name} AS {text}")
        _lock(connection, Path(scratch))
        try:
            result = connection.execute(query)
            columns = tuple(one[0] for one in result.description or ())
            yield Answer(columns, _fetch(result))
        except duckdb.Error as error:
            if files.failure is not None:
                raise files.failure from error
            raise ConfigError(f"query: {_tell(error)}") from error


def _lock(connection: Any, scratch: Path) -> None:  # noqa: ANN401 - an extra, which may not be there
    """Let the connection reach nothing but what is registered, and spill only into *scratch*, for good."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET temp_directory = $1", [str(scratch)])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _fetch(result: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - as above
    while rows := result.fetchmany(_ROWS):
        yield from rows


def _tell(error: Exception) -> str:
    """Return DuckDB's words: what, and the place in the query."""
    return str(error).strip() or type(error).__name__
