"""A fix that is a ready request: its button, and the operations that it comes to as the account is now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from iam.audit.findings.models import AuditFinding
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.mirror.models import Account, Entity, Kind

CHANGED = "This has changed in AWS since the finding was calculated. Wait for the next calculation."


class FixRequest(NamedTuple):
    """`build` gives the operations, which are approved together; it raises RefusedError where there are none.
    `is_alternative`: the page that the finding names comes first, such as adding an MFA device. `is_plain`:
    also for who looks after people only and is told no policies.
    """

    label: str
    build: Callable[[AuditFinding], Sequence[Operation]]
    is_alternative: bool = False
    is_plain: bool = False


def subject_of(finding: AuditFinding) -> Entity:
    """The entity of a finding. Raises RefusedError if it is gone."""
    entity = finding.entity
    if entity is None or entity.gone_at is not None:
        raise RefusedError(CHANGED)
    return entity


def entities_of(account: Account, kind: Kind, *, arns: Sequence[str]) -> list[Entity]:
    """The entities with these ARNs, in their order. Raises RefusedError if one is gone."""
    rows = Entity.objects.filter(account=account, kind=kind, arn__in=arns, gone_at__isnull=True)
    by_arn = {row.arn: row for row in rows.select_related("account")}
    if len(by_arn) < len(set(arns)):
        raise RefusedError(CHANGED)
    return [by_arn[arn] for arn in arns]
