"""Carries changes out: the only place from which Gatehouse writes to AWS."""

from iam.changes.runner.running import run
from iam.changes.runner.sweeping import sweep

__all__ = ["run", "sweep"]
