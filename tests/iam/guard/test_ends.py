"""A role that ends on a day gives nothing afterwards, on any page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from console.operators.middleware import is_open
from iam.directory.models import Role, RoleAssignment
from iam.directory.rules import DirectoryRuleError
from iam.directory.services import assign_role
from iam.guard import Right, Viewer, viewer_for
from iam.journal.models import Entry
from tests import factories
from tests.url_answers import ANSWERS

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
END = NOON + timedelta(days=3)
WITHOUT_ARGUMENTS = sorted({name for method, name, what in ANSWERS if method == "GET" and not what})


@pytest.fixture
def auditor() -> Any:
    factories.account()
    operator = factories.operator(Role.AUDITOR, name="Lena Ostrov")
    RoleAssignment.objects.update(until=END)
    return operator


def _viewer(operator: Any, at: datetime) -> Viewer:
    with time_machine.travel(at, tick=False):
        return viewer_for(operator.person)


def test_until_its_end_the_role_gives_what_it_gives(auditor: Any) -> None:
    viewer = _viewer(auditor, END - timedelta(seconds=1))
    assert viewer.may(Right.SEE_JOURNAL, account_id="")
    assert not viewer.has_ended


def test_after_its_end_it_gives_nothing(auditor: Any) -> None:
    viewer = _viewer(auditor, END)
    assert viewer.grants == frozenset()
    assert viewer.roles == ()
    assert viewer.scope.accounts == frozenset()
    assert viewer.has_ended


def test_another_role_goes_on(auditor: Any) -> None:
    factories.assign(auditor.person, Role.MEMBER)
    viewer = _viewer(auditor, END)
    assert viewer.roles == (Role.MEMBER,)
    assert not viewer.has_ended


def test_who_was_given_nothing_has_not_ended() -> None:
    assert not viewer_for(factories.person("Nobody")).has_ended


def test_after_its_end_every_address_leads_to_sign_in(auditor: Any) -> None:
    RoleAssignment.objects.update(until=datetime.now(tz=UTC) - timedelta(seconds=1))
    client = Client()
    tried, opened = 0, []
    for name in WITHOUT_ARGUMENTS:
        try:
            address = reverse(name)
        except NoReverseMatch:
            continue
        if is_open(address):
            continue
        client.force_login(auditor)
        answer = client.get(address)
        tried += 1
        if answer.status_code != 302 or not answer["Location"].startswith("/sign-in/"):
            opened.append(address)
    assert opened == []
    assert tried > 60


def test_only_an_auditor_role_ends_and_not_in_the_past() -> None:
    administrator = factories.viewer(Role.ADMINISTRATOR)
    person = factories.person("Lena Ostrov")
    tomorrow = datetime.now(tz=UTC) + timedelta(days=1)
    with pytest.raises(DirectoryRuleError):
        assign_role(person, Role.MEMBER, until=tomorrow, actor=administrator)
    with pytest.raises(DirectoryRuleError):
        assign_role(person, Role.AUDITOR, until=tomorrow - timedelta(days=2), actor=administrator)
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleAssignment.objects.create(person=person, role=Role.MEMBER, until=tomorrow)


def test_an_end_is_changed_and_recorded() -> None:
    administrator = factories.viewer(Role.ADMINISTRATOR)
    person = factories.person("Lena Ostrov")
    end = datetime.now(tz=UTC) + timedelta(days=1)
    assign_role(person, Role.AUDITOR, until=end, actor=administrator)
    later = end + timedelta(days=30)
    assign_role(person, Role.AUDITOR, until=later, actor=administrator)
    assign_role(person, Role.AUDITOR, until=later, actor=administrator)
    assert person.assignments.get().until == later
    kinds = list(Entry.objects.filter(kind__startswith="role.").order_by("id").values_list("kind", flat=True))
    assert kinds == ["role.assign", "role.until"]
