"""Plans how each account of a grant gives the access."""

from iam.access.grants.planning.plan_grant import plan_parts

__all__ = ["plan_parts"]
