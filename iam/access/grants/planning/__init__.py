"""Picks the way in which each account gives what a grant says."""

from iam.access.grants.planning.plan_grant import plan_parts

__all__ = ["plan_parts"]
