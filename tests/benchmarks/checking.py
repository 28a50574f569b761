"""Whether what we stored is what was served: speed without it is no result."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from fastwarc.warc import ArchiveIterator, WarcRecordType

from tests.installation import Ofrecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def check_archive(folder: Path, served: Mapping[str, Path]) -> list[str]:
    """Return what is wrong with the archive that `install` made below *folder*; empty: nothing.

    *served*: URL → the file whose bytes were the body. Every page must be there, byte for byte as served, read by
    somebody else's reader; and `verify --full` must find no damage and nothing uncommitted.
    """
    found: dict[str, bytes] = {}
    for path in sorted((folder / "archive" / "segments").rglob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=True):
                found[str(record.headers["WARC-Target-URI"])] = record.reader.read()
    missing = [url for url in served if url not in found]
    changed = [url for url, path in served.items() if url in found and found[url] != path.read_bytes()]
    problems = [f"{len(missing)} pages are not in the WARC files, {missing[0]} for one"] if missing else []
    if changed:
        problems.append(f"{len(changed)} bodies are not as served, {changed[0]} for one")
    verified = Ofrecord(folder / "config", folder / "home")("verify", "--full", "--json", code=None)
    report = verified.json()
    if verified.returncode or report["damaged"] or report["uncommitted"]:
        problems.append(f"verify is not clean (exit code {verified.returncode}): {report['findings'][:3]}")
    return problems


def read_size(path: Path) -> tuple[int, int]:
    """Return how long a served page is, inflated and as it goes over the wire."""
    body = path.read_bytes()
    return len(gzip.decompress(body)), len(body)
