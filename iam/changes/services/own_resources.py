"""What Gatehouse itself works by, in whichever account: it is changed in AWS by its owner, and never through
Gatehouse.
"""

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
    """The ARNs by which Gatehouse works, and the trust policies of its roles, as they were read."""

    read_at: float
    arns: frozenset[str]
    trusts: str


_known: _OwnArns | None = None


def is_own(operation: Operation) -> bool:
    """Whether it would alter what Gatehouse works by: a role of an account, whom these roles trust, a policy
    that they have, or what a group holds that they are in. The first two are as they were READ_EVERY seconds
    ago at most; each change is looked at twice.
    """
    arns = operation.modified_arns()
    if not arns:
        return False
    return _is_one_of_own(arns) or _is_held_by_own(operation) or _is_joined_by_own(operation)


def forget() -> None:
    """Read anew what Gatehouse works by."""
    global _known
    _known = None


def _is_one_of_own(arns: tuple[str, ...]) -> bool:
    """Whether one of them is a role of an account, or somebody whom these roles trust or an account was
    connected by.
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
    """Whether one of the policies that it alters is held, or bounded by, a role of Gatehouse or somebody whom
    these roles trust.
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
    """Whether it is about a group that one of them is in. Who else is in it is another matter."""
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
    """The ARNs of an account that Gatehouse works by: its roles there, and whom any of its roles trust."""
    arns = set(_own_roles().filter(account__account_id=account_id).values_list("arn", flat=True))
    arns.update(ConnectionDraft.objects.values_list("hub_arn", flat=True))
    jobs = SetupJob.objects.filter(kind=SetupKind.IDENTITY)
    arns.update(filter(None, jobs.values_list("result__principal", flat=True)))
    for text in _trusts().values_list("document__text", flat=True).distinct():
        for statement in read(text or "").statements:
            principals = statement.principals or {}
            arns.update(principals.get("AWS", ()))
    return {arn for arn in arns if f":{account_id}:" in arn and not arn.endswith(":root")}
