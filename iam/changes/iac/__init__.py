"""What Terraform or CloudFormation manage is to be changed there: how it is recognised, and the patch that is
offered instead.
"""

from iam.changes.iac.patches import Patch, patch_of
from iam.changes.iac.recognise import Managed, managed_by, managed_entity

__all__ = ["Managed", "Patch", "managed_by", "managed_entity", "patch_of"]
