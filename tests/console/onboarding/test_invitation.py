"""The page of an invitation: one browser, one person, a password for them alone, and no dead end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.operators.models import Operator
from iam.changes.operations.login_profile import PURPOSE
from iam.directory.models import Identity, Person, Role, Team
from iam.journal.models import Entry
from iam.mirror.models import Entity, UserCredentials
from iam.notify.models import OutgoingMessage
from iam.people.blueprints.models import BlueprintVersion
from iam.people.enrolment.models import Enrolment
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import SESSION, make_link
from iam.people.links.signed_ids import word_of
from iam.people.moving.models import Move
from iam.people.offboarding import models as offboarding
from iam.people.onboarding.invitation import cause_of, close_invitations
from iam.people.onboarding.models import ProvisionedUser
from iam.people.runs.models import RunState
from iam.sealed import services as sealed
from iam.sealed.models import Secret
from iam.sealed.services import seal
from tests import factories
from tests.console import onboarding

pytestmark = pytest.mark.django_db
PASSWORD = "quiet-Harbor-47-lantern"


def invited(place: ProvisionedUser, purpose: LinkPurpose = LinkPurpose.INVITATION) -> OneTimeLink:
    """The newcomer of a place is known, their password is sealed, and a link is made."""
    newcomer = place.newcomer
    person, _ = Person.objects.get_or_create(
        pk=newcomer.person_id, defaults={"name": newcomer.name, "email": newcomer.email}
    )
    if place.password_seal is None:
        place.password_seal = seal(
            PASSWORD, for_person=person.pk, purpose=PURPOSE, ttl=timedelta(hours=24), label="a password"
        )
        place.joined_at = datetime.now(tz=UTC)
        place.save()
    return make_link(purpose, person=person, user_arn=place.user_arn, actor=None, cause_id=cause_of(newcomer))


@pytest.fixture
def places(db: None) -> list[ProvisionedUser]:
    """Two newcomers of one run."""
    account = factories.account()
    version = onboarding.blueprint(account, Team.objects.create(slug="payments", name="Payments"))
    onboarding.asked(version, factories.person("Elif Kaya"), account, count=2)
    return list(ProvisionedUser.objects.select_related("newcomer").order_by("pk"))


def entered(link: OneTimeLink) -> Client:
    """A browser that has used the link."""
    client = Client()
    client.post(f"/link/{word_of(link.pk)}/")
    return client


def test_the_password_can_be_shown_again_in_the_same_browser_and_is_stored_nowhere(
    places: list[ProvisionedUser],
) -> None:
    browser = entered(invited(places[0]))
    page = browser.get("/invitation/")
    assert page.status_code == 200
    assert PASSWORD not in page.content.decode()
    assert "Show my first password" in page.content.decode()
    assert "no-store" in page["Cache-Control"]

    shown = browser.post("/invitation/", {"place": places[0].pk})
    assert PASSWORD in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    for _ in range(2):
        reloaded = browser.get("/invitation/").content.decode()
        assert PASSWORD not in reloaded
        assert "Show my first password again" in reloaded
        assert PASSWORD in browser.post("/invitation/", {"place": places[0].pk}).content.decode()
    assert PASSWORD not in str(list(Entry.objects.values()))


def test_the_password_is_destroyed_when_the_browser_is_out(places: list[ProvisionedUser]) -> None:
    link = invited(places[0])
    browser = entered(link)
    browser.post("/invitation/", {"place": places[0].pk})
    with time_machine.travel(datetime.now(tz=UTC) + SESSION + timedelta(seconds=1)):
        sealed.sweep()
        secret = Secret.objects.get(pk=places[0].password_seal)
        assert (secret.state, secret.ciphertext) == ("expired", "")
        page = browser.get("/invitation/").content.decode()
        assert "Request another invitation" in page
        assert "Your 30 minutes with this link are over" in page


def test_whoever_has_chosen_a_password_of_their_own_is_not_shown_the_first_one(
    places: list[ProvisionedUser],
) -> None:
    browser = entered(invited(places[0]))
    user = _user_of(places[0])
    UserCredentials.objects.filter(user=user).update(
        password_changed_at=datetime.now(tz=UTC) + timedelta(minutes=5)
    )
    assert "You already chose your own password" in browser.get("/invitation/").content.decode()
    refused = browser.post("/invitation/", {"place": places[0].pk})
    assert refused.status_code == 422
    assert PASSWORD not in refused.content.decode()
    assert Secret.objects.get(pk=places[0].password_seal).ciphertext == ""


def test_a_password_that_was_deleted_in_aws_is_not_shown(places: list[ProvisionedUser]) -> None:
    browser = entered(invited(places[0]))
    user = _user_of(places[0])
    after = datetime.now(tz=UTC) + timedelta(minutes=1)
    UserCredentials.objects.filter(user=user).update(has_password=False, valid_from=after)
    page = browser.get("/invitation/").content.decode()
    assert "This password was deleted in AWS" in page
    assert "Request another invitation" in page
    assert browser.post("/invitation/", {"place": places[0].pk}).status_code == 422
    assert Secret.objects.get(pk=places[0].password_seal).ciphertext == ""


@pytest.mark.parametrize("when", ["before the link was used", "after the link was used"])
@pytest.mark.parametrize("what", ["change of team", "offboarding", "suspension", "deletion of the user"])
def test_an_invitation_stops_working_when_its_person_changes_team_or_leaves(
    places: list[ProvisionedUser], what: str, when: str
) -> None:
    link, place = invited(places[0]), places[0]
    browser = entered(link) if when.startswith("after") else Client()
    acts: dict[str, Callable[[ProvisionedUser], None]] = {
        "change of team": _changes_team,
        "offboarding": _leaves,
        "suspension": _is_suspended,
        "deletion of the user": _is_deleted,
    }
    acts[what](place)
    answers = [browser.get(f"/link/{word_of(link.pk)}/", follow=True)]
    if when.startswith("after"):
        answers += [browser.get("/invitation/"), browser.post("/invitation/", {"place": place.pk})]
        answers += [browser.get("/enrol/"), browser.post("/enrol/1/", {"do": "begin", "name": "phone"})]
    for answer in answers:
        page = answer.content.decode()
        assert answer.status_code == 410
        assert PASSWORD not in page
        assert "phone" not in page.partition("<main")[2], "nothing about a second factor"
        subjects = {"change of team": "You changed team", "suspension": "Your access to AWS is suspended"}
        assert subjects.get(what, "Your access to AWS has ended") in page
        assert ("Request another invitation" in page) is (what == "change of team")
    assert close_invitations() == 1
    assert Secret.objects.get(pk=place.password_seal).ciphertext == ""
    assert close_invitations() == 0


def test_a_change_of_team_under_way_for_somebody_else_closes_nothing(places: list[ProvisionedUser]) -> None:
    link = invited(places[0])
    _changes_team(places[1])
    _leaves(places[1])
    assert entered(link).get("/invitation/").status_code == 200
    assert close_invitations() == 0


def test_to_find_that_all_invitations_work_takes_as_many_queries_for_two_people_as_for_one(
    places: list[ProvisionedUser],
) -> None:
    counts = []
    for place in places:
        entered(invited(place))
        with CaptureQueriesContext(connection) as queries:
            assert close_invitations() == 0
        counts.append(len(queries))
    assert counts == [5, 5]


def test_whoever_has_lost_the_way_in_requests_another_invitation_and_the_lead_is_told_once(
    places: list[ProvisionedUser],
) -> None:
    link, newcomer = invited(places[0]), places[0].newcomer
    entered(link).post("/invitation/", {"place": places[0].pk})
    second = Client()
    closed = second.get(f"/link/{word_of(link.pk)}/")
    assert closed.status_code == 410
    address = f"/invitation/request/{word_of(link.pk)}/"
    assert f'action="{address}"' in closed.content.decode()
    assert second.get(address)["Location"] == f"/link/{word_of(link.pk)}/"
    for _ in range(2):
        page = second.post(address).content.decode()
        assert "We told Elif Kaya" in page
    outgoings = OutgoingMessage.objects.filter(event="onboarding.invitation_wanted")
    assert [outgoing.name for outgoing in outgoings] == ["Elif Kaya"]
    newcomer.refresh_from_db()
    assert newcomer.wants_link_at is not None
    assert second.post("/invitation/request/nonsense/").status_code == 403


def test_all_who_are_told_of_a_lost_invitation_are_named_in_a_sentence(places: list[ProvisionedUser]) -> None:
    link = invited(places[0])
    entered(link).post("/invitation/", {"place": places[0].pk})
    team = Team.objects.get(slug="payments")
    factories.assign(factories.person("Ines Duarte"), Role.TEAM_LEAD, team=team)
    page = Client().post(f"/invitation/request/{word_of(link.pk)}/").content.decode()
    assert "We told Elif Kaya and Ines Duarte that" in page


def _user_of(place: ProvisionedUser) -> Entity:
    """The user as the mirror shows it."""
    name = place.user_arn.rpartition("/")[2]
    return factories.user(
        place.account,
        name,
        path="/payments/",
        arn=place.user_arn,
        credentials={"mfa": "none", "has_password": True},
    )


def _changes_team(place: ProvisionedUser) -> None:
    version = onboarding.blueprint(
        place.account, Team.objects.create(slug="data", name="Data"), name="Analysts"
    )
    Move.objects.create(
        person_id=place.newcomer.person_id,
        name=place.newcomer.name,
        former=place.newcomer.run.version,
        version=version,
        state=RunState.DONE,
        requested_by=place.newcomer.run.requested_by,
        requested_label="Elif Kaya",
        ended_at=datetime.now(tz=UTC) + timedelta(seconds=1),
    )


def _leaves(place: ProvisionedUser) -> None:
    run = offboarding.OffboardingRun.objects.create(
        requested_by=place.newcomer.run.requested_by, requested_label="Elif Kaya"
    )
    leaver = offboarding.Leaver.objects.create(
        run=run, name=place.newcomer.name, stage=offboarding.OffboardingStage.CLOSING
    )
    offboarding.OffboardedUser.objects.create(
        leaver=leaver,
        account=place.account,
        user=_user_of(place),
        user_arn=place.user_arn,
        user_name=place.user_arn.rpartition("/")[2],
    )


def _is_suspended(place: ProvisionedUser) -> None:
    _leaves(place)
    offboarding.Leaver.objects.update(stage=offboarding.OffboardingStage.SUSPENDED)


def _is_deleted(place: ProvisionedUser) -> None:
    Entity.objects.filter(pk=_user_of(place).pk).update(gone_at=datetime.now(tz=UTC))


def test_nobody_else_gets_it(places: list[ProvisionedUser]) -> None:
    first, second = invited(places[0]), invited(places[1])
    other = entered(second)
    assert PASSWORD not in other.post("/invitation/", {"place": places[0].pk}).content.decode()
    assert Client().post("/invitation/", {"place": places[0].pk}).status_code == 403
    inside = entered(first)
    assert Client().get(f"/link/{word_of(first.pk)}/").status_code == 410
    assert PASSWORD in inside.post("/invitation/", {"place": places[0].pk}).content.decode()


def test_a_second_browser_with_a_newer_link_does_not_see_what_the_first_one_was_shown(
    places: list[ProvisionedUser],
) -> None:
    first = entered(invited(places[0]))
    assert PASSWORD in first.post("/invitation/", {"place": places[0].pk}).content.decode()
    second = entered(invited(places[0]))
    page = second.get("/invitation/").content.decode()
    assert "was shown in another browser" in page
    assert "Request another invitation" in page
    refused = second.post("/invitation/", {"place": places[0].pk})
    assert refused.status_code == 422
    assert PASSWORD not in refused.content.decode()


def test_a_link_for_another_purpose_opens_no_invitation(places: list[ProvisionedUser]) -> None:
    browser = entered(invited(places[0], LinkPurpose.MFA))
    assert browser.get("/invitation/").status_code == 403
    assert browser.post("/invitation/", {"place": places[0].pk}).status_code == 403


def test_an_access_key_is_shown_alike(places: list[ProvisionedUser]) -> None:
    link, place = invited(places[0]), places[0]
    place.key_seal = seal(
        "wJalrXUtnFEMI",
        for_person=link.person_id,
        purpose="access_key.secret",
        ttl=timedelta(hours=24),
        label="AKIA1",
    )
    place.save()
    browser = entered(link)
    assert "AKIA1" in browser.get("/invitation/").content.decode()
    shown = browser.post("/invitation/", {"place": place.pk, "what": "key"}).content.decode()
    assert "wJalrXUtnFEMI" in shown
    assert PASSWORD not in shown
    again = browser.post("/invitation/", {"place": place.pk, "what": "key"}).content.decode()
    assert "wJalrXUtnFEMI" in again
    assert PASSWORD not in again


def test_the_phone_is_added_for_all_accounts_one_after_the_other(places: list[ProvisionedUser]) -> None:
    first, role = places[0], "arn:aws:iam::222222222222:role/gatehouse-writer"
    link, other = invited(first), factories.account("222222222222", name="staging", write_role_arn=role)
    second = ProvisionedUser.objects.create(
        newcomer=first.newcomer,
        account=other,
        user_arn=first.user_arn.replace("111111111111", "222222222222"),
        change_set=first.change_set,
        lane=9,
        joined_at=datetime.now(tz=UTC),
    )
    users = []
    for place in (first, second):
        name = place.user_arn.rpartition("/")[2]
        users.append(
            factories.user(
                place.account, name, path="/payments/", arn=place.user_arn, credentials={"mfa": "none"}
            )
        )
        Identity.objects.create(person=link.person, user_arn=place.user_arn)
    browser = entered(link)
    assert "0 of 2 accounts done" in browser.get("/invitation/").content.decode()
    assert browser.get("/enrol/")["Location"] == "/enrol/1/"
    assert "Account 1 of 2" in browser.get("/enrol/1/").content.decode()
    assert browser.get("/enrol/3/").status_code == 404
    UserCredentials.objects.filter(user=users[0]).update(mfa="virtual")
    assert browser.get("/enrol/")["Location"] == "/enrol/2/"
    shown = browser.get("/enrol/2/").content.decode()
    assert "1 of 2 have MFA" in shown
    assert "staging" in shown
    assert browser.post("/enrol/2/", {"do": "begin"}).status_code == 302
    assert [(enrolment.user, enrolment.link) for enrolment in Enrolment.objects.all()] == [(users[1], link)]
    assert browser.post("/enrol/1/", {"do": "begin"}).status_code == 422, "it has a device already"
    UserCredentials.objects.filter(user=users[1]).update(mfa="virtual")
    assert "added for all 2 accounts" in browser.get("/invitation/").content.decode()
    assert entered(invited(places[1])).get("/enrol/2/").status_code == 410, "somebody else's invitation"


def test_a_blueprint_can_give_a_sign_in_to_gatehouse_whose_password_the_person_chooses(
    places: list[ProvisionedUser],
) -> None:
    browser = entered(invited(places[0]))
    assert "Choose a password for Gatehouse" not in browser.get("/invitation/").content.decode()
    assert browser.post("/invitation/sign-in/").status_code == 403, "the blueprint gives none"
    assert not Operator.objects.filter(person=places[0].newcomer.person_id).exists()

    content = BlueprintVersion.objects.get().content | {"gatehouse": True}
    BlueprintVersion.objects.filter(number=1).update(content=content)
    assert Client().post("/invitation/sign-in/").status_code == 403, "without a link"
    assert "Choose a password for Gatehouse" in browser.get("/invitation/").content.decode()
    answer = browser.post("/invitation/sign-in/")
    assert "/password/reset/key/" in answer["Location"]
    operator = Operator.objects.get(person=places[0].newcomer.person_id)
    assert (operator.email, operator.has_usable_password()) == (operator.person.email, False)
    assert [assignment.role for assignment in operator.person.assignments.all()] == ["member"]
    browser.post("/invitation/sign-in/")
    assert Operator.objects.filter(person=operator.person).count() == 1
    operator.set_password("quiet-Harbor-47-lantern")
    operator.save()
    assert browser.post("/invitation/sign-in/")["Location"] == "/sign-in/"
    assert "Choose a password for Gatehouse" not in browser.get("/invitation/").content.decode()
