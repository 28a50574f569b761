"""`python -m jobs`: the same as the command `ofrecord`."""

import sys

from jobs.cli import program

if __name__ == "__main__":
    sys.exit(program())
