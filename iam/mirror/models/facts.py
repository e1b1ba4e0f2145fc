"""Facts about entities with a validity period (edges, inline policies, policy versions, tags, credentials),
and usage, which has none.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models

from iam.mirror.models.accounts import Account
from iam.mirror.models.entities import Document, Entity
from iam.mirror.models.temporal import CURRENT, TemporalRow, change_indexes

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for "never" in columns that lists sort by, so that keyset pages need no nulls."""


class EdgeKind(models.TextChoices):
    """The type of a connection between two entities."""

    MEMBER = "member", "user is a member of group"
    ATTACHED = "attached", "managed policy is attached to user, group or role"
    BOUNDARY = "boundary", "managed policy is the permissions boundary of user or role"
    PROFILE_ROLE = "profile-role", "instance profile holds role"
    INSTANCE_PROFILE = "instance-profile", "instance uses instance profile"
    WORKLOAD_ROLE = "workload-role", "Roles Anywhere profile or pod identity association gives role"
    PARENT = "parent", "account or unit lies in unit or root"
    TARGET = "target", "SCP or RCP is attached to root, unit or account"


class Edge(TemporalRow):
    """A connection from `source` (the user, the principal, the profile, the child, the SCP) to `target`."""

    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=EdgeKind.choices)
    source = models.ForeignKey(Entity, db_index=False, on_delete=models.CASCADE, related_name="edges_out")
    target = models.ForeignKey(Entity, db_index=False, on_delete=models.CASCADE, related_name="edges_in")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "kind", "target"], condition=CURRENT, name="one_current_edge"
            )
        ]
        indexes = [
            models.Index(fields=["target", "kind", "source"], condition=CURRENT, name="edge_in_now"),
            models.Index(fields=["source", "kind", "valid_from"], name="edge_out_then"),
            models.Index(fields=["target", "kind", "valid_from"], name="edge_in_then"),
            *change_indexes("edge"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind} {self.target_id}"


class InlinePolicy(TemporalRow):
    """An inline policy of a user, group or role."""

    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(
        Entity, db_index=False, on_delete=models.CASCADE, related_name="inline_policies"
    )
    name = models.CharField(max_length=128)
    document = models.ForeignKey(
        Document, db_index=False, on_delete=models.PROTECT, related_name="inline_uses"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], condition=CURRENT, name="one_current_inline_policy"
            )
        ]
        indexes = [
            models.Index(fields=["owner", "valid_from"], name="inline_then"),
            *change_indexes("inline"),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(TemporalRow):
    """A version of a managed policy, while it exists in AWS."""

    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    policy = models.ForeignKey(Entity, db_index=False, on_delete=models.CASCADE, related_name="versions")
    version_id = models.CharField(max_length=16)
    document = models.ForeignKey(
        Document, db_index=False, on_delete=models.PROTECT, related_name="version_uses"
    )
    is_default = models.BooleanField()
    created_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "version_id"], condition=CURRENT, name="one_current_version"
            )
        ]
        indexes = [
            models.Index(fields=["policy", "valid_from"], name="version_then"),
            *change_indexes("version"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.version_id}"


class TagSet(TemporalRow):
    """The tags of an entity. An entity without tags has no row."""

    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    entity = models.ForeignKey(Entity, db_index=False, on_delete=models.CASCADE, related_name="tag_sets")
    tags = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity"], condition=CURRENT, name="one_current_tag_set")
        ]
        indexes = [
            models.Index(fields=["entity", "valid_from"], name="tags_then"),
            *change_indexes("tags"),
        ]

    def __str__(self) -> str:
        return f"tags of {self.entity_id}"


class UserCredentials(TemporalRow):
    """The state of a user's password, MFA and keys, from the credential report and the MFA devices.

    Every current user has one current row. `mfa` is none, virtual, hardware, security-key, several, unknown
    (a device is enabled but its type wasn't synced) or unread. `has_password` is null until a report was
    read. `oldest_key_at` is when the oldest active key was created or rotated, NEVER without active keys.
    `report` has the report's other columns.
    """

    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        Entity, db_index=False, on_delete=models.CASCADE, related_name="credential_states"
    )
    has_password = models.BooleanField(null=True)
    password_changed_at = models.DateTimeField(null=True)
    mfa = models.CharField(max_length=16, default="unread")
    active_keys = models.PositiveSmallIntegerField(default=0)
    keys = models.PositiveSmallIntegerField(default=0)
    oldest_key_at = models.DateTimeField(default=NEVER)
    report = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=CURRENT, name="one_current_credentials")
        ]
        indexes = [
            models.Index(
                fields=["account", "oldest_key_at", "user"], condition=CURRENT, name="credentials_by_key_now"
            ),
            # The last two columns let the fleet of MFA devices be counted from the index alone.
            models.Index(
                fields=["account", "mfa", "user", "has_password", "active_keys"],
                condition=CURRENT,
                name="credentials_by_mfa_now",
            ),
            models.Index(
                fields=["oldest_key_at", "user"], condition=CURRENT, name="credentials_all_by_key_now"
            ),
            models.Index(
                fields=["mfa", "user", "has_password", "active_keys"],
                condition=CURRENT,
                name="credentials_all_by_mfa_now",
            ),
            models.Index(fields=["user", "valid_from"], name="credentials_then"),
            *change_indexes("credentials"),
        ]

    def __str__(self) -> str:
        return f"credentials of {self.user_id}"


class Usage(models.Model):
    """When an entity was last used. It changes with every sync and has no history. Every current user, role
    and access key has a row. `is_read` is False for a key whose last use was not read.

    `details` of a user: password_last_used, key_1_last_used, key_2_last_used (ISO 8601, UTC).
    """

    entity = models.OneToOneField(Entity, on_delete=models.CASCADE, primary_key=True, related_name="usage")
    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    last_used_at = models.DateTimeField(default=NEVER)
    is_read = models.BooleanField(default=True, db_default=True)
    region = models.CharField(max_length=32, blank=True)
    service = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    observed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["account", "kind", "last_used_at", "entity"], name="usage_by_date"),
            models.Index(fields=["kind", "last_used_at", "entity"], name="usage_all_by_date"),
        ]

    def __str__(self) -> str:
        return f"usage of {self.entity_id}"


class AccountFact(TemporalRow):
    """A fact about an account as a whole: `password_policy` (null if not set), `summary`, `alias`,
    `organization`, `root_credentials`, `root_access` (null if AWS doesn’t tell this account),
    `outbound_federation`, `numbers` (the figures of the overview).
    """

    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="facts")
    name = models.CharField(max_length=32)
    value = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], condition=CURRENT, name="one_current_fact")
        ]
        indexes = [models.Index(fields=["account", "name", "valid_from"], name="fact_then")]

    def __str__(self) -> str:
        return self.name
