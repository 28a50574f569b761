"""The command line, `ofrecord`. This module is light: a Ctrl-C while the rest is loaded ends as any other does."""

import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code (config.errors.ExitCode)."""
    try:
        from jobs.cli.commands import run  # noqa: PLC0415 - loading it takes half a second

        return run(arguments)
    except KeyboardInterrupt:
        from config.errors import ExitCode  # noqa: PLC0415

        sys.stderr.write("ofrecord: interrupted\n")
        return ExitCode.INTERRUPTED
