"""Events of users and roles of the mirror, stored as a trail file would bring them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from iam.activity.ingest import DeliveredFile, ingest
from iam.activity.models import TrailEvent
from iam.mirror.models import Entity
from tests.iam.activity.records import record, trail

DENIED: Final = {"errorCode": "AccessDenied"}


def identity_of(entity: Entity, **more: Any) -> dict[str, Any]:
    """The identity of an IAM user, as events have it."""
    made = {
        "type": "IAMUser",
        "principalId": entity.aws_id,
        "arn": entity.arn,
        "accountId": entity.account.account_id,
        "userName": entity.name,
    }
    return made | more


def session_of(role: Entity, name: str = "build-1", **context: Any) -> dict[str, Any]:
    """The identity of a session of a role."""
    account = role.account.account_id
    issuer = {
        "type": "Role",
        "principalId": role.aws_id,
        "arn": role.arn,
        "accountId": account,
        "userName": role.name,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"{role.aws_id}:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role.name}/{name}",
        "accountId": account,
        "sessionContext": {"sessionIssuer": issuer} | context,
    }


def happened(identity: dict[str, Any], *, at: datetime | None = None, times: int = 1, **changes: Any) -> None:
    """This principal made a call, so many times."""
    moment = (at or datetime(2026, 1, 20, 10, tzinfo=UTC)).isoformat()
    fields = {"userIdentity": identity, "recipientAccountId": identity["accountId"], "eventTime": moment}
    records = [record(eventID=str(uuid4()), **fields | changes) for _ in range(times)]
    assert ingest([DeliveredFile("test", trail(*records))], "command").stored == times


def event_arguments(entity: Entity) -> dict[str, Any]:
    """What the address of an event of this user names."""
    happened(identity_of(entity))
    event = TrailEvent.objects.get(caller__unique_id=entity.aws_id)
    return {"moment": round(event.at.timestamp() * 1_000_000), "event_id": event.event_id}
