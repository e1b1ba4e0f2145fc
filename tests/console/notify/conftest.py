"""The broker of `tests.iam.notify`, for its pages."""

from __future__ import annotations

from tests.iam.notify.conftest import nudged

__all__ = ["nudged"]
