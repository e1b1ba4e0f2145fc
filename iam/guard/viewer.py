"""A viewer: a signed-in person with rights per account, loaded from the directory once per request."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain, product
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet, UUIDField, Value

from iam.compiled_queries import CompiledQuery
from iam.directory.models import Identity, OwnedUser, Person, Role, RoleAssignment, RuleKind
from iam.guard.audit_limits import AuditLimits, limits_of
from iam.planned_reads import read_ahead
from iam.prepared_statements import QueryParam


class Right(StrEnum):
    """A right. Seeing a whole account is a right; seeing oneself or one's team comes from the scope."""

    SEE_ACCOUNT = "see-account"
    SEE_TEAM = "see-team"
    SEE_SELF = "see-self"
    MANAGE_ACCOUNTS = "manage-accounts"
    REQUEST_CHANGE = "request-change"
    APPROVE_CHANGE = "approve-change"
    SEE_JOURNAL = "see-journal"
    MANAGE_OPERATORS = "manage-operators"
    SEE_OPERATORS = "see-operators"
    EXPORT = "export"
    SEE_EVIDENCE = "see-evidence"


RIGHTS: dict[str, frozenset[Right]] = {
    Role.ADMINISTRATOR: frozenset(
        {
            Right.SEE_ACCOUNT,
            Right.SEE_SELF,
            Right.MANAGE_ACCOUNTS,
            Right.REQUEST_CHANGE,
            Right.SEE_JOURNAL,
            Right.MANAGE_OPERATORS,
            Right.SEE_OPERATORS,
            Right.EXPORT,
        }
    ),
    Role.APPROVER: frozenset(
        {Right.SEE_ACCOUNT, Right.SEE_SELF, Right.REQUEST_CHANGE, Right.APPROVE_CHANGE, Right.EXPORT}
    ),
    Role.TEAM_LEAD: frozenset({Right.SEE_TEAM, Right.SEE_SELF, Right.REQUEST_CHANGE, Right.EXPORT}),
    Role.MEMBER: frozenset({Right.SEE_SELF}),
    Role.AUDITOR: frozenset(
        {Right.SEE_ACCOUNT, Right.SEE_SELF, Right.SEE_JOURNAL, Right.SEE_OPERATORS, Right.EXPORT}
    ),
}

LIMITED_AUDITOR = frozenset({Right.SEE_EVIDENCE})
"""The rights of an auditor limited to frameworks, packs or a period. Every other page returns 404."""
AUDITS_PERIOD = frozenset({Right.SEE_JOURNAL})
"""Further rights of an auditor limited to a period only: its journal, which they can export."""
EVIDENCE = frozenset({Right.SEE_ACCOUNT, Right.SEE_JOURNAL, Right.EXPORT})
"""The rights of a limited auditor on the pages that they were given, in the accounts of their role."""
ANY_ACCOUNT = ""
OWN, OF_TEAM = "own", "team"


@dataclass(frozen=True, slots=True)
class ViewerScope:
    """The entities that a viewer can see. `accounts` None means everything. Otherwise whole accounts by ID,
    and besides them users by ARN (the viewer's own), users in (account or "", group name), users under
    (account or "", path), those groups, and the machine users owned by the viewer's teams, as (account, AWS's
    unique ID).
    """

    accounts: frozenset[str] | None = frozenset()
    user_arns: frozenset[str] = frozenset()
    groups: frozenset[tuple[str, str]] = frozenset()
    paths: frozenset[tuple[str, str]] = frozenset()
    owned: frozenset[tuple[str, str]] = frozenset()

    @property
    def sees_everything(self) -> bool:
        """True if no filter is needed."""
        return self.accounts is None

    def sees_account(self, account_id: str) -> bool:
        """Return True if the whole account is visible."""
        return self.accounts is None or account_id in self.accounts


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person with roles. `grants` are (right, account ID or "" for all), `held` are (role, account ID or
    ""), `leads` are the slugs of the teams that they lead. `scope` is what they can see, `asks` is what they
    can request changes for: whole accounts by a role with both rights there, a team by the role of its lead.
    An auditor who also leads a team can see everything but request changes only for the team.
    """

    person_id: UUID
    name: str
    email: str
    roles: tuple[str, ...] = ()
    grants: frozenset[tuple[Right, str]] = frozenset()
    held: frozenset[tuple[str, str]] = frozenset()
    leads: frozenset[str] = frozenset()
    scope: ViewerScope = field(default_factory=ViewerScope)
    asks: ViewerScope = field(default_factory=ViewerScope)
    has_ended: bool = False
    """True if all roles that they were given have ended, so that they are signed out."""
    limits: AuditLimits | None = None
    """The limits of their auditor roles."""

    def may(self, right: Right, *, account_id: str | None = None) -> bool:
        """Return True if the viewer has the right in this account, or (account None) in at least one."""
        if account_id is None:
            return any(granted is right for granted, _ in self.grants)
        return (right, ANY_ACCOUNT) in self.grants or (right, account_id) in self.grants

    @property
    def accounts_by_role(self) -> dict[str, set[str]]:
        """The accounts, or "" for all, of each role."""
        accounts: dict[str, set[str]] = {}
        for role, account_id in sorted(self.held):
            accounts.setdefault(role, set()).add(account_id)
        return accounts

    @property
    def sees_accounts(self) -> bool:
        """True if they can see whole accounts, and so IAM in AWS's terms. Team leads and members get plain
        words.
        """
        return self.may(Right.SEE_ACCOUNT)

    @property
    def role_label(self) -> str:
        """The highest role, for display."""
        return next((role.label for role in Role if role.value in self.roles), "No role")


def viewer_for(person: Person) -> Viewer:
    """Return the viewer of a person, with two queries. A deactivated person has no rights and an
    empty scope.
    """
    if not person.is_active:
        return Viewer(person_id=person.id, name=person.name, email=person.email)
    with read_ahead([_ASSIGNED.planned(person=person.pk), _USERS.planned(person=person.pk)]):
        assignments, users = _ASSIGNED.rows(person=person.pk), _USERS.rows(person=person.pk)
    now = datetime.now(tz=UTC)
    rows = [row[:-6] for row in assignments if row[-6] is None or row[-6] > now]
    assigned = {(role, account_id) for role, account_id, *_ in rows}
    leads = frozenset(slug for role, _, slug, *_ in rows if role == Role.TEAM_LEAD and slug)
    owned = frozenset((account_id, aws_id) for whose, account_id, aws_id in users if whose == OF_TEAM)
    limits = _limits(assignments, assigned)
    grants = frozenset(
        chain.from_iterable(product(_rights(role, limits), (account_id,)) for role, account_id in assigned)
    )
    # A limited auditor has no access to their own users.
    sees_self = limits is None or any(right is Right.SEE_SELF for right, _ in grants)
    arns = frozenset(arn for whose, arn, _ in users if sees_self and whose == OWN)
    whole = {account for right, account in grants if right is Right.SEE_ACCOUNT}
    asked = {
        account for role, account in assigned if {Right.SEE_ACCOUNT, Right.REQUEST_CHANGE} <= RIGHTS[role]
    }
    rules = [
        (kind, account_id or of_rule, value)
        for _, account_id, _, kind, of_rule, value in rows
        if kind and not (account_id and of_rule and account_id != of_rule)
    ]
    accounts_to_see = None if ANY_ACCOUNT in whole else frozenset(whole)
    accounts_to_ask_for = None if ANY_ACCOUNT in asked else frozenset(asked)
    scope = ViewerScope(
        accounts=accounts_to_see,
        user_arns=arns,
        groups=frozenset((account, value) for kind, account, value in rules if kind == RuleKind.GROUP),
        paths=frozenset((account, value) for kind, account, value in rules if kind == RuleKind.PATH),
        owned=owned,
    )
    return Viewer(
        person_id=person.id,
        name=person.name,
        email=person.email,
        roles=tuple(sorted({role for role, _ in assigned})),
        grants=grants,
        held=frozenset(assigned),
        leads=leads,
        scope=scope,
        asks=replace(scope, accounts=accounts_to_ask_for, user_arns=frozenset()),
        has_ended=bool(assignments) and not rows,
        limits=limits,
    )


def evidence_viewer(viewer: Viewer) -> Viewer:
    """Return a limited auditor as the viewer of the pages that they were given, with the accounts of their
    role. Other viewers are unchanged.
    """
    limits = viewer.limits
    if limits is None:
        return viewer
    numbers = {ANY_ACCOUNT} if limits.accounts is None else limits.accounts
    seen = viewer.scope.accounts
    accounts = None if seen is None or limits.accounts is None else seen | limits.accounts
    return replace(
        viewer,
        grants=viewer.grants | frozenset(product(EVIDENCE, numbers)),
        scope=replace(viewer.scope, accounts=accounts),
    )


def _limits(assignments: list[tuple[Any, ...]], assigned: set[tuple[str, str]]) -> AuditLimits | None:
    audited = {account_id for role, account_id in assigned if role == Role.AUDITOR}
    if not audited:
        return None
    frameworks, packs, since, until, set_at = assignments[0][-5:]
    if set_at is None:
        return None
    return limits_of(audited, frameworks=frameworks, packs=packs, since=since, until=until, set_at=set_at)


def _rights(role: str, limits: AuditLimits | None) -> frozenset[Right]:
    if role != Role.AUDITOR or limits is None:
        return RIGHTS[role]
    return LIMITED_AUDITOR | AUDITS_PERIOD if limits.is_period_only else LIMITED_AUDITOR


_PERSON = QueryParam("person", UUIDField())


def _own_users() -> QuerySet[Any, Any]:
    rows = Identity.objects.filter(person=_PERSON)
    return rows.values_list(Value(OWN), F("user_arn"), Value(""))


def _users_of_led_teams() -> QuerySet[Any, Any]:
    """Return the machine users of the teams that a person leads. A lead in one account gets those of that
    account.
    """
    rows = OwnedUser.objects.filter(
        Q(team__assignments__account_id="") | Q(team__assignments__account_id=F("account_id")),
        team__assignments__person=_PERSON,
        team__assignments__role=Role.TEAM_LEAD,
    )
    return rows.values_list(Value(OF_TEAM), F("account_id"), F("aws_id"))


_USERS = CompiledQuery(lambda: _own_users().union(_users_of_led_teams(), all=True))
"""One statement for both, because every request runs it."""
_ASSIGNED = CompiledQuery(
    lambda: RoleAssignment.objects.filter(person=_PERSON).values_list(
        "role",
        "account_id",
        "team__slug",
        "team__rules__kind",
        "team__rules__account_id",
        "team__rules__value",
        "until",
        "person__audit_scope__frameworks",
        "person__audit_scope__packs",
        "person__audit_scope__since",
        "person__audit_scope__until",
        "person__audit_scope__set_at",
    )
)
"""A row for each role, or for each rule of the team that the role leads, each with the audit limits."""
