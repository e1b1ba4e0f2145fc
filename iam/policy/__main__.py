"""`python -m iam.policy evaluate [--strict]`: requests as JSON Lines on standard input, answers on standard
output.
"""

from __future__ import annotations

import argparse
import os
import sys

from iam.policy.lines import answers


def main() -> int:
    """Answer every line as it comes."""
    parser = argparse.ArgumentParser(prog="python -m iam.policy", description=__doc__)
    commands = parser.add_subparsers(required=True)
    evaluate = commands.add_parser("evaluate", help="decide requests")
    evaluate.add_argument(
        "--strict", action="store_true", help="a missing context key is absent, as in a real request"
    )
    options = parser.parse_args()
    # Bytes that are no UTF-8 spoil their line only; a mark of byte order before the first line is no part of
    # it.
    sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace", newline="\n")  # type: ignore[union-attr]
    try:
        for line in answers(sys.stdin, strict=options.strict):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    except BrokenPipeError:
        # Anyone who reads has had enough. Python would write what is left when it ends, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
