"""The checks: requirements judged by facts instead of findings. Frameworks refer to checks by these names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from iam.audit.frameworks.checks import account, installation, keys, passwords, people, resources, reviews
from iam.audit.frameworks.checks.case import ACCOUNT_CHECKS, INSTALLATION_CHECKS

MODULES: Final = (account, installation, keys, passwords, people, resources, reviews)
"""Importing these modules registers their checks."""
CHECKS: Final[Mapping[str, str]] = {
    **{name: check.title for name, check in ACCOUNT_CHECKS.items()},
    **{name: check.title for name, check in INSTALLATION_CHECKS.items()},
}
"""The titles of checks by name."""
