"""What Terraform or CloudFormation manage is to be changed there: how it is recognised, and the patch that is
offered instead.
"""

from iam.changes.iac.patches import ProgramPatch, patch_of
from iam.changes.iac.recognise import IacManagement, managed_by, managed_entity

__all__ = ["IacManagement", "ProgramPatch", "managed_by", "managed_entity", "patch_of"]
