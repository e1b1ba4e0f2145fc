"""Enforces MFA by policy: forecasts the effect on everyone in scope, and requests it unless somebody would be
locked out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from iam.access.enforcement.check import (
    MfaOutlook,
    PasswordState,
    PolicyTrial,
    SignInSituation,
    reasons,
    situations_with,
)
from iam.access.enforcement.policy import PolicyVariant, text_of
from iam.access.enforcement.scope import PolicyScope, situations, users_in
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.attachment import ATTACH_POLICY, Attachment
from iam.changes.operations.managed_policy import CreatePolicy
from iam.changes.operations.policy_content import document_meaning
from iam.changes.operations.policy_version import default_text
from iam.changes.services.plans import MAX_CHANGES, check_account
from iam.changes.services.requests import already_requested
from iam.guard import Right, Viewer
from iam.mirror.models import Account, Edge, EdgeKind, Entity, Kind, valid_at
from iam.mirror.snapshot import snapshot

NAMES: Final = {True: "gatehouse-require-mfa", False: "gatehouse-require-mfa-console"}
"""The name of the policy, by whether it denies calls by an access key alone."""
DESCRIPTION: Final = "Without MFA, denies everything except changing the first password and adding MFA."


@dataclass(frozen=True, slots=True)
class EnforcementForecast:
    """The effect of the policy.

    `users` are the users it reaches, by number; `outside` those in scope that the index lacks; `machines`
    those with keys and no password, whose programs would stop. `in_scope` counts all in scope including those
    left out, 0 if none is left out.
    """

    scope: PolicyScope
    variant: PolicyVariant
    text: str
    users: dict[int, Entity]
    standings: list[MfaOutlook]
    outside: list[Entity] = field(default_factory=list)
    in_scope: int = 0

    @property
    def words(self) -> str:
        """Who it reaches: 'all IAM users', or '102 of 118 IAM users' if some are left out."""
        if self.scope.group is not None or len(self.users) >= self.in_scope:
            return self.scope.words
        under = "" if self.scope.path == "/" else f" under {self.scope.path}"
        return f"{len(self.users):,} of {self.in_scope:,} IAM users{under}"

    @property
    def locked_out(self) -> list[MfaOutlook]:
        """The users who would be locked out."""
        return [standing for standing in self.standings if not standing.gets_out]

    @property
    def digest(self) -> str:
        """A digest that changes with the text, the users in scope, and their results."""
        results = sorted(
            (outlook.number, outlook.stopped, outlook.depends, outlook.besides) for outlook in self.standings
        )
        content = repr((self.text, sorted(self.users), results))
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()

    @property
    def machines(self) -> list[MfaOutlook]:
        """The users whose programs would stop if keys are denied too."""
        if not self.variant.denies_keys:
            return []
        return [standing for standing in self.standings if _is_machine(standing.situation)]


def situations_in_scope(
    viewer: Viewer, *, scope: PolicyScope, denies_keys: bool, without: Sequence[int] = ()
) -> EnforcementForecast:
    """The forecast for everyone in scope except `without`. Raises RefusedError."""
    _check(viewer, scope.account)
    in_scope = users_in(scope)
    users = {user.pk: user for user in in_scope if user.pk not in set(without)}
    seen = situations_of(scope, users=users, denies_keys=denies_keys)
    return replace(seen, in_scope=len(in_scope))


def situations_of(scope: PolicyScope, *, users: dict[int, Entity], denies_keys: bool) -> EnforcementForecast:
    """The forecast for users that were already loaded."""
    account = scope.account
    variant = PolicyVariant(account.partition, account.account_id, denies_keys=denies_keys)
    text = text_of(variant)
    people = situations(list(users))
    with snapshot(accounts=[account.account_id]) as index:
        standings = situations_with(index, _trial(scope, text), people=people)
    known = {standing.number for standing in standings}
    outside = [user for pk, user in users.items() if pk not in known]
    return EnforcementForecast(scope, variant, text, users, standings, outside)


def because_of(seen: EnforcementForecast, standings: Sequence[MfaOutlook]) -> dict[int, tuple[str, ...]]:
    """What stops these users, by number; only for as many as a page shows, since explaining takes longer than
    evaluating.
    """
    with snapshot(accounts=[seen.scope.account.account_id]) as index:
        return reasons(index, _trial(seen.scope, seen.text), standings)


def _trial(scope: PolicyScope, text: str) -> PolicyTrial:
    group = scope.group.pk if scope.group else None
    return PolicyTrial(scope.account.account_id, text, group)


def operations_for(seen: EnforcementForecast) -> list[Operation]:
    """The operations: create the policy if it is missing, and attach it to the group or to each user who
    lacks it.

    Raises RefusedError if somebody would be locked out or nothing is to be done.
    """
    if seen.locked_out or seen.outside:
        count = len(seen.locked_out) + len(seen.outside)
        raise RefusedError(
            f"{_people(count)} would be locked out or can’t be checked. Leave them out, or fix what blocks "
            "them first."
        )
    made, arn, policy = _policy(seen)
    holders = [seen.scope.group] if seen.scope.group else list(seen.users.values())
    has = holders_of(seen.scope.account, denies_keys=seen.variant.denies_keys)
    wanted = [holder for holder in holders if holder.pk not in has]
    if not wanted:
        raise RefusedError("All IAM users in scope have the policy already.")
    if len(wanted) + len(made) > MAX_CHANGES:
        raise RefusedError(
            f"That is {len(wanted):,} IAM users. A request can have {MAX_CHANGES} changes. Add them to a "
            "group and attach the policy to the group."
        )
    aws_id = policy.aws_id if policy else ""
    return [
        *made,
        *(Attachment.by_arn(ATTACH_POLICY, entity, arn=arn, policy_id=aws_id) for entity in wanted),
    ]


def holders_of(account: Account, *, denies_keys: bool) -> set[int]:
    """The numbers of users and groups with the policy attached."""
    arn = _arn(account, NAMES[denies_keys])
    ties = Edge.objects.filter(
        valid_at(None), kind=EdgeKind.ATTACHED, target__arn=arn, target__gone_at__isnull=True
    )
    return set(ties.values_list("source", flat=True))


def request_enforcement(
    actor: Viewer,
    *,
    seen: EnforcementForecast,
    reason: str,
    idempotency_key: str,
    left_out: Sequence[str] = (),
) -> Change:
    """Request the enforcement as one set. Raises RefusedError.

    `left_out` names people whose IAM users are not included.
    """
    _check(actor, seen.scope.account)
    operations = operations_for(seen)
    if standing := already_requested(operations, actor=actor, idempotency_key=idempotency_key):
        return standing[0]
    planned = changes.plan_set(operations, viewer=actor)
    return changes.request_changes(
        planned,
        actor=actor,
        reason=reason,
        idempotency_key=idempotency_key,
        title=f"Require MFA for {seen.words} in {seen.scope.account.name}",
        notes=[*notes_for(seen), *left_out_notes(left_out)],
    )[0]


def notes_for(seen: EnforcementForecast) -> list[str]:
    """Further notes for approvers."""
    notes = [
        (
            f"Checked for {_people(len(seen.standings))}: each can still change a first password and add an "
            "MFA "
            "device."
        )
    ]
    if seen.machines:
        notes.append(
            f"{_people(len(seen.machines))} of these with an access key and no password: programs that use "
            "the key stop working."
        )
    depends = sum(bool(standing.depends) for standing in seen.standings)
    if depends:
        notes.append(
            f"For {_people(depends)}, a step depends on existing conditions, such as the network, or on a "
            "policy that was not synced."
        )
    if seen.scope.group is None:
        notes.append("IAM users created later don’t get the policy automatically.")
    return notes


def left_out_notes(names: Sequence[str]) -> list[str]:
    """Notes for approvers of a part, on the users who are not in it."""
    if not names:
        return []
    return [
        (
            f"The IAM users of {', '.join(names)} are not included and stay without the policy until another "
            "request."
        )
    ]


def _policy(seen: EnforcementForecast) -> tuple[list[Operation], str, Entity | None]:
    """The operation that creates the policy, if needed, and its ARN."""
    account, name = seen.scope.account, NAMES[seen.variant.denies_keys]
    arn = _arn(account, name)
    there = Entity.objects.filter(account=account, kind=Kind.POLICY, arn=arn, gone_at__isnull=True).first()
    if there is None:
        made = CreatePolicy.of(account, name=name, text=seen.text, description=DESCRIPTION)
        return [made], arn, None
    if document_meaning(default_text(there)) != document_meaning(seen.text):
        raise RefusedError(
            f"{account.name} already has a policy {name} with different content. Delete it or restore its "
            "content first."
        )
    return [], arn, there


def _arn(account: Account, name: str) -> str:
    return f"arn:{account.partition}:iam::{account.account_id}:policy/{name}"


def _check(viewer: Viewer, account: Account) -> None:
    number = account.account_id
    if not (viewer.may(Right.REQUEST_CHANGE, account_id=number) and viewer.asks.sees_account(number)):
        raise RefusedError(f"You can view {account.name}, but you can’t request changes in it.")
    check_account(account)


def _is_machine(situation: SignInSituation) -> bool:
    return situation.password is PasswordState.NONE and situation.active_keys > 0


def _people(count: int) -> str:
    return "1 IAM user" if count == 1 else f"{count:,} IAM users"
