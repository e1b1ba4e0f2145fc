"""Defines a fix that can be requested directly: its button, and its operations for the current account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from iam.audit.findings.models import AuditFinding
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.mirror.models import Account, Entity, Kind

CHANGED = "This has changed in AWS since the finding was calculated. Wait for the next calculation."


def _always(finding: AuditFinding) -> bool:
    return True


class FixRequest(NamedTuple):
    """A fix that can be requested.

    `build` returns the operations, which are approved together, and raises RefusedError if there are none.
    `is_alternative`: the page named by the finding, such as adding an MFA device, comes first. `is_plain`:
    also for viewers who see only people, and no policies. `fits`: False for findings that have no such fix.
    """

    label: str
    build: Callable[[AuditFinding], Sequence[Operation]]
    is_alternative: bool = False
    is_plain: bool = False
    fits: Callable[[AuditFinding], bool] = _always


def subject_of(finding: AuditFinding) -> Entity:
    """The entity that a finding is about. Raises RefusedError if it is gone."""
    entity = finding.entity
    if entity is None or entity.gone_at is not None:
        raise RefusedError(CHANGED)
    return entity


def entities_of(account: Account, kind: Kind, *, arns: Sequence[str]) -> list[Entity]:
    """The entities with these ARNs, in order. Raises RefusedError if one is gone."""
    rows = Entity.objects.filter(account=account, kind=kind, arn__in=arns, gone_at__isnull=True)
    by_arn = {row.arn: row for row in rows.select_related("account")}
    if len(by_arn) < len(set(arns)):
        raise RefusedError(CHANGED)
    return [by_arn[arn] for arn in arns]
