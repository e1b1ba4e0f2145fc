"""Who can see, request and approve: a viewer's rights as data, which queries and services apply."""

from iam.guard.audit_limits import AuditLimits
from iam.guard.viewer import Right, Viewer, ViewerScope, evidence_viewer, viewer_for

__all__ = ["AuditLimits", "Right", "Viewer", "ViewerScope", "evidence_viewer", "viewer_for"]
