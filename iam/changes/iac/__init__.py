"""Detects resources that Terraform or CloudFormation manage, and offers a patch for their files instead of a
change.
"""

from iam.changes.iac.patches import ProgramPatch, patch_of
from iam.changes.iac.recognise import IacManagement, managed_by, managed_entity

__all__ = ["IacManagement", "ProgramPatch", "managed_by", "managed_entity", "patch_of"]
