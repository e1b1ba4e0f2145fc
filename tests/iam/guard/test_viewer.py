"""What each role may do and see, as tables."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from iam.directory.models import Identity, Role, RuleKind, Team, TeamRule
from iam.guard import Right, Viewer, ViewerScope, viewer_for
from tests import factories

pytestmark = pytest.mark.django_db
ONE, TWO = "111111111111", "222222222222"

S, T, M = Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF
TABLE: dict[Role | None, set[Right]] = {
    Role.ADMINISTRATOR: {
        S,
        M,
        Right.MANAGE_ACCOUNTS,
        Right.REQUEST_CHANGE,
        Right.SEE_JOURNAL,
        Right.MANAGE_OPERATORS,
        Right.SEE_OPERATORS,
        Right.EXPORT,
    },
    Role.APPROVER: {S, M, Right.REQUEST_CHANGE, Right.APPROVE_CHANGE, Right.EXPORT},
    Role.TEAM_LEAD: {T, M, Right.REQUEST_CHANGE, Right.EXPORT},
    Role.MEMBER: {M},
    Role.AUDITOR: {S, M, Right.SEE_JOURNAL, Right.SEE_OPERATORS, Right.EXPORT},
    None: set(),
}


def _team(*rules: tuple[RuleKind, str, str], slug: str = "payments") -> Team:
    team = Team.objects.create(slug=slug, name=slug)
    for kind, account, value in rules:
        TeamRule.objects.create(team=team, kind=kind, account_id=account, value=value)
    return team


@pytest.mark.parametrize(("role", "rights"), TABLE.items())
def test_a_role_has_exactly_these_rights(role: Role | None, rights: set[Right]) -> None:
    someone = factories.person()
    if role:
        factories.assign(someone, role, team=_team() if role is Role.TEAM_LEAD else None)
    viewer = viewer_for(someone)
    assert {right for right in Right if viewer.may(right)} == rights


def test_the_table_knows_every_role() -> None:
    assert set(Role) | {None} == set(TABLE)


@pytest.mark.parametrize("role", [r for r in TABLE if r and r is not Role.TEAM_LEAD])
def test_a_role_in_one_account_ends_there(role: Role) -> None:
    someone = factories.person()
    factories.assign(someone, role, account_id=ONE)
    viewer = viewer_for(someone)
    for right in TABLE[role]:
        assert viewer.may(right, account_id=ONE)
        assert not viewer.may(right, account_id=TWO)
        assert not viewer.may(right, account_id="")
    assert not viewer.scope.sees_everything
    assert not viewer.scope.sees_account(TWO)


SCOPES: list[tuple[list[tuple[Role, str]], ViewerScope]] = [
    ([], ViewerScope()),
    ([(Role.MEMBER, "")], ViewerScope()),
    ([(Role.AUDITOR, "")], ViewerScope(accounts=None)),
    ([(Role.AUDITOR, ONE)], ViewerScope(accounts=frozenset({ONE}))),
    ([(Role.AUDITOR, ONE), (Role.APPROVER, TWO)], ViewerScope(accounts=frozenset({ONE, TWO}))),
    ([(Role.AUDITOR, ONE), (Role.APPROVER, "")], ViewerScope(accounts=None)),
    ([(Role.MEMBER, ""), (Role.ADMINISTRATOR, ONE)], ViewerScope(accounts=frozenset({ONE}))),
]


@pytest.mark.parametrize(("roles", "scope"), SCOPES)
def test_roles_decide_which_accounts_are_seen(roles: list[tuple[Role, str]], scope: ViewerScope) -> None:
    someone = factories.person()
    for role, account in roles:
        factories.assign(someone, role, account_id=account)
    assert viewer_for(someone).scope == scope


ASKS: list[tuple[list[tuple[Role, str]], frozenset[str] | None]] = [
    ([(Role.AUDITOR, "")], frozenset()),
    ([(Role.AUDITOR, ""), (Role.APPROVER, ONE)], frozenset({ONE})),
    ([(Role.ADMINISTRATOR, "")], None),
    ([(Role.MEMBER, "")], frozenset()),
]


@pytest.mark.parametrize(("roles", "accounts"), ASKS)
def test_who_sees_everything_does_not_therefore_ask_for_everything(
    roles: list[tuple[Role, str]], accounts: frozenset[str] | None
) -> None:
    someone = factories.person()
    for role, account in roles:
        factories.assign(someone, role, account_id=account)
    assert viewer_for(someone).asks.accounts == accounts


def test_a_member_sees_their_own_users_and_nothing_else() -> None:
    arn = f"arn:aws:iam::{ONE}:user/maya"
    someone = factories.person("Maya Okafor", arns=(arn,))
    factories.assign(someone, Role.MEMBER)
    viewer = viewer_for(someone)
    assert viewer.scope == ViewerScope(user_arns=frozenset({arn}))
    assert viewer.asks == ViewerScope()


# Role limited to an account × rule limited to an account → what the scope holds of a group rule.
RULES = [
    ("", "", {("", "payments")}),
    ("", ONE, {(ONE, "payments")}),
    (ONE, "", {(ONE, "payments")}),
    (ONE, ONE, {(ONE, "payments")}),
    (ONE, TWO, set()),
]


@pytest.mark.parametrize(("role_in", "rule_in", "groups"), RULES)
def test_a_team_lead_sees_where_role_and_rule_meet(
    role_in: str, rule_in: str, groups: set[tuple[str, str]]
) -> None:
    someone = factories.person()
    team = _team((RuleKind.GROUP, rule_in, "payments"))
    factories.assign(someone, Role.TEAM_LEAD, account_id=role_in, team=team)
    viewer = viewer_for(someone)
    assert viewer.scope == ViewerScope(groups=frozenset(groups))
    assert viewer.asks == viewer.scope


def test_a_lead_of_two_teams_sees_both_and_no_third() -> None:
    someone = factories.person()
    factories.assign(someone, Role.TEAM_LEAD, team=_team((RuleKind.GROUP, ONE, "payments")))
    factories.assign(someone, Role.TEAM_LEAD, team=_team((RuleKind.PATH, "", "/ledger/"), slug="ledger"))
    _team((RuleKind.GROUP, ONE, "admins"), slug="platform")
    scope = viewer_for(someone).scope
    assert scope == ViewerScope(groups=frozenset({(ONE, "payments")}), paths=frozenset({("", "/ledger/")}))


def test_a_deactivated_person_may_and_sees_nothing() -> None:
    someone = factories.person(arns=(f"arn:aws:iam::{ONE}:user/maya",))
    factories.assign(someone, Role.ADMINISTRATOR)
    someone.is_active = False
    viewer = viewer_for(someone)
    assert not any(viewer.may(right) for right in Right)
    assert viewer.scope == viewer.asks == ViewerScope()


def test_a_team_without_rules_is_nobody() -> None:
    someone = factories.person()
    factories.assign(someone, Role.TEAM_LEAD, team=_team())
    assert viewer_for(someone).scope == ViewerScope()


def test_an_auditor_who_leads_a_team_asks_for_the_team_only() -> None:
    someone = factories.person()
    factories.assign(someone, Role.AUDITOR)
    factories.assign(someone, Role.TEAM_LEAD, team=_team((RuleKind.GROUP, ONE, "payments")))
    viewer = viewer_for(someone)
    assert viewer.scope.sees_everything
    assert viewer.asks == ViewerScope(groups=frozenset({(ONE, "payments")}))


@pytest.mark.parametrize("teams", [1, 6])
def test_a_viewer_costs_the_same_queries_whatever_their_roles(
    teams: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    someone = factories.person()
    for i in range(teams):
        team = _team((RuleKind.GROUP, ONE, f"g{i}"), (RuleKind.PATH, "", f"/p{i}/"), slug=f"t{i}")
        factories.assign(someone, Role.TEAM_LEAD, team=team)
        Identity.objects.create(person=someone, user_arn=f"arn:aws:iam::{ONE}:user/u{i}")
    with django_assert_num_queries(2):
        viewer_for(someone)


@pytest.mark.parametrize(
    ("roles", "label"),
    [
        ((), "No role"),
        ((Role.MEMBER,), "Member"),
        ((Role.AUDITOR, Role.TEAM_LEAD), "Team lead"),
        ((Role.APPROVER, Role.ADMINISTRATOR), "Administrator"),
    ],
)
def test_the_weightiest_role_is_shown(roles: tuple[str, ...], label: str) -> None:
    someone = factories.person()
    viewer = Viewer(person_id=someone.id, name="x", email="x@example.com", roles=roles)
    assert viewer.role_label == label
