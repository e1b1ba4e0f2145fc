"""Fixes of credentials: deactivate access keys, remove the console password."""

from __future__ import annotations

from collections.abc import Sequence

from iam.audit.findings.fix_request import subject_of
from iam.audit.findings.models import AuditFinding
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.operations.login_profile import DeleteLoginProfile
from iam.changes.operations.user_credential import ACTIVE, DEACTIVATE, SetStatus
from iam.mirror.models import Entity, EntityState, Kind, valid_at

UNKNOWN_KEYS = "The IDs of these access keys aren’t synced. Sync the account, then request again."


def deactivate_keys(finding: AuditFinding) -> Sequence[Operation]:
    """Deactivate every key named in the evidence."""
    return _deactivations(finding, [key["key"] for key in finding.evidence["keys"]])


def deactivate_key_used_less(finding: AuditFinding) -> Sequence[Operation]:
    """Deactivate all active keys except the most recently used one."""
    keys = sorted(finding.evidence["keys"], key=lambda key: (key["last_used"] or "", key["created"] or ""))
    return _deactivations(finding, [key["key"] for key in keys[:-1]])


def deactivate_api_key(finding: AuditFinding) -> Sequence[Operation]:
    """Deactivate the service-specific credential named in the evidence."""
    rows = Entity.objects.filter(
        owner=subject_of(finding), kind=Kind.SERVICE_CREDENTIAL, gone_at__isnull=True
    )
    key = rows.filter(aws_id=finding.evidence["api_key"]).select_related("account", "owner").first()
    if key is None:
        raise RefusedError("This API key no longer exists, as of the last sync.")
    return [SetStatus.of(DEACTIVATE[Kind.SERVICE_CREDENTIAL], key)]


def delete_password(finding: AuditFinding) -> Sequence[Operation]:
    """Remove the console password."""
    return [DeleteLoginProfile.of(subject_of(finding))]


def end_sign_in(finding: AuditFinding) -> Sequence[Operation]:
    """Remove the console password and deactivate the access keys, if there are any."""
    keys = deactivate_keys(finding) if finding.evidence["keys"] else []
    return [*keys, *(delete_password(finding) if finding.evidence["password"] else [])]


def _deactivations(finding: AuditFinding, labels: Sequence[str]) -> list[Operation]:
    rows = Entity.objects.filter(owner=subject_of(finding), kind=Kind.ACCESS_KEY, gone_at__isnull=True)
    keys = rows.filter(aws_id__in=labels).select_related("account", "owner").order_by("aws_id")
    if len(keys) < len(labels):
        raise RefusedError(UNKNOWN_KEYS)
    active = EntityState.objects.filter(valid_at(None), entity__in=keys, category=ACTIVE)
    numbers = set(active.values_list("entity_id", flat=True))
    return [SetStatus.of(DEACTIVATE[Kind.ACCESS_KEY], key) for key in keys if key.pk in numbers]
