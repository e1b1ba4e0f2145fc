"""Who holds nothing themselves and gets it by a group or a role is told as well: once, how they come to it,
and nothing about others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from iam.access.grants.models import PermissionSort
from iam.access.grants.queries import visible_grants
from iam.access.grants.services.notifications import tell_began, tell_ended, warn_of_ends
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.directory.models import Person
from iam.guard import viewer_for
from iam.mirror.models import Entity
from iam.notify.events import NotifyEvent
from iam.notify.models import OutgoingMessage
from tests import factories
from tests.iam.access.grants.conftest import Office, allowing, statements
from tests.iam.access.grants.test_notifications import mails, member
from tests.iam.access.grants.test_roles import _role

pytestmark = pytest.mark.on_postgresql

READS = statements(allowing("s3:GetObject", resource="arn:aws:s3:::pay-ledger/*"))
SECRET = "Because Otto Brandt is suspected of fraud"


@dataclass
class Case:
    """What is granted, the accounts in which the person gets it, and the beginning of the sentence that says
    how.
    """

    terms: GrantTerms
    place: str
    how: str


def _to_the_group(office: Office, there: Office, user: Entity) -> Case:
    group = office.group("payments")
    office.call("AddUserToGroup", UserName=user.name, GroupName=group.name)
    office.read(user)
    terms = replace(office.terms(READS, lasts=3600), who=WhoTerms(WhoKind.GROUP, arns=(group.arn,)))
    return Case(
        terms,
        office.scene.account.name,
        f"In {office.scene.account.name}, you get it as a member of the group {group.name}.",
    )


def _to_the_role(office: Office, there: Office, user: Entity) -> Case:
    role = _role(office, _trusting(user))
    terms = replace(office.terms(READS, lasts=3600), who=WhoTerms(WhoKind.ROLE, arns=(role.arn,)))
    return Case(terms, office.scene.account.name, _switch(office, role.arn))


def _by_a_role_that_is_there(office: Office, there: Office, user: Entity) -> Case:
    role = _role(office, factories.TRUST_EC2)
    office.call(
        "PutRolePolicy",
        RoleName=role.name,
        PolicyName="reads",
        PolicyDocument=READS.documents[0],
    )
    office.read(role)
    terms = office.terms(GrantContent(WhatKind.ROLE, role_arn=role.arn), user, lasts=3600)
    return Case(terms, office.scene.account.name, _switch(office, role.arn))


def _by_a_role_made_in_another_account(office: Office, there: Office, user: Entity) -> Case:
    terms = replace(office.terms(READS, user, lasts=3600), accounts=(there.number,))
    return Case(
        terms, there.scene.account.name, f"To use it in {there.scene.account.name}, switch to the role "
    )


def _switch(office: Office, arn: str) -> str:
    return f"To use it in {office.scene.account.name}, switch to the role {arn.rpartition('/')[2]} ({arn})."


def _trusting(user: Entity) -> dict[str, object]:
    statement = {"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


Make = Callable[[Office, Office, Entity], Case]
CASES: tuple[Make, ...] = (
    _to_the_group,
    _to_the_role,
    _by_a_role_that_is_there,
    _by_a_role_made_in_another_account,
)


@pytest.mark.parametrize("make", CASES, ids=[make.__name__[1:] for make in CASES])
def test_each_is_told_once_when_it_begins_when_it_ends_soon_and_when_it_has_ended(
    office: Office, there: Office, make: Make
) -> None:
    user, outsider = office.user("gerda"), office.user("otto")
    gerda, otto = member(user, "Gerda Holm"), member(outsider, "Otto Brandt")
    case = make(office, there, user)
    grant = office.granted(replace(case.terms, why=SECRET))
    tell_began(grant)
    warn_of_ends(now=datetime.now(tz=UTC) + timedelta(minutes=59))
    warn_of_ends(now=datetime.now(tz=UTC) + timedelta(minutes=59))
    grant = office.ended(grant)
    tell_ended(grant)
    mails_of_gerda = mails(gerda)
    assert [event for event, _ in mails_of_gerda] == [
        NotifyEvent.GRANT_BEGAN,
        NotifyEvent.GRANT_ENDING,
        NotifyEvent.GRANT_ENDED,
    ]
    assert case.how in mails_of_gerda[0][1]
    assert f"({case.place}) until " in mails_of_gerda[0][1]
    assert f"Requested by {office.asks.name}" in mails_of_gerda[0][1]
    assert mails(otto) == []
    sent = OutgoingMessage.objects.filter(recipient=str(gerda.pk))
    if not _opens(gerda, grant.pk):
        assert set(sent.values_list("path", flat=True)) == {"/"}
        assert f"ask {office.asks.name}" in mails_of_gerda[1][1]
        assert not sent.filter(text__contains=SECRET).exists()
        assert not sent.filter(subject__contains=grant.title).exists()


def _opens(person: Person, pk: object) -> bool:
    return visible_grants(viewer_for(person)).filter(pk=pk).exists()


def test_a_person_with_two_users_in_a_group_gets_one_mail(office: Office, there: Office) -> None:
    first, second = office.user("gerda"), office.user("gerda-admin")
    gerda = member(first, "Gerda Holm")
    gerda.identities.create(user_arn=second.arn)
    case = _to_the_group(office, there, first)
    group = case.terms.who.arns[0].rpartition("/")[2]
    office.call("AddUserToGroup", UserName=second.name, GroupName=group)
    office.read(second)
    office.granted(case.terms)
    assert [event for event, _ in mails(gerda)] == [NotifyEvent.GRANT_BEGAN]


def test_others_whom_the_role_trusts_already_are_not_told(office: Office, there: Office) -> None:
    """The grant adds a statement for one user: whom the rest of the trust policy names gets nothing new."""
    old, new = office.user("otto"), office.user("gerda")
    otto, gerda = member(old, "Otto Brandt"), member(new, "Gerda Holm")
    role = _role(office, _trusting(old))
    grant = office.granted(office.terms(GrantContent(WhatKind.ROLE, role_arn=role.arn), new, lasts=3600))
    assert [entry.sort for entry in office.entries(grant)] == [PermissionSort.TRUST]
    assert mails(otto) == []
    assert [event for event, _ in mails(gerda)] == [NotifyEvent.GRANT_BEGAN]


def test_who_has_no_address_here_or_is_deactivated_is_left_out(office: Office, there: Office) -> None:
    user = office.user("gerda")
    gerda = member(user, "Gerda Holm")
    Person.objects.filter(pk=gerda.pk).update(is_active=False)
    grant = office.granted(_to_the_group(office, there, user).terms)
    tell_began(grant)
    assert mails(gerda) == []
