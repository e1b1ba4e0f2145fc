"""What tests of evidence share: changes that are done, a pack on disk, and the pack taken apart."""

from __future__ import annotations

import itertools
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from iam.audit.evidence.models import PackKind
from iam.audit.evidence.pack_builder import build_here
from iam.audit.evidence.packs import PackOrder
from iam.changes.models import Approval, Change, ChangeSet, ChangeState, Decision
from iam.directory.models import Role
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.mirror.models import Account
from tests import factories

_numbers = itertools.count(1)


def done_change(account: Account, *, at: datetime | None = None, **fields: Any) -> Change:
    """A change that was requested, approved, sent and read back."""
    number = next(_numbers)
    moment = at or timezone.now() - timedelta(hours=2)
    change_set = ChangeSet.objects.create()
    Approval.objects.create(
        change_set=change_set,
        approver_id=factories.person(f"Approver {number}").pk,
        approver_label="Hana Sato",
        decision=Decision.APPROVE,
        receipt_digest="0" * 64,
    )
    change = Change.objects.create(
        **{
            "change_set": change_set,
            "operation": "group_membership.add",
            "title": f"Add tomas.{number} to payments",
            "account": account,
            "subject_kind": "user",
            "subject_id": f"AIDA{number}",
            "subject_arn": f"arn:aws:iam::{account.account_id}:user/tomas.{number}",
            "params": {},
            "before": {"in_group": False},
            "after": {"in_group": True},
            "receipt": {},
            "calls": [
                {
                    "service": "iam",
                    "operation": "AddUserToGroup",
                    "params": {},
                    "at": moment.isoformat(),
                    "request_id": f"4d1c0f5e-0000-4000-8000-{number:012d}",
                }
            ],
            "state": ChangeState.APPLIED,
            "reads": 2,
            "idempotency_key": f"done-{number}",
            "requested_by": factories.person(f"Requester {number}").pk,
            "requested_label": "Tomas Lind",
            "reason": "The audit of the quarter",
            "requested_at": moment,
            "ended_at": moment,
        }
        | fields
    )
    Change.objects.filter(pk=change.pk).update(created_at=moment)
    record(kind="change.request", actor=None, account_id=account.account_id, data={"change": str(change.pk)})
    return change


def auditor(account_id: str = "") -> Viewer:
    """Somebody who may build packs, of all accounts or of one."""
    someone = factories.person(f"Auditor {next(_numbers)}")
    factories.assign(someone, Role.AUDITOR, account_id=account_id)
    return viewer_for(someone)


def built(target: Path, *, viewer: Viewer | None = None, **order: Any) -> Path:
    """A pack of the last week."""
    now = timezone.now()
    whole = {"kind": PackKind.PERIOD, "since": now - timedelta(days=7), "until": now + timedelta(minutes=1)}
    path = target / "pack.zip"
    build_here(PackOrder(**{**whole, **order}), path, viewer=viewer or auditor())
    return path


def members(pack: Path) -> dict[str, bytes]:
    """The files of a pack by name."""
    with zipfile.ZipFile(pack) as file:
        return {name: file.read(name) for name in file.namelist()}


def repacked(target: Path, files: dict[str, bytes]) -> Path:
    """Files put together as a ZIP again."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in files.items():
            file.writestr(name, body)
    return target


def facts(pack: Path, table: str) -> dict[str, Any]:
    """The JSON of a table."""
    loaded: dict[str, Any] = json.loads(members(pack)[f"facts/{table}.json"])
    return loaded
