"""The command line, `ofrecord`. This module is light: a Ctrl-C while the rest is loaded ends as any other does."""

import gc
import sys

_OBJECTS_PER_COLLECTION = 100_000
"""At 700, Python's own, an eighth of the time of loading goes into looking through what stays for good."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code (config.errors.ExitCode)."""
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    try:
        from jobs.cli.commands import run  # noqa: PLC0415 - loading it takes half a second

        return run(arguments)
    except KeyboardInterrupt:
        from config.errors import ExitCode  # noqa: PLC0415

        sys.stderr.write("ofrecord: interrupted\n")
        return ExitCode.INTERRUPTED
