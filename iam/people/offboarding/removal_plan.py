"""Plans the end of someone's access, account by account, as operations with their lanes. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.operations.principals import ReplaceTrustPolicy
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.services import SetLane
from iam.changes.services.plans import check_account, check_right
from iam.guard import Viewer
from iam.mirror.models import Entity
from iam.moments import moment_words
from iam.people.offboarding.models import Leaver, OffboardingRun
from iam.people.offboarding.open_access import closing_of, deny_of
from iam.people.offboarding.open_roles import chosen_among
from iam.people.offboarding.requester_scope import with_their_groups
from iam.people.offboarding.trusts import TrustingRole, trusting
from iam.phrases import counted


@dataclass(frozen=True, slots=True)
class TrustChoices:
    """The choices about roles that trust the person, by mirror id: whose trust policy is changed to exclude
    them, and where all sessions end.
    """

    roles: frozenset[int] = frozenset()
    sessions: frozenset[int] = frozenset()
    at: datetime = field(default_factory=lambda: datetime.now(tz=UTC).replace(microsecond=0))
    """Sessions issued before this time end. It has no fractions of a second, so that repeated requests are
    equal.
    """


@dataclass(slots=True)
class RemovalSite:
    """The changes in one account, to the user and to roles that trust the person. `left` are sentences on
    what isn't requested and why.
    """

    user: Entity
    deny: Operation | None = None
    others: list[Operation] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def operations(self) -> list[Operation]:
        """All operations, the deny first."""
        return [*([self.deny] if self.deny else []), *self.others]


@dataclass(slots=True)
class RemovalPlan:
    """The plan for one or several people. `roles` are those that trust one of them and that the viewer can
    see; `unseen` counts the others.
    """

    sites: list[RemovalSite]
    roles: list[TrustingRole]
    unseen: int = 0

    def ordered(self) -> tuple[list[Operation], list[SetLane]]:
        """Return the operations of the set and their lanes: every deny first, one lane per account and one
        branch per operation, so that none waits for another.
        """
        operations: list[Operation] = []
        lanes: list[SetLane] = []
        for lane, site in enumerate(self.sites):
            if site.deny:
                operations.append(site.deny)
                lanes.append(SetLane(lane, 1))
        for lane, site in enumerate(self.sites):
            for branch, operation in enumerate(site.others, start=2):
                operations.append(operation)
                lanes.append(SetLane(lane, branch))
        return operations, lanes

    @property
    def left(self) -> list[str]:
        """What isn't requested, with the account."""
        lines: list[str] = []
        for site in self.sites:
            lines += [f"{site.user.name} in {site.user.account.name}: {sentence}" for sentence in site.left]
        return lines


def plan_for(users: Sequence[Entity], *, viewer: Viewer, choices: TrustChoices | None = None) -> RemovalPlan:
    """Plan what ends the access of these users. Raises RefusedError if the viewer can't request it or nothing
    can be changed.
    """
    chosen = choices or TrustChoices()
    viewer = with_their_groups(viewer, users)
    for user in users:
        check_account(user.account)
    trusts = trusting(users)
    seen = [trust for trust in trusts if viewer.asks.sees_account(trust.role.account.account_id)]
    plan = RemovalPlan([], seen, unseen=len(trusts) - len(seen))
    of_roles = _of_roles(seen, chosen)
    others = chosen.sessions - {trust.role.pk for trust in seen}
    for role in chosen_among(users, others):
        if viewer.asks.sees_account(role.account.account_id):
            ending = RevokeSessions.of_everybody(role, at=chosen.at)
            of_roles.setdefault(role.account_id, []).append(ending)
    for user in users:
        site = RemovalSite(user)
        _deny(site, viewer)
        _take_requestable(site, closing_of(user), viewer)
        _take_requestable(site, of_roles.pop(user.account_id, ()), viewer)
        plan.sites.append(site)
    if plan.sites:
        for rest in of_roles.values():
            _take_requestable(plan.sites[0], rest, viewer)
    return plan


def _deny(site: RemovalSite, viewer: Viewer) -> None:
    try:
        site.deny = deny_of(site.user)
    except RefusedError as refused:
        site.left.append(f"a policy that denies everything doesn’t fit ({refused.message})")
        return
    if site.deny is not None:
        check_right(site.deny, viewer=viewer)
        if why := _why_not(site.deny, [], viewer):
            site.deny, reason = None, why
            site.left.append(reason)


def _take_requestable(site: RemovalSite, operations: Iterable[Operation], viewer: Viewer) -> None:
    """Add each operation that can be requested, and note why for the others."""
    for operation in operations:
        check_right(operation, viewer=viewer)
        if why := _why_not(operation, site.operations, viewer):
            site.left.append(f"{operation.title}: {why}")
        else:
            site.others.append(operation)


def _why_not(operation: Operation, earlier: Sequence[Operation], viewer: Viewer) -> str:
    try:
        changes.plan(operation, viewer=viewer, earlier=earlier)
    except RefusedError as refused:
        return refused.message
    return ""


def _of_roles(trusts: Sequence[TrustingRole], chosen: TrustChoices) -> dict[int, list[Operation]]:
    """Return the operations on roles, by account: sessions known to be theirs end. Trust policies change and
    all sessions end where this was chosen.
    """
    by_account: dict[int, list[Operation]] = {}
    for trust in trusts:
        operations = by_account.setdefault(trust.role.account_id, [])
        if trust.role.pk in chosen.roles and trust.without is not None:
            operations.append(ReplaceTrustPolicy.of(trust.role, document=trust.without))
        operations += _sessions(trust, at=chosen.at, everybody=trust.role.pk in chosen.sessions)
    return by_account


def _sessions(trust: TrustingRole, *, at: datetime, everybody: bool) -> Iterator[Operation]:
    if everybody:
        yield RevokeSessions.of_everybody(trust.role, at=at)
        return
    yield from known_sessions(trust, at=at)


def known_sessions(trust: TrustingRole, *, at: datetime) -> Iterator[Operation]:
    """Yield the operations that end a role's sessions which are theirs by name."""
    for name in trust.names:
        yield RevokeSessions.of_session_name(trust.role, session_name=name, at=at)


def notes_for(plan: RemovalPlan, *, people: Sequence[Leaver], run: OffboardingRun) -> list[str]:
    """Return the notes that the approver accepts."""
    who = people[0].name if len(people) == 1 else f"{len(people):,} people"
    notes = [
        f"All credentials, memberships and grants that {who} gets until then end, too.",
        (
            "Console passwords and MFA devices can’t be restored. Access keys, certificates and service "
            "credentials are deactivated and can be restored."
        ),
    ]
    if run.leaves_at is not None:
        notes.append(f"Access ends on {moment_words(run.leaves_at)}.")
    if run.grace_days:
        days = "day" if run.grace_days == 1 else "days"
        notes.append(
            f"Deletion of the IAM users is requested {run.grace_days} {days} after access is removed. It "
            "needs a separate approval."
        )
    if plan.unseen:
        notes.append(
            f"{counted(plan.unseen, 'role')} in accounts that the requester can’t see also trust them. An "
            "administrator has to review those trust policies."
        )
    notes += [f"Not included: {sentence}" for sentence in plan.left]
    if unseen := sum(leaver.unseen for leaver in people):
        notes.append(
            f"{counted(unseen, 'IAM user')} of theirs outside the requester’s accounts and teams keep their "
            "access."
        )
    return notes
