"""Syncs what is attached to a user, group or role, or one of its inline policies, right after a change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import models

from iam.aws.reads import holdings
from iam.aws.session import Aws
from iam.mirror.models import Account, EdgeKind, Entity, InlinePolicy, Kind, valid_at
from iam.mirror.pull import temporal
from iam.mirror.pull.documents import PolicyDocuments
from iam.mirror.pull.subject import reread_entity
from iam.mirror.refresh.single_entity import load_ties, loading


class ObservedAttachments(NamedTuple):
    """The ARNs of the attached managed policies in AWS. `at` is before the call."""

    at: datetime
    arns: frozenset[str]


class ReadInlinePolicy(NamedTuple):
    """The text of an inline policy in AWS, or None if there is none. `at` is before the call."""

    at: datetime
    name: str
    text: str | None


def read_attachments(aws: Aws, *, kind: str, name: str) -> ObservedAttachments:
    """Read the attached policies, with one call. Raises AwsError."""
    at = datetime.now(tz=UTC)
    return ObservedAttachments(at, holdings.attached_arns(aws, kind=kind, name=name))


def read_inline(aws: Aws, *, kind: str, name: str, policy_name: str) -> ReadInlinePolicy:
    """Read the inline policy, with one call. Raises AwsError."""
    at = datetime.now(tz=UTC)
    return ReadInlinePolicy(
        at, policy_name, holdings.inline_text(aws, kind=kind, name=name, policy_name=policy_name)
    )


def reread_attachments(
    account: Account,
    aws: Aws,
    holder: Entity,
    *,
    cause_id: UUID | None,
    read: ObservedAttachments | None = None,
) -> None:
    """Update the attachments of a user, group or role in the mirror to those in AWS, caused by the change
    (None: cause unknown).

    One call, or none if they have just been `read`, and a few more for a policy that the mirror lacks, such
    as an unused AWS policy. A pull that began earlier doesn't undo it, and an older re-read yields to a newer
    one. Raises AwsError.
    """
    at, arns = read or read_attachments(aws, kind=holder.kind, name=holder.name)
    policies = _policies(account, arns)
    missing = arns - set(policies.values_list("arn", flat=True))
    for arn in sorted(missing):
        name = arn.rpartition("/")[2]
        reread_entity(account, aws, kind=Kind.POLICY.value, name=name, arn=arn, cause_id=cause_id)
    with loading(account, holder, at=at, cause_id=cause_id) as seen:
        if seen is None:
            return
        load_ties(holder, EdgeKind.ATTACHED, policies, seen=seen)


def reread_inline(
    account: Account, holder: Entity, *, cause_id: UUID | None, read: Iterable[ReadInlinePolicy]
) -> None:
    """Update inline policies of a user, group or role in the mirror to what was read, without a call. See
    reread_attachments.
    """
    policies = list(read)
    documents = PolicyDocuments()
    digests = {
        (policy.name,): documents.intern(policy.text) for policy in policies if policy.text is not None
    }
    documents.flush()
    at = min(policy.at for policy in policies)
    with loading(account, holder, at=at, cause_id=cause_id) as seen:
        if seen is None:
            return
        others = InlinePolicy.objects.filter(valid_at(None), owner=holder)
        others = others.exclude(name__in=[policy.name for policy in policies])
        rows: dict[temporal.Key, temporal.Values] = {
            (name,): (digest,) for name, digest in others.values_list("name", "document_id")
        }
        rows |= {key: (digest,) for key, digest in digests.items()}
        temporal.load(temporal.INLINE, wanted={holder.pk: rows}, account_id=account.pk, seen=seen)


def _policies(account: Account, arns: frozenset[str]) -> models.QuerySet[Entity]:
    return Entity.objects.filter(account=account, kind=Kind.POLICY, arn__in=arns, gone_at__isnull=True)
