"""The page of an invitation: one browser, one person, a password that is shown once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from iam.changes.operations.console_password import PURPOSE
from iam.directory.models import Identity, Person, Team
from iam.mirror.models import UserCredentials
from iam.people.enrolment.models import Enrolment
from iam.people.links.models import Link, Purpose
from iam.people.links.services import make_link
from iam.people.links.words import word_of
from iam.people.onboarding.inviting import cause_of
from iam.people.onboarding.models import Place
from iam.sealed.services import seal
from tests import factories, onboarding

pytestmark = pytest.mark.django_db
PASSWORD = "quiet-Harbor-47-lantern"


def invited(place: Place, purpose: Purpose = Purpose.INVITATION) -> Link:
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
def places(db: None) -> list[Place]:
    """Two newcomers of one run."""
    account = factories.account()
    version = onboarding.blueprint(account, Team.objects.create(slug="payments", name="Payments"))
    onboarding.asked(version, factories.person("Elif Kaya"), account, count=2)
    return list(Place.objects.select_related("newcomer").order_by("pk"))


def entered(link: Link) -> Client:
    """A browser that has used the link."""
    client = Client()
    client.post(f"/link/{word_of(link.pk)}/")
    return client


def test_the_password_is_shown_to_its_person_once_and_stored_nowhere(places: list[Place]) -> None:
    browser = entered(invited(places[0]))
    page = browser.get("/invitation/")
    assert page.status_code == 200
    assert PASSWORD not in page.content.decode()
    assert "Show my first password" in page.content.decode()
    assert "no-store" in page["Cache-Control"]

    shown = browser.post("/invitation/", {"place": places[0].pk})
    assert PASSWORD in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    again = browser.post("/invitation/", {"place": places[0].pk})
    assert again.status_code == 422
    assert PASSWORD not in again.content.decode()
    assert "Show my first password" not in browser.get("/invitation/").content.decode()


def test_nobody_else_gets_it(places: list[Place]) -> None:
    first, second = invited(places[0]), invited(places[1])
    other = entered(second)
    assert PASSWORD not in other.post("/invitation/", {"place": places[0].pk}).content.decode()
    assert Client().post("/invitation/", {"place": places[0].pk}).status_code == 403
    inside = entered(first)
    assert Client().get(f"/link/{word_of(first.pk)}/").status_code == 410
    assert PASSWORD in inside.post("/invitation/", {"place": places[0].pk}).content.decode()


def test_a_link_for_another_purpose_opens_no_invitation(places: list[Place]) -> None:
    browser = entered(invited(places[0], Purpose.MFA))
    assert browser.get("/invitation/").status_code == 403
    assert browser.post("/invitation/", {"place": places[0].pk}).status_code == 403


def test_an_access_key_is_shown_alike_and_once(places: list[Place]) -> None:
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
    assert browser.post("/invitation/", {"place": place.pk, "what": "key"}).status_code == 422


def test_the_phone_is_added_for_all_accounts_one_after_the_other(places: list[Place]) -> None:
    first, role = places[0], "arn:aws:iam::222222222222:role/gatehouse-writer"
    link, other = invited(first), factories.account("222222222222", name="staging", write_role_arn=role)
    second = Place.objects.create(
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
    assert [(one.user, one.link) for one in Enrolment.objects.all()] == [(users[1], link)]
    assert browser.post("/enrol/1/", {"do": "begin"}).status_code == 422, "it has a device already"
    UserCredentials.objects.filter(user=users[1]).update(mfa="virtual")
    assert "added for all 2 accounts" in browser.get("/invitation/").content.decode()
    assert entered(invited(places[1])).get("/enrol/2/").status_code == 410, "somebody else's invitation"
