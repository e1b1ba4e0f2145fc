"""What happened to an entity, told from rows in time; each kind of fact has its case."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from iam.mirror.models import Edge, EdgeKind, Entity, Kind, PolicyVersion, TagSet, UserCredentials
from iam.mirror.queries.history import difference, timeline, two_documents
from iam.mirror.queries.history_events import BECAME, BEGAN, ENDED, READ, HistoryEvent
from tests import factories
from tests.factories import BETWEEN_READINGS, FIRST_READ, becomes, ends, seen_after

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
DAY = timedelta(days=1)
LATER = FIRST_READ + 10 * DAY
OTHER = {"Version": "2012-10-17", "Statement": []}


def _told(entity: Entity) -> list[str]:
    return [_sentence(event) for event in timeline(entity).events]


def _sentence(event: HistoryEvent) -> str:
    names = ", ".join(other.name for other in event.others)
    changes = "; ".join(f"{what}: {old} > {new}" for what, old, new in event.changes)
    return " ".join(part for part in (event.lead, names, event.tail, changes) if part)


def _owned(user: Entity, kind: Kind, name: str, **fields: Any) -> Entity:
    made = factories.entity(user.account, kind, name, arn="", **fields)
    Entity.objects.filter(pk=made.pk).update(owner=user)
    return made


def test_what_was_there_at_the_first_reading_is_no_change() -> None:
    account = factories.account()
    maya = factories.user(account)
    factories.edge(EdgeKind.MEMBER, maya, factories.group(account))
    factories.inline(maya)
    _owned(maya, Kind.ACCESS_KEY, "AKIA1", category="Active")
    assert _told(maya) == ["First synced by Gatehouse"]
    assert timeline(maya).events[0].sign == READ


def test_a_new_user_is_created_and_a_deleted_one_is_deleted() -> None:
    maya = factories.user(factories.account(), since=LATER)
    seen_after(maya.states.get())
    ends(maya.states.get(), at=LATER + DAY)
    assert _told(maya) == ["Deleted", "Created"]
    gone, made = timeline(maya).events
    assert (made.when, made.after) == (LATER, LATER - BETWEEN_READINGS)
    assert (gone.when, gone.after) == (LATER + DAY, LATER + DAY - BETWEEN_READINGS)


def test_renaming_and_moving_say_from_what_to_what() -> None:
    maya = factories.user(factories.account(), "maya")
    becomes(maya.states.get(), at=LATER, name="maya.okafor", path="/ops/")
    assert _told(maya)[0] == "Settings changed Name: maya > maya.okafor; Path: / > /ops/"


def test_a_setting_that_is_read_for_the_first_time_is_no_change() -> None:
    role = factories.role(factories.account(), attrs={})
    state = becomes(role.states.get(), at=LATER, attrs={"MaxSessionDuration": 3600})
    assert _told(role) == ["First synced by Gatehouse"]
    becomes(state, at=LATER + DAY, attrs={"MaxSessionDuration": 7200})
    assert _told(role)[0] == "Settings changed Maximum session duration (seconds): 3600 > 7200"


def test_a_trust_policy_that_changes_offers_both_documents() -> None:
    role = factories.role(factories.account())
    becomes(role.states.get(), at=LATER, document=factories.document(OTHER))
    event = timeline(role).events[0]
    assert event.lead == "Trust policy changed"
    both = two_documents(role, token=event.documents)
    assert both is not None
    assert "ec2.amazonaws.com" in both.old
    assert "ec2.amazonaws.com" not in both.new


def test_memberships_are_told_from_both_ends() -> None:
    account = factories.account()
    maya, deployers = factories.user(account, "maya"), factories.group(account, "deployers")
    edge = seen_after(factories.edge(EdgeKind.MEMBER, maya, deployers, since=LATER))
    ends(edge, at=LATER + DAY)
    assert _told(maya)[:2] == ["Left deployers", "Joined deployers"]
    assert _told(deployers)[:2] == ["maya left", "maya joined"]


def test_who_joins_together_is_told_together() -> None:
    account = factories.account()
    deployers = factories.group(account, "deployers")
    for name in ("maya", "tomas", "kwame"):
        seen_after(factories.edge(EdgeKind.MEMBER, factories.user(account, name), deployers, since=LATER))
    joined = timeline(deployers).events[0]
    assert joined.tail == "joined"
    assert {other.name for other in joined.others} == {"maya", "tomas", "kwame"}


@pytest.mark.parametrize("side", ["user", "group", "role"])
def test_attachments_are_told_of_every_sort_of_principal(side: str) -> None:
    account = factories.account()
    principal = getattr(factories, side)(account, "it")
    policy = factories.policy(account, "DeployPayments")
    edge = seen_after(factories.edge(EdgeKind.ATTACHED, principal, policy, since=LATER))
    ends(edge, at=LATER + DAY)
    assert _told(principal)[:2] == ["Detached DeployPayments", "Attached DeployPayments"]
    assert _told(policy)[:2] == ["it lost this policy", "it got this policy"]


def test_a_boundary_that_is_exchanged_is_one_change() -> None:
    account = factories.account()
    maya = factories.user(account)
    narrow, wide = factories.policy(account, "Narrow"), factories.policy(account, "Wide")
    edge = seen_after(factories.edge(EdgeKind.BOUNDARY, maya, narrow, since=LATER))
    becomes(edge, at=LATER + DAY, target=wide)
    assert _told(maya)[:2] == [
        "Permissions boundary changed Boundary: Narrow > Wide",
        "Permissions boundary set: Narrow",
    ]
    ends(Edge.objects.get(target=wide), at=LATER + 2 * DAY)
    assert _told(maya)[0] == "Permissions boundary removed: Wide"


def test_a_role_moves_into_an_instance_profile() -> None:
    account = factories.account()
    role, profile = factories.role(account, "app"), factories.entity(account, Kind.INSTANCE_PROFILE, "node")
    seen_after(factories.edge(EdgeKind.PROFILE_ROLE, profile, role, since=LATER))
    assert _told(profile)[0] == "Role added: app"
    assert _told(role)[0] == "node holds it"


def test_inline_policies_are_added_changed_and_removed() -> None:
    maya = factories.user(factories.account())
    first = seen_after(factories.inline(maya, "debug", since=LATER))
    second = becomes(first, at=LATER + DAY, document=factories.document(OTHER))
    ends(second, at=LATER + 2 * DAY)
    assert _told(maya)[:3] == [
        "Inline policy debug removed",
        "Inline policy debug changed",
        "Inline policy debug added",
    ]
    both = two_documents(maya, token=timeline(maya).events[1].documents)
    assert both is not None
    assert both.title == "Inline policy debug"


def test_a_new_default_version_offers_the_old_one_beside_it() -> None:
    account = factories.account()
    policy = factories.policy(account)
    v1 = becomes(PolicyVersion.objects.get(policy=policy), at=LATER, is_default=False)
    v2 = PolicyVersion.objects.create(
        account=account,
        policy=policy,
        version_id="v2",
        document=factories.document(OTHER),
        is_default=True,
        valid_from=LATER,
        after=LATER - BETWEEN_READINGS,
        observed_at=LATER,
    )
    assert _told(policy)[0] == "Version v2 created and set as default"
    both = two_documents(policy, token=timeline(policy).events[0].documents)
    assert both is not None
    assert (both.old_name, both.new_name) == ("v1", "v2")
    becomes(v2, at=LATER + DAY, is_default=False)
    back = becomes(v1, at=LATER + DAY, is_default=True)
    assert "Version v1 set as default" in _told(policy)
    ends(back, at=LATER + 2 * DAY)
    assert _told(policy)[0] == "Version v1 deleted"


def test_tags_say_each_value_before_and_after() -> None:
    maya = factories.user(factories.account())
    tags = TagSet.objects.create(
        account=maya.account,
        entity=maya,
        tags={"team": "pay", "env": "dev"},
        valid_from=LATER,
        after=LATER - BETWEEN_READINGS,
        observed_at=LATER,
    )
    becomes(tags, at=LATER + DAY, tags={"team": "pay", "env": "prod", "cost": "4410"})
    assert _told(maya)[:2] == [
        "Tags changed cost: none > 4410; env: dev > prod",
        "Tags changed env: none > dev; team: none > pay",
    ]


def test_mfa_that_goes_off_is_a_loss_and_on_a_gain() -> None:
    maya = factories.user(factories.account(), credentials={"mfa": "virtual"})
    off = becomes(UserCredentials.objects.get(user=maya), at=LATER, mfa="none")
    becomes(off, at=LATER + DAY, mfa="security-key")
    events = timeline(maya).events
    assert [(event.lead, event.sign) for event in events[:2]] == [
        ("MFA on", BEGAN),
        ("MFA turned off", ENDED),
    ]
    assert events[1].changes == [("MFA", "authenticator app", "none")]


def test_passwords_are_set_changed_and_removed() -> None:
    maya = factories.user(factories.account(), credentials={"has_password": False})
    row = becomes(
        UserCredentials.objects.get(user=maya), at=LATER, has_password=True, password_changed_at=LATER
    )
    row = becomes(row, at=LATER + DAY, password_changed_at=LATER + DAY)
    becomes(row, at=LATER + 2 * DAY, has_password=False)
    assert _told(maya)[:3] == [
        "Console password removed",
        "Console password changed",
        "Console password set",
    ]


def test_what_was_not_read_before_is_no_change_of_credentials() -> None:
    maya = factories.user(factories.account(), credentials={"has_password": None, "mfa": "unread"})
    becomes(UserCredentials.objects.get(user=maya), at=LATER, has_password=True, mfa="none")
    assert _told(maya) == ["First synced by Gatehouse"]


def test_keys_are_counted_only_while_they_are_not_known_themselves() -> None:
    maya = factories.user(factories.account(), credentials={"active_keys": 0})
    becomes(UserCredentials.objects.get(user=maya), at=LATER, active_keys=1)
    assert _told(maya)[0] == "Access keys changed Active access keys: 0 > 1"
    _owned(maya, Kind.ACCESS_KEY, "AKIA1", category="Active")
    assert _told(maya) == ["First synced by Gatehouse"]


def test_a_key_is_added_turned_off_and_deleted() -> None:
    maya = factories.user(factories.account())
    key = _owned(maya, Kind.ACCESS_KEY, "AKIA1", category="Active", since=LATER)
    off = becomes(seen_after(key.states.get()), at=LATER + DAY, category="Inactive")
    ends(off, at=LATER + 2 * DAY)
    assert _told(maya)[:3] == [
        "Access key AKIA1 deleted",
        "Access key AKIA1 State: Active > Inactive",
        "Access key AKIA1 added",
    ]
    assert timeline(maya).events[1].sign == BECAME


@pytest.mark.parametrize(
    ("kind", "noun"),
    [
        (Kind.MFA_DEVICE, "MFA device"),
        (Kind.SSH_KEY, "SSH key"),
        (Kind.SIGNING_CERTIFICATE, "Signing certificate"),
        (Kind.SERVICE_CREDENTIAL, "Service-specific credential"),
    ],
)
def test_other_credentials_are_told_by_their_names(kind: Kind, noun: str) -> None:
    maya = factories.user(factories.account())
    seen_after(_owned(maya, kind, "it", category="Active", since=LATER).states.get())
    assert _told(maya)[0] == f"{noun} it added"


def test_a_provider_says_what_of_it_changed() -> None:
    provider = factories.entity(
        factories.account(),
        Kind.OIDC_PROVIDER,
        "gitlab.com",
        attrs={"ClientIDList": ["a"], "ThumbprintList": []},
    )
    becomes(provider.states.get(), at=LATER, attrs={"ClientIDList": ["a", "b"], "ThumbprintList": []})
    assert _told(provider)[0] == "Settings changed Audiences: a > a, b"


def test_a_change_of_ours_is_named_as_the_cause_of_a_beginning_and_of_an_end() -> None:
    account = factories.account()
    maya = factories.user(account)
    joined, left = uuid.uuid4(), uuid.uuid4()
    edge = seen_after(factories.edge(EdgeKind.MEMBER, maya, factories.group(account), since=LATER))
    edge.cause_kind, edge.cause_id = "change", joined
    edge.end_cause_kind, edge.end_cause_id = "change", left
    ends(edge, at=LATER + DAY)
    events = timeline(maya).events
    assert [event.cause_id for event in events] == [left, joined, None]


def test_pages_go_from_the_newest_moment_to_the_first() -> None:
    account = factories.account()
    maya = factories.user(account)
    for number in range(5):
        group = factories.group(account, f"group-{number}")
        seen_after(factories.edge(EdgeKind.MEMBER, maya, group, since=LATER + number * DAY))
    sentences, until = [], None
    for _ in range(3):
        page = timeline(maya, until=until, size=2)
        sentences += [_sentence(event) for event in page.events]
        until = page.older
    assert sentences == [
        *(f"Joined group-{number}" for number in (4, 3, 2, 1, 0)),
        "First synced by Gatehouse",
    ]
    assert until is None


def test_as_many_queries_for_one_row_as_for_fifty(django_assert_num_queries: Any) -> None:
    account = factories.account()
    deployers = factories.group(account)
    for number in range(51):
        user = factories.user(account, f"user-{number}")
        seen_after(factories.edge(EdgeKind.MEMBER, user, deployers, since=LATER + (number == 50) * DAY))
        if number in {0, 50}:
            with django_assert_num_queries(9):
                timeline(deployers)


def test_documents_of_another_entity_are_not_shown() -> None:
    account = factories.account()
    maya, tomas = factories.user(account, "maya"), factories.user(account, "tomas")
    first = factories.inline(tomas, "secret")
    second = becomes(first, at=LATER, document=factories.document(OTHER))
    token = f"inline-{first.pk}-{second.pk}"
    assert two_documents(tomas, token=token) is not None
    assert two_documents(maya, token=token) is None


@pytest.mark.parametrize(
    "token", ["", "inline", "inline-1", "inline-x-y", "tags-1-2", f"inline-{'9' * 30}-1", "state-1-2"]
)
def test_a_token_that_makes_no_sense_shows_nothing(token: str) -> None:
    assert two_documents(factories.user(factories.account()), token=token) is None


def test_the_difference_leaves_out_what_came_and_went_in_between() -> None:
    account = factories.account()
    maya = factories.user(account)
    stays, passes, back = (factories.group(account, name) for name in ("stays", "passes", "back"))
    seen_after(factories.edge(EdgeKind.MEMBER, maya, stays, since=LATER))
    ends(seen_after(factories.edge(EdgeKind.MEMBER, maya, passes, since=LATER)), at=LATER + DAY)
    again = factories.edge(EdgeKind.MEMBER, maya, back)
    ends(again, at=LATER)
    seen_after(factories.edge(EdgeKind.MEMBER, maya, back, since=LATER + DAY))
    first = factories.inline(maya, "debug")
    other = becomes(first, at=LATER, document=factories.document(OTHER))
    becomes(other, at=LATER + DAY, document=first.document)
    timeline = difference(maya, left=FIRST_READ + DAY, right=LATER + 2 * DAY)
    assert [_sentence(event) for event in timeline.events] == ["Joined stays"]


def test_the_difference_of_a_policy_shows_its_two_default_documents() -> None:
    account = factories.account()
    policy = factories.policy(account)
    becomes(PolicyVersion.objects.get(policy=policy), at=LATER, is_default=False)
    PolicyVersion.objects.create(
        account=account,
        policy=policy,
        version_id="v2",
        document=factories.document(OTHER),
        is_default=True,
        valid_from=LATER + DAY,
        after=LATER,
        observed_at=LATER + DAY,
    )
    event = difference(policy, left=FIRST_READ + DAY, right=None).events[0]
    assert event.lead == "Version v2 created and set as default"
    assert two_documents(policy, token=event.documents) is not None
