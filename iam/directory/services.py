"""The only writer of people, their roles and their IAM users. The journal records each action."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from iam.directory.events import rights_reduced
from iam.directory.identity_links import link, unlink
from iam.directory.models import Identity, Person, Role, RoleAssignment, Team
from iam.directory.rules import (
    DirectoryRuleError,
    assert_administers,
    assert_administrator_remains,
    assert_somebody_else,
    is_command_line,
)
from iam.directory.second_approvers import why_alone
from iam.journal.services import Actor, record

USER_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::(?P<account>\d{12}):user/[\x21-\x7e]+")
ACCOUNT = re.compile(r"(\d{12})?")


@transaction.atomic
def add_person(*, name: str, email: str, actor: Actor) -> Person:
    """Add a person without any role. Raises DirectoryRuleError if the address is taken."""
    assert_administers(actor)
    address = email.strip().lower()
    if Person.objects.filter(email__iexact=address).exists():
        raise DirectoryRuleError(f"{address} already belongs to another person.")
    person = Person.objects.create(name=name.strip(), email=address)
    record(kind="person.add", actor=actor, subject=person.email, data={"name": person.name})
    return person


@transaction.atomic
def rename_person(person: Person, *, name: str, actor: Actor) -> None:
    """Rename a person. The address can't change, because single sign-on identifies people by it."""
    assert_administers(actor)
    before, person.name = person.name, name.strip()
    person.save(update_fields=["name"])
    record(
        kind="person.rename", actor=actor, subject=person.email, data={"before": before, "after": person.name}
    )


@transaction.atomic
def deactivate_person(person: Person, *, actor: Actor) -> None:
    """Deactivate a person: they are signed out everywhere and can't sign in; their roles are kept. It is safe
    to run again.
    """
    assert_administers(actor)
    assert_somebody_else(actor, person)
    assert_administrator_remains(person)
    if not Person.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
        return
    person.is_active = False
    record(kind="person.deactivate", actor=actor, subject=person.email)
    rights_reduced(person)


@transaction.atomic
def reactivate_person(person: Person, *, actor: Actor) -> None:
    """Reactivate a person with their former roles. It is safe to run again. Those who decide about others
    need two people, as for an appointment.
    """
    assert_administers(actor)
    assert_somebody_else(actor, person)
    if not person.is_active and _decides(person) and not (is_command_line(actor) or why_alone()):
        raise DirectoryRuleError(
            f"{person.name} is an administrator or approver. Remove these roles first. A second person must "
            "approve them when you give them again."
        )
    if not Person.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
        return
    person.is_active = True
    record(kind="person.reactivate", actor=actor, subject=person.email)


def _decides(person: Person) -> bool:
    return person.assignments.filter(role__in=[Role.ADMINISTRATOR, Role.APPROVER]).exists()


@transaction.atomic
def assign_role(
    person: Person,
    role: Role | str,
    *,
    account_id: str = "",
    team: Team | None = None,
    until: datetime | None = None,
    actor: Actor,
) -> RoleAssignment:
    """Give a role in one account (blank: in all). A team lead leads one team, and an auditor’s role can end
    automatically. Repeating it only changes that end.

    Roles that decide about others (administrator, approver) need a second person
    (`iam.directory.appointments`), except from a shell, on the first run and in single-operator mode, which
    the journal records. Raises DirectoryRuleError.
    """
    role = Role(role)
    if not ACCOUNT.fullmatch(account_id):
        raise DirectoryRuleError(f"“{account_id}” isn’t an account ID. Enter 12 digits.")
    assert_administers(actor, account_id=account_id)
    assert_somebody_else(actor, person)
    if (role is Role.TEAM_LEAD) != (team is not None):
        raise DirectoryRuleError("A team lead needs a team. Other roles are for accounts, not for teams.")
    if until is not None:
        _check_end(role, until)
    decides = role in (Role.ADMINISTRATOR, Role.APPROVER) and not is_command_line(actor)
    alone = why_alone() if decides else ""
    assignment = RoleAssignment.objects.filter(
        person=person, role=role, account_id=account_id, team=team
    ).first()
    if assignment is not None:
        _set_end(assignment, until, actor=actor)
        return assignment
    if decides and not alone:
        raise DirectoryRuleError(f"A second person must approve the {role.label.lower()} role.")
    reason_for_one_person = {alone: True} if alone else {}
    return give_role(
        person,
        role,
        account_id=account_id,
        team=team,
        until=until,
        actor=actor,
        data=reason_for_one_person,
    )


def _check_end(role: Role, until: datetime) -> None:
    if role is not Role.AUDITOR:
        raise DirectoryRuleError("Only the auditor role can end on a day.")
    if until <= datetime.now(tz=UTC):
        raise DirectoryRuleError("The last day must not be in the past.")


def _set_end(assignment: RoleAssignment, until: datetime | None, *, actor: Actor) -> None:
    """Change the end of an auditor's role, unless it is the same."""
    if assignment.role != Role.AUDITOR or assignment.until == until:
        return
    RoleAssignment.objects.filter(pk=assignment.pk).update(until=until)
    data = {"name": assignment.person.name, "role": assignment.role, "until": until or "no end"}
    record(
        kind="role.until",
        actor=actor,
        subject=assignment.person.email,
        account_id=assignment.account_id,
        data=data,
    )
    rights_reduced(assignment.person)


def give_role(
    person: Person,
    role: Role,
    *,
    account_id: str,
    actor: Actor,
    team: Team | None = None,
    until: datetime | None = None,
    data: dict[str, Any] | None = None,
) -> RoleAssignment:
    """Write a role whose rules the caller has checked, in the caller's transaction. `data` is for the
    journal.
    """
    assignment, made = RoleAssignment.objects.get_or_create(
        person=person, role=role, account_id=account_id, team=team, defaults={"until": until}
    )
    if made:
        if role is Role.APPROVER:
            Person.objects.filter(pk=person.pk).update(was_approver=True)
        known: dict[str, Any] = {
            "role": role.value,
            "name": person.name,
            "team": team.slug if team else "",
        }
        if until is not None:
            known["until"] = until
        record(
            kind="role.assign",
            actor=actor,
            subject=person.email,
            account_id=account_id,
            data=known | (data or {}),
        )
    return assignment


@transaction.atomic
def remove_role(assignment: RoleAssignment, *, actor: Actor) -> None:
    """Remove a role and sign the person out everywhere, so that no open page keeps the rights."""
    person, role = assignment.person, Role(assignment.role)
    assert_administers(actor, account_id=assignment.account_id)
    assert_somebody_else(actor, person)
    if role is Role.ADMINISTRATOR and not assignment.account_id:
        assert_administrator_remains(person)
    deleted, _ = RoleAssignment.objects.filter(pk=assignment.pk).delete()
    if not deleted:
        return
    record(
        kind="role.remove",
        actor=actor,
        subject=person.email,
        account_id=assignment.account_id,
        data={
            "role": role.value,
            "name": person.name,
            "team": assignment.team.slug if assignment.team else "",
        },
    )
    rights_reduced(person)


@transaction.atomic
def link_identity(person: Person, *, user_arn: str, actor: Actor) -> Identity:
    """Link an IAM user to a person, who can then see it and request changes to it. An IAM user belongs to one
    person.
    """
    arn = user_arn.strip()
    match = USER_ARN.fullmatch(arn)
    if not match:
        raise DirectoryRuleError("Enter the ARN of an IAM user, such as arn:aws:iam::111111111111:user/maya.")
    assert_administers(actor, account_id=match["account"])
    assert_somebody_else(actor, person)
    return link(person, user_arn=arn, actor=actor)


@transaction.atomic
def follow_rename(old_arn: str, *, new_arn: str) -> None:
    """Move a link to the new ARN of a user that Gatehouse renamed, so that a new user with the old ARN isn't
    linked.

    It does nothing for an unlinked user, for a new ARN that is linked already, or when repeated.
    """
    identity = Identity.objects.filter(user_arn=old_arn).select_related("person").first()
    if identity is None or Identity.objects.filter(user_arn=new_arn).exists():
        return
    if Identity.objects.filter(pk=identity.pk, user_arn=old_arn).update(user_arn=new_arn):
        record(
            kind="identity.follow",
            actor=None,
            subject=identity.person.email,
            account_id=new_arn.split(":")[4],
            data={"arn": new_arn, "former": old_arn},
        )


@transaction.atomic
def unlink_identity(identity: Identity, *, actor: Actor) -> None:
    """Remove the link of an IAM user. AWS isn't changed."""
    person, account = identity.person, identity.user_arn.split(":")[4]
    assert_administers(actor, account_id=account)
    assert_somebody_else(actor, person)
    unlink(identity, actor=actor)
