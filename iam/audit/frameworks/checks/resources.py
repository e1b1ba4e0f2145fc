"""Checks who can read or change audit logs, keys and data stores, using the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from iam.audit.findings.effect import able
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.trails import own_trails
from iam.audit.frameworks.checks.case import (
    SHOWN,
    AccountCase,
    CheckAnswer,
    account_check,
    failed,
    for_person,
    passed,
    unknown,
)
from iam.mirror.pull.sections import AUTHORIZATION, TRAILS
from iam.phrases import counted

NOTE = "Policies of the resources themselves aren’t counted in."
READS = {"s3": "s3:GetObject", "dynamodb": "dynamodb:GetItem", "rds": "rds-data:ExecuteStatement"}


def _able(facts: AccountFacts, asked: Iterable[tuple[str, str]]) -> tuple[set[int], set[int]]:
    """Return the primary keys of the users and roles that can do one of these actions, and of those for which
    it is certain.
    """
    anyone, surely = set[int](), set[int]()
    for action, resource in asked:
        for number, is_sure in able(facts, action, resource).items():
            anyone.add(number)
            if is_sure:
                surely.add(number)
    return anyone, surely


def _listed(facts: AccountFacts, numbers: set[int]) -> dict[str, Any]:
    administrators = numbers & set(facts.administrators or ())
    others = facts.arns(tuple(numbers - administrators))
    return {
        "administrators": len(administrators),
        "others": len(others),
        "listed": list(others[:SHOWN]),
        "note": NOTE,
    }


@account_check("trail-readers", "Who can read the log files", *AUTHORIZATION, TRAILS)
def _trail_readers(case: AccountCase) -> CheckAnswer:
    facts = case.facts
    buckets = _buckets(facts)
    if not buckets:
        return for_person("The account has no trail of its own: look at the account that keeps the logs.")
    anyone, _ = _able(facts, [("s3:GetObject", f"{bucket}/*") for bucket in buckets])
    return for_person(
        f"{_principals(len(anyone))} can read the log files.", buckets=buckets, **_listed(facts, anyone)
    )


@account_check("trail-changers", "Who can change or stop the trail", *AUTHORIZATION, TRAILS)
def _trail_changers(case: AccountCase) -> CheckAnswer:
    facts = case.facts
    trails = list(own_trails(facts))
    if not trails:
        return for_person("The account has no trail of its own: look at the account that keeps the logs.")
    asked = []
    for trail in trails:
        for action in ("StopLogging", "DeleteTrail", "UpdateTrail"):
            asked.append((f"cloudtrail:{action}", trail.arn))
    for bucket in _buckets(facts):
        asked.extend([("s3:DeleteObject", f"{bucket}/*"), ("s3:PutBucketPolicy", bucket)])
    anyone, surely = _able(facts, asked)
    shown = _listed(facts, anyone)
    others = facts.arns(tuple(surely - set(facts.administrators or ())))
    if others:
        words = f"{_principals(len(others))} can change the trail or its log files, besides administrators."
        return failed(words, failing=others, **shown)
    return for_person(f"{_principals(len(anyone))} can change the trail or its log files.", **shown)


def _principals(number: int) -> str:
    return "1 user or role" if number == 1 else f"{number:,} users and roles"


def _buckets(facts: AccountFacts) -> list[str]:
    names = {str(trail.attrs.get("S3BucketName") or "") for trail in own_trails(facts)}
    return [f"arn:{facts.partition}:s3:::{name}" for name in sorted(names) if name]


@account_check("kms-administrators", "Who can administer KMS keys", *AUTHORIZATION)
def _kms_administrators(case: AccountCase) -> CheckAnswer:
    facts = case.facts
    keys = [arn for arn in case.terms.resources if _is_of(arn, "kms", facts.number)]
    asked = keys or [f"arn:{facts.partition}:kms:*:{facts.number}:key/*"]
    pairs = []
    for key in asked:
        pairs.extend([("kms:PutKeyPolicy", key), ("kms:ScheduleKeyDeletion", key)])
    anyone, _ = _able(facts, pairs)
    which = counted(len(keys), "key") if keys else "any key"
    words = f"{_principals(len(anyone))} can change the policy of {which} or delete it."
    return for_person(words, keys=keys[:SHOWN], **_listed(facts, anyone))


def _is_of(arn: str, service: str, number: str) -> bool:
    """True if an ARN belongs to the service and, if it names an account, to this one."""
    parts = arn.split(":")
    return len(parts) > 5 and parts[2] == service and parts[4] in ("", number)


@account_check("data-store-readers", "Who can read the data stores", *AUTHORIZATION)
def _data_store_readers(case: AccountCase) -> CheckAnswer:
    facts = case.facts
    pairs = []
    for arn in case.terms.resources:
        for service, action in READS.items():
            if _is_of(arn, service, facts.number):
                resource = f"{arn}/*" if service == "s3" and "/" not in arn else arn
                pairs.append((action, resource))
    if not case.terms.resources:
        return for_person("The scope names no data stores, so that readers can’t be listed.")
    if not pairs:
        return passed("No data store of the scope is in this account.")
    anyone, _ = _able(facts, pairs)
    stores = sorted({resource for _, resource in pairs})
    words = f"{_principals(len(anyone))} can read {counted(len(stores), 'data store')}."
    return for_person(words, stores=stores[:SHOWN], **_listed(facts, anyone))


@account_check("organization-guardrails", "Control policies limit the account")
def _guardrails(case: AccountCase) -> CheckAnswer:
    index = case.facts.index
    shard = index.accounts.get(case.facts.number) if index else None
    if shard is None or not shard.standing.is_known or not case.facts.is_organization_known:
        return unknown("Service control policies weren’t synced.")
    standing = shard.standing
    if not standing.organization_id:
        return failed("The account is in no organization, so that nothing limits it from outside.")
    if standing.is_management:
        return passed("Service control policies don’t apply to the management account.")
    names: list[str] = []
    for level in (*standing.scps, *standing.rcps):
        names.extend(
            policy.name for policy in level if not policy.name.startswith(("FullAWSAccess", "RCPFull"))
        )
    if not names:
        return failed("No control policy but AWS’s full access applies to the account.")
    words = "1 control policy applies." if len(names) == 1 else f"{len(names):,} control policies apply."
    return passed(words, policies=names[:SHOWN])
