"""The receipt of a change: what is shown before anybody agrees to it, as JSON, and the digest that they
agree to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from iam.changes.iac import IacManagement, managed_entity
from iam.changes.impact import impact_of
from iam.changes.operations import AccessEffect, Operation, QuotaUse
from iam.changes.planning_cache import is_absent, memoize
from iam.changes.risks import HIGH, level_of
from iam.mirror.models import Account, Section


@dataclass(frozen=True, slots=True)
class Receipt:
    """`body` is stored with the change; `digest` covers all of it but the age of the mirror, the room
    under the quota, what else manages the subject, and which of its notes are confidential."""

    body: dict[str, Any]
    digest: str


def receipt_of(operation: Operation, *, quota: QuotaUse | None = None) -> Receipt:
    """Compute the receipt from the mirror as it stands."""
    effect = operation.effect()
    agreed = {
        "title": operation.title,
        "effect": _effect_json(effect),
        "sensitivity": operation.sensitivity(effect),
        "calls": [call.body for call in operation.calls()],
    }
    if operation.irreversible:
        agreed["irreversible"] = operation.irreversible
    text = json.dumps(agreed, sort_keys=True, separators=(",", ":"))
    observed = _observed_at(operation)
    managed = _managed(operation)
    body = agreed | {
        "quota": quota.body if quota else None,
        "managed": asdict(managed) if managed else None,
        "observed_at": observed.isoformat() if observed else None,
        "confidential": effect.confidential,
    }
    if operation.irreversible and operation.alternative:
        body["instead"] = operation.alternative
    return Receipt(body=json.loads(json.dumps(body)), digest=hashlib.sha256(text.encode()).hexdigest())


def set_receipt_of(
    operations: Sequence[Operation],
    *,
    receipts: Iterable[Mapping[str, Any]] = (),
    with_replay: bool = True,
) -> dict[str, Any]:
    """What some operations come to together, as a set holds it: `impact` and the `digest` of it.

    With the `receipts` of the single operations, the risk of the whole takes in what these ask for; the
    digest is the same. The replay of recorded calls is no part of the digest: calls are recorded all the
    time.
    """
    whole = impact_of(operations, with_replay=with_replay)
    body: dict[str, Any] = json.loads(json.dumps({"impact": whole.body}))
    impact = body["impact"]
    replayed = impact.pop("replay")
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    impact["replay"] = replayed
    if any(receipt.get("sensitivity") == HIGH for receipt in receipts):
        impact["risk"] = level_of(impact["risks"], sensitivity=HIGH)
    return body | {"digest": hashlib.sha256(text.encode()).hexdigest()}


def _effect_json(effect: AccessEffect) -> dict[str, Any]:
    """Without what only some operations have, so that a receipt says the same as it did before they
    existed."""
    body = asdict(effect)
    del body["confidential"]
    if effect.access is None:
        del body["access"]
    return body


def _managed(operation: Operation) -> IacManagement | None:
    """What else manages one of the things that it alters."""
    account = operation.account.pk
    arns = tuple(arn for arn in operation.modified_arns() if not is_absent(account, arn))
    return (
        memoize(("managed", account, arns), partial(managed_entity, arns, account=account)) if arns else None
    )


def _observed_at(operation: Operation) -> datetime | None:
    """The oldest reading that the receipt rests on."""
    return memoize(("observed", operation.account.pk), partial(_oldest_reading, operation.account))


def _oldest_reading(account: Account) -> datetime | None:
    read = Section.objects.filter(account=account, name__in=["users", "groups", "policies"])
    moments = [section.observed_at for section in read if section.observed_at]
    return min(moments) if moments else None
