"""Computes the receipt of a change: its effect as JSON, shown before approval, and the digest that is
approved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from iam.changes.access_effects import AccessEffect
from iam.changes.iac import IacManagement, managed_entity
from iam.changes.impact import impact_of
from iam.changes.operations import Operation
from iam.changes.planning_cache import is_absent, memoize
from iam.changes.quotas import QuotaUse
from iam.changes.risks import HIGH, level_of
from iam.mirror.models import Account, Section


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receipt; `body` is stored with the change.

    `digest` covers all of it except the age of the mirror, the remaining quota, other managers of the
    subject, and which notes are confidential.
    """

    body: dict[str, Any]
    digest: str


def receipt_of(operation: Operation, *, quota: QuotaUse | None = None) -> Receipt:
    """Compute the receipt from the current mirror."""
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
    """The combined effect of operations as a set stores it: `impact` and its `digest`.

    With `receipts` of the single operations, the risk takes their sensitivity into account; the digest is the
    same. The replay of calls is not part of the digest, because new calls are recorded all the time.
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
    """The effect as JSON. Fields that only some operations have are left out if empty, so that older receipts
    stay equal.
    """
    body = asdict(effect)
    del body["confidential"]
    if effect.access is None:
        del body["access"]
    return body


def _managed(operation: Operation) -> IacManagement | None:
    """The program that manages one of the modified entities, or nothing."""
    account = operation.account.pk
    arns = tuple(arn for arn in operation.modified_arns() if not is_absent(account, arn))
    return (
        memoize(("managed", account, arns), partial(managed_entity, arns, account=account)) if arns else None
    )


def _observed_at(operation: Operation) -> datetime | None:
    """The time of the oldest sync that the receipt is based on."""
    return memoize(("observed", operation.account.pk), partial(_oldest_reading, operation.account))


def _oldest_reading(account: Account) -> datetime | None:
    read = Section.objects.filter(account=account, name__in=["users", "groups", "policies"])
    moments = [section.observed_at for section in read if section.observed_at]
    return min(moments) if moments else None
