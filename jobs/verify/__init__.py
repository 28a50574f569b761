"""Re-reads what an archive holds and says what is not as it was committed. Changes nothing, repairs nothing."""

from jobs.verify.anchors import check_anchors
from jobs.verify.archive import verify_archive
from jobs.verify.heads import check_heads
from jobs.verify.report import Counts, Finding, Head, Progress, Severity, Step, VerifyReport

__all__ = [
    "Counts",
    "Finding",
    "Head",
    "Progress",
    "Severity",
    "Step",
    "VerifyReport",
    "check_anchors",
    "check_heads",
    "verify_archive",
]
