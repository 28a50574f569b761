"""The command line, `ofrecord`. This module is light: a Ctrl-C while the rest is loaded ends as any other does."""

import gc
import sys

from jobs.runs.readying import dismiss_child, ready_child


def program() -> int:
    """Run this process's command line, after which the process ends; return the exit code."""
    code = main()
    gc.freeze()  # Python would look through all that was loaded for garbage before it ends: 90 ms
    return code


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code (config.errors.ExitCode)."""
    words = sys.argv[1:] if arguments is None else arguments
    gc.disable()  # until the command is loaded: an eighth of that time went into looking through what stays for good
    try:
        if _is_crawl_at_once(words):
            ready_child()
        from jobs.cli.commands import run  # noqa: PLC0415 - loading it takes half a second

        return run(words)
    except KeyboardInterrupt:
        from config.errors import ExitCode  # noqa: PLC0415

        sys.stderr.write("ofrecord: interrupted\n")
        return ExitCode.INTERRUPTED
    finally:
        gc.enable()
        dismiss_child()


def _is_crawl_at_once(words: list[str]) -> bool:
    """Whether a crawl begins as soon as it can: a daemon's waits for its turn, and for help there is none."""
    return words[:1] == ["crawl"] and not {"--owned", "-h", "--help"}.intersection(words)
