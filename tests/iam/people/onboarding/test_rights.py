"""Who may do what with a run and an invitation, and what is given at most: each guard alone. As rows; no AWS
is needed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations import PutInlinePolicy
from iam.changes.operations.login_profile import PURPOSE, CreateLoginProfile
from iam.directory.models import Person, Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account
from iam.people.blueprints.body import FilledTemplate
from iam.people.blueprints.models import Blueprint, BlueprintVersion
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link
from iam.people.onboarding import invitation, row_checks, services
from iam.people.onboarding.creation_plan import CreationSite, part_of, policies
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun, ProvisionedUser
from iam.people.onboarding.pasted_rows import NewcomerRow
from iam.people.onboarding.queries import visible_runs
from iam.people.onboarding.requester_scope import of_run, with_newcomers
from iam.people.runs.models import RunState
from iam.sealed.services import seal
from tests import factories
from tests.console import onboarding

pytestmark = pytest.mark.django_db
ROW = NewcomerRow(line=2, name="Ada Adler", email="ada@example.com")


@pytest.fixture
def account() -> Account:
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")


@pytest.fixture
def version(account: Account) -> BlueprintVersion:
    team = Team.objects.create(slug="payments", name="Payments")
    return onboarding.blueprint(account, team, password=True, key=True)


@pytest.fixture
def run(version: BlueprintVersion, account: Account) -> OnboardingRun:
    """Made; nobody was invited yet."""
    asked = onboarding.asked(version, factories.person("Elif Kaya"), account, count=2)
    for person in asked.people.all():
        OnboardedPerson.objects.filter(pk=person.pk).update(person_id=uuid4())
    return asked


def lead_of(team: Team, name: str = "Lena Berg") -> Viewer:
    person = factories.person(name)
    factories.assign(person, Role.TEAM_LEAD, team=team)
    return viewer_for(person)


@pytest.fixture
def strangers() -> list[Viewer]:
    """Who leads another team, and who only looks."""
    other = Team.objects.create(slug="data", name="Data")
    return [lead_of(other, "Sam Stone"), factories.viewer(Role.AUDITOR, name="Otto Audit")]


def test_another_team_and_whoever_looks_neither_begin_nor_invite_nor_try_again(
    run: OnboardingRun, version: BlueprintVersion, strangers: list[Viewer]
) -> None:
    newcomer = run.people.all()[0]
    for viewer in strangers:
        with pytest.raises(RefusedError, match="your own teams"):
            row_checks.stage(viewer, version=version, rows=[ROW])
        with pytest.raises(RefusedError, match="in your teams"):
            invitation.invite(newcomer, actor=viewer)
        with pytest.raises(RefusedError, match="can’t retry it"):
            services.retry_failed(viewer, run=run)
    assert (OnboardingRun.objects.count(), OneTimeLink.objects.count()) == (1, 0)


def test_a_draft_is_seen_and_gone_on_with_by_its_author_alone(
    version: BlueprintVersion, strangers: list[Viewer]
) -> None:
    author, other = lead_of(version.blueprint.team), lead_of(version.blueprint.team, "Lina Lund")
    draft = row_checks.stage(author, version=version, rows=[ROW])
    assert list(visible_runs(author)) == [draft]
    for viewer in (other, *strangers, factories.viewer(Role.ADMINISTRATOR)):
        assert list(visible_runs(viewer)) == []
    for viewer in (other, factories.viewer(Role.APPROVER, name="Hana Sato")):
        with pytest.raises(RefusedError, match="Only the person who started"):
            services.request_run(viewer, run=draft, reason="They begin")
        with pytest.raises(RefusedError, match="Only the person who started"):
            row_checks.stage(viewer, version=version, rows=[], run=draft)
    OnboardingRun.objects.update(state=RunState.DONE)
    assert list(visible_runs(other)) == [draft]
    assert list(visible_runs(strangers[0])) == []
    with pytest.raises(RefusedError, match="already requested"):
        row_checks.stage(author, version=version, rows=[], run=draft)


def test_who_lost_the_team_asks_for_no_draft_of_before(version: BlueprintVersion) -> None:
    author = lead_of(version.blueprint.team)
    draft = row_checks.stage(author, version=version, rows=[ROW])
    person = Person.objects.get(pk=author.person_id)
    person.assignments.all().delete()
    with pytest.raises(RefusedError, match="your own teams"):
        services.request_run(viewer_for(person), run=draft, reason="They begin")


def test_a_blueprint_that_is_used_no_more_makes_nobody(version: BlueprintVersion) -> None:
    Blueprint.objects.update(retired_at=datetime.now(tz=UTC))
    version.blueprint.refresh_from_db()
    with pytest.raises(RefusedError, match="is retired"):
        row_checks.stage(lead_of(version.blueprint.team), version=version, rows=[ROW])


def test_what_was_never_approved_is_not_tried_again(run: OnboardingRun, version: BlueprintVersion) -> None:
    lead = lead_of(version.blueprint.team)
    Change.objects.update(state=ChangeState.CANCELLED, queued_at=None)
    with pytest.raises(RefusedError, match="No approved change has failed"):
        services.retry_failed(lead, run=run)


def test_an_access_key_of_which_nobody_knows_whether_it_was_made_is_not_made_again(
    run: OnboardingRun, version: BlueprintVersion
) -> None:
    Change.objects.filter(operation="login_profile.create").update(
        operation="access_key.create", state=ChangeState.UNKNOWN
    )
    with pytest.raises(RefusedError, match="No approved change has failed"):
        services.retry_failed(lead_of(version.blueprint.team), run=run)


def known(newcomer: OnboardedPerson) -> Person:
    newcomer.refresh_from_db()
    made, _ = Person.objects.get_or_create(
        pk=newcomer.person_id, defaults={"name": newcomer.name, "email": newcomer.email}
    )
    return made


def test_an_invitation_goes_out_once_when_all_of_the_users_are_settled(
    run: OnboardingRun, account: Account
) -> None:
    newcomer, now = run.people.all()[0], datetime.now(tz=UTC)
    person = known(newcomer)
    with pytest.raises(RefusedError, match="has no IAM user yet"):
        invitation.invite(newcomer, actor=None)
    first = newcomer.places.get()
    elsewhere = factories.account("222222222222", name="data")
    second = ProvisionedUser.objects.create(
        newcomer=newcomer, account=elsewhere, user_arn="x", change_set=first.change_set, lane=7
    )
    ProvisionedUser.objects.filter(pk=first.pk).update(settled_at=now, joined_at=now)
    assert invitation.invite_when_made(newcomer) is None
    ProvisionedUser.objects.filter(pk=second.pk).update(settled_at=now)
    sent = invitation.invite_when_made(newcomer)
    assert sent is not None
    assert (sent.person, invitation.invite_when_made(newcomer)) == (person, None)


def test_the_link_of_one_run_takes_nothing_that_another_has_given_the_same_person(
    run: OnboardingRun, version: BlueprintVersion, account: Account
) -> None:
    newcomer = run.people.all()[0]
    person = known(newcomer)
    later = onboarding.asked(version, Person.objects.get(name="Elif Kaya"), account).people.get()
    OnboardedPerson.objects.filter(pk=later.pk).update(person_id=person.pk)
    text = {who.pk: f"quiet-Harbor-{who.pk}-lantern" for who in (newcomer, later)}
    for who in (newcomer, later):
        sealed = seal(text[who.pk], for_person=person.pk, purpose=PURPOSE, ttl=timedelta(hours=1))
        who.places.update(password_seal=sealed, joined_at=datetime.now(tz=UTC))

    def link_of(cause: UUID) -> OneTimeLink:
        arn = newcomer.places.get().user_arn
        return make_link(LinkPurpose.INVITATION, person=person, user_arn=arn, actor=None, cause_id=cause)

    link = link_of(invitation.cause_of(newcomer))
    assert invitation.newcomer_of(link) == newcomer
    for wrong, place in ((link, later.places.get()), (link_of(uuid4()), newcomer.places.get())):
        with pytest.raises(RefusedError, match="no invitation here"):
            invitation.show_secret(wrong, place, session="cookie")
    own = newcomer.places.get()
    assert invitation.show_secret(link, own, session="cookie") == text[newcomer.pk]
    with pytest.raises(RefusedError):
        invitation.show_secret(link, own, session="another browser")


def test_a_lead_makes_users_only_where_their_own_group_is_given_and_none_who_are_there(
    run: OnboardingRun, version: BlueprintVersion, account: Account
) -> None:
    factories.group(account, "payments-dev")
    TeamRule.objects.create(
        team=version.blueprint.team, kind=RuleKind.GROUP, value="payments-dev", account_id=account.account_id
    )
    factories.account("222222222222", name="data")
    lead = lead_of(version.blueprint.team)
    body = replace(version.body, accounts=(account.account_id, "222222222222"))
    arns = with_newcomers(lead, ["ada"], body=body).asks.user_arns
    assert arns - lead.asks.user_arns == {"arn:aws:iam::111111111111:user/payments/ada"}
    first, second = run.people.all()
    there = factories.user(account, second.user_name)
    OnboardedPerson.objects.filter(pk=second.pk).update(users=[there.pk])
    reached = of_run(run.pk, lead).asks.user_arns - lead.asks.user_arns
    assert reached == {f"arn:aws:iam::111111111111:user/payments/{first.user_name}"}


def test_what_is_given_ends_with_the_last_day_and_the_password_is_changed_at_the_first_sign_in(
    version: BlueprintVersion, account: Account
) -> None:
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    )
    site = CreationSite(account, version.body, documents=[(FilledTemplate("reader", 1, {}), "Reader", text)])
    newcomer = OnboardedPerson(
        name="Ada", email="ada@example.com", user_name="ada", position=0, person_id=uuid4()
    )
    newcomer.until = date(2026, 12, 31)
    ((put, _),) = policies(site, newcomer, "arn:aws:iam::111111111111:user/ada", key="k")
    assert isinstance(put, PutInlinePolicy)
    assert "2027-01-01T00:00:00Z" in put.text
    operations = [step.operation for step in part_of(site, newcomer, key="k").steps]
    assert [
        password.inputs.must_change for password in operations if isinstance(password, CreateLoginProfile)
    ] == ["yes"]
