"""The keys of a machine user are rotated by the leads of the team that owns it: they receive the secret and
the mails, and take over from each other.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.errors import RefusedError
from iam.directory.models import Person, Role, Team
from iam.guard import Viewer, viewer_for
from iam.linking.owners import set_owning_team
from iam.notify.events import NotifyEvent
from iam.notify.models import OutgoingMessage
from iam.people.rotation import requests, services
from iam.people.rotation.models import Rotation, RotationOutcome, RotationStage
from iam.people.rotation.queries import visible_rotations
from iam.people.rotation.rotation_plan import RotationTerms
from iam.people.rotation.selection import NO_LEAD, NO_OWNER, choose
from tests import factories
from tests.iam.people.rotation.conftest import REASON, Wheel

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


class Crew:
    """The team Payments, which owns the user of the wheel, and its two leads."""

    def __init__(self, wheel: Wheel) -> None:
        self.wheel = wheel
        self.team = Team.objects.create(slug="payments", name="Payments")
        self.elif_ = self.lead("Elif Kaya")
        self.noor = self.lead("Noor Amin")
        administrator = factories.viewer(Role.ADMINISTRATOR, name="Astrid Berg", email="astrid@example.com")
        set_owning_team(administrator, user=wheel.scene.user, team=self.team)

    def lead(self, name: str) -> Person:
        person = factories.person(name, email=f"{name.split()[0].lower()}-{self.wheel.mark}@example.com")
        factories.assign(person, Role.TEAM_LEAD, team=self.team)
        return person

    def begin(self, actor: Viewer, **terms: Any) -> Rotation:
        with self.wheel.done():
            return requests.begin(actor, self.wheel.old, RotationTerms(REASON, **terms))

    def made(self, actor: Viewer, **terms: Any) -> Rotation:
        rotation = self.begin(actor, **terms)
        self.wheel.agree(rotation.change)
        self.wheel.work()
        return self.wheel.now(rotation)


@pytest.fixture
def crew(wheel: Wheel) -> Crew:
    return Crew(wheel)


def told(person: Person) -> list[str]:
    return list(
        OutgoingMessage.objects.filter(recipient=str(person.pk), event=NotifyEvent.ROTATION).values_list(
            "subject", flat=True
        )
    )


def test_a_lead_rotates_the_key_from_beginning_to_end(crew: Crew) -> None:
    wheel, lead = crew.wheel, viewer_for(crew.elif_)
    rotation = crew.made(lead)
    assert (rotation.person, rotation.team, rotation.stage) == (crew.elif_, crew.team, RotationStage.HANDING)
    with wheel.done():
        fetched = services.fetch(rotation, person=lead)
    wheel.use(fetched.key_id, fetched.secret)
    wheel.pass_days(rotation, rotation.quiet_days)
    wheel.reconcile()
    assert wheel.stage(rotation) == RotationStage.INACTIVE
    wheel.pass_days(rotation, rotation.keep_days)
    wheel.reconcile()
    assert wheel.now(rotation).outcome == RotationOutcome.DONE
    assert set(wheel.in_aws()) == {fetched.key_id}


def test_an_administrator_chooses_which_lead_gets_the_secret(crew: Crew) -> None:
    rotation = crew.begin(crew.wheel.scene.requester, recipient=str(crew.noor.pk))
    assert rotation.person == crew.noor


def test_no_one_but_a_lead_of_the_team_is_chosen(crew: Crew) -> None:
    stranger = factories.person("Omar Haddad", email="omar@example.com")
    with pytest.raises(RefusedError, match="can’t get this key"):
        crew.begin(crew.wheel.scene.requester, recipient=str(stranger.pk))


def test_without_a_lead_it_is_refused_and_says_who_can_change_that(crew: Crew) -> None:
    crew.team.assignments.all().delete()
    with pytest.raises(RefusedError, match=r"Payments owns .* has no lead"):
        crew.begin(crew.wheel.scene.requester, is_for_me=True)


def test_every_lead_gets_the_mails_and_only_one_the_link_to_the_secret(crew: Crew) -> None:
    wheel = crew.wheel
    rotation = crew.made(viewer_for(crew.elif_))
    assert any("new access key" in subject for subject in told(crew.elif_))
    assert not told(crew.noor)
    with wheel.done():
        services.fetch(rotation, person=viewer_for(crew.elif_))
    wheel.pass_days(rotation, 4)
    wheel.reconcile()
    assert [subject for subject in told(crew.noor) if "was never used" in subject]
    assert visible_rotations(viewer_for(crew.noor)).filter(pk=rotation.pk).exists()


def test_another_lead_takes_over_and_the_first_one_cannot_use_what_they_saw(crew: Crew) -> None:
    wheel = crew.wheel
    rotation = crew.made(viewer_for(crew.elif_))
    with wheel.done():
        seen = services.fetch(rotation, person=viewer_for(crew.elif_))
    with wheel.done():
        services.take_over(viewer_for(crew.noor), rotation)
    wheel.work()
    wheel.reconcile()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.person, rotation_now.stage) == (crew.noor, RotationStage.HANDING)
    assert seen.key_id not in wheel.in_aws()
    with pytest.raises(RefusedError):
        services.fetch(rotation_now, person=viewer_for(crew.elif_))
    with wheel.done():
        fetched = services.fetch(rotation_now, person=viewer_for(crew.noor))
    assert fetched.key_id in wheel.in_aws()


def test_only_a_lead_of_the_owning_team_takes_over(crew: Crew) -> None:
    rotation = crew.made(viewer_for(crew.elif_))
    other = Team.objects.create(slug="data", name="Data")
    omar = factories.person("Omar Haddad", email="omar@example.com")
    factories.assign(omar, Role.TEAM_LEAD, team=other)
    for viewer in (viewer_for(omar), crew.wheel.scene.requester, viewer_for(crew.elif_)):
        with pytest.raises(RefusedError):
            services.take_over(viewer, rotation)


def test_a_lead_who_left_is_followed_by_another_one(crew: Crew) -> None:
    rotation = crew.made(viewer_for(crew.elif_))
    Person.objects.filter(pk=crew.elif_.pk).update(is_active=False)
    rotation_now = crew.wheel.now(rotation)
    with crew.wheel.done():
        services.discard_new(services.locked(rotation_now), actor=None)
    crew.wheel.work()
    crew.wheel.reconcile()
    assert crew.wheel.now(rotation).person == crew.noor


def test_many_machine_keys_go_to_the_lead_who_asks_or_to_the_first_one(crew: Crew) -> None:
    key = crew.wheel.old
    mine = choose(viewer_for(crew.noor), [key.pk])
    assert [(chosen_part.person, chosen_part.team) for chosen_part in mine.chosen] == [(crew.noor, crew.team)]
    theirs = choose(crew.wheel.scene.requester, [key.pk])
    assert [chosen_part.person for chosen_part in theirs.chosen] == [crew.elif_]
    crew.team.assignments.all().delete()
    assert choose(crew.wheel.scene.requester, [key.pk]).left_out == {NO_LEAD: 1}
    set_owning_team(
        factories.viewer(Role.ADMINISTRATOR, name="Bo Berg", email="bo@example.com"),
        user=crew.wheel.scene.user,
        team=None,
    )
    assert choose(crew.wheel.scene.requester, [key.pk]).left_out == {NO_OWNER: 1}


def test_a_lead_goes_through_the_pages(crew: Crew) -> None:
    """From the list of keys to a requested rotation, as a browser does it."""
    key = crew.wheel.old
    client = Client()
    client.force_login(factories.operator(Role.TEAM_LEAD, name="Pia Lind", team=crew.team))
    listed = client.get(reverse("keys:keys"), {"owner": "payments"})
    assert [row["name"] for row in listed.context["rows"]] == [key.aws_id]
    assert "Owned by Payments" in listed.content.decode()
    page = " ".join(client.get(reverse("keys:rotate", args=[key.pk])).content.decode().split())
    assert "Owned by Payments" in page
    assert "Pia Lind (you)" in page
    answer = client.post(
        reverse("keys:rotate", args=[key.pk]),
        {"reason": REASON, "how": "automatic", "quiet": "7", "keep": "7", "recipient": str(crew.noor.pk)},
    )
    rotation = Rotation.objects.get()
    assert answer.status_code == 302
    assert rotation.person == crew.noor
    assert any("Another lead of Payments can take" in note for note in rotation.change.change_set.notes)  # type: ignore[union-attr]
    assert client.get(reverse("keys:rotation", args=[rotation.pk])).status_code == 200


def test_whoever_rotates_the_key_of_an_unmatched_user_can_match_it_to_a_person_first(wheel: Wheel) -> None:
    user = wheel.scene.user
    address = reverse("keys:rotate", args=[wheel.old.pk])
    matching = f'href="{reverse("linking:person", args=[user.pk])}"'
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Zoe Adler"))
    page = client.get(address).content.decode()
    assert f"Who looks after {user.name}?" in page
    assert matching in page
    factories.person("Maya Okafor", arns=(user.arn,))
    assert matching not in client.get(address).content.decode()
