"""Whose rows a viewer sees, now and in the past."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import EdgeKind, Entity, EntityState, Kind
from iam.mirror.queries.visibility import visible, visible_entities, visible_states
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


def names(viewer: Viewer) -> set[str]:
    return set(visible_entities(viewer).values_list("name", flat=True))


def leader_of(*rules: tuple[str, str, str], account_id: str = "") -> Viewer:
    """A team lead of a team with rules (kind, account, value)."""
    team = Team.objects.create(slug="payments", name="Payments")
    for kind, account, value in rules:
        TeamRule.objects.create(team=team, kind=kind, account_id=account, value=value)
    someone = factories.person("Elif Kaya")
    factories.assign(someone, Role.TEAM_LEAD, team=team, account_id=account_id)
    return viewer_for(someone)


def test_an_auditor_of_all_accounts_sees_everything() -> None:
    factories.user(factories.account(), "maya")
    factories.role(factories.account("222222222222", name="staging"), "app")
    assert names(factories.viewer(Role.AUDITOR)) == {"maya", "app"}


def test_an_auditor_of_one_account_sees_nothing_of_another() -> None:
    factories.user(factories.account(), "maya")
    factories.user(factories.account("222222222222", name="staging"), "hana")
    someone = factories.person()
    factories.assign(someone, Role.AUDITOR, account_id="222222222222")
    assert names(viewer_for(someone)) == {"hana"}


def test_an_account_that_was_removed_is_seen_by_nobody() -> None:
    factories.user(factories.account(removed_at=timezone.now()), "maya")
    assert names(factories.viewer(Role.ADMINISTRATOR)) == set()


def test_a_person_without_a_role_sees_nothing_but_themselves() -> None:
    production = factories.account()
    maya = factories.user(production, "maya")
    factories.user(production, "hana")
    factories.role(production, "maya")
    assert names(viewer_for(factories.person("Nobody"))) == set()
    someone = factories.person("Maya Okafor", arns=(maya.arn,))
    factories.assign(someone, Role.MEMBER)
    assert list(visible_entities(viewer_for(someone))) == [maya]


def test_what_belongs_to_a_visible_user_is_visible_too() -> None:
    production = factories.account()
    maya, hana = factories.user(production, "maya"), factories.user(production, "hana")
    for owner in (maya, hana):
        key = factories.entity(production, Kind.ACCESS_KEY, f"AKIA-of-{owner.name}", arn="")
        Entity.objects.filter(pk=key.pk).update(owner=owner)
    viewer = viewer_for(factories.person("Maya Okafor", arns=(maya.arn,)))
    assert names(viewer) == {"maya", "AKIA-of-maya"}


def test_a_user_made_again_under_the_same_name_is_another_person() -> None:
    production = factories.account()
    before = factories.user(production, "maya", until=MARCH)
    again = factories.user(production, "maya", since=MAY)
    viewer = viewer_for(factories.person("Maya Okafor", arns=(before.arn,)))
    assert list(visible_entities(viewer)) == [again]


def test_a_team_lead_sees_members_and_the_group_in_every_account() -> None:
    production, staging = factories.account(), factories.account("222222222222", name="staging")
    for where, login in ((production, "maya"), (staging, "hana")):
        group = factories.group(where, "payments-dev")
        factories.edge(EdgeKind.MEMBER, factories.user(where, login), group)
        factories.edge(
            EdgeKind.MEMBER, factories.user(where, f"other-{login}"), factories.group(where, "sre")
        )
    assert names(leader_of((RuleKind.GROUP, "", "payments-dev"))) == {"maya", "hana", "payments-dev"}


@pytest.mark.parametrize(("rule_account", "role_account"), [("222222222222", ""), ("", "222222222222")])
def test_a_team_can_be_of_one_account(rule_account: str, role_account: str) -> None:
    for number, login in (("111111111111", "maya"), ("222222222222", "hana")):
        where = factories.account(number)
        factories.edge(EdgeKind.MEMBER, factories.user(where, login), factories.group(where, "payments-dev"))
    viewer = leader_of((RuleKind.GROUP, rule_account, "payments-dev"), account_id=role_account)
    assert names(viewer) == {"hana", "payments-dev"}


def test_who_has_left_the_team_is_not_seen_even_in_the_past() -> None:
    production = factories.account()
    group = factories.group(production, "payments-dev")
    left, joined = factories.user(production, "left"), factories.user(production, "joined")
    gone = factories.user(production, "gone", until=MAY)
    factories.edge(EdgeKind.MEMBER, left, group, until=MAY)
    factories.edge(EdgeKind.MEMBER, gone, group, until=MAY)
    factories.edge(EdgeKind.MEMBER, joined, group, since=MAY)
    viewer = leader_of((RuleKind.GROUP, "", "payments-dev"))
    for at in (None, MARCH):
        assert set(visible_states(viewer, at=at).values_list("name", flat=True)) == {"joined", "payments-dev"}
    assert set(visible_states(factories.viewer(Role.AUDITOR), at=MARCH).values_list("name", flat=True)) == {
        "left",
        "joined",
        "gone",
        "payments-dev",
    }


@pytest.mark.parametrize("value", ["/payments/", "/payments", "payments"])
def test_a_path_rule_takes_whole_path_segments_and_tells_case_apart(value: str) -> None:
    production = factories.account()
    for path in ("/payments/", "/payments/dev/", "/payments-admin/", "/Payments/", "/"):
        factories.user(production, f"at{path}", path=path)
    factories.role(production, "a-role", path="/payments/")
    assert names(leader_of((RuleKind.PATH, "", value))) == {"at/payments/", "at/payments/dev/"}


def test_a_user_who_was_moved_belongs_to_the_path_of_today() -> None:
    production = factories.account()
    mover = factories.user(production, "mover", path="/payments/", until=None)
    state = EntityState.objects.get(entity=mover)
    state.valid_to = MAY
    state.save(update_fields=["valid_to"])
    EntityState.objects.create(
        entity=mover,
        account=production,
        kind=Kind.USER,
        name="mover",
        sort_name="mover",
        path="/sre/",
        digest="2",
        valid_from=MAY,
        observed_at=MAY,
    )
    assert names(leader_of((RuleKind.PATH, "", "/payments/"))) == set()


def test_rights_in_one_account_and_a_team_in_another_add_up() -> None:
    production, staging = factories.account(), factories.account("222222222222", name="staging")
    factories.role(production, "app")
    factories.edge(EdgeKind.MEMBER, factories.user(staging, "hana"), factories.group(staging, "sre"))
    factories.user(staging, "other")
    viewer = leader_of((RuleKind.GROUP, "222222222222", "sre"))
    someone = factories.person("Second role")
    factories.assign(someone, Role.AUDITOR, account_id="111111111111")
    factories.assign(someone, Role.TEAM_LEAD, team=Team.objects.get())
    assert names(viewer) == {"hana", "sre"}
    assert names(viewer_for(someone)) == {"app", "hana", "sre"}


@pytest.mark.sqlite_plan
@pytest.mark.parametrize("rule", [(RuleKind.GROUP, "", "payments-dev"), (RuleKind.PATH, "", "/payments/")])
def test_a_team_costs_what_the_team_is_large_whatever_the_size_of_the_mirror(
    rule: tuple[str, str, str],
) -> None:
    viewer = leader_of(rule)
    for plan in (visible_entities(viewer).explain(), visible_states(viewer, at=None).explain()):
        scanned = [line for line in plan.splitlines() if " SCAN " in line]
        # Only the accounts that were removed, of which there are few, are found by looking at all accounts.
        assert [line for line in scanned if "SCAN U0" not in line] == [], plan


@pytest.mark.parametrize(
    ("kinds", "seen"),
    [
        ((Kind.USER,), {"maya"}),
        ((Kind.GROUP,), {"payments-dev"}),
        ((Kind.ACCESS_KEY,), {"AKIA-of-maya"}),
        ((Kind.ROLE,), set()),
        (None, {"maya", "payments-dev", "AKIA-of-maya"}),
    ],
)
def test_of_known_kinds_the_same_is_seen(kinds: tuple[Kind, ...] | None, seen: set[str]) -> None:
    production = factories.account()
    maya, group = factories.user(production, "maya"), factories.group(production, "payments-dev")
    factories.edge(EdgeKind.MEMBER, maya, group)
    key = factories.entity(production, Kind.ACCESS_KEY, "AKIA-of-maya", arn="")
    Entity.objects.filter(pk=key.pk).update(owner=maya)
    factories.role(production, "app")
    rows = Entity.objects.filter(kind__in=kinds) if kinds else Entity.objects.all()
    viewer = leader_of((RuleKind.GROUP, "", "payments-dev"))
    assert set(visible(rows, viewer, entity="pk", kinds=kinds).values_list("name", flat=True)) == seen


def test_a_path_rule_reads_its_signs_as_letters() -> None:
    production = factories.account()
    for path in ("/pay%/", "/pay_/", "/paym/", "/pay%x/", "/pay0/"):
        factories.user(production, f"at{path}", path=path)
    assert names(leader_of((RuleKind.PATH, "", "/pay%/"), (RuleKind.PATH, "", "/pay_/"))) == {
        "at/pay%/",
        "at/pay_/",
    }
