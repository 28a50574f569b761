"""The kit's adapter of trafilatura with what it loads late already loaded, as ours with --loaded: no start in speed.

`python -m tests.benchmarks.extract_peer ADAPTER.py HTMLDIR`
"""

from __future__ import annotations

import runpy
import sys

_UNDATED = "<html><body><p class='date'>the day of no date in 3 words of 2020</p></body></html>"


def load_late_parts() -> None:
    """Load what trafilatura and htmldate load on the first page that needs it: 1.6 s, once in a process."""
    import htmldate
    import trafilatura

    htmldate.find_date(_UNDATED)
    trafilatura.extract(_UNDATED)
    if "dateparser.date" not in sys.modules:
        raise AssertionError("htmldate no longer loads dateparser for a date that is hard to read")


if __name__ == "__main__":
    load_late_parts()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
