"""The certificate that a person's access has ended or that their users are deleted: who requested and
approved it, each step with its time, and what AWS showed afterwards.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from iam.changes.models import Approval, Change, ChangeState, Decision
from iam.journal.models import Entry
from iam.journal.services import record
from iam.people.offboarding.models import (
    OF_DELETION,
    EndedGrant,
    Leaver,
    OffboardedUser,
    OffboardingCertificate,
    OffboardingStage,
)
from iam.people.offboarding.removal_proof import changes_of

FORM: Final = 1
"""The version of the certificate's format."""


@transaction.atomic
def certify(leaver: Leaver, *, kind: str) -> OffboardingCertificate:
    """Write the certificate and record its digest in the journal. An existing certificate is returned
    unchanged.
    """
    standing = leaver.certificates.filter(kind=kind).first()
    if standing is not None:
        return standing
    text = json.dumps(_body(leaver, kind=kind), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    entry = record(
        kind="leaving.certified",
        actor=None,
        subject=leaver.name,
        data={
            "leaver": leaver.pk,
            "reference": leaver.run.reference,
            "what": kind,
            "digest": digest,
            "users": [seat.user_arn for seat in leaver.seats.all()],
        },
    )
    entry.refresh_from_db(fields=["at"])
    return OffboardingCertificate.objects.create(
        leaver=leaver, kind=kind, text=text, digest=digest, entry_id=entry.pk, made_at=entry.at
    )


def matches_journal(certificate: OffboardingCertificate) -> bool:
    """Return True if the digest in the journal matches the text."""
    digest = hashlib.sha256(certificate.text.encode()).hexdigest()
    entry = Entry.objects.filter(pk=certificate.entry_id, kind="leaving.certified").first()
    return entry is not None and digest == certificate.digest == entry.data.get("digest")


def _body(leaver: Leaver, *, kind: str) -> dict[str, Any]:
    run = leaver.run
    seats = list(leaver.seats.select_related("account", "change_set").order_by("account__name", "pk"))
    body: dict[str, Any] = {
        "certificate": "Users deleted" if kind == "deleted" else "Access ended",
        "form": FORM,
        "made_at": _at(datetime.now(tz=UTC)),
        "person": {"name": leaver.name, "email": leaver.email},
        "request": {
            "reference": run.reference,
            "reason": run.reason,
            "asked_by": run.requested_label,
            "asked_at": _at(run.asked_at),
            "leaves_at": _at(run.leaves_at),
            "grace_days": run.grace_days,
        },
        "approvals": _approvals(seats[0]) if seats else [],
        "began_at": _at(leaver.began_at),
        "denied_everything_at": _at(leaver.closed_at),
        "proved_at": _at(leaver.proved_at),
        "accounts": [_account(seat) for seat in seats],
        "grants": [
            {
                "reference": ended.grant.reference,
                "title": ended.grant.title,
                "ended_at": _at(ended.grant.ended_at),
            }
            for ended in EndedGrant.objects.filter(seat__leaver=leaver).select_related("grant").order_by("pk")
        ],
    }
    if kind == "deleted":
        deletion = Change.objects.filter(change_set__cause_kind=OF_DELETION, change_set__cause_id=leaver.pk)
        body["deletion"] = [
            _step(change) for change in deletion.select_related("account").order_by("created_at", "position")
        ]
        body["deleted_at"] = _at(leaver.deleted_at)
    return body


def _approvals(seat: OffboardedUser) -> list[dict[str, Any]]:
    rows = Approval.objects.filter(change_set=seat.change_set_id, decision=Decision.APPROVE).order_by("at")
    return [
        {"by": approval.approver_label, "at": _at(approval.at), "comment": approval.comment}
        for approval in rows
    ]


def _account(seat: OffboardedUser) -> dict[str, Any]:
    changes = changes_of(seat).select_related("account").order_by("created_at", "position")
    return {
        "account": seat.account.account_id,
        "name": seat.account.name,
        "user": seat.user_arn,
        "unique_id": seat.user.aws_id,
        "steps": [_step(change) for change in changes],
        "read_again": [{key: row[key] for key in ("what", "call", "at", "says")} for row in seat.proof],
        "proved_at": _at(seat.proved_at),
    }


def _step(change: Change) -> dict[str, Any]:
    return {
        "what": change.title,
        "change": change.reference,
        "account": change.account.account_id,
        "state": str(ChangeState(change.state).label),
        "was_so_already": change.already_so,
        "called_at": _at(change.confirming_at or change.applying_at),
        "confirmed_at": _at(change.ended_at),
        "reads": change.reads,
        "request_ids": change.request_ids,
    }


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")


def record_stage(leaver: Leaver, stage: OffboardingStage, *, before: str = "") -> None:
    """Record a change of stage in the journal, in the caller's transaction."""
    record(
        kind="leaving.stage",
        actor=None,
        subject=leaver.name,
        data={
            "leaver": leaver.pk,
            "run": leaver.run_id,
            "from": before,
            "to": stage.value,
            "status": stage.label,
        },
    )
