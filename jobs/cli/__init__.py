"""The command line, `ofrecord`. This module is light: a Ctrl-C while the rest is loaded ends as any other does."""

import gc
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code (config.errors.ExitCode)."""
    gc.disable()  # an eighth of the time of loading went into looking through what stays for good
    try:
        from jobs.cli.commands import run  # noqa: PLC0415 - loading it takes half a second

        gc.enable()
        return run(arguments)
    except KeyboardInterrupt:
        from config.errors import ExitCode  # noqa: PLC0415

        sys.stderr.write("ofrecord: interrupted\n")
        return ExitCode.INTERRUPTED
