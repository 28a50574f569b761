"""An article of an archive → an evidence bundle that a stranger can check; such a bundle → what it proves.

    bundle = write_bundle(archive, "gazette", "https://gazette.example/2026/budget", path, site="Gazette", now=now)
    report = verify_bundle(path, trusted=[fingerprint])     # no archive, no settings, no network
    report.sound, report.findings.damages, report.statements

FORMAT.md § 13 says what a bundle is, and how it is checked by hand.
"""

from jobs.evidence.bundling import Bundle, write_bundle
from jobs.evidence.verifying import BundleReport, verify_bundle

__all__ = ["Bundle", "BundleReport", "verify_bundle", "write_bundle"]
