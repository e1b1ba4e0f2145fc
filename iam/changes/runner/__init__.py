"""Applies changes. The only place from which Gatehouse writes to AWS."""

from iam.changes.runner.attempt import run
from iam.changes.runner.sweeps import sweep

__all__ = ["run", "sweep"]
