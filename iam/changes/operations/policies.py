"""The operations on policies: managed ones, their versions, attachments, inline ones; a new one is added here by hand."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.attachment import AttachPolicy, DetachPolicy
from iam.changes.operations.base import Operation
from iam.changes.operations.former_version import DeletePolicyVersion, RestorePolicyVersion
from iam.changes.operations.inline_policy import DeleteInlinePolicy, PutInlinePolicy
from iam.changes.operations.managed_policy import CreatePolicy, DeletePolicy
from iam.changes.operations.replaced_version import TakeBackVersion

POLICIES: Final[tuple[type[Operation], ...]] = (
    CreatePolicy,
    DeletePolicy,
    DeletePolicyVersion,
    RestorePolicyVersion,
    TakeBackVersion,
    AttachPolicy,
    DetachPolicy,
    PutInlinePolicy,
    DeleteInlinePolicy,
)
