"""A selection of the archive's texts → files that other programs read: WACZ, JSON lines, CSV, Markdown, Parquet, text.

Streams from index, catalog and store in constant memory; writes nothing into the archive, and no half file.
"""

from jobs.export.running import FORMS, ExportReport, export_texts
from jobs.export.selection import Selection

__all__ = ["FORMS", "ExportReport", "Selection", "export_texts"]
