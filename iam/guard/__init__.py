"""Who may see, ask and approve: a viewer's rights as data, which queries and services apply."""

from iam.guard.viewer import Right, Scope, Viewer, viewer_for

__all__ = ["Right", "Scope", "Viewer", "viewer_for"]
