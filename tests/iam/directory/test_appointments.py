"""Nobody alone makes somebody administrator or approver, once there are two who could."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from iam.directory.appointments import (
    appoint,
    approve_appointment,
    reject_appointment,
    why_not_decide,
    withdraw_appointment,
)
from iam.directory.models import Appointment, Person, Role, RoleAssignment
from iam.directory.rules import DirectoryRuleError
from iam.directory.second_approvers import is_first_run
from iam.directory.services import assign_role, deactivate_person, reactivate_person, remove_role
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from iam.notify.models import OutgoingMessage
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


@pytest.fixture
def people() -> dict[str, Person]:
    """Two administrators, two approvers, and somebody new."""
    made = {name: factories.person(name.title()) for name in ("ines", "ada", "hana", "jonas", "kwame")}
    for name, role in (("ines", Role.ADMINISTRATOR), ("ada", Role.ADMINISTRATOR)):
        factories.assign(made[name], role)
    for name in ("hana", "jonas"):
        assign_role(made[name], Role.APPROVER, actor=COMMAND_LINE)
    return made


def asked(people: dict[str, Person], role: Role = Role.APPROVER) -> Appointment:
    """Ines asks that Kwame becomes this."""
    made = appoint(people["kwame"], role, actor=people["ines"])
    assert isinstance(made, Appointment)
    return made


def roles_of(person: Person) -> set[str]:
    """What they are now."""
    return set(person.assignments.values_list("role", flat=True))


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER])
def test_a_second_administrator_agrees(people: dict[str, Person], role: Role) -> None:
    made = asked(people, role)
    assert roles_of(people["kwame"]) == set()
    assert [outgoing.name for outgoing in OutgoingMessage.objects.filter(channel="email")] == ["Ada"]
    approve_appointment(made, actor=people["ada"])
    assert roles_of(people["kwame"]) == {role}
    entry = Entry.objects.filter(kind="role.assign").last()
    assert entry is not None
    assert (entry.actor_label, entry.data["asked_by"]) == ("Ada", "Ines")


def test_neither_who_asked_nor_whom_it_is_about_agrees(people: dict[str, Person]) -> None:
    made = appoint(people["hana"], Role.ADMINISTRATOR, actor=people["ines"])
    assert isinstance(made, Appointment)
    for name in ("ines", "hana", "jonas", "kwame"):
        with pytest.raises(DirectoryRuleError):
            approve_appointment(made, actor=people[name])
    assert roles_of(people["hana"]) == {Role.APPROVER}


def test_the_form_behind_the_page_is_no_way_around(people: dict[str, Person]) -> None:
    with pytest.raises(DirectoryRuleError, match="A second person must approve"):
        assign_role(people["kwame"], Role.APPROVER, actor=people["ines"])
    # Other roles are given by one.
    assign_role(people["kwame"], Role.AUDITOR, actor=people["ines"])


def test_where_there_is_no_other_administrator_an_approver_agrees(people: dict[str, Person]) -> None:
    RoleAssignment.objects.filter(person=people["ada"]).delete()
    made = asked(people)
    assert why_not_decide(made, actor=people["hana"]) == ""
    approve_appointment(made, actor=people["hana"])
    assert roles_of(people["kwame"]) == {Role.APPROVER}


def test_taking_everybody_elses_role_does_not_bring_the_first_run_back(people: dict[str, Person]) -> None:
    for name in ("hana", "jonas", "ada"):
        for assignment in people[name].assignments.all():
            remove_role(assignment, actor=people["ines"])
    with pytest.raises(DirectoryRuleError, match="No one else can confirm this"):
        appoint(people["kwame"], Role.APPROVER, actor=people["ines"])
    with pytest.raises(DirectoryRuleError, match="A second person must approve"):
        assign_role(people["kwame"], Role.APPROVER, actor=people["ines"])
    # Who has a shell could write to the database anyway.
    assign_role(people["kwame"], Role.APPROVER, actor=COMMAND_LINE)


def test_on_the_first_run_one_appoints_and_it_is_said_aloud() -> None:
    ines, first, second, third = (factories.person(name) for name in ("Ines", "One", "Two", "Three"))
    factories.assign(ines, Role.ADMINISTRATOR)
    for person in (first, second):
        assert isinstance(appoint(person, Role.APPROVER, actor=ines), RoleAssignment)
    assert all(entry.data["first_run"] is True for entry in Entry.objects.filter(kind="role.assign"))
    assert isinstance(appoint(third, Role.APPROVER, actor=ines), Appointment)


def test_a_single_operator_appoints_alone_and_it_is_said_aloud(
    people: dict[str, Person], settings: Any
) -> None:
    settings.SINGLE_OPERATOR = True
    assert isinstance(appoint(people["kwame"], Role.APPROVER, actor=people["ines"]), RoleAssignment)
    entry = Entry.objects.filter(kind="role.assign").last()
    assert entry is not None
    assert entry.data["single_operator"] is True


def test_who_asked_must_still_be_able_to_ask(people: dict[str, Person]) -> None:
    made = asked(people)
    deactivate_person(people["ines"], actor=people["ada"])
    with pytest.raises(DirectoryRuleError, match="can no longer appoint anyone"):
        approve_appointment(made, actor=people["ada"])
    assert roles_of(people["kwame"]) == set()


def test_asking_twice_is_one_appointment_and_it_is_decided_once(people: dict[str, Person]) -> None:
    made = asked(people)
    assert asked(people) == made
    stale = Appointment.objects.get(pk=made.pk)
    reject_appointment(made, actor=people["ada"])
    with pytest.raises(DirectoryRuleError, match="already decided this"):
        approve_appointment(stale, actor=people["ada"])
    assert roles_of(people["kwame"]) == set()
    assert asked(people) != made


def test_only_who_asked_withdraws(people: dict[str, Person]) -> None:
    made = asked(people)
    with pytest.raises(DirectoryRuleError, match="Only the person who requested"):
        withdraw_appointment(made, actor=people["ada"])
    withdraw_appointment(made, actor=people["ines"])
    with pytest.raises(DirectoryRuleError, match="This was already decided"):
        approve_appointment(made, actor=people["ada"])


def test_an_administrator_of_one_account_appoints_in_it_with_another_of_it(people: dict[str, Person]) -> None:
    number = "111111111111"
    local, other = factories.person("Local"), factories.person("Elsewhere")
    factories.assign(local, Role.ADMINISTRATOR, account_id=number)
    factories.assign(other, Role.ADMINISTRATOR, account_id="222222222222")
    with pytest.raises(DirectoryRuleError, match="of all accounts"):
        appoint(people["kwame"], Role.APPROVER, actor=local)
    made = appoint(people["kwame"], Role.APPROVER, account_id=number, actor=local)
    assert isinstance(made, Appointment)
    assert why_not_decide(made, actor=other) != ""
    approve_appointment(made, actor=people["ines"])
    assert people["kwame"].assignments.get().account_id == number


def test_somebody_who_decides_does_not_come_back_by_one_hand(people: dict[str, Person]) -> None:
    deactivate_person(people["jonas"], actor=people["ines"])
    with pytest.raises(DirectoryRuleError, match="Remove these roles first"):
        reactivate_person(people["jonas"], actor=people["ines"])
    remove_role(people["jonas"].assignments.get(), actor=people["ines"])
    reactivate_person(people["jonas"], actor=people["ines"])
    assert Person.objects.get(pk=people["jonas"].pk).is_active


def test_approvers_of_before_are_remembered_by_the_migration(people: dict[str, Person]) -> None:
    for name in ("hana", "jonas"):
        for assignment in people[name].assignments.all():
            remove_role(assignment, actor=people["ines"])
    Person.objects.update(was_approver=False)
    assert is_first_run()
    import_module("iam.directory.migrations.0006_was_approver").remember(apps, None)
    assert set(Person.objects.filter(was_approver=True)) == {people["hana"], people["jonas"]}
    assert not is_first_run()
