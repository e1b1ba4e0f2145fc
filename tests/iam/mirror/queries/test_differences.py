"""What differs between two moments of an account, by sections that come in pages; and what is news."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import EdgeKind, Entity, Kind, PolicyVersion, UserCredentials
from iam.mirror.pull.revisions import note_write
from iam.mirror.queries import overview
from iam.mirror.queries.differences import (
    CAME,
    CHANGED,
    WENT,
    MomentPair,
    fact_changes,
    section_page,
    sections,
)
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.overview import recent_events
from tests import factories
from tests.factories import FIRST_READ, becomes, ends, seen_after

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
DAY = timedelta(days=1)
LEFT = FIRST_READ + DAY
LATER = FIRST_READ + 10 * DAY
NOW = MomentPair(LEFT, None)
OTHER = {"Version": "2012-10-17", "Statement": []}


def _told(account: Any, span: MomentPair = NOW) -> dict[str, list[tuple[str, str]]]:
    return {
        section.sort: [(row.sign, f"{row.name} {row.other}".strip()) for row in section.rows]
        for section in sections(account, span, few=10)
    }


def _owned(user: Entity, kind: Kind, name: str, **fields: Any) -> Entity:
    made = factories.entity(user.account, kind, name, arn="", **fields)
    Entity.objects.filter(pk=made.pk).update(owner=user)
    return made


def test_nothing_differs_where_nothing_changed() -> None:
    account = factories.account()
    maya, group = factories.user(account), factories.group(account)
    factories.edge(EdgeKind.MEMBER, maya, group)
    assert _told(account) == {}


def test_entities_that_came_went_and_changed_are_told_apart() -> None:
    account = factories.account()
    stays = factories.user(account, "stays")
    ends(factories.user(account, "gone").states.get(), at=LATER)
    seen_after(factories.user(account, "new", since=LATER).states.get())
    becomes(stays.states.get(), at=LATER, path="/ops/")
    assert _told(account) == {"user": [(CAME, "new"), (WENT, "gone"), (CHANGED, "stays")]}


def test_a_state_that_is_back_as_it_was_is_no_difference() -> None:
    user = factories.user(factories.account())
    first = user.states.get()
    second = becomes(first, at=LATER, path="/ops/")
    third = becomes(second, at=LATER + DAY, path=first.path)
    third.digest = first.digest
    third.save()
    assert _told(user.account) == {}


def test_what_came_and_went_in_between_is_left_out() -> None:
    account = factories.account()
    state = seen_after(factories.user(account, "guest", since=LATER).states.get())
    ends(state, at=LATER + DAY)
    assert _told(account) == {}
    assert _told(account, MomentPair(LEFT, LATER + timedelta(hours=1))) == {"user": [(CAME, "guest")]}
    assert _told(account, MomentPair(LATER + timedelta(hours=1), None)) == {"user": [(WENT, "guest")]}


def test_a_first_reading_is_no_difference() -> None:
    account = factories.account()
    factories.user(account, "maya", since=LATER)
    assert _told(account) == {}


def test_another_account_does_not_show() -> None:
    account, other = factories.account(), factories.account("222222222222", name="staging")
    seen_after(factories.user(other, "new", since=LATER).states.get())
    assert _told(account) == {}


def test_memberships_attachments_and_boundaries_gained_and_lost() -> None:
    account = factories.account()
    maya, group = factories.user(account, "maya"), factories.group(account, "deployers")
    policy = factories.policy(account, "Deploy")
    seen_after(factories.edge(EdgeKind.MEMBER, maya, group, since=LATER))
    ends(factories.edge(EdgeKind.ATTACHED, group, policy), at=LATER)
    seen_after(factories.edge(EdgeKind.BOUNDARY, maya, policy, since=LATER))
    assert _told(account) == {
        "member": [(CAME, "maya deployers")],
        "attached": [(WENT, "deployers Deploy")],
        "boundary": [(CAME, "maya Deploy")],
    }


def test_inline_policies_and_default_documents() -> None:
    account = factories.account()
    maya = factories.user(account, "maya")
    becomes(factories.inline(maya, "changed"), at=LATER, document=factories.document(OTHER))
    ends(factories.inline(maya, "gone"), at=LATER)
    seen_after(factories.inline(maya, "new", since=LATER))
    policy = factories.policy(account, "Deploy")
    becomes(PolicyVersion.objects.get(policy=policy), at=LATER, document=factories.document(OTHER))
    rows_by_sort = {section.sort: section.rows for section in sections(account, NOW, few=10)}
    assert [(row.sign, row.words) for row in rows_by_sort["inline"]] == [
        (CAME, "new"),
        (WENT, "gone"),
        (CHANGED, "changed"),
    ]
    assert [(row.name, row.words) for row in rows_by_sort["document"]] == [("Deploy", "v1")]


def test_keys_and_mfa_and_passwords() -> None:
    account = factories.account()
    maya = factories.user(account, "maya", credentials={"mfa": "none", "has_password": False})
    seen_after(_owned(maya, Kind.ACCESS_KEY, "AKIA1", category="Active", since=LATER).states.get())
    off = _owned(maya, Kind.ACCESS_KEY, "AKIA0", category="Active")
    becomes(off.states.get(), at=LATER, category="Inactive")
    becomes(UserCredentials.objects.get(user=maya), at=LATER, mfa="virtual", has_password=True)
    tomas = factories.user(account, "tomas", credentials={"mfa": "unread"})
    becomes(UserCredentials.objects.get(user=tomas), at=LATER, mfa="none")
    rows_by_sort = {section.sort: section.rows for section in sections(account, NOW, few=10)}
    assert [(row.sign, row.name, row.words) for row in rows_by_sort["access-key"]] == [
        (CAME, "AKIA1", ""),
        (CHANGED, "AKIA0", "Inactive"),
    ]
    assert [(row.sign, row.name, row.words) for row in rows_by_sort["mfa"]] == [
        (CAME, "maya", "none virtual")
    ]
    assert [(row.sign, row.name) for row in rows_by_sort["password"]] == [(CAME, "maya")]


def test_sections_show_a_few_and_count_all_and_pages_bring_the_rest() -> None:
    account = factories.account()
    for number in range(7):
        seen_after(factories.user(account, f"user-{number}", since=LATER).states.get())
    ends(factories.group(account, "gone").states.get(), at=LATER)
    users, groups = sections(account, NOW, few=3)
    assert (users.counts, len(users.rows)) == ({CAME: 7}, 3)
    assert groups.counts == {WENT: 1}
    seen, after, more = [], 0, True
    while more:
        rows, more = section_page(account, NOW, sort="user", sign=CAME, after=after, size=3)
        seen += [row.name for row in rows]
        after = rows[-1].pk
    assert seen == [f"user-{number}" for number in range(7)]
    assert section_page(account, NOW, sort="group", sign=WENT, after=0, size=3)[0][0].name == "gone"
    assert section_page(account, NOW, sort="nonsense", sign=WENT, after=0, size=3) == ([], False)


def test_as_many_queries_for_one_difference_as_for_fifty(django_assert_num_queries: Any) -> None:
    account = factories.account()
    for number in range(51):
        seen_after(factories.user(account, f"user-{number}", since=LATER).states.get())
        if number in {0, 50}:
            with django_assert_num_queries(14):
                sections(account, NOW, few=3)


def test_the_password_policy_is_a_fact_of_the_account() -> None:
    account = factories.account()
    fact = factories.password_policy(account, minimum_length=8)
    stricter = fact.value | {"minimum_length": 14}
    now = becomes(fact, at=LATER, value=stricter)
    (change,) = fact_changes(account, NOW)
    assert change[:3] == ("password_policy", fact.value, stricter)
    assert (change.when, change.after) == (LATER, now.after)


def test_what_moved_in_the_organization_and_what_bounds_it_is_told() -> None:
    account = factories.account()
    units = [factories.entity(account, Kind.ORG_UNIT, name) for name in ("Development", "Experiments")]
    staging = factories.entity(account, Kind.ORG_ACCOUNT, "staging")
    scp = factories.entity(account, Kind.SCP, "EuropeOnly")
    ends(factories.edge(EdgeKind.PARENT, staging, units[0]), at=LATER)
    seen_after(factories.edge(EdgeKind.PARENT, staging, units[1], since=LATER))
    ends(factories.edge(EdgeKind.TARGET, scp, units[0]), at=LATER)
    seen_after(factories.entity(account, Kind.RCP, "DataPerimeter", since=LATER).states.get())
    assert _told(account) == {
        "parent": [(CAME, "staging Experiments"), (WENT, "staging Development")],
        "rcp": [(CAME, "DataPerimeter")],
        "target": [(WENT, "EuropeOnly Development")],
    }


def _news(viewer: Any, **context: Any) -> list[tuple[str, str, str]]:
    shown = ListContext(viewer=viewer, **{"at": LATER + DAY} | context)
    return [(row.sort, row.sign, f"{row.name} {row.other}".strip()) for row in recent_events(shown, limit=10)]


def test_news_are_the_newest_changes_of_every_sort() -> None:
    account = factories.account()
    maya, group = factories.user(account, "maya"), factories.group(account, "deployers")
    seen_after(factories.edge(EdgeKind.MEMBER, maya, group, since=LATER))
    becomes(factories.inline(maya), at=LATER + timedelta(hours=1), document=factories.document(OTHER))
    becomes(UserCredentials.objects.get(user=maya), at=LATER + timedelta(hours=2), mfa="none")
    ends(factories.role(account, "old").states.get(), at=LATER + timedelta(hours=3))
    assert _news(factories.viewer()) == [
        ("role", WENT, "old"),
        ("mfa", WENT, "maya"),
        ("inline", CHANGED, "maya"),
        ("member", CAME, "maya deployers"),
    ]


def test_news_lie_within_thirty_days_before_the_moment() -> None:
    account = factories.account()
    seen_after(factories.user(account, "new", since=LATER).states.get())
    viewer = factories.viewer()
    assert _news(viewer, at=LATER) == [("user", CAME, "new")]
    assert _news(viewer, at=LATER - DAY) == []
    assert _news(viewer, at=LATER + 40 * DAY) == []


def test_a_team_lead_reads_the_news_of_the_team() -> None:
    account = factories.account()
    team = Team.objects.create(slug="pay", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="pay")
    lead = factories.person("Elif Kaya")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    pay, other = factories.group(account, "pay"), factories.group(account, "other")
    maya, tomas = factories.user(account, "maya"), factories.user(account, "tomas")
    factories.edge(EdgeKind.MEMBER, maya, pay)
    for user in (maya, tomas):
        seen_after(factories.edge(EdgeKind.MEMBER, user, other, since=LATER))
    assert _news(viewer_for(lead)) == [("member", CAME, "maya other")]


def test_news_take_as_many_queries_for_one_row_as_for_fifty(django_assert_num_queries: Any) -> None:
    account = factories.account()
    viewer = factories.viewer()
    for number in range(51):
        seen_after(factories.user(account, f"user-{number}", since=LATER).states.get())
        if number in {0, 50}:
            overview.forget()
            with django_assert_num_queries(9):
                _news(viewer)
            with django_assert_num_queries(1):
                assert len(_news(viewer)) == min(number + 1, 10)


def test_news_are_read_again_after_a_write_to_an_account_that_is_shown() -> None:
    account, other = factories.account(), factories.account("222222222222", name="staging")
    auditor = factories.person("Ira Neal")
    factories.assign(auditor, Role.AUDITOR, account_id=account.account_id)
    everyone, viewer = factories.viewer(), viewer_for(auditor)
    seen_after(factories.user(account, "ada", since=LATER).states.get())
    assert [_news(viewer) for viewer in (everyone, viewer)] == [[("user", CAME, "ada")]] * 2
    seen_after(factories.user(other, "bo", since=LATER).states.get())
    note_write(other.pk)
    assert len(_news(everyone)) == 2
    assert _news(viewer) == [("user", CAME, "ada")]
    seen_after(factories.user(account, "cy", since=LATER).states.get())
    note_write(account.pk)
    assert [len(_news(viewer)) for viewer in (everyone, viewer)] == [3, 2]
