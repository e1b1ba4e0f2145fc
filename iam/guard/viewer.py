"""A viewer: one signed-in person with rights per account, read once a request from the directory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from iam.directory.models import Person, Role, RuleKind


class Right(StrEnum):
    """What can be allowed. Seeing all of an account is a right; seeing oneself or one's team comes from the scope."""

    SEE_ACCOUNT = "see-account"
    SEE_TEAM = "see-team"
    SEE_SELF = "see-self"
    MANAGE_ACCOUNTS = "manage-accounts"
    REQUEST_CHANGE = "request-change"
    APPROVE_CHANGE = "approve-change"
    SEE_JOURNAL = "see-journal"
    MANAGE_OPERATORS = "manage-operators"
    EXPORT = "export"


RIGHTS: dict[str, frozenset[Right]] = {
    Role.ADMINISTRATOR: frozenset(
        {
            Right.SEE_ACCOUNT,
            Right.SEE_SELF,
            Right.MANAGE_ACCOUNTS,
            Right.REQUEST_CHANGE,
            Right.SEE_JOURNAL,
            Right.MANAGE_OPERATORS,
            Right.EXPORT,
        }
    ),
    Role.APPROVER: frozenset(
        {Right.SEE_ACCOUNT, Right.SEE_SELF, Right.REQUEST_CHANGE, Right.APPROVE_CHANGE, Right.EXPORT}
    ),
    Role.TEAM_LEAD: frozenset({Right.SEE_TEAM, Right.SEE_SELF, Right.REQUEST_CHANGE, Right.EXPORT}),
    Role.MEMBER: frozenset({Right.SEE_SELF}),
    Role.AUDITOR: frozenset({Right.SEE_ACCOUNT, Right.SEE_SELF, Right.SEE_JOURNAL, Right.EXPORT}),
}

ANY_ACCOUNT = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose entities a viewer sees. `accounts` None: everything everywhere; else whole accounts by number, and beyond them
    users by ARN (oneself), users in (account or "", group name), users under (account or "", path), and those groups."""

    accounts: frozenset[str] | None = frozenset()
    user_arns: frozenset[str] = frozenset()
    groups: frozenset[tuple[str, str]] = frozenset()
    paths: frozenset[tuple[str, str]] = frozenset()

    @property
    def sees_everything(self) -> bool:
        """Whether no filter is needed at all."""
        return self.accounts is None

    def sees_account(self, account_id: str) -> bool:
        """Whether the whole account is visible."""
        return self.accounts is None or account_id in self.accounts


@dataclass(frozen=True, slots=True)
class Viewer:
    """One person, with roles. `grants` holds (right, account number or "" for all); `scope` is what they see, `asks` for whom they
    may ask for changes: whole accounts by a role that sees and asks in them, a team by the role that leads it. An auditor who also
    leads a team sees everything, and asks for the team only."""

    person_id: UUID
    name: str
    email: str
    roles: tuple[str, ...] = ()
    grants: frozenset[tuple[Right, str]] = frozenset()
    scope: Scope = field(default_factory=Scope)
    asks: Scope = field(default_factory=Scope)

    def may(self, right: Right, *, account_id: str | None = None) -> bool:
        """Whether the right is held: in this account, or (account None) in at least one."""
        if account_id is None:
            return any(held is right for held, _ in self.grants)
        return (right, ANY_ACCOUNT) in self.grants or (right, account_id) in self.grants

    @property
    def sees_accounts(self) -> bool:
        """Whether they see whole accounts, and so IAM in AWS's own words; team leads and members get plain ones."""
        return self.may(Right.SEE_ACCOUNT)

    @property
    def role_label(self) -> str:
        """The weightiest role, for display."""
        return next((role.label for role in Role if role.value in self.roles), "No role")


def viewer_for(person: Person) -> Viewer:
    """The viewer of a person: three queries, whatever the number of roles. Who is deactivated may and sees nothing."""
    if not person.is_active:
        return Viewer(person_id=person.id, name=person.name, email=person.email)
    assignments = list(person.assignments.select_related("team").prefetch_related("team__rules"))
    arns = frozenset(person.identities.values_list("user_arn", flat=True))
    grants = frozenset((right, a.account_id) for a in assignments for right in RIGHTS[a.role])
    whole = {account for right, account in grants if right is Right.SEE_ACCOUNT}
    asked = {a.account_id for a in assignments if {Right.SEE_ACCOUNT, Right.REQUEST_CHANGE} <= RIGHTS[a.role]}
    rules = [
        (rule.kind, a.account_id or rule.account_id, rule.value)
        for a in assignments
        if a.team
        for rule in a.team.rules.all()
        if not (a.account_id and rule.account_id and a.account_id != rule.account_id)
    ]
    scope = Scope(
        accounts=None if ANY_ACCOUNT in whole else frozenset(whole),
        user_arns=arns,
        groups=frozenset((account, value) for kind, account, value in rules if kind == RuleKind.GROUP),
        paths=frozenset((account, value) for kind, account, value in rules if kind == RuleKind.PATH),
    )
    return Viewer(
        person_id=person.id,
        name=person.name,
        email=person.email,
        roles=tuple(sorted({a.role for a in assignments})),
        grants=grants,
        scope=scope,
        asks=replace(
            scope,
            accounts=None if ANY_ACCOUNT in asked else frozenset(asked),
            user_arns=frozenset(),
        ),
    )
