"""Read one subject on its own, straight after a change, so that nobody waits for the next pull."""

from iam.mirror.pull.subject import reread_entity
from iam.mirror.reread.memberships import Memberships, read_memberships, reread_memberships

__all__ = ["Memberships", "read_memberships", "reread_entity", "reread_memberships"]
