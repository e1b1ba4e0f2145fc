"""A lost device is replaced when a second person has made sure over another channel who it is, in time, and
loudly.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.directory.models import Identity, Person, Role, Team
from iam.guard import Viewer, viewer_for
from iam.journal.models import Entry
from iam.linking.refresh import refresh_links
from iam.mirror.models import Account, Entity, Kind, TagSet
from iam.notify.models import OutgoingMessage
from iam.people.links.models import OneTimeLink
from iam.people.links.services import exchange
from iam.people.links.signed_ids import address_of, word_of
from iam.people.replacing import services
from iam.people.replacing.models import DeviceReplacement, IdentityCheckChannel, ReplacementState
from tests import factories

pytestmark = pytest.mark.django_db
HOW = "Knew her voice; she told me the project she works on."


@pytest.fixture
def account() -> Account:
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")


@pytest.fixture
def device(account: Account) -> Entity:
    user = factories.user(account, "maya.okafor")
    factories.person("Maya Okafor", arns=(user.arn,))
    made = factories.entity(account, Kind.MFA_DEVICE, "maya-phone", arn="", category="virtual")
    serial = "arn:aws:iam::111111111111:mfa/maya-phone"
    Entity.objects.filter(pk=made.pk).update(owner=user, aws_id=serial)
    return Entity.objects.get(pk=made.pk)


def somebody(name: str, role: Role) -> Viewer:
    person = factories.person(name)
    factories.assign(person, role)
    return viewer_for(person)


@pytest.fixture
def ines() -> Viewer:
    return somebody("Ines Duarte", Role.ADMINISTRATOR)


@pytest.fixture
def hana() -> Viewer:
    return somebody("Hana Sato", Role.APPROVER)


def asked(viewer: Viewer, device: Entity) -> DeviceReplacement:
    return services.ask(viewer, device=device, over=IdentityCheckChannel.CHAT, reason="Left in a train.")


def test_a_second_person_who_made_sure_sends_a_link_and_has_the_removal_approved(
    ines: Viewer, hana: Viewer, device: Entity
) -> None:
    replacement = asked(ines, device)
    assert asked(ines, device) == replacement
    assert not OneTimeLink.objects.exists()
    done = services.check(hana, replacement, over=IdentityCheckChannel.PHONE, how=HOW)
    assert (done.state, done.decided_by_id) == (ReplacementState.CHECKED, hana.person_id)
    assert done.link is not None
    assert done.link.expires_at - done.link.created_at == timedelta(hours=1)
    removal = Change.objects.get()
    assert (removal.operation, removal.state) == ("mfa_device.delete", ChangeState.AWAITING)
    assert removal.requested_by == ines.person_id
    assert HOW in removal.change_set.notes[0]
    assert changes.standing_of(removal, viewer=hana).may_decide
    with pytest.raises(RefusedError, match="already decided"):
        services.check(hana, replacement, over=IdentityCheckChannel.PHONE, how=HOW)


def test_nobody_makes_sure_alone_or_for_themselves_or_over_the_channel_that_it_came_by(
    ines: Viewer, hana: Viewer, device: Entity
) -> None:
    replacement = services.ask(ines, device=device, over=IdentityCheckChannel.PHONE, reason="Stolen.")
    maya = viewer_for(Person.objects.get(name="Maya Okafor"))
    member = somebody("Tomas Lind", Role.MEMBER)
    for viewer, over, how, sentence in (
        (ines, IdentityCheckChannel.VIDEO, HOW, "You requested it"),
        (maya, IdentityCheckChannel.VIDEO, HOW, "This is about you"),
        (member, IdentityCheckChannel.VIDEO, HOW, "Someone who can request"),
        (hana, IdentityCheckChannel.PHONE, HOW, "another one"),
        (hana, IdentityCheckChannel.MAIL, HOW, "control a mailbox or a chat"),
        (hana, IdentityCheckChannel.VIDEO, " ", "how you checked their identity"),
    ):
        with pytest.raises(RefusedError, match=sentence):
            services.check(viewer, replacement, over=over, how=how)
    replacement.refresh_from_db()
    assert (replacement.state, OneTimeLink.objects.count(), Change.objects.count()) == (
        ReplacementState.WAITING,
        0,
        0,
    )


def test_it_is_over_after_four_hours_and_can_be_asked_for_again(
    ines: Viewer, hana: Viewer, device: Entity
) -> None:
    now = datetime(2026, 11, 27, 9, tzinfo=UTC)
    with time_machine.travel(now, tick=False) as clock:
        replacement = asked(ines, device)
        clock.move_to(now + timedelta(hours=4))
        with pytest.raises(RefusedError, match="already decided"):
            services.check(hana, replacement, over=IdentityCheckChannel.PHONE, how=HOW)
        assert [services.expire(), services.expire()] == [1, 0]
        assert asked(ines, device) != replacement


def test_the_person_and_the_journal_hear_of_each_step(ines: Viewer, hana: Viewer, device: Entity) -> None:
    services.refuse(hana, asked(ines, device), why="Did not answer.")
    services.check(hana, asked(ines, device), over=IdentityCheckChannel.PERSON, how=HOW)
    kinds = (
        Entry.objects.filter(kind__startswith="replacement.").order_by("pk").values_list("kind", flat=True)
    )
    assert list(kinds) == ["replacement.ask", "replacement.refuse", "replacement.ask", "replacement.check"]
    outgoings = OutgoingMessage.objects.filter(event="mfa.replaced", name="Maya Okafor").order_by(
        "created_at"
    )
    assert [outgoing.subject.partition(" ")[0] for outgoing in outgoings] == ["Ines", "Your", "Ines", "Your"]
    assert OutgoingMessage.objects.filter(event="mfa.enrol", name="Maya Okafor").count() == 1


def test_what_a_person_says_of_their_own_device_came_by_this_page(
    hana: Viewer, ines: Viewer, device: Entity
) -> None:
    maya = Person.objects.get(name="Maya Okafor")
    factories.assign(maya, Role.MEMBER)
    replacement = asked(viewer_for(maya), device)
    assert replacement.asked_over == IdentityCheckChannel.PORTAL
    services.check(ines, replacement, over=IdentityCheckChannel.PHONE, how=HOW)
    assert Change.objects.get().requested_by == ines.person_id


def test_the_pages_take_it_from_the_loss_to_the_link(account: Account, device: Entity) -> None:
    clients = {}
    for name, role in (("Ines", Role.ADMINISTRATOR), ("Hana", Role.APPROVER), ("Otto", Role.AUDITOR)):
        clients[name] = Client()
        clients[name].force_login(factories.operator(role, name=name))
    ines, hana, otto = clients.values()
    assert ines.get(f"/mfa/devices/{device.pk}/lost/").status_code == 200
    made = ines.post(f"/mfa/devices/{device.pk}/lost/", {"over": "chat", "reason": "Lost"})
    page = made["Location"]
    assert b"You requested it" in ines.get(page).content
    assert otto.get(page).status_code == 404
    assert b"Maya Okafor" in hana.get("/mfa/replacements/").content
    assert b"This is Maya Okafor" in hana.get(page).content
    assert hana.post(page, {"over": "chat", "how": HOW, "do": "check"}).status_code == 422
    assert hana.post(page, {"over": "phone", "how": HOW, "do": "check"}).status_code == 302
    assert OneTimeLink.objects.count() == 1
    assert ines.post(page, {"do": "show"}).status_code == 422
    shown = hana.post(page, {"do": "show"}).content.decode()
    word = word_of(OneTimeLink.objects.latest("created_at").pk)
    assert word in shown
    assert word not in hana.get(page).content.decode()


def test_only_whoever_made_sure_has_the_link_shown_within_its_hour_and_once_used_not_again(
    ines: Viewer, hana: Viewer, device: Entity
) -> None:
    replacement = services.check(hana, asked(ines, device), over=IdentityCheckChannel.PHONE, how=HOW)
    sent = replacement.link
    assert sent is not None
    assert sent.is_checked
    with pytest.raises(RefusedError, match="Only the person who confirmed"):
        services.show_link(ines, replacement)
    link, address = services.show_link(hana, replacement)
    assert address == address_of(link)
    assert (link.is_checked, OneTimeLink.objects.get(pk=sent.pk).ended_why) == (True, "replaced")
    assert link.expires_at <= sent.expires_at + timedelta(seconds=1)
    assert Entry.objects.filter(kind="replacement.show", actor_label="Hana Sato").count() == 1
    assert replacement.decided_at is not None
    with (
        time_machine.travel(replacement.decided_at + services.LINK_HOLDS, tick=False),
        pytest.raises(RefusedError, match="within an hour"),
    ):
        services.show_link(hana, replacement)
    exchange(word_of(link.pk))
    with pytest.raises(RefusedError, match="until it is used"):
        services.show_link(hana, replacement)


def test_who_reaches_neither_the_user_nor_the_request_asks_for_nothing_and_sees_nothing(
    ines: Viewer, hana: Viewer, device: Entity
) -> None:
    team = Team.objects.create(slug="data", name="Data")
    lead = factories.person("Bo Berg")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    member, stranger = somebody("Tomas Lind", Role.MEMBER), viewer_for(lead)
    for viewer in (member, stranger, somebody("Otto Audit", Role.AUDITOR)):
        with pytest.raises(RefusedError, match="people in your teams"):
            asked(viewer, device)
    replacement = asked(ines, device)
    maya = viewer_for(Person.objects.get(name="Maya Okafor"))
    seen = {
        viewer.name: list(services.visible_replacements(viewer)) for viewer in (member, stranger, ines, maya)
    }
    assert seen == {
        "Tomas Lind": [],
        "Bo Berg": [],
        "Ines Duarte": [replacement],
        "Maya Okafor": [replacement],
    }
    client = Client()
    client.force_login(factories.operator(Role.TEAM_LEAD, name="Lena Berg", team=team))
    for page in (f"/mfa/devices/{device.pk}/lost/", f"/mfa/replacements/{replacement.pk}/"):
        assert client.get(page).status_code == 404
        assert client.post(page, {"over": "phone", "how": HOW, "reason": "Lost"}).status_code == 404


def test_nobody_is_asked_about_whom_a_tag_alone_names(ines: Viewer, device: Entity) -> None:
    Identity.objects.all().delete()
    at = factories.FIRST_READ
    assert device.owner is not None
    TagSet.objects.create(
        account=device.account,
        entity=device.owner,
        tags={"email": "maya.okafor@example.com"},
        valid_from=at,
        observed_at=at,
    )
    refresh_links()
    with pytest.raises(RefusedError, match="No person in Gatehouse is linked"):
        asked(ines, device)


def test_a_request_without_a_reason_is_none(ines: Viewer, device: Entity) -> None:
    with pytest.raises(RefusedError, match="Describe what happened"):
        services.ask(ines, device=device, over=IdentityCheckChannel.CHAT, reason=" ")


def test_a_link_that_is_shown_late_lasts_no_longer_than_the_one_that_went_out(
    ines: Viewer, hana: Viewer, device: Entity
) -> None:
    with time_machine.travel(datetime(2026, 11, 27, 9, tzinfo=UTC), tick=False) as clock:
        replacement = services.check(hana, asked(ines, device), over=IdentityCheckChannel.PHONE, how=HOW)
        sent = replacement.link
        clock.shift(timedelta(minutes=50))
        link, _ = services.show_link(hana, replacement)
    assert sent is not None
    assert link.expires_at == sent.expires_at


def test_the_page_says_before_anything_is_typed_that_nobody_is_linked(account: Account) -> None:
    device = factories.entity(account, Kind.MFA_DEVICE, "bot-phone", arn="", category="virtual")
    Entity.objects.filter(pk=device.pk).update(owner=factories.user(account, "bot"))
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    page = client.get(f"/mfa/devices/{device.pk}/lost/").content.decode()
    assert "No person in Gatehouse is linked to this IAM user." in page
    assert 'name="reason"' not in page
