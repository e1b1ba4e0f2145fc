"""Who gets a mail as a grant begins and ends: each one, in the words of the grant, and of accounts in which
they hold something.
"""

from __future__ import annotations

from typing import Any

import pytest

from iam.access.grants.models import Grant, GrantState
from iam.access.grants.services.notifications import tell_began
from iam.access.grants.terms import GrantContent, WhatKind
from iam.changes import notifications
from iam.changes.models import Change
from iam.directory.models import Person, Role
from iam.guard import viewer_for
from iam.mirror.models import Entity
from iam.moments import moment_words
from iam.notify.events import NotifyEvent
from iam.notify.models import OutgoingMessage, Preference
from tests import factories
from tests.iam.access.grants.conftest import Office, allowing, statements

pytestmark = pytest.mark.on_postgresql

READS = allowing("s3:GetObject", resource="arn:aws:s3:::pay-ledger/*")


def member(user: Entity, name: str) -> Person:
    """Somebody of the directory whose user it is."""
    person = factories.person(name, email=f"{user.name}@example.com", arns=(user.arn,))
    factories.assign(person, Role.MEMBER)
    return person


def mails(person: Any) -> list[tuple[str, str]]:
    """(event, text) of the mails to a person."""
    rows = OutgoingMessage.objects.filter(channel="email", recipient=str(person.pk)).order_by("created_at")
    return list(rows.values_list("event", "text"))


def tell_ends_of(grant: Grant) -> None:
    """As the handlers of ends do, for each change of it."""
    for change in Change.objects.filter(change_set__cause_id=grant.pk).select_related("change_set"):
        notifications.tell_end(change)


def test_who_receives_a_grant_reads_what_they_have_where_and_until_when(office: Office) -> None:
    first, second = office.user("gerda"), office.user("hans")
    gerda, hans = member(first, "Gerda Holm"), member(second, "Hans Holm")
    grant = office.granted(office.terms(statements(READS), first, second, lasts=3600))
    assert grant.ends_at is not None
    tell_began(grant)
    where, until = office.scene.account.name, moment_words(grant.ends_at)
    for person in (gerda, hans):
        [(event, text)] = mails(person)
        assert event == NotifyEvent.GRANT_BEGAN
        assert text == (
            f"Read files in the bucket pay-ledger ({where}) until {until}.\n\n"
            f"Requested by {office.asks.name}: Settles the quarter"
        )
    subject, path = OutgoingMessage.objects.filter(event=NotifyEvent.GRANT_BEGAN).values_list(
        "subject", "path"
    )[0]
    assert subject == f"You now have access: {grant.title}"
    assert path == f"/grants/{grant.pk}/"


def test_a_permanent_grant_says_so_and_who_requested_it_gets_one_mail(office: Office) -> None:
    mine = office.user("ines")
    asker = Person.objects.get(pk=office.asks.person_id)
    asker.identities.create(user_arn=mine.arn)
    other = office.user("jo")
    person = member(other, "Jo Lind")
    grant = office.granted(office.terms(statements(READS), mine, other))
    tell_ends_of(grant)
    assert [event for event, _ in mails(asker)] == [NotifyEvent.DECIDED, NotifyEvent.APPLIED]
    [(_, text)] = mails(person)
    assert "permanently" in text


def test_who_gets_nothing_yet_is_told_when_it_is_given(office: Office) -> None:
    first, second = office.user("a"), office.user("b")
    person, late = member(first, "Ada Holm"), member(second, "Bea Holm")
    what = GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)
    grant = office.approve(office.ask(office.terms(what, first, second)))
    assert mails(person) == mails(late) == []
    office.call("UpdateUser", UserName=second.name, NewUserName=f"{second.name}-gone")
    grant = office.work(grant)
    assert grant.state == GrantState.PARTLY
    assert (len(mails(person)), len(mails(late))) == (1, 0)
    office.call("UpdateUser", UserName=f"{second.name}-gone", NewUserName=second.name)
    from iam.access.grants import services

    grant = office.work(services.retry_failed(grant, actor=office.asks))
    assert grant.state == GrantState.ACTIVE
    assert (len(mails(person)), len(mails(late))) == (1, 1)


def test_the_end_of_a_grant_is_one_mail_to_each(office: Office) -> None:
    mine, other = office.user("ines"), office.user("kim")
    asker = Person.objects.get(pk=office.asks.person_id)
    asker.identities.create(user_arn=mine.arn)
    person = member(other, "Kim Holm")
    grant = office.granted(office.terms(statements(READS), mine, other, lasts=3600))
    OutgoingMessage.objects.all().delete()
    grant = office.ended(grant)
    assert grant.state == GrantState.ENDED
    tell_ends_of(grant)
    for who in (asker, person):
        assert [
            event for event, _ in mails(who) if event not in (NotifyEvent.APPLIED, NotifyEvent.GRANT_ENDED)
        ] == []
    ends = [event for event, _ in mails(asker)]
    assert ends.count(NotifyEvent.GRANT_ENDED) == 1
    titles = OutgoingMessage.objects.filter(event=NotifyEvent.APPLIED, recipient=str(asker.pk))
    assert not titles.filter(subject__contains=f"End of {grant.reference}").exists()
    assert [event for event, _ in mails(person)] == [NotifyEvent.GRANT_ENDED]


def test_who_wants_no_mail_of_ends_still_reads_that_the_request_is_done(office: Office) -> None:
    asker = Person.objects.get(pk=office.asks.person_id)
    Preference.objects.create(
        person_id=asker.pk, event=NotifyEvent.GRANT_ENDED, channel="email", is_wanted=False
    )
    grant = office.ended(office.granted(office.terms(statements(READS), lasts=3600)))
    tell_ends_of(grant)
    done = OutgoingMessage.objects.filter(event=NotifyEvent.APPLIED, recipient=str(asker.pk))
    assert done.filter(subject__contains=f"End of {grant.reference}").count() == 1
    assert not OutgoingMessage.objects.filter(event=NotifyEvent.GRANT_ENDED, recipient=str(asker.pk)).exists()


@pytest.mark.parametrize("is_active", [True, False])
def test_who_cannot_open_it_is_not_told(office: Office, is_active: bool) -> None:
    user = office.user("leo")
    person = member(user, "Leo Holm")
    Person.objects.filter(pk=person.pk).update(is_active=is_active)
    office.granted(office.terms(statements(READS), user, lasts=3600))
    assert bool(mails(person)) is is_active
    assert not is_active or viewer_for(person).person_id == person.pk
