"""Syncs a single subject right after a change, without waiting for the next pull."""

from iam.mirror.pull.subject import MadeUser, SubjectReading, reread_entity
from iam.mirror.refresh.facts import reread_boundary, reread_tags
from iam.mirror.refresh.holdings import (
    ObservedAttachments,
    ReadInlinePolicy,
    read_attachments,
    read_inline,
    reread_attachments,
    reread_inline,
)
from iam.mirror.refresh.listed_entities import reread_listed
from iam.mirror.refresh.memberships import ObservedMemberships, read_memberships, reread_memberships
from iam.mirror.refresh.profiles import reread_instance, reread_profile
from iam.mirror.refresh.settings import enter_setting

__all__ = [
    "MadeUser",
    "ObservedAttachments",
    "ObservedMemberships",
    "ReadInlinePolicy",
    "SubjectReading",
    "enter_setting",
    "read_attachments",
    "read_inline",
    "read_memberships",
    "reread_attachments",
    "reread_boundary",
    "reread_entity",
    "reread_inline",
    "reread_instance",
    "reread_listed",
    "reread_memberships",
    "reread_profile",
    "reread_tags",
]
