"""A bundle of anybody's → whether it is sound, and what it proves. Needs no archive, no settings and no network."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.errors import DamageFound, FormatTooNew
from jobs.evidence.chain import ChainFacts, check_chain
from jobs.evidence.findings import Findings
from jobs.evidence.manifest import (
    FOLDER,
    INFO,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    RECORDS,
    REPORT,
    change_path,
    decode_manifest,
    rows_path,
    text_path,
)
from jobs.evidence.parts import read_part
from jobs.evidence.records import (
    INDEX,
    INDEX_OF_INDEX,
    PAGES,
    SQUEEZED_INDEX,
    check_index,
    check_pages,
    check_records,
)
from jobs.evidence.rows import Budget, Held, check_rows
from jobs.evidence.wording import Statements, make_statements
from jobs.evidence.zipped import PACKAGE, PACKAGE_DIGEST, check_package, open_bundle

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from jobs.evidence.manifest import Manifest
    from jobs.evidence.parts import Parts

_NUMBERED = re.compile(rf"{FOLDER}(?:key-[0-9]{{6}}|commit-[0-9]{{12}})\.json")
"""Keys, and commits: those that no run has are told by `check_chain`."""


@dataclass(slots=True)
class BundleReport:
    """What a bundle came to."""

    findings: Findings
    manifest: Manifest | None = None
    """`None`: it could not be read."""
    chain: ChainFacts = field(default_factory=ChainFacts)
    held: Held = field(default_factory=lambda: Held({}))

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged."""
        return self.manifest is not None and not self.findings.damages

    @property
    def statements(self) -> Statements:
        """What may be said of it; nothing where anything is damaged."""
        if self.manifest is None or not self.sound:
            return Statements((), ())
        return make_statements(self.manifest, self.chain, self.held)


def verify_bundle(path: Path, *, trusted: Collection[str] = (), ca_file: Path | None = None) -> BundleReport:
    """Check the bundle at *path* in every part. Raises OSError, FormatTooNew.

    *trusted*: fingerprints of keys that the reader had from elsewhere. *ca_file*: PEM of the roots that stamps are
    checked by.
    """
    report = BundleReport(Findings())
    try:
        with open_bundle(path) as parts:
            check_package(parts)
            report.manifest = manifest = decode_manifest(read_part(parts, MANIFEST, MAX_MANIFEST_BYTES))
            _check_paths(parts, manifest, report.findings)
            budget = examine(parts, report, trusted=trusted, ca_file=ca_file)
            indexed = check_records(parts, report.chain, report.held, report.findings, budget)
            check_index(parts, indexed, report.findings)
            check_pages(parts, report.held, report.findings)
    except FormatTooNew:
        raise
    except DamageFound as error:
        report.findings.damage(path.name, str(error).removeprefix(f"{path.name}: "))
    return report


def examine(
    parts: Parts, report: BundleReport, *, trusted: Collection[str] = (), ca_file: Path | None = None
) -> Budget:
    """Check commits, keys, heads, rows and texts; return how much may still be inflated."""
    budget = Budget()
    if report.manifest is not None:
        report.chain = check_chain(parts, report.manifest, report.findings, trusted=trusted, ca_file=ca_file)
        report.held = check_rows(parts, report.manifest, report.chain, report.findings, budget)
    return budget


def _check_paths(parts: Parts, manifest: Manifest, findings: Findings) -> None:
    """Tell of parts that nobody would check: a bundle has none."""
    known = {PACKAGE, PACKAGE_DIGEST, INDEX, SQUEEZED_INDEX, INDEX_OF_INDEX, PAGES, MANIFEST, REPORT, INFO}
    recorded = {one.records.path for one in manifest.captures if one.records}
    known |= recorded or {RECORDS}  # a WACZ has one such file
    known |= {rows_path(one.segment) for one in manifest.segments}
    known |= {text_path(one.text_digest) for one in manifest.texts} | {change_path(one) for one in manifest.changes}
    known |= {text_path(one.text) for one in manifest.captures if one.text}
    for run in manifest.runs:
        if run.head is not None:
            known |= {f"{FOLDER}head-{run.head:012d}.json", f"{FOLDER}head-{run.head:012d}.tsr"}
    sizes = parts.sizes()
    for path in sorted(sizes):
        if path not in known and not _NUMBERED.fullmatch(path):
            findings.damage(path, "a part that nothing in the manifest names")
    if INDEX in sizes and not sizes.keys().isdisjoint({SQUEEZED_INDEX, INDEX_OF_INDEX}):
        findings.damage(SQUEEZED_INDEX, f"a second index, beside {INDEX}")
