"""`python -m jobs`: the same as the command `ofrecord`."""

import sys

from jobs.cli import main

if __name__ == "__main__":
    sys.exit(main())
