"""Entities, which are permanent rows, and their states, which are rows with a validity period."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from iam.mirror.models.accounts import Account
from iam.mirror.models.temporal import CURRENT, TemporalRow, change_indexes


class Kind(models.TextChoices):
    """The type of an entity, in AWS's terms."""

    USER = "user", "IAM user"
    GROUP = "group", "IAM group"
    ROLE = "role", "IAM role"
    POLICY = "policy", "Managed policy"
    INSTANCE_PROFILE = "instance-profile", "Instance profile"
    ACCESS_KEY = "access-key", "Access key"
    MFA_DEVICE = "mfa-device", "MFA device"
    SSH_KEY = "ssh-key", "SSH public key"
    SIGNING_CERTIFICATE = "signing-certificate", "Signing certificate"
    SERVICE_CREDENTIAL = "service-credential", "Service-specific credential"
    SERVER_CERTIFICATE = "server-certificate", "Server certificate"
    SAML_PROVIDER = "saml-provider", "SAML provider"
    OIDC_PROVIDER = "oidc-provider", "OpenID Connect provider"
    INSTANCE = "instance", "EC2 instance"
    TRAIL = "trail", "CloudTrail trail"
    ANYWHERE_PROFILE = "anywhere-profile", "Roles Anywhere profile"
    TRUST_ANCHOR = "trust-anchor", "Roles Anywhere trust anchor"
    POD_IDENTITY = "pod-identity", "EKS pod identity association"
    DELEGATION_REQUEST = "delegation-request", "Delegation request"
    ORG_ROOT = "org-root", "Organization root"
    ORG_UNIT = "org-unit", "Organizational unit"
    ORG_ACCOUNT = "org-account", "Account in the organization"
    SCP = "scp", "Service control policy"
    RCP = "rcp", "Resource control policy"


KINDS_BY_ARN = {
    kind.value: kind for kind in (Kind.USER, Kind.GROUP, Kind.ROLE, Kind.POLICY, Kind.INSTANCE_PROFILE)
}
"""The kind of an IAM entity by the part of its ARN between the account and the name."""


class Document(models.Model):
    """A policy document, stored once for all policies that have it. The key is the BLAKE2b-128 of the exact
    text, in hex.
    """

    digest = models.CharField(max_length=32, primary_key=True)
    text = models.TextField()

    def __str__(self) -> str:
        return self.digest


class Entity(models.Model):
    """An entity in an account, by AWS's identity: a user that is deleted and created again is another entity.

    `aws_id` is AWS's unique ID (AIDA…, AROA…, the access key ID), or the ARN if AWS assigns no ID. `name`,
    `arn` and `search` follow the newest state. `source_digest` is the digest of AWS's last complete answer
    for the entity; if it is equal, nothing needs to be decoded. `reread_at` is when it was last read
    separately, after a change.
    """

    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="entities")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    aws_id = models.CharField(max_length=512)
    owner = models.ForeignKey(
        "self", db_index=False, on_delete=models.CASCADE, null=True, related_name="credentials"
    )
    name = models.CharField(max_length=512)
    arn = models.CharField(max_length=2048, blank=True)
    search = models.CharField(
        max_length=2600, blank=True, help_text="Lower case: ARN or name, and the unique id."
    )
    first_seen = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)
    source_digest = models.BinaryField(max_length=16, null=True)
    reread_at = models.DateTimeField(null=True)
    detail_at = models.DateTimeField(null=True, help_text="When the detail lane last read it.")
    detail_gaps = models.CharField(
        max_length=128, blank=True, default="", help_text="Sections that could not be read of it then."
    )

    revision = models.PositiveBigIntegerField(
        default=0,
        db_default=0,
        help_text="The account's revision when something of the entity was last written.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "aws_id"], name="one_entity_per_aws_id")
        ]
        indexes = [
            models.Index(
                fields=["account", "kind", "name"], name="entity_by_name", condition=Q(gone_at__isnull=True)
            ),
            models.Index(fields=["owner"], name="entity_by_owner"),
            models.Index(fields=["aws_id"], name="entity_by_aws_id"),
            models.Index(fields=["arn"], name="entity_by_arn"),
            models.Index(fields=["account", "revision"], name="entity_by_revision"),
        ]

    def __str__(self) -> str:
        return self.arn or f"{self.kind} {self.name}"


class EntityState(TemporalRow):
    """The state of an entity during a period.

    `category` is the value by which lists split a kind: a role by who can assume it (`service:ec2`,
    `account`, `cross-account`, `saml`, `oidc`, `service-linked`, `any`), a policy by owner (`aws`,
    `customer`), a credential by its status (`Active`, `Inactive`), an MFA device by its type (`virtual`,
    `security-key`, `hardware`), a user `user`. `attrs` has the kind's other attributes under AWS's names.
    `document` is a role's trust policy, the text of an SCP or RCP, or a SAML provider's metadata.
    """

    entity = models.ForeignKey(Entity, db_index=False, on_delete=models.CASCADE, related_name="states")
    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(max_length=512)
    sort_name = models.CharField(max_length=512)
    path = models.CharField(max_length=512, default="/")
    arn = models.CharField(max_length=2048, blank=True)
    created_at = models.DateTimeField(null=True)
    category = models.CharField(max_length=64, blank=True)
    document = models.ForeignKey(
        Document, db_index=False, on_delete=models.PROTECT, null=True, related_name="+"
    )
    attrs = models.JSONField(default=dict)
    digest = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity"], condition=CURRENT, name="one_current_state")
        ]
        indexes = [
            models.Index(
                fields=["account", "kind", "sort_name", "entity"], condition=CURRENT, name="state_list_now"
            ),
            models.Index(
                fields=["kind", "sort_name", "entity"], condition=CURRENT, name="state_list_all_now"
            ),
            models.Index(
                fields=["account", "kind", "created_at", "entity"],
                condition=CURRENT,
                name="state_created_now",
            ),
            models.Index(
                fields=["account", "kind", "sort_name", "entity", "valid_from"], name="state_list_then"
            ),
            models.Index(
                fields=["kind", "created_at", "entity"], condition=CURRENT, name="state_created_all_now"
            ),
            models.Index(fields=["kind", "sort_name", "entity", "valid_from"], name="state_list_all_then"),
            models.Index(fields=["entity", "valid_from"], name="state_history"),
            # For teams by path. PostgreSQL's LIKE can't use an index in a language's collation.
            models.Index(
                fields=["kind", "path", "entity"],
                condition=CURRENT,
                name="state_path_now",
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops", "int8_ops"],
            ),
            *change_indexes("state"),
        ]

    def __str__(self) -> str:
        return f"{self.arn or self.name} from {self.valid_from}"
