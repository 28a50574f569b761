"""Re-reads what an archive holds and says what is not as it was committed. Changes nothing, repairs nothing."""

from jobs.verify.anchors import check_anchors
from jobs.verify.archive import verify_archive
from jobs.verify.heads import check_heads
from jobs.verify.plan import Depth, Part, Plan, parse_part
from jobs.verify.report import Counts, Finding, Head, Progress, Severity, Step, VerifyReport
from jobs.verify.retention import check_retention

__all__ = [
    "Counts",
    "Depth",
    "Finding",
    "Head",
    "Part",
    "Plan",
    "Progress",
    "Severity",
    "Step",
    "VerifyReport",
    "check_anchors",
    "check_heads",
    "check_retention",
    "parse_part",
    "verify_archive",
]
