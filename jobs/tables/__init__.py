"""The daily roll-up for readers: facts of the log → Parquet files by capture day, and the manifest that lists them.

The only importer of pyarrow. Tables prove nothing and can be thrown away: each is made again from the log.
"""

from jobs.tables.checking import CheckedTables, check_tables, note_tables
from jobs.tables.manifest import Manifest, TableFile, read_newest
from jobs.tables.rollup import BuildReport, build_tables

__all__ = [
    "BuildReport",
    "CheckedTables",
    "Manifest",
    "TableFile",
    "build_tables",
    "check_tables",
    "note_tables",
    "read_newest",
]
