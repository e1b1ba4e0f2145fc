"""The command `python -m iam.policy evaluate [--strict]`: it reads requests as JSON Lines from standard input
and writes answers to standard output.
"""

from __future__ import annotations

import argparse
import os
import sys

from iam.policy.lines import answers


def main() -> int:
    """Answer each line as it arrives."""
    parser = argparse.ArgumentParser(prog="python -m iam.policy", description=__doc__)
    commands = parser.add_subparsers(required=True)
    evaluate = commands.add_parser("evaluate", help="decide requests")
    evaluate.add_argument(
        "--strict", action="store_true", help="a missing context key is absent, as in a real request"
    )
    options = parser.parse_args()
    # Invalid UTF-8 only affects its line. A byte order mark before the first line is ignored.
    sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace", newline="\n")  # type: ignore[union-attr]
    try:
        for line in answers(sys.stdin, strict=options.strict):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader has closed the pipe. Without this, Python would try to flush the rest at exit and report
        # an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
