"""Nobody decides about their own access by any route: each route by its service, and by the addresses of its
pages.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from console.operators.models import Operator
from iam.activity.models import RoleUser, TrailCaller, TrailEvent
from iam.activity.partitions import add_months
from iam.audit.reviews.campaigns import assign, open_campaign
from iam.audit.reviews.decisions import decide, may_decide
from iam.audit.reviews.models import ReviewCampaign, ReviewItem, ReviewTrial
from iam.audit.reviews.periodic import run_due
from iam.audit.reviews.trials import give_back
from iam.changes.errors import RefusedError
from iam.directory.models import Identity, NamedOwner, OwnedKind, Person, Role
from iam.guard import Viewer, viewer_for
from iam.linking.models import UserMatch
from iam.mirror.models import Entity
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
Route = Callable[[made.World, ReviewCampaign], tuple[Viewer, ReviewItem]]


def now() -> datetime:
    return datetime.now(tz=UTC)


def link(person_id: object, user: Entity) -> None:
    Identity.objects.create(person_id=person_id, user_arn=user.arn, aws_id=user.aws_id)


def give(row: ReviewItem, viewer: Viewer) -> ReviewItem:
    """The row as if it had been given to someone, past every check."""
    ReviewItem.objects.filter(pk=row.pk).update(reviewer_id=viewer.person_id, reviewer_name=viewer.name)
    return ReviewItem.objects.select_related("entity", "campaign", "account").get(pk=row.pk)


def assume(user: Entity, role: Entity, *, days: int = 1, error: str = "") -> None:
    """A user's call that assumed a role."""
    at = now() - timedelta(days=days)
    add_months([at])
    caller, _ = TrailCaller.objects.get_or_create(
        kind="user",
        account_id=user.account.account_id,
        unique_id=user.aws_id,
        arn=user.arn,
        digest=user.aws_id,
    )
    TrailEvent.objects.create(
        at=at,
        event_id=f"00000000-0000-0000-0000-{TrailEvent.objects.count():012d}",
        account_id=user.account.account_id,
        service="sts",
        action="AssumeRole",
        caller=caller,
        is_denied=bool(error),
        error_code=error,
        resource=role.arn,
        file_id=1,
    )


def as_reviewer(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    own = made.row(campaign, world.maya, "payments")
    return world.administrator, give(own, world.administrator)


def as_owner_of_the_review(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    return world.administrator, made.row(campaign, world.maya, "payments")


def as_a_lead_in_the_team(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    link(world.lead.person_id, world.tomas)
    return world.lead, made.row(campaign, world.tomas)


def by_a_second_user(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    link(world.administrator.person_id, world.tomas)
    return world.administrator, give(made.row(campaign, world.tomas), world.administrator)


def by_a_matching_method(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    said = [{"person": str(world.lead.person_id), "how": "name", "words": "name"}]
    UserMatch.objects.create(user=world.tomas, account=world.account, standing="ambiguous", said=said)
    return world.lead, made.row(campaign, world.tomas)


def by_a_matching_method_against_a_link(
    world: made.World, campaign: ReviewCampaign
) -> tuple[Viewer, ReviewItem]:
    """Someone else was linked by hand: who did that may have been the lead."""
    link(world.approver.person_id, world.tomas)
    return by_a_matching_method(world, campaign)


def after_the_link_was_removed(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    Identity.objects.filter(user_arn=world.maya.arn).delete()
    return world.administrator, made.row(campaign, world.maya, "payments")


def after_a_new_name(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    Person.objects.filter(pk=world.administrator.person_id).update(name="M. Okafor", email="mo@example.com")
    person = Person.objects.get(pk=world.administrator.person_id)
    return viewer_for(person), made.row(campaign, world.maya, "payments")


def as_who_uses_a_service_role(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    NamedOwner.objects.create(
        kind=OwnedKind.IDENTITY,
        subject=world.role.aws_id,
        name=world.role.arn,
        person_id=world.administrator.person_id,
        set_by="Hana",
    )
    assume(world.maya, world.role)
    return world.administrator, give(made.row(campaign, world.role), world.administrator)


def sso(world: made.World, campaign: ReviewCampaign, **columns: str) -> tuple[Viewer, ReviewItem]:
    """Maya, and the row of a role that events say was used by single sign-on."""
    RoleUser.objects.create(role_arn=world.role.arn, last_at=now(), **columns)
    return world.administrator, give(made.row(campaign, world.role), world.administrator)


def as_who_uses_a_permission_set(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    return sso(world, campaign, name="maya@example.com")


def as_a_user_of_identity_center(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    """The event has an ID alone; a sign-in told whose it is."""
    RoleUser.objects.create(role_arn="", name="maya@example.com", person="u-1", last_at=now())
    return sso(world, campaign, name="", person="u-1")


def by_saml_with_a_short_name(world: made.World, campaign: ReviewCampaign) -> tuple[Viewer, ReviewItem]:
    return sso(world, campaign, name="maya")


ROUTES: dict[str, Route] = {
    "as its reviewer": as_reviewer,
    "as owner of the review": as_owner_of_the_review,
    "as a lead who is in the team": as_a_lead_in_the_team,
    "by a second user": by_a_second_user,
    "by a matching method": by_a_matching_method,
    "by a matching method against a link": by_a_matching_method_against_a_link,
    "after the link was removed": after_the_link_was_removed,
    "after a new name": after_a_new_name,
    "as who uses a service role": as_who_uses_a_service_role,
    "as who uses a permission set": as_who_uses_a_permission_set,
    "as a user of Identity Center": as_a_user_of_identity_center,
    "by SAML with a short name": by_saml_with_a_short_name,
}


@pytest.fixture(params=ROUTES.values(), ids=ROUTES)
def route(request: pytest.FixtureRequest) -> Route:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("decision", ["keep", "revoke", "reduce"])
def test_no_decision_about_oneself(route: Route, decision: str) -> None:
    world = made.world()
    campaign = made.opened(world)
    actor, row = route(world, campaign)
    other = made.row(campaign, world.machine)
    give(other, actor)
    versions = {row.pk: 0, other.pk: 0}
    result = decide(campaign, versions, decision, reason="x", actor=actor, now=now())
    # Among others, those are decided all the same.
    assert [each.pk for each in result.decided] == [other.pk]
    assert ["your own access" in words for words in result.refused] == [True]
    assert not may_decide(actor, row)
    row.refresh_from_db()
    assert (row.decision, row.version) == ("", 0)


def test_no_undo_of_what_somebody_else_decided(route: Route) -> None:
    world = made.world()
    campaign = made.opened(world)
    actor, row = route(world, campaign)
    ReviewItem.objects.filter(pk=row.pk).update(decision="revoke", decided_name="Jonas", version=1)
    result = decide(campaign, {row.pk: 1}, "", reason="", actor=actor, now=now())
    assert (result.decided, len(result.refused)) == ([], 1)


def test_no_way_back_of_what_is_on_trial(route: Route) -> None:
    world = made.world()
    actor, row = route(world, made.opened(world))
    ReviewTrial.objects.create(row=row, began_at=now(), until=now() + timedelta(days=1))
    with pytest.raises(RefusedError, match="your own access"):
        give_back(row, actor=actor)


def test_nobody_gets_their_own_by_delegation_and_nobody_chooses_who_reviews_them(route: Route) -> None:
    world = made.world()
    campaign = made.opened(world)
    actor, row = route(world, campaign)
    rows = ReviewItem.objects.filter(pk=row.pk)
    before = rows.get().reviewer_id
    colleague = viewer_for(made.person("Nora", Role.ADMINISTRATOR))
    with pytest.raises(RefusedError, match="can’t review their own access"):
        assign(campaign, rows, to=actor.person_id, actor=colleague, reason="x")
    # A lead gives away only what they review; who manages the review, anything but their own.
    rows.update(reviewer_id=actor.person_id)
    with pytest.raises(RefusedError, match="You can’t choose who reviews your own access"):
        assign(campaign, rows, to=world.approver.person_id, actor=actor, reason="x")
    rows.update(reviewer_id=before)
    assert assign(campaign, rows, to=colleague.person_id, actor=colleague, reason="x") == (1, 0)


def test_escalation_leaves_their_own_to_somebody_else(route: Route) -> None:
    world = made.world()
    campaign = made.opened(world, overdue="escalate")
    actor, row = route(world, campaign)
    ReviewCampaign.objects.filter(pk=campaign.pk).update(
        second_reviewer_id=actor.person_id, due_at=now() - timedelta(hours=1)
    )
    ReviewItem.objects.filter(pk=row.pk).update(reviewer_id=world.approver.person_id)
    run_due(now=now())
    assert ReviewItem.objects.get(pk=row.pk).reviewer_id != actor.person_id


@pytest.mark.parametrize("reviewers", ["lead", "owner", "named"])
def test_a_new_review_gives_nobody_their_own(route: Route, reviewers: str) -> None:
    """What was known before it opened."""
    world = made.world()
    actor, row = route(world, made.opened(world))
    draft = made.drafted(world, reviewers=reviewers)
    ReviewCampaign.objects.filter(pk=draft.pk).update(reviewer_id=actor.person_id)
    campaign = open_campaign(draft, actor=world.administrator, by_worker=False)
    own = campaign.rows.get(entity=row.entity_id, sort=row.sort, target=row.target)
    is_known = Identity.objects.filter(user_arn=row.entity.arn, person_id=actor.person_id).exists()
    is_known |= UserMatch.objects.filter(user=row.entity_id).exists() or TrailEvent.objects.exists()
    is_known |= RoleUser.objects.exists()
    assert not is_known or own.reviewer_id != actor.person_id


def signed_in(viewer: Viewer) -> Client:
    client = Client()
    person = Person.objects.get(pk=viewer.person_id)
    client.force_login(Operator.objects.create_user(username=f"o{person.pk.hex[:8]}", person=person))
    return client


def test_no_address_decides_about_oneself(route: Route) -> None:
    world = made.world()
    campaign = made.opened(world)
    actor, row = route(world, campaign)
    client, base = signed_in(actor), f"/reviews/{campaign.pk}/"
    data = {"version": "0", "decision": "keep", "reason": "x"}
    bulk = {"row": f"{row.pk}:0", "decision": "keep", "reason": "x"}
    to_self = {"to": str(actor.person_id), "reason": "x"}
    for path, form, headers in (
        (f"{base}rows/{row.pk}/decide/", data, {}),
        (f"{base}rows/{row.pk}/decide/", data, {"HTTP_HX_REQUEST": "true"}),
        (f"{base}rows/{row.pk}/decide/", data | {"from": "row"}, {}),
        (f"{base}decide/?tab=all", bulk, {}),
        (f"{base}assign/?tab=all&q={row.subject}", to_self, {}),
    ):
        response = client.post(path, form, **headers)
        assert response.status_code in (302, 404, 422), path
    row.refresh_from_db()
    assert (row.decision, row.version) == ("", 0)
    # Neither page offers it.
    for path in (f"{base}?tab=all", f"{base}rows/{row.pk}/"):
        page = client.get(path).content.decode()
        assert f"rows/{row.pk}/decide/" not in page, path
        assert f'value="{row.pk}:0"' not in page, path


def test_a_role_is_somebodys_own_only_by_its_use() -> None:
    world = made.world()
    campaign = made.opened(world)
    row = give(made.row(campaign, world.role), world.administrator)
    assume(world.tomas, world.role)
    assume(world.maya, world.role, days=120)
    assume(world.maya, world.role, days=2, error="AccessDenied")
    assert may_decide(world.administrator, row)
    assume(world.maya, world.role, days=80)
    assert not may_decide(world.administrator, row)


def test_a_session_of_someone_else_or_of_long_ago_is_nobodys_own() -> None:
    world = made.world()
    campaign = made.opened(world)
    row = give(made.row(campaign, world.role), world.administrator)
    long_ago = now() - timedelta(days=91)
    for name, person, at in (
        ("tomas@example.com", "u-2", now()),
        ("maya@example.com", "", long_ago),
        ("", "u-3", now()),
    ):
        RoleUser.objects.create(role_arn=world.role.arn, name=name, person=person, last_at=at)
    RoleUser.objects.create(role_arn=f"{world.role.arn}-2", name="maya@example.com", last_at=now())
    assert may_decide(world.administrator, row)


def test_who_lost_their_role_decides_nothing() -> None:
    world = made.world()
    campaign = made.opened(world)
    row = give(made.row(campaign, world.machine), world.administrator)
    person = Person.objects.get(pk=world.administrator.person_id)
    person.assignments.all().delete()
    person.assignments.create(role=Role.MEMBER)
    with pytest.raises(RefusedError, match="Only administrators"):
        decide(campaign, {row.pk: 0}, "keep", reason="x", actor=viewer_for(person), now=now())
