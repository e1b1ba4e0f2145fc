"""Make an access key of a user inactive, active again, or delete it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
"""

from __future__ import annotations

from typing import ClassVar

from iam.changes.operations.user_credential import (
    ACTIVE,
    INACTIVE,
    DeleteCredential,
    OnCredential,
    SetStatus,
)
from iam.mirror.models import Kind
from iam.mirror.pull.sections import ACCESS_KEYS


class OnAccessKey(OnCredential):
    """What all of them share."""

    family = "access-key"
    section = ACCESS_KEYS
    kind = Kind.ACCESS_KEY
    noun = "access key"
    word = "AccessKey"
    id_parameter = "AccessKeyId"
    id_field = "key_id"


class DeactivateAccessKey(OnAccessKey, SetStatus):
    """Makes a key inactive."""

    slug = "access_key.deactivate"
    status_after = INACTIVE


class ActivateAccessKey(OnAccessKey, SetStatus):
    """Makes a key active."""

    slug = "access_key.activate"
    status_after = ACTIVE
    other: ClassVar[type[SetStatus]] = DeactivateAccessKey


DeactivateAccessKey.other = ActivateAccessKey


class DeleteAccessKey(OnAccessKey, DeleteCredential):
    """Deletes a key."""

    slug = "access_key.delete"
