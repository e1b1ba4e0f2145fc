"""Replays calls that a change affects without changing policies of the caller: calls signed by an access key,
and role assumptions.

Role assumptions are evaluated by the trust policies of today and after the change. The caller's own policies,
possibly of another account, count as allowing them, because AWS did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from iam.activity.callers import ROLE, SERVICE, USER
from iam.activity.models import CallerDay, TrailCaller, TrailEvent
from iam.activity.recorded_calls import CallGroup, groups_in
from iam.changes.operations.base import Operation
from iam.changes.operations.principals import ReplaceTrustPolicy
from iam.changes.operations.user_credential import DEACTIVATE, DELETE, OnCredential
from iam.changes.receipt_replay import DAYS, DISTINCT, ReplayTally, coverage_of, lines_of
from iam.mirror.models import Kind
from iam.policy.compiled import PolicyKind, PolicySet, compile_set
from iam.policy.document import read
from iam.policy.evaluate import RequestPolicies
from iam.policy.replay import PolicyChange, ReplayOutcome, open_keys, replay
from iam.policy.request import Principal, Request

EVERYTHING: Final = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
)
ASSUMES: Final = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
ENDING: Final = frozenset({DEACTIVATE[Kind.ACCESS_KEY].slug, DELETE[Kind.ACCESS_KEY].slug})


class ReplayedPrincipal(NamedTuple):
    """The principal that made the calls; `id` is the mirror's user or role that the change concerns."""

    account: str
    id: int
    arn: str


def sign_in_replay(operations: Sequence[Operation]) -> dict[str, Any] | None:
    """The outcome of the last 90 days' calls, in the form of `receipt_replay`.

    None if no operation ends an active key or changes a trust policy.
    """
    keys = [op for op in operations if isinstance(op, OnCredential) and op.slug in ENDING]
    keys = [op for op in keys if not op.is_inactive]
    trusts = [op for op in operations if isinstance(op, ReplaceTrustPolicy)]
    if not (keys or trusts):
        return None
    since = timezone.now() - timedelta(days=DAYS)
    tally = ReplayTally()
    is_cut = False
    for ended in keys:
        rows = TrailEvent.objects.filter(access_key=ended.inputs.credential_id, at__gte=since)
        groups = groups_in(rows, most=DISTINCT + 1)
        is_cut = is_cut or len(groups) > DISTINCT
        for group in groups[:DISTINCT]:
            outcome = ReplayOutcome.SAME if group.was_denied else ReplayOutcome.DENIED
            tally.add(_subject(ended), group, outcome, ())
    for changed in trusts:
        groups = groups_in(_assumptions(changed, since), most=DISTINCT + 1)
        is_cut = is_cut or len(groups) > DISTINCT
        _judge_trust(changed, groups[:DISTINCT], tally)
    subjects = [_subject(operation) for operation in (*keys, *trusts)]
    known, unknown = coverage_of({subject.account for subject in subjects})
    return {
        "days": DAYS,
        "since": since.isoformat(),
        "is_shortened": False,
        "entity_ids": sorted({subject.id for subject in subjects}),
        "principals_left": 0,
        "read": known,
        "not_read": unknown,
        "calls": sum(tally.counts.values()),
        **{str(outcome): count for outcome, count in tally.counts.items()},
        "cut": "distinct" if is_cut else "",
        **lines_of(tally),
    }


def _subject(operation: Operation) -> ReplayedPrincipal:
    subject = operation.subject()
    number, arn = (subject.pk, subject.arn) if subject is not None else (0, "")
    return ReplayedPrincipal(operation.account.account_id, number, arn)


def _assumptions(operation: ReplaceTrustPolicy, since: datetime) -> QuerySet[TrailEvent]:
    """The events that assumed the role, of principals that assumed any role of its account."""
    account, arn = operation.account.account_id, operation.inputs.subject_arn
    days = CallerDay.objects.filter(
        account_id=account, day__gte=since.date(), service="sts", action__in=ASSUMES
    )
    # Events name a role without its path.
    short = f"{arn.partition(':role/')[0]}:role/{arn.rpartition('/')[2]}"
    return TrailEvent.objects.filter(
        Q(resource=arn) | Q(resource=short),
        caller__in=days.values("caller"),
        service="sts",
        action__in=ASSUMES,
        at__gte=since,
    )


def _judge_trust(operation: ReplaceTrustPolicy, groups: Iterable[CallGroup], tally: ReplayTally) -> None:
    groups = list(groups)
    identity = _set_of(PolicyKind.IDENTITY, EVERYTHING)
    before, after = (
        _set_of(PolicyKind.RESOURCE, text) for text in (operation.text_now, operation.inputs.document)
    )
    change = PolicyChange(
        RequestPolicies(identity, resource=before), RequestPolicies(identity, resource=after), (before, after)
    )
    callers = TrailCaller.objects.in_bulk({group.caller for group in groups})
    account, role = operation.account.account_id, operation.inputs.subject_arn
    number = _subject(operation).id
    for group in groups:
        arn = _caller_arn(callers[group.caller])
        shown = ReplayedPrincipal(account, number, arn or callers[group.caller].name)
        outcome, keys = _outcome(group, arn, role, account, change)
        tally.add(shown, group, outcome, keys)


def _outcome(
    group: CallGroup, caller: str, role: str, account: str, change: PolicyChange
) -> tuple[ReplayOutcome, tuple[str, ...]]:
    """The outcome of a call; undecided if the event does not name the identity provider."""
    if not caller:
        return ReplayOutcome.UNDECIDED, ()
    context: Mapping[str, Any] = {} if caller.endswith(".amazonaws.com") else group.context
    request = Request(
        group.permission,
        role,
        Principal(caller, tags=None),
        resource_account=account,
        context=context,
        is_any_time=True,
    )
    outcome = replay(request, change, was_denied=group.was_denied)
    keys = open_keys(request, change.after) if outcome is ReplayOutcome.UNDECIDED else ()
    return outcome, keys


def _caller_arn(caller: TrailCaller) -> str:
    """The caller's ARN as trust policies name it; "" if the event does not contain it."""
    if caller.kind in (USER, ROLE):
        return caller.arn
    return caller.name if caller.kind == SERVICE else ""


def _set_of(kind: PolicyKind, text: str) -> PolicySet:
    return compile_set([(kind.value, read(text))], kind=kind)
