"""Protects the AWS resources that Gatehouse itself depends on: only their owner can change them, in AWS."""

from __future__ import annotations

import json
import time
from typing import Final, NamedTuple

from django.db.models import Q, QuerySet

from iam.changes.operations import Operation
from iam.mirror.models import (
    Account,
    ConnectionDraft,
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    Kind,
    SetupJob,
    valid_at,
)
from iam.mirror.models.setup import SetupKind
from iam.policy.document import read

READ_EVERY: Final = 2.0


class _OwnArns(NamedTuple):
    """The ARNs that Gatehouse depends on, and the trust policies of its roles, as of the last load."""

    read_at: float
    arns: frozenset[str]
    trusts: str


_known: _OwnArns | None = None


def is_own(operation: Operation) -> bool:
    """True if the operation would change what Gatehouse depends on: its roles, principals they trust, their
    policies, or their groups.

    Roles and principals are cached for READ_EVERY seconds; each change is checked twice.
    """
    arns = operation.modified_arns()
    if not arns:
        return False
    return _is_one_of_own(arns) or _is_held_by_own(operation) or _is_joined_by_own(operation)


def forget() -> None:
    """Clear the cache."""
    global _known
    _known = None


def _is_one_of_own(arns: tuple[str, ...]) -> bool:
    """True if one of these is a role of Gatehouse, a principal it trusts, or one that an account was
    connected with.
    """
    global _known
    if _known is None or _known.read_at + READ_EVERY <= time.monotonic():
        _known = _read()
    return any(arn in _known.arns or json.dumps(arn) in _known.trusts for arn in arns)


def _read() -> _OwnArns:
    at = time.monotonic()
    arns: set[str] = set()
    for account_roles in Account.objects.values_list("role_arn", "write_role_arn"):
        arns.update(account_roles)
    arns.update(ConnectionDraft.objects.values_list("hub_arn", flat=True))
    jobs = SetupJob.objects.filter(kind=SetupKind.IDENTITY)
    arns.update(jobs.values_list("result__principal", flat=True))
    trusts = _trusts().values_list("document__text", flat=True).distinct()
    text = "\n".join(trust or "" for trust in trusts)
    return _OwnArns(at, frozenset(filter(None, arns)), text)


def _own_roles() -> QuerySet[Entity]:
    roles = Account.objects.exclude(role_arn="").values("role_arn")
    writers = Account.objects.exclude(write_role_arn="").values("write_role_arn")
    return Entity.objects.filter(Q(arn__in=roles) | Q(arn__in=writers), kind=Kind.ROLE, gone_at__isnull=True)


def _trusts() -> QuerySet[EntityState]:
    own = _own_roles().values("pk")
    return EntityState.objects.filter(valid_at(None), kind=Kind.ROLE, entity__in=own)


def _is_held_by_own(operation: Operation) -> bool:
    """True if a modified policy is attached to, or the boundary of, a role of Gatehouse or a principal it
    trusts.
    """
    arns = [arn for arn in operation.modified_arns() if ":policy/" in arn]
    if not arns:
        return False
    policies = Entity.objects.filter(
        account=operation.account, kind=Kind.POLICY, arn__in=arns, gone_at__isnull=True
    )
    holding = Edge.objects.filter(
        valid_at(None), kind__in=[EdgeKind.ATTACHED, EdgeKind.BOUNDARY], target__in=policies.values("pk")
    )
    if not holding.exists():
        return False
    own = Q(source__arn__in=own_arns(operation.account.account_id))
    if holding.filter(own).exists():
        return True
    groups = holding.filter(source__kind=Kind.GROUP).values("source")
    return Edge.objects.filter(valid_at(None), own, kind=EdgeKind.MEMBER, target__in=groups).exists()


def _is_joined_by_own(operation: Operation) -> bool:
    """True if the operation concerns a group that one of them is in. Other members don't matter."""
    if operation.subject_kind != Kind.GROUP:
        return False
    groups = Entity.objects.filter(
        account=operation.account, kind=Kind.GROUP, arn__in=operation.modified_arns(), gone_at__isnull=True
    )
    members = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, target__in=groups.values("pk"))
    return (
        members.exists() and members.filter(source__arn__in=own_arns(operation.account.account_id)).exists()
    )


def own_arns(account_id: str) -> set[str]:
    """The ARNs in an account that Gatehouse depends on: its roles there, and principals that any of its roles
    trust.
    """
    arns = set(_own_roles().filter(account__account_id=account_id).values_list("arn", flat=True))
    arns.update(ConnectionDraft.objects.values_list("hub_arn", flat=True))
    jobs = SetupJob.objects.filter(kind=SetupKind.IDENTITY)
    arns.update(filter(None, jobs.values_list("result__principal", flat=True)))
    for text in _trusts().values_list("document__text", flat=True).distinct():
        for statement in read(text or "").statements:
            principals = statement.principals or {}
            arns.update(principals.get("AWS", ()))
    return {arn for arn in arns if f":{account_id}:" in arn and not arn.endswith(":root")}
