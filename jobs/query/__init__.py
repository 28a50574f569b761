"""SQL over the archive's tables: DuckDB over the files that the newest manifest lists, and ready views of them.

Reads ranges of these files through the archive's own store, whichever that is; cannot write, nor read anything else.
"""

from jobs.query.asking import Answer, ask_tables
from jobs.query.views import VIEWS

__all__ = ["VIEWS", "Answer", "ask_tables"]
