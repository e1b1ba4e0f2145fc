"""The pages of a one-time link: what a mail scanner, its person, somebody else and a guesser get."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse

from console.mfa.link_landing import COOKIE
from iam.changes.errors import FieldError, RefusedError
from iam.directory.models import Identity, Person, Role, Team
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.mirror.models import Entity, Kind
from iam.notify.channels.mail import send_mail
from iam.notify.models import OutgoingMessage
from iam.people.enrolment import invitation, services, texts
from iam.people.enrolment.models import Enrolment, EnrolmentOutcome
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import DAMAGED, NO_SESSION, make_link, revoke_link
from iam.people.links.signed_ids import word_of
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/enrol/"


@pytest.fixture
def user() -> Entity:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    return factories.user(account, "kwame.boateng", credentials={"mfa": "none"})


@pytest.fixture
def person(user: Entity) -> Person:
    return factories.person("Kwame Boateng", arns=(user.arn,))


@pytest.fixture
def link(user: Entity, person: Person) -> OneTimeLink:
    return make_link(LinkPurpose.MFA, person=person, user_arn=user.arn, actor=None)


def door(link: OneTimeLink) -> str:
    return reverse("mfa:link", args=[word_of(link.pk)])


def test_a_mail_scanner_that_opens_the_link_uses_nothing_up(link: OneTimeLink, client: Client) -> None:
    for _ in range(2):
        shown = client.get(door(link))
        assert (shown.status_code, b"Hello Kwame Boateng" in shown.content) == (200, True)
        assert "no-store" in shown["Cache-Control"]
    assert client.head(door(link)).status_code == 200
    assert COOKIE not in client.cookies
    assert OneTimeLink.objects.get().used_at is None
    assert not Entry.objects.filter(kind__in=["link.use", "link.refused"]).exists()


def test_the_button_lets_this_browser_in_and_no_other(link: OneTimeLink, client: Client) -> None:
    entered = client.post(door(link))
    assert (entered.status_code, entered["Location"]) == (302, PAGE)
    cookie = client.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 1800)
    inside = client.get(PAGE)
    assert (inside.status_code, b"kwame.boateng" in inside.content) == (200, True)

    other = Client()
    assert other.get(PAGE).status_code == 403
    assert NO_SESSION in other.get(PAGE).content.decode()
    for answer in (other.get(door(link)), other.post(door(link))):
        assert answer.status_code == 410
        assert "This link was used on" in answer.content.decode()
    assert other.get(PAGE).status_code == 403
    assert [entry.data["why"] for entry in Entry.objects.filter(kind="link.refused")] == ["used"]


def test_whoever_comes_back_to_their_own_link_goes_on(link: OneTimeLink, client: Client) -> None:
    client.post(door(link))
    assert client.get(door(link))["Location"] == PAGE


def test_after_half_an_hour_the_page_says_so(link: OneTimeLink, client: Client) -> None:
    client.post(door(link))
    with time_machine.travel(link.created_at + timedelta(minutes=31), tick=False):
        late = client.get(PAGE)
    assert (late.status_code, "Your 30 minutes" in late.content.decode()) == (403, True)


def test_a_revoked_link_closes_the_page_too(link: OneTimeLink, client: Client) -> None:
    client.post(door(link))
    revoke_link(link, actor=factories.viewer("administrator", name="Hana Sato", email="hana@example.com"))
    assert client.get(PAGE).status_code == client.post(PAGE, {"do": "begin"}).status_code == 403
    assert "revoked by Hana Sato" in client.get(door(link)).content.decode()


def test_after_too_many_wrong_codes_the_page_offers_nothing_that_the_ended_link_refuses(
    link: OneTimeLink, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(door(link))
    client.post(PAGE, {"do": "begin"})

    def lock(enrolment: Enrolment, seat: services.EnrolmentSession, **_: str) -> None:
        services.end(enrolment, outcome=EnrolmentOutcome.LOCKED, actor=seat.person)
        revoke_link(link, actor=None)
        raise RefusedError(texts.LOCKED)

    monkeypatch.setattr(services, "submit_codes", lock)
    locked = client.post(PAGE, {"do": "codes", "first": "111111", "second": "222222"})
    later, again = client.get(PAGE), client.get(door(link))
    assert [locked.status_code, later.status_code, again.status_code] == [410, 403, 410]
    for answer in (locked, later, again):
        page = answer.content.decode()
        assert "oo many wrong codes" in page
        assert "Ask your Gatehouse administrators for a new link." in page
        assert "Start again" not in page


def test_somebody_who_is_signed_in_does_not_use_the_link_of_another(
    link: OneTimeLink, client: Client
) -> None:
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    for answer in (client.get(door(link)), client.post(door(link))):
        assert answer.status_code == 403
        assert (
            "This link is for Kwame Boateng, and you are signed in as Ines Duarte" in answer.content.decode()
        )
    (refused,) = Entry.objects.filter(kind="link.refused")
    assert (refused.actor_label, refused.data["why"]) == ("Ines Duarte", "other")
    assert OneTimeLink.objects.get().used_at is None


def test_guesses_are_counted_and_lock_the_address(link: OneTimeLink, client: Client) -> None:
    for _ in range(50):
        answer = client.post(reverse("mfa:link", args=["a-guess"]))
        assert (answer.status_code, DAMAGED in answer.content.decode()) == (410, True)
    locked = client.post(door(link))
    assert (locked.status_code, "Too many attempts" in locked.content.decode()) == (429, True)
    assert Entry.objects.filter(kind="link.refused").count() == 50
    assert Entry.objects.filter(kind="link.locked").count() == 1


def test_a_link_of_a_user_who_is_gone_says_so(link: OneTimeLink, client: Client, user: Entity) -> None:
    client.post(door(link))
    Entity.objects.filter(pk=user.pk).update(gone_at=link.created_at)
    assert client.get(PAGE).status_code == 410


def test_a_user_in_the_address_changes_nothing(link: OneTimeLink, client: Client, user: Entity) -> None:
    """The page is about the user of the link, whatever else is sent."""
    other = factories.user(user.account, "tomas.lind")
    client.post(door(link))
    shown = client.get(PAGE, {"user": str(other.pk)}).content.decode()
    assert "kwame.boateng" in shown
    assert "tomas.lind" not in shown
    assert client.get(reverse("mfa:enrol", args=[other.pk])).status_code == 302, "it asks to sign in"
    client.force_login(factories.operator(Role.MEMBER, name="Maya Okafor", arns=(other.arn,)))
    assert client.get(reverse("mfa:enrol", args=[user.pk])).status_code == 404


def test_the_mail_holds_the_link_and_no_row_does(user: Entity, person: Person, settings: object) -> None:
    viewer = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    link = invitation.send_link(viewer, user=user)
    (message,) = OutgoingMessage.objects.all()
    assert (message.recipient, message.channel) == (str(person.pk), "email")
    assert word_of(link.pk) not in repr(list(OutgoingMessage.objects.values()))

    send_mail(message)

    (sent,) = mail.outbox
    assert door(link) in sent.body
    assert "works once" in sent.body
    assert "after you sign in" not in sent.body
    assert "/go/" not in sent.body + str(sent.alternatives), "the settings are for people who can sign in"


def test_a_link_for_a_user_of_nobody_is_not_made(user: Entity, client: Client) -> None:
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    page = reverse("mfa:send-link", args=[user.pk])
    assert "No person in Gatehouse is linked" in client.get(page).content.decode()
    assert client.post(page, {"how": "show"}).status_code == 422
    assert not OneTimeLink.objects.exists()


def test_the_link_is_shown_once_to_whoever_asks_for_it(user: Entity, person: Person, client: Client) -> None:
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    page = reverse("mfa:send-link", args=[user.pk])
    shown = client.post(page, {"how": "show"}).content.decode()
    link = OneTimeLink.objects.get()
    assert word_of(link.pk) in shown
    assert word_of(link.pk) not in client.get(page).content.decode()
    assert Entry.objects.filter(kind="link.show", actor_label="Ines Duarte").count() == 1

    client.post(reverse("mfa:revoke", args=[link.pk]))

    assert OneTimeLink.objects.get().ended_why == "revoked"
    assert Identity.objects.count() == 1


def test_who_leads_another_team_sends_shows_and_takes_back_no_link(
    link: OneTimeLink, user: Entity, client: Client
) -> None:
    """They see the account's people as little as they reach them, whatever number they write into the
    address.
    """
    team = Team.objects.create(slug="data", name="Data")
    client.force_login(factories.operator(Role.TEAM_LEAD, name="Bo Berg", team=team))
    for how in ("mail", "show"):
        assert client.post(reverse("mfa:send-link", args=[user.pk]), {"how": how}).status_code == 404
    assert client.post(reverse("mfa:revoke", args=[link.pk])).status_code == 404
    assert (OneTimeLink.objects.get().ended_at, OutgoingMessage.objects.count()) == (None, 0)


def test_who_reaches_a_user_and_may_not_ask_has_no_link_made(user: Entity, person: Person) -> None:
    auditor = factories.viewer(Role.AUDITOR, name="Otto Audit")
    elsewhere = factories.person("Jonas Berg")
    factories.assign(elsewhere, Role.ADMINISTRATOR, account_id="222222222222")
    for viewer in (auditor, viewer_for(elsewhere)):
        for act in (invitation.send_link, invitation.show_link):
            with pytest.raises(RefusedError, match="only people in your teams"):
                act(viewer, user=user)
    assert not OneTimeLink.objects.exists()


def test_a_link_for_something_else_adds_no_device(link: OneTimeLink, client: Client) -> None:
    client.post(door(link))
    OneTimeLink.objects.update(purpose="rotation")
    for answer in (client.get(PAGE), client.post(PAGE, {"do": "begin"})):
        assert (answer.status_code, b"is for something else" in answer.content) == (403, True)
    assert not Enrolment.objects.exists()


def has_a_device(user: Entity) -> None:
    device = factories.entity(user.account, Kind.MFA_DEVICE, "kwame-phone", arn="", category="virtual")
    Entity.objects.filter(pk=device.pk).update(owner=user)


def test_nobody_has_a_link_made_for_somebody_who_has_a_device(
    user: Entity, person: Person, client: Client
) -> None:
    """Anyone who held it would have a second factor of their own; a lost device goes the way of two
    people.
    """
    has_a_device(user)
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    page = reverse("mfa:send-link", args=[user.pk])
    shown = client.get(page).content.decode()
    assert "a second person confirms who it is" in shown
    assert "Show it to pass it on" not in shown
    for how in ("show", "mail"):
        answer = client.post(page, {"how": how})
        assert (answer.status_code, b"has MFA already" in answer.content) == (422, True)
    assert not OneTimeLink.objects.exists()
    assert not OutgoingMessage.objects.exists()
    credentials = client.get(reverse("identities:person-credentials", args=[user.pk])).content.decode()
    assert "Send a link" not in credentials


def test_a_link_adds_nothing_beside_a_device_that_came_since_unless_a_second_person_made_sure(
    link: OneTimeLink, user: Entity, client: Client
) -> None:
    client.post(door(link))
    has_a_device(user)
    answer = client.post(PAGE, {"do": "begin"})
    assert (answer.status_code, b"can only add a first MFA device" in answer.content) == (422, True)
    assert not Enrolment.objects.exists()
    OneTimeLink.objects.update(is_checked=True)
    assert client.post(PAGE, {"do": "begin"}).status_code == 302
    assert Enrolment.objects.get().user == user


@pytest.mark.parametrize(
    ("codes", "field"),
    [(("12345", "123456"), "first"), (("123456", "12345x"), "second"), (("123456",) * 2, "second")],
)
def test_codes_that_cannot_be_right_are_refused_at_their_field(codes: tuple[str, str], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        texts.check_codes(*codes)
    assert refused.value.field == field


def test_a_name_that_aws_does_not_take_is_refused_at_its_field_and_kept(
    link: OneTimeLink, client: Client
) -> None:
    client.post(door(link))
    answer = client.post(PAGE, {"do": "begin", "name": "my phone!"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="name-error"' in page
    assert 'value="my phone!"' in page
    assert "That didn’t work" not in page
