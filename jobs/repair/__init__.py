"""Puts back what is damaged or missing, out of a copy of the same archive: only bytes that the log itself demands."""

from jobs.repair.archive import repair_archive
from jobs.repair.report import Mended, RepairReport

__all__ = ["Mended", "RepairReport", "repair_archive"]
