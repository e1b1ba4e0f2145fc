"""The page of a change of team offers a Gatehouse invitation for a person who can't sign in yet."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from console.operators.models import Operator
from iam.changes.models import ChangeState
from iam.directory.models import Person, Role
from iam.people.moving.models import Move
from tests import factories
from tests.iam.people.moving.test_reconcile import House, house, moved

__all__ = ["house"]
pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


@pytest.fixture
def yuki() -> Person:
    return factories.person("Yuki Tanaka", email="yuki@example.com")


@pytest.fixture
def move(house: House, yuki: Person) -> Move:
    made = moved(house, ChangeState.APPLIED)
    Move.objects.update(person_id=yuki.pk)
    made.refresh_from_db()
    return made


def lead(move: Move) -> Client:
    client = Client()
    team = move.version.blueprint.team
    client.force_login(factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team))
    return client


def test_the_lead_sends_it_once_and_the_person_becomes_a_member(
    move: Move, yuki: Person, settings: Any
) -> None:
    settings.MAIL_IS_CONFIGURED = True
    client, address = lead(move), reverse("moving:move-invite", args=[move.pk])
    assert "Send an invitation" in client.get(reverse("moving:move", args=[move.pk])).content.decode()
    answer = client.post(address, follow=True)
    assert "An invitation to Gatehouse was sent to yuki@example.com" in answer.content.decode()
    assert [message.to for message in mail.outbox] == [["yuki@example.com"]]
    assert Operator.objects.get(person=yuki).has_usable_password() is False
    assert list(yuki.assignments.values_list("role", flat=True)) == [Role.MEMBER]
    assert "Send an invitation" not in answer.content.decode()
    assert client.post(address).status_code == 404


def test_it_is_not_offered_without_mail_to_auditors_or_for_someone_deactivated(
    move: Move, yuki: Person, settings: Any
) -> None:
    address = reverse("moving:move-invite", args=[move.pk])
    client, auditor = lead(move), Client()
    auditor.force_login(factories.operator(Role.AUDITOR, name="Otto Audit"))
    settings.MAIL_IS_CONFIGURED = True
    assert auditor.post(address).status_code == 404
    settings.MAIL_IS_CONFIGURED = False
    assert client.post(address).status_code == 404
    settings.MAIL_IS_CONFIGURED = True
    Person.objects.filter(pk=yuki.pk).update(is_active=False)
    assert client.post(address).status_code == 404
    assert not Operator.objects.filter(person=yuki).exists()
