"""One-time links: who gets in, who does not and in which words, and what the journal keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from iam.directory.models import Person
from iam.journal.models import Entry
from iam.people.links import queries, services
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import LinkRefusedError
from iam.people.links.signed_ids import address_of, id_in, word_of
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
ARN = "arn:aws:iam::111111111111:user/kwame.boateng"


@pytest.fixture
def person() -> Person:
    return Person.objects.create(name="Kwame Boateng", email="kwame@example.com")


@pytest.fixture
def link(person: Person) -> OneTimeLink:
    ines = factories.viewer("administrator", name="Ines Duarte")
    return services.make_link(LinkPurpose.MFA, person=person, user_arn=ARN, actor=ines)


def refused(call: Callable[..., Any], *args: Any, **options: Any) -> LinkRefusedError:
    with pytest.raises(LinkRefusedError) as caught:
        call(*args, **options)
    return caught.value


def journalled(kind: str) -> list[dict[str, Any]]:
    return [entry.data for entry in Entry.objects.filter(kind=kind).order_by("id")]


def test_a_link_lets_one_browser_in_for_half_an_hour(link: OneTimeLink, person: Person) -> None:
    entered = services.exchange(word_of(link.pk), address="192.0.2.7")

    inside = services.session_of(entered.cookie)

    assert (inside.pk, inside.person, inside.user_arn) == (link.pk, person, ARN)
    assert inside.session_until is not None
    assert inside.used_at is not None
    assert inside.session_until - inside.used_at == timedelta(minutes=30)
    (used,) = Entry.objects.filter(kind="link.use")
    assert (used.actor_label, used.subject, used.account_id) == ("Kwame Boateng", ARN, "111111111111")


def test_looking_at_a_link_uses_nothing_up(link: OneTimeLink) -> None:
    """Mail scanners open links."""
    entries = Entry.objects.count()
    for _ in range(3):
        assert services.find_link(word_of(link.pk)).pk == link.pk
    assert Entry.objects.count() == entries
    assert services.exchange(word_of(link.pk)).link.pk == link.pk


def test_neither_the_link_nor_the_cookie_stands_in_a_row(link: OneTimeLink) -> None:
    word = word_of(link.pk)
    cookie = services.exchange(word).cookie
    rows = repr([*OneTimeLink.objects.values(), *Entry.objects.values()])
    assert word not in rows
    assert word.partition(".")[2] not in rows
    assert cookie not in rows
    assert address_of(link).endswith(f"/link/{word}/")


def test_a_link_works_once(link: OneTimeLink) -> None:
    services.exchange(word_of(link.pk))
    again = refused(services.exchange, word_of(link.pk))
    assert again.message.startswith("This link was used on ")
    assert "If that wasn’t you, tell Ines Duarte immediately" in again.message
    assert [row["why"] for row in journalled("link.refused")] == ["used"]


def test_a_link_that_is_too_old_is_refused(link: OneTimeLink) -> None:
    with time_machine.travel(link.expires_at + timedelta(seconds=1), tick=False):
        late = refused(services.exchange, word_of(link.pk))
    assert late.message.startswith("This link expired on ")
    assert journalled("link.refused")[0]["why"] == "expired"


def test_a_session_of_more_than_half_an_hour_is_over(link: OneTimeLink) -> None:
    entered = services.exchange(word_of(link.pk))
    assert entered.link.session_until is not None
    with time_machine.travel(entered.link.session_until, tick=False):
        over = refused(services.session_of, entered.cookie)
    assert over.message == ("Your 30 minutes with this link are over. Ask Ines Duarte for a new link.")


@pytest.mark.parametrize("purpose", LinkPurpose)
def test_nobody_is_sent_to_themselves_for_another_link(person: Person, purpose: LinkPurpose) -> None:
    own = services.make_link(purpose, person=person, user_arn=ARN, actor=person)
    services.exchange(word_of(own.pk))
    again = refused(services.exchange, word_of(own.pk)).message
    assert person.name not in again
    assert again.endswith("Sign in to Gatehouse to get a new one.")


def test_a_link_by_gatehouse_names_who_to_ask(person: Person) -> None:
    made = services.make_link(LinkPurpose.MFA, person=person, user_arn=ARN, actor=None)
    with time_machine.travel(made.expires_at, tick=False):
        late = refused(services.exchange, word_of(made.pk))
    assert late.message.endswith("Ask your Gatehouse administrators for a new link.")


def test_a_guess_is_refused_and_kept_in_the_journal(link: OneTimeLink) -> None:
    for guess in ("", "x", "a.b", word_of(uuid4()), word_of(link.pk)[:-1], "é" * 40):
        assert refused(services.exchange, guess).message == services.DAMAGED
    assert {row["why"] for row in journalled("link.refused")} == {"damaged"}


def test_a_signature_of_one_link_opens_no_other(link: OneTimeLink, person: Person) -> None:
    """Anyone who puts another user's link into the address has to sign it."""
    other = services.make_link(
        LinkPurpose.MFA, person=person, user_arn=ARN.replace("kwame", "tomas"), actor=person
    )
    mine, theirs = word_of(link.pk).split("."), word_of(other.pk).split(".")
    assert id_in(".".join([theirs[0], mine[1]])) is None
    assert refused(services.exchange, ".".join([theirs[0], mine[1]])).why == "damaged"


def test_a_revoked_link_opens_nothing_and_throws_its_browser_out(link: OneTimeLink) -> None:
    entered = services.exchange(word_of(link.pk))
    actor = factories.viewer("administrator", name="Hana Sato", email="hana@example.com")

    assert services.revoke_link(link, actor=actor)
    assert not services.revoke_link(link, actor=actor)

    out = refused(services.session_of, entered.cookie)
    assert out.message == "This link was revoked by Hana Sato. Ask Ines Duarte for a new link."
    assert len(journalled("link.revoke")) == 1


def test_a_newer_link_replaces_one_that_nobody_has_used(link: OneTimeLink, person: Person) -> None:
    newer = services.make_link(LinkPurpose.MFA, person=person, user_arn=ARN, actor=None)
    assert refused(services.find_link, word_of(link.pk)).why == "replaced"
    assert refused(services.exchange, word_of(link.pk)).why == "replaced"
    assert list(queries.waiting_links(ARN)) == [newer]
    assert services.exchange(word_of(newer.pk)).link.pk == newer.pk


@pytest.mark.parametrize("end", ["used", "over", "revoked", "expired"])
def test_who_opens_an_old_link_is_sent_to_the_newer_one_as_long_as_that_one_waits(
    link: OneTimeLink, person: Person, end: str
) -> None:
    word = word_of(link.pk)
    cookie = services.exchange(word).cookie if end in ("used", "over") else ""
    if end == "revoked":
        services.revoke_link(link, actor=None)
    hours = {"over": 1, "expired": 25}.get(end, 0)
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=hours), tick=False):
        newer = services.make_link(link.purpose, person=person, user_arn=link.user_arn, actor=None)
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=hours, minutes=1), tick=False):
        link_refused_errors = [refused(services.find_link, word), refused(services.exchange, word)]
        link_refused_errors += [refused(services.session_of, cookie)] if end == "over" else []
        assert {link_refused_error.message for link_refused_error in link_refused_errors} == {
            services.REPLACED
        }
        services.exchange(word_of(newer.pk))
        assert services.REPLACED not in refused(services.find_link, word).message or end == "expired"


def test_a_link_that_has_served_is_over(link: OneTimeLink) -> None:
    entered = services.exchange(word_of(link.pk))
    assert services.finish_link(entered.link)
    assert (
        refused(services.session_of, entered.cookie).message
        == "You are done with this link. It works only once."
    )
    assert list(queries.waiting_links(ARN)) == []


def test_a_person_who_was_deactivated_gets_in_by_no_link(link: OneTimeLink, person: Person) -> None:
    cookie = services.exchange(word_of(link.pk)).cookie
    fresh = services.make_link(LinkPurpose.MFA, person=person, user_arn=ARN, actor=None)
    Person.objects.update(is_active=False)
    assert refused(services.exchange, word_of(fresh.pk)).message == services.GONE
    assert refused(services.session_of, cookie).message == services.GONE


def test_a_browser_without_the_cookie_is_not_in(link: OneTimeLink) -> None:
    services.exchange(word_of(link.pk))
    for cookie in ("", "x", str(link.pk)):
        assert refused(services.session_of, cookie).message == services.NO_SESSION


def test_a_link_does_not_last_for_longer_than_a_week(person: Person) -> None:
    for lasts in (timedelta(0), timedelta(days=7, seconds=1)):
        with pytest.raises(ValueError, match="7 days"):
            services.make_link(LinkPurpose.MFA, person=person, user_arn=ARN, actor=None, lasts=lasts)


def test_the_newest_link_of_each_cause_is_found_at_once(person: Person) -> None:
    causes = [uuid4(), uuid4()]
    for cause in (*causes, causes[0]):
        services.make_link(LinkPurpose.INVITATION, person=person, user_arn=ARN, actor=None, cause_id=cause)
    newest_by_cause = queries.newest_by_cause(causes)
    assert set(newest_by_cause) == set(causes)
    assert newest_by_cause[causes[0]].ended_why == ""
