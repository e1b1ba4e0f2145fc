"""Grants as rows, in any state, for tests of what is shown of them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from iam.access.grants.models import (
    Grant,
    GrantAct,
    GrantPart,
    GrantState,
    GrantVersion,
    LedgerEntry,
    PermissionSort,
)
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.changes.operations import ADD_TO_GROUP, Membership
from iam.changes.receipts import receipt_of
from iam.directory.models import Person
from iam.mirror.models import Account, Entity, Kind

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
_numbers = itertools.count(1)


def grant(
    account: Account,
    *holders: Entity,
    asked_by: Person,
    state: GrantState = GrantState.ACTIVE,
    ends_in: timedelta | None = timedelta(hours=8),
    **fields: Any,
) -> Grant:
    """A grant of ReadOnlyAccess in one account to users of it; its ledger has what its state says."""
    now = datetime.now(tz=UTC)
    stands = state in (GrantState.ACTIVE, GrantState.PARTLY, GrantState.ENDING, GrantState.ENDED)
    body = {
        "who": {"kind": "users", "arns": [entity.arn for entity in holders]},
        "what": {"kind": "managed", "policy_arn": READ_ONLY},
        "accounts": [account.account_id],
        "why": "The audit of the quarter",
        "until": None,
        "lasts": int(ends_in.total_seconds()) if ends_in else 0,
        "session": 3600,
    }
    made = Grant.objects.create(
        **{
            "title": f"ReadOnlyAccess for {holders[0].name}",
            "terms": body,
            "who_kind": "users",
            "what_kind": "managed",
            "state": state,
            "idempotency_key": f"made-{next(_numbers)}-{uuid4()}",
            "requested_by": asked_by.pk,
            "requested_label": asked_by.name,
            "begins_at": now - timedelta(hours=1) if stands else None,
            "ends_at": now + ends_in if ends_in else None,
            "ended_at": now if state == GrantState.ENDED else None,
        }
        | fields
    )
    part = GrantPart.objects.create(
        grant=made, account=account, way="attach", state=state, change_set=ChangeSet.objects.create()
    )
    for entity in holders:
        LedgerEntry.objects.create(
            part=part,
            account=account,
            entity=entity,
            holder_arn=entity.arn,
            sort=PermissionSort.ATTACHED,
            target=READ_ONLY,
            since=now - timedelta(hours=1) if stands else None,
            until=now if state == GrantState.ENDED else None,
        )
    GrantVersion.objects.create(
        grant=made,
        number=1,
        act=GrantAct.ASKED,
        terms=body,
        by_id=asked_by.pk,
        by_label=asked_by.name,
        reason="The audit of the quarter",
    )
    return made


def failed(account: Account, *holders: Entity, asked_by: Person, approved: bool = True) -> Grant:
    """A grant that was approved (or not) and whose only change failed."""
    made = grant(account, *holders, asked_by=asked_by, state=GrantState.FAILED)
    now = datetime.now(tz=UTC)
    change(
        made,
        holders[0],
        change_set=made.parts.get().change_set,
        state=ChangeState.FAILED,
        queued_at=now if approved else None,
        ended_at=now,
        error_message="AWS did not answer.",
    )
    return made


def change(made: Grant, holder: Entity | None = None, *, receipt: Any = None, **fields: Any) -> Change:
    """A change that adds somebody to a group, for a grant; without `change_set` in a set of its own, with
    `cause_kind`. A receipt that is there already need not be worked out again.
    """
    account = made.parts.get().account
    group = Entity.objects.filter(account=account, kind=Kind.GROUP).first()
    holder = holder or Entity.objects.filter(account=account, kind=Kind.USER).first()
    assert group is not None
    assert holder is not None
    kind = fields.pop("cause_kind", "")
    if "change_set" not in fields:
        fields["change_set"] = ChangeSet.objects.create(cause_kind=kind, cause_id=made.pk if kind else None)
    return Change.objects.create(
        **{
            "operation": "group_membership.add",
            "title": f"Add {holder.name} to payments",
            "account": account,
            "subject_kind": "user",
            "subject_id": holder.aws_id,
            "subject_arn": holder.arn,
            "params": {
                "user_name": holder.name,
                "user_arn": holder.arn,
                "user_id": holder.aws_id,
                "group_name": group.name,
                "group_arn": group.arn,
                "group_id": group.aws_id,
            },
            "before": {},
            "after": {},
            "receipt": receipt or receipt_of(Membership.of(ADD_TO_GROUP, holder, group=group)).body,
            "calls": [],
            "state": ChangeState.AWAITING,
            "idempotency_key": f"made-{next(_numbers)}-{uuid4()}",
            "requested_by": made.requested_by,
            "requested_label": made.requested_label,
            "reason": "The audit of the quarter",
        }
        | fields
    )
