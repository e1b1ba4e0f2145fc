"""Many people at once, what fails for one of them, and what each kind of person may ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.changes.lists import rows_of
from iam.access.grants import services
from iam.access.grants.models import Grant, GrantState
from iam.access.grants.own_grants import own_grants
from iam.access.grants.queries import grant_for, list_grants, parts_of
from iam.access.grants.services.notifications import warn_of_ends
from iam.access.grants.services.reconcile import settle_open
from iam.access.grants.services.rights import ONLY_AGAIN, may_ask_again
from iam.access.grants.terms import GrantContent, GrantTerms, TermsError, WhatKind, WhoKind, WhoTerms
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.directory.models import Role, RuleKind, Team
from iam.directory.services import follow_rename
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh import reread_entity
from iam.notify.models import OutgoingMessage
from tests import factories
from tests.iam.access.grants.conftest import Office, statements

pytestmark = pytest.mark.on_postgresql


def test_twenty_people_get_it_at_once_beside_each_other(office: Office) -> None:
    people = [office.user(f"new-{place}") for place in range(20)]
    grant = office.granted(office.terms(statements(), *people, lasts=3600))
    assert grant.state == GrantState.ACTIVE
    assert all(len(office.holds(entity)[1]) == 1 for entity in people)
    assert {change.branch for change in office.changes(grant)} == set(range(21))


def test_what_fails_for_one_is_given_to_the_others_and_tried_again(office: Office) -> None:
    first, second, third = (office.user(name) for name in ("a", "b", "c"))
    what = GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)
    grant = office.approve(office.ask(office.terms(what, first, second, third)))
    _rename(office, second, to=f"gone-{office.suffix}")
    grant = office.work(grant)
    assert grant.state == GrantState.PARTLY
    group = office.scene.group.name
    assert group in office.holds(first)[0]
    assert group in office.holds(third)[0]
    _rename_back(office, second, from_name=f"gone-{office.suffix}")
    with pytest.raises(RefusedError):
        services.retry_part(grant.parts.get(), actor=factories.viewer(Role.AUDITOR, name="Amara"))
    approved = office.changes(grant)
    _approved_days_ago(approved, 2)
    with pytest.raises(RefusedError, match="Submit a new request"):
        services.retry_part(grant.parts.get(), actor=office.asks)
    with pytest.raises(RefusedError, match="Nothing of it can be retried"):
        services.retry_failed(grant, actor=office.asks)
    _approved_days_ago(approved, 0)
    grant = office.work(services.retry_part(grant.parts.get(), actor=office.asks))
    assert grant.state == GrantState.ACTIVE
    assert group in office.holds(second)[0]
    office.ended(grant)
    assert all(group not in office.holds(entity)[0] for entity in (first, second, third))


def _approved_days_ago(approved: list[Change], days: int) -> None:
    """As if it had failed and been left alone since."""
    moment = datetime.now(tz=UTC) - timedelta(days=days)
    Change.objects.filter(pk__in=[change.pk for change in approved]).update(queued_at=moment)


def _rename(office: Office, user: Entity, *, to: str) -> None:
    """In AWS alone, so that nobody has the name that was approved."""
    office.call("UpdateUser", UserName=user.name, NewUserName=to)


def _rename_back(office: Office, user: Entity, *, from_name: str) -> None:
    office.call("UpdateUser", UserName=from_name, NewUserName=user.name)


def _member(office: Office) -> Viewer:
    someone = factories.person("Tomas Lind", arns=(office.scene.user.arn,))
    factories.assign(someone, Role.MEMBER)
    return viewer_for(someone)


def test_a_member_asks_for_themselves_and_for_nobody_else(office: Office) -> None:
    member, other = _member(office), office.user("other")
    grant = office.work(office.approve(office.ask(office.terms(statements(), lasts=3600), actor=member)))
    assert grant.state == GrantState.ACTIVE
    assert grant.parts.get().way == "inline"
    assert len(office.holds()[2]) == 1
    for terms in (office.terms(statements(), other), office.terms(statements(), office.scene.user, other)):
        with pytest.raises(RefusedError, match="only request access for yourself"):
            office.ask(terms, actor=member)
    assert office.ended(grant, actor=member).state == GrantState.ENDED


def test_a_member_opens_no_role_and_nobody_reads_who_else_is_there(office: Office) -> None:
    member = _member(office)
    partner = WhoTerms(WhoKind.PARTNER, account_id="339011276654", external_id="gh-1", label="Brightwater")
    with pytest.raises(RefusedError):
        office.ask(
            GrantTerms(who=partner, what=statements(), accounts=(office.number,), why="x"), actor=member
        )


def _lead(office: Office, *people: Entity) -> tuple[Viewer, Team]:
    team = Team.objects.create(slug=f"t{office.suffix}", name="Payments")
    group = office.group("payments")
    for entity in people:
        office.call("AddUserToGroup", UserName=entity.name, GroupName=group.name)
        office.read(entity)
    team.rules.create(kind=RuleKind.GROUP, value=group.name)
    someone = factories.person("Elif Kaya")
    factories.assign(someone, Role.TEAM_LEAD, team=team)
    return viewer_for(someone), team


def test_a_team_lead_asks_for_own_people_as_a_team_and_for_no_others(office: Office) -> None:
    mine, other = office.user("mine"), office.user("other")
    lead, team = _lead(office, mine)
    who = WhoTerms(WhoKind.TEAM, team=team.slug)
    terms = GrantTerms(who=who, what=statements(), accounts=(office.number,), why="The release", lasts=3600)
    grant = office.work(office.approve(office.ask(terms, actor=lead)))
    assert grant.state == GrantState.ACTIVE
    assert len(office.holds(mine)[2]) == 1
    with pytest.raises(RefusedError, match="in your teams"):
        office.ask(office.terms(statements(), other), actor=lead)


def test_each_sees_the_grants_of_their_own_people(office: Office) -> None:
    mine, other = office.user("mine"), office.user("other")
    lead, _ = _lead(office, mine)
    grant = office.ask(office.terms(statements(), mine, other))
    stranger = office.ask(office.terms(statements(), other))
    assert grant_for(lead, pk=grant.pk) == grant
    assert grant_for(lead, pk=stranger.pk) is None
    assert [row.pk for row in list_grants(lead).rows] == [grant.pk]
    assert len(parts_of(grant, viewer=lead)) == 1
    auditor = factories.viewer(Role.AUDITOR, name="Amara")
    assert {row.pk for row in list_grants(auditor).rows} == {grant.pk, stranger.pk}


def test_the_same_form_gives_the_same_grant_and_another_content_is_refused(office: Office) -> None:
    terms = office.terms(statements())
    first, again = office.ask(terms, key="form"), office.ask(terms, key="form")
    assert first.pk == again.pk
    assert Grant.objects.count() == 1
    with pytest.raises(RefusedError, match="already submitted"):
        office.ask(office.terms(statements(), lasts=3600), key="form")


def test_an_account_that_is_not_connected_is_named_and_nothing_is_written(office: Office) -> None:
    terms = GrantTerms(
        who=WhoTerms(WhoKind.USERS, arns=(office.scene.user.arn,)),
        what=statements(),
        accounts=(office.number, "999999999999"),
        why="x",
    )
    plan = services.plan_grant(terms, viewer=office.asks)
    assert [bool(part.refusal) for part in plan.parts] == [False, True]
    with pytest.raises((RefusedError, TermsError), match="999999999999"):
        office.ask(terms)
    assert not Grant.objects.exists()


def test_people_are_warned_once_before_the_end(office: Office) -> None:
    member = _member(office)
    grant = office.granted(office.terms(statements(), lasts=8 * 3600))
    assert grant.ends_at is not None
    assert warn_of_ends() == 0
    soon = grant.ends_at - timedelta(hours=1)
    assert warn_of_ends(now=soon) == 1
    assert warn_of_ends(now=soon) == 0
    outgoings = OutgoingMessage.objects.filter(event="grant.ending")
    assert str(member.person_id) in {row.recipient for row in outgoings}


def test_what_no_handler_told_of_is_found_by_the_sweep(office: Office) -> None:
    grant = office.approve(office.ask(office.terms(statements())))
    office.work(grant)
    Grant.objects.filter(pk=grant.pk).update(
        state=GrantState.APPLYING, created_at=datetime.now(tz=UTC) - timedelta(minutes=5)
    )
    grant.parts.update(state=GrantState.APPLYING)
    assert settle_open() == 1
    grant.refresh_from_db()
    assert grant.state == GrantState.ACTIVE


def test_what_is_approved_no_longer_says_that_it_waits_for_approval_though_no_worker_took_it(
    office: Office,
) -> None:
    grant = office.ask(office.terms(statements()))
    assert settle_open() == 0
    grant.refresh_from_db()
    assert grant.state == GrantState.WAITING
    office.approve(grant)
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.WAITING)
    grant.parts.update(state=GrantState.WAITING)
    assert settle_open() == 1
    assert settle_open() == 0
    grant.refresh_from_db()
    assert grant.state == GrantState.APPLYING
    assert set(grant.parts.values_list("state", flat=True)) == {GrantState.APPLYING}
    office.work(grant)
    grant.refresh_from_db()
    assert grant.state == GrantState.ACTIVE


def test_an_ended_grant_stays_to_be_read(office: Office) -> None:
    grant = office.ended(office.granted(office.terms(statements())))
    rows: list[Any] = list_grants(office.asks, tab="ended").rows
    assert [row.pk for row in rows] == [grant.pk]
    assert [row.pk for row in list_grants(office.asks, text=office.scene.user.name).rows] == [grant.pk]
    assert [row.pk for row in list_grants(office.asks, text=grant.reference).rows] == [grant.pk]


def test_a_lead_learns_nothing_of_groups_and_policies_outside_the_team(office: Office) -> None:
    mine = office.user("mine")
    lead, _ = _lead(office, mine)
    hidden, missing = office.group("admins"), f"arn:aws:iam::{office.number}:group/nothing"
    policy = office.policy("secret")
    params = [
        (GrantContent(WhatKind.GROUP, group_arn=hidden.arn), "The account has no group"),
        (GrantContent(WhatKind.GROUP, group_arn=missing), "The account has no group"),
        (GrantContent(WhatKind.MANAGED, policy_arn=policy.arn), "The account has no policy"),
    ]
    for what, sentence in params:
        (part,) = services.plan_grant(office.terms(what, mine), viewer=lead).parts
        assert part.refusal.startswith(sentence)
    other = office.user("other")
    for arns in ((other.arn,), (mine.arn, other.arn), (hidden.arn,)):
        kind = WhoKind.GROUP if arns == (hidden.arn,) else WhoKind.USERS
        terms = replace(office.terms(statements(), mine), who=WhoTerms(kind, arns=arns))
        with pytest.raises(RefusedError, match="in your teams"):
            office.ask(terms, actor=lead)


def test_whoever_was_renamed_ends_their_own_and_whoever_got_the_name_does_not(office: Office) -> None:
    user = office.user("dana")
    someone = factories.person("Dana Weiss", arns=(user.arn,))
    factories.assign(someone, Role.MEMBER)
    grant = office.granted(office.terms(statements(), user, lasts=3600))
    former = user.arn
    office.call("UpdateUser", UserName=user.name, NewUserName=f"{user.name}-new")
    new = {"name": f"{user.name}-new", "arn": f"{former}-new"}
    reread_entity(office.scene.account, office.scene.aws, kind=Kind.USER, cause_id=None, **new)
    follow_rename(former, new_arn=new["arn"])
    office.call("CreateUser", UserName=user.name)
    reread_entity(
        office.scene.account, office.scene.aws, kind=Kind.USER, cause_id=None, name=user.name, arn=former
    )
    stranger = factories.person("Dana Wood", email="wood@northline.example", arns=(former,))
    factories.assign(stranger, Role.MEMBER)
    renamed, namesake = viewer_for(someone), viewer_for(stranger)
    assert list(own_grants(renamed)) == list(list_grants(renamed, mine=True).rows) == [grant]
    assert list(own_grants(namesake)) == list(list_grants(namesake, mine=True).rows) == []
    with pytest.raises(RefusedError):
        services.end_grant(grant, actor=namesake, reason="Mine now")
    later = services.allowed(grant, viewer=renamed)
    assert (later.end, later.extend) == ("", ONLY_AGAIN)
    assert may_ask_again(grant, viewer=renamed)
    assert not may_ask_again(grant, viewer=namesake)
    services.end_grant(grant, actor=renamed, reason="Done")
    assert office.work(grant).state == GrantState.ENDED
    recipients = set(OutgoingMessage.objects.filter(event="grant.ended").values_list("recipient", flat=True))
    assert str(someone.pk) in recipients
    assert str(stranger.pk) not in recipients


def test_who_receives_a_grant_alone_reads_its_title_although_its_policy_is_not_theirs(office: Office) -> None:
    mine, other = office.user("egon"), office.user("finn")
    someone = factories.person("Egon Riis", arns=(mine.arn,))
    factories.assign(someone, Role.MEMBER)
    for receivers, title in (((mine,), True), ((mine, other), False)):
        grant = office.ask(office.terms(statements(), *receivers))
        changes = list(Change.objects.filter(change_set__cause_id=grant.pk).order_by("position"))
        assert changes[0].operation == "policy.create"
        viewer = viewer_for(someone)
        (row,) = rows_of([change for change in changes if change.subject_arn == mine.arn], viewer=viewer)
        assert (row["title"] == grant.title) is title
        assert bool(row["blocks"]) is title
        assert other.name not in str([row["title"], row["blocks"]])


def test_who_received_a_grant_alone_reads_that_it_ended(office: Office) -> None:
    mine = office.user("gerd")
    someone = factories.person("Gerd Holm", arns=(mine.arn,))
    factories.assign(someone, Role.MEMBER)
    grant = office.granted(office.terms(statements(), mine))
    services.end_grant(grant, actor=office.asks, reason="Done")
    ending = grant.parts.get().ending_set
    assert ending is not None
    taken = ending.changes.filter(subject_arn=mine.arn).select_related("account", "change_set")
    (row,) = rows_of(list(taken), viewer=viewer_for(someone))
    assert row["title"] == ending.title
    assert grant.reference in row["title"]


def test_the_end_of_whoever_was_renamed_moves_in_aws_too(office: Office) -> None:
    user = office.user("egon")
    someone = factories.person("Egon Riis", arns=(user.arn,))
    factories.assign(someone, Role.MEMBER)
    grant = office.work(
        office.approve(
            office.ask(office.terms(statements(), user, lasts=8 * 3600), actor=viewer_for(someone))
        )
    )
    assert grant.parts.get().way == "inline"
    assert grant.parts.get().plan["why"].startswith("Added directly to the IAM user. ")
    office.call("UpdateUser", UserName=user.name, NewUserName=f"{user.name}-new")
    new = {"name": f"{user.name}-new", "arn": f"{user.arn}-new"}
    reread_entity(office.scene.account, office.scene.aws, kind=Kind.USER, cause_id=None, **new)
    until = datetime.now(tz=UTC).replace(microsecond=0) + timedelta(hours=1)
    office.work(services.shorten_grant(grant, until=until, actor=office.asks, reason="Done sooner"))
    iam = office.scene.aws.iam
    (name,) = iam.list_user_policies(UserName=new["name"])["PolicyNames"]
    text = iam.get_user_policy(UserName=new["name"], PolicyName=name)["PolicyDocument"]
    assert f"{until:%Y-%m-%dT%H:%M:%SZ}" in str(text)
