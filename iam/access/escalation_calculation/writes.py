"""Writes the differences of a calculation, never an older one over a newer one. For workers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from iam.access.escalation_calculation import search
from iam.access.escalation_calculation.findings import AccountFindings
from iam.access.escalation_calculation.models import (
    EscalationCalculation,
    EscalationFinding,
    EscalationOpening,
    EscalationQuestion,
)
from iam.access.escalation_calculation.path_records import FORMAT
from iam.batches import batches

BATCH: Final = 500


def keep(
    row: EscalationCalculation,
    findings: AccountFindings,
    inputs: str,
    revisions: Mapping[str, int],
    began: datetime,
    seconds: float,
) -> None:
    """Write the differences. An older calculation never replaces a newer one."""
    with transaction.atomic():
        locked = EscalationCalculation.objects.select_for_update().get(moment=row.moment)
        if locked.calculated_at is not None and locked.calculated_at > began:
            return
        is_same = _keep_findings(row, findings)
        is_same = _keep_openings(row, findings) and is_same
        limitations = [
            [limitation.kind, limitation.text, list(limitation.accounts)]
            for limitation in search.limitations_of(findings.known)
        ]
        noted = {"asked": findings.asked, "unread": findings.unread, "limitations": limitations}
        is_same = is_same and locked.revisions == revisions and locked.format == FORMAT
        is_same = is_same and all(getattr(locked, name) == value for name, value in noted.items())
        number = locked.number if is_same and locked.number else locked.number + 1
        EscalationCalculation.objects.filter(moment=row.moment).update(
            number=number,
            format=FORMAT,
            inputs=inputs,
            revisions=dict(revisions),
            calculated_at=began,
            seconds=seconds,
            **noted,
        )
        if not is_same:
            # Questions about the earlier state are asked again if an answer is still needed.
            EscalationQuestion.objects.filter(
                calculation=row.moment, number__gt=0, number__lt=locked.number
            ).delete()


FIELDS: Final = (
    "account",
    "arn",
    "aws_id",
    "is_role",
    "is_conditional",
    "steps",
    "certainty",
    "unread",
    "opener",
    "search",
    "stamp",
)


def _keep_findings(row: EscalationCalculation, findings: AccountFindings) -> bool:
    """Write the findings. Returns True if nothing changed."""
    stored = EscalationFinding.objects.filter(calculation=row)
    known = {number: values for number, *values in stored.values_list("principal", *FIELDS).iterator()}
    changed = [
        finding
        for number, finding in findings.rows.items()
        if known.get(number) != [getattr(finding, name) for name in FIELDS]
    ]
    anew = [finding for finding in changed if finding.path is not None]
    same_path = [finding for finding in changed if finding.path is None]
    EscalationFinding.objects.bulk_create(
        anew,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["calculation", "principal"],
        update_fields=[*FIELDS, "path"],
    )
    numbers: dict[int, int] = {}
    if same_path:
        rows = stored.filter(principal__in=[finding.principal for finding in same_path])
        numbers = dict(rows.values_list("principal", "pk"))
    for finding in same_path:
        finding.pk = numbers[finding.principal]
    EscalationFinding.objects.bulk_update(same_path, FIELDS, batch_size=BATCH)
    gone = [number for number in known if number not in findings.rows]
    for batch in batches(gone, BATCH):
        stored.filter(principal__in=batch).delete()
    return not changed and not gone


def _keep_openings(row: EscalationCalculation, findings: AccountFindings) -> bool:
    """Write the groups. Returns True if nothing changed."""
    stored = EscalationOpening.objects.filter(calculation=row)
    known = {
        key: (statements, means)
        for key, statements, means in stored.values_list("key", "statements", "means")
    }
    changed = [
        opening
        for key, opening in findings.openings.items()
        if known.get(key) != (opening.statements, opening.means)
    ]
    EscalationOpening.objects.bulk_create(
        changed,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["calculation", "key"],
        update_fields=["statements", "means"],
    )
    gone = [key for key in known if key not in findings.openings]
    for batch in batches(gone, BATCH):
        stored.filter(key__in=batch).delete()
    return not changed and not gone
