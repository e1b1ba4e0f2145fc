"""Appoints administrators and approvers: one person requests it and a second one approves. No one can do
both, or appoint themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from iam.directory.models import Appointment, AppointmentState, Person, Role, RoleAssignment
from iam.directory.rules import (
    DirectoryRuleError,
    assert_administers,
    assert_somebody_else,
    is_command_line,
)
from iam.directory.second_approvers import seconds_for, why_alone
from iam.directory.services import ACCOUNT, give_role
from iam.journal.services import Actor, person_id_of, record
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify

DECIDING = frozenset({Role.ADMINISTRATOR, Role.APPROVER})
"""The roles that decide about others."""


@transaction.atomic
def appoint(
    person: Person, role: Role | str, *, account_id: str = "", actor: Actor
) -> Appointment | RoleAssignment:
    """Request a role that decides about others. A second person must approve, unless there is none yet (first
    run, single-operator mode, a shell).

    A repeated request returns the same appointment. Raises DirectoryRuleError.
    """
    role = Role(role)
    assert_administers(actor, account_id=account_id)
    assert_somebody_else(actor, person)
    if role not in DECIDING:
        raise DirectoryRuleError(f"The {role.label.lower()} role doesn’t need a second person.")
    if not ACCOUNT.fullmatch(account_id):
        raise DirectoryRuleError(f"“{account_id}” isn’t an account ID. Enter 12 digits.")
    alone = "" if is_command_line(actor) else why_alone()
    if is_command_line(actor) or alone:
        reason_for_one_person = {alone: True} if alone else {}
        return give_role(person, role, account_id=account_id, actor=actor, data=reason_for_one_person)
    asker = person_id_of(actor)
    assert asker is not None
    if RoleAssignment.objects.filter(person=person, role=role, account_id=account_id).exists():
        raise DirectoryRuleError(f"{person.name} already has the {role.label.lower()} role.")
    seconds = seconds_for(but={asker, person.pk}, account_id=account_id)
    if not seconds:
        raise DirectoryRuleError(
            "No one else can confirm this: there isn’t another administrator or approver. On the server, "
            "run `manage.py bootstrap` to appoint one."
        )
    return _ask(person, role, account_id=account_id, actor=actor, seconds=seconds)


def _ask(person: Person, role: Role, *, account_id: str, actor: Actor, seconds: list[Person]) -> Appointment:
    asker = person_id_of(actor)
    assert asker is not None
    try:
        with transaction.atomic():
            made = Appointment.objects.create(
                person=person,
                role=role,
                account_id=account_id,
                asked_by=asker,
                asked_label=actor.name[:128],
            )
    except IntegrityError:
        return Appointment.objects.get(
            person=person, role=role, account_id=account_id, state=AppointmentState.WAITING
        )
    _record(made, "ask", actor=actor)
    _notify(made, seconds)
    return made


def _notify(made: Appointment, seconds: list[Person]) -> None:
    notify(
        NotifyEvent.WAITING,
        people=seconds,
        subject=(
            f"{made.asked_label} requested the {made.get_role_display().lower()} role for {made.person.name}"
        ),
        text="A second person must approve it.",
        path=path_of(MessagePage.APPROVALS),
        key=f"appointment:{made.pk}",
    )


def why_not_decide(appointment: Appointment, *, actor: Actor) -> str:
    """Return why the actor can't approve the appointment, or an empty string."""
    me = person_id_of(actor)
    if appointment.state != AppointmentState.WAITING:
        return f"This was already decided: {appointment.get_state_display().lower()}."
    if me == appointment.asked_by:
        return "You requested this, so someone else decides."
    if me == appointment.person_id:
        return "This is about you, so someone else decides."
    able = seconds_for(but={appointment.asked_by, appointment.person_id}, account_id=appointment.account_id)
    return "" if me in {person.pk for person in able} else "Another administrator decides this."


@transaction.atomic
def approve_appointment(appointment: Appointment, *, actor: Actor) -> RoleAssignment:
    """Approve an appointment as the second person, which gives the role. The requester must still have the
    right to request it. Raises DirectoryRuleError.
    """
    _check(appointment, actor=actor)
    asker = Person.objects.filter(pk=appointment.asked_by, is_active=True).first()
    try:
        if asker is None:
            raise DirectoryRuleError("gone")
        assert_administers(asker, account_id=appointment.account_id)
    except DirectoryRuleError:
        raise DirectoryRuleError(
            f"{appointment.asked_label}, who requested this, can no longer appoint anyone. Reject it, and "
            "request it again if needed."
        ) from None
    _decide(appointment, AppointmentState.APPROVED, actor=actor)
    data = {"asked_by": appointment.asked_label}
    return give_role(
        appointment.person, Role(appointment.role), account_id=appointment.account_id, actor=actor, data=data
    )


@transaction.atomic
def reject_appointment(appointment: Appointment, *, actor: Actor) -> None:
    """Reject an appointment as the second person. Raises DirectoryRuleError."""
    _check(appointment, actor=actor)
    _decide(appointment, AppointmentState.REJECTED, actor=actor)


@transaction.atomic
def withdraw_appointment(appointment: Appointment, *, actor: Actor) -> None:
    """Withdraw an appointment as its requester. Raises DirectoryRuleError."""
    if person_id_of(actor) != appointment.asked_by:
        raise DirectoryRuleError("Only the person who requested it can withdraw it.")
    _decide(appointment, AppointmentState.WITHDRAWN, actor=actor)


def _check(appointment: Appointment, *, actor: Actor) -> None:
    if why := why_not_decide(appointment, actor=actor):
        raise DirectoryRuleError(why)


def _decide(appointment: Appointment, state: AppointmentState, *, actor: Actor) -> None:
    waiting = Appointment.objects.filter(pk=appointment.pk, state=AppointmentState.WAITING)
    now = datetime.now(tz=UTC)
    values = {"decided_by": person_id_of(actor), "decided_label": actor.name[:128], "decided_at": now}
    if not waiting.update(state=state, **values):
        raise DirectoryRuleError("Someone else has already decided this.")
    appointment.refresh_from_db()
    act = {"approved": "approve", "rejected": "reject", "withdrawn": "withdraw"}[state.value]
    _record(appointment, act, actor=actor)


def _record(appointment: Appointment, act: str, *, actor: Actor) -> None:
    record(
        kind=f"appointment.{act}",
        actor=actor,
        subject=appointment.person.email,
        account_id=appointment.account_id,
        data={"name": appointment.person.name, "role": appointment.role, "asked_by": appointment.asked_label},
    )
