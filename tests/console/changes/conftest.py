"""The scene of `tests.iam.changes`, for its pages."""

from __future__ import annotations

from tests.iam.changes.conftest import nudges, site

__all__ = ["nudges", "site"]
