"""What is known of one entity now and at a past moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import EdgeKind, Entity, Kind, PolicyVersion, TagSet, UserCredentials
from iam.mirror.queries import entities, holders
from tests import factories
from tests.factories import FIRST_READ, becomes, ends

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
DAY = timedelta(days=1)
LATER = FIRST_READ + 10 * DAY


def test_the_state_of_a_moment_is_the_one_that_held_then() -> None:
    maya = factories.user(factories.account(), "maya")
    becomes(maya.states.get(), at=LATER, name="maya.okafor")
    assert entities.state_at(maya, at=LATER - DAY).name == "maya"  # type: ignore[union-attr]
    assert entities.state_at(maya, at=LATER).name == "maya.okafor"  # type: ignore[union-attr]
    assert entities.state_at(maya, at=None).name == "maya.okafor"  # type: ignore[union-attr]
    assert entities.state_at(maya, at=FIRST_READ - DAY) is None


def test_ties_carry_the_names_of_their_moment() -> None:
    account = factories.account()
    maya, group = factories.user(account), factories.group(account, "old-name")
    factories.edge(EdgeKind.MEMBER, maya, group)
    becomes(group.states.get(), at=LATER, name="new-name")
    names = [
        [tie.name for tie in entities.targets(maya, kinds=[EdgeKind.MEMBER], at=at)]
        for at in (FIRST_READ, LATER, None)
    ]
    assert names == [["old-name"], ["new-name"], ["new-name"]]


def test_a_tie_holds_between_its_bounds() -> None:
    account = factories.account()
    maya, group = factories.user(account), factories.group(account)
    factories.edge(EdgeKind.MEMBER, maya, group, since=LATER, until=LATER + DAY)
    counts = [
        len(entities.sources(group, kinds=[EdgeKind.MEMBER], at=at))
        for at in (LATER - DAY, LATER, LATER + DAY, None)
    ]
    assert counts == [0, 1, 0, 0]


def test_the_content_of_groups_takes_three_queries(django_assert_num_queries: Any) -> None:
    account = factories.account()
    groups = [factories.group(account, f"group-{number}") for number in range(20)]
    policy = factories.policy(account)
    for group in groups:
        factories.edge(EdgeKind.ATTACHED, group, policy)
        factories.inline(group, "extra")
    factories.edge(EdgeKind.MEMBER, factories.user(account), groups[0])
    for few_or_all in (groups[:1], groups):
        with django_assert_num_queries(3):
            group_contents = entities.group_contents([group.pk for group in few_or_all], at=None)
    content = group_contents[groups[0].pk]
    assert (content.people, [tie.name for tie in content.policies], content.inline) == (
        1,
        ["DeployPayments"],
        ["extra"],
    )


def test_versions_come_newest_first_by_number_and_only_those_that_aws_kept() -> None:
    account = factories.account()
    policy = factories.policy(account)
    for version in ("v2", "v10", "v9"):
        PolicyVersion.objects.create(
            account=account,
            policy=policy,
            version_id=version,
            document=factories.document("{}"),
            is_default=False,
            valid_from=FIRST_READ,
            observed_at=FIRST_READ,
        )
    ends(PolicyVersion.objects.get(version_id="v2"), at=LATER)
    assert [policy_version.version_id for policy_version in entities.versions(policy, at=None)] == [
        "v10",
        "v9",
        "v1",
    ]
    assert [policy_version.version_id for policy_version in entities.versions(policy, at=FIRST_READ)] == [
        "v10",
        "v9",
        "v2",
        "v1",
    ]


def test_what_a_user_owns_is_sorted_by_kind() -> None:
    account = factories.account()
    maya = factories.user(account)
    for kind, name in ((Kind.ACCESS_KEY, "AKIA2"), (Kind.ACCESS_KEY, "AKIA1"), (Kind.SSH_KEY, "APKA")):
        made = factories.entity(account, kind, name, arn="")
        Entity.objects.filter(pk=made.pk).update(owner=maya)
    owned = entities.owned(maya, at=None)
    assert [entity_state.name for entity_state in owned[Kind.ACCESS_KEY]] == ["AKIA2", "AKIA1"]
    assert [entity_state.name for entity_state in owned[Kind.SSH_KEY]] == ["APKA"]
    assert entities.owned(maya, at=FIRST_READ - DAY) == {}


def test_members_without_mfa_are_those_whose_password_opens_the_console() -> None:
    account = factories.account()
    group = factories.group(account)
    for name, mfa, password in (("a", "none", True), ("b", "none", False), ("c", "virtual", True)):
        user = factories.user(account, name, credentials={"mfa": mfa, "has_password": password})
        factories.edge(EdgeKind.MEMBER, user, group)
    factories.user(account, "outside", credentials={"mfa": "none", "has_password": True})
    assert entities.without_mfa(group, at=None) == 1
    becomes(UserCredentials.objects.get(user__name="a"), at=LATER, mfa="virtual")
    assert entities.without_mfa(group, at=None) == 0
    assert entities.without_mfa(group, at=FIRST_READ) == 1


def test_a_team_lead_opens_the_people_and_groups_of_the_team_only() -> None:
    account = factories.account()
    team = Team.objects.create(slug="pay", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="pay")
    lead = factories.person("Elif Kaya")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    pay, other = factories.group(account, "pay"), factories.group(account, "other")
    maya, tomas = factories.user(account, "maya"), factories.user(account, "tomas")
    factories.edge(EdgeKind.MEMBER, maya, pay)
    factories.edge(EdgeKind.MEMBER, maya, other)
    factories.edge(EdgeKind.MEMBER, tomas, other)
    viewer = viewer_for(lead)
    openable = entities.openable(
        viewer, account_id=account.account_id, pks=[pay.pk, other.pk, maya.pk, tomas.pk]
    )
    assert [pk in openable for pk in (pay.pk, other.pk, maya.pk, tomas.pk)] == [True, False, True, False]
    assert entities.find_entity(viewer, pk=tomas.pk, kinds=[Kind.USER]) is None
    assert entities.find_entity(viewer, pk=maya.pk, kinds=[Kind.GROUP]) is None
    rows = entities.members(pay, viewer=viewer, at=None)
    assert [row["name"] for row in rows] == ["maya"]


def test_whoever_sees_the_account_opens_all_of_it_without_a_query(django_assert_num_queries: Any) -> None:
    viewer = factories.viewer(Role.AUDITOR)
    with django_assert_num_queries(0):
        assert 7 in entities.openable(viewer, account_id="111111111111", pks=[7])


def test_holders_are_counted_and_listed_by_sort_then_and_now() -> None:
    account = factories.account()
    policy = factories.policy(account)
    user, group, role = factories.user(account), factories.group(account), factories.role(account)
    for principal in (user, group, role):
        factories.edge(EdgeKind.ATTACHED, principal, policy)
    factories.edge(EdgeKind.BOUNDARY, role, policy, until=LATER)
    assert holders.holder_counts(policy, at=None) == {"user": 1, "group": 1, "role": 1, "boundary": 0}
    assert holders.holder_counts(policy, at=FIRST_READ)["boundary"] == 1
    assert [row["name"] for row in holders.holders_of(policy, sort="role", at=None)] == [role.name]
    assert [row["name"] for row in holders.holders_of(policy, sort="boundary", at=FIRST_READ)] == [role.name]
    assert [row["kind"] for row in holders.some_holders(policy, at=None, limit=2)] == ["group", "role"]


def test_tags_are_sorted_and_of_their_moment() -> None:
    maya = factories.user(factories.account())
    tags = TagSet.objects.create(
        account=maya.account,
        entity=maya,
        tags={"b": "2", "a": "1"},
        valid_from=FIRST_READ,
        observed_at=FIRST_READ,
    )
    ends(tags, at=LATER)
    assert list(entities.tags(maya, at=FIRST_READ).items()) == [("a", "1"), ("b", "2")]
    assert entities.tags(maya, at=None) == {}
