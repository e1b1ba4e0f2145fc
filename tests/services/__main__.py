"""Says in one line each which real services the tests will do without, and why."""

from __future__ import annotations

import os
import sys

from tests.services import browser, postgres, redis


def main() -> int:
    """The exit code is 1 when a service is missing that is required."""
    reasons = {
        "PostgreSQL": postgres.why_missing(),
        "Redis": redis.why_missing(),
        "the browser journeys": browser.why_missing(),
    }
    missing = {name: reason for name, reason in reasons.items() if reason}
    for name, reason in missing.items():
        print(f"Skipping {name}: {reason}.")
    return 1 if missing and os.environ.get("REQUIRE_SERVICES") == "1" else 0


if __name__ == "__main__":
    sys.exit(main())
