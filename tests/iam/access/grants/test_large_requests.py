"""A grant that is too large for a page to wait for: accepted at once, asked for by a worker, once and as a
whole or not at all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam import nudge
from iam.access.grants import services
from iam.access.grants.models import Grant, GrantPreparation, GrantState, GrantVersion
from iam.access.grants.plans import GrantPlan
from iam.access.grants.services import large_requests, requests
from iam.access.grants.tasks import prepare_grant, prepare_grants
from iam.access.grants.terms import GrantContent, GrantTerms, TermsError, WhatKind, WhoKind, WhoTerms
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.changes.services import WeighedRequest
from iam.directory.models import Person, Role
from iam.guard import Viewer
from iam.journal.models import Entry
from iam.mirror.models import Account
from iam.notify.models import OutgoingMessage
from tests import factories as make
from tests.iam.access.grants.conftest import READS

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
MANY = large_requests.MAX_ACCOUNTS_AT_ONCE + 1


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a worker is told of."""
    sent: list[Any] = []
    monkeypatch.setattr(nudge, "send_after_commit", lambda task, pk: sent.append(pk))
    return sent


@pytest.fixture
def asker() -> Viewer:
    return make.viewer(name="Ines Duarte")


@pytest.fixture
def accounts() -> list[Account]:
    """Accounts in each of which ama has a user."""
    made = []
    for place in range(MANY):
        number = f"{300_000_000_000 + place}"
        role = f"arn:aws:iam::{number}:role/gatehouse-writer"
        made.append(make.account(number, name=f"unit-{place}", write_role_arn=role))
        make.user(made[-1], "ama")
    return made


def terms(accounts: list[Account], **fields: Any) -> GrantTerms:
    who = WhoTerms(
        WhoKind.USERS, arns=tuple(f"arn:aws:iam::{account.account_id}:user/ama" for account in accounts)
    )
    what = GrantContent(WhatKind.STATEMENTS, documents=(READS,))
    numbers = tuple(account.account_id for account in accounts)
    body: dict[str, Any] = {"who": who, "what": what, "accounts": numbers, "why": "Moves", "lasts": 28800}
    return GrantTerms(**body | fields)


def submit(terms: GrantTerms, actor: Viewer, key: str = "k", *, accepts_end: bool = False) -> Grant:
    return services.submit_grant(terms, actor=actor, idempotency_key=key, accepts_end=accepts_end)


def lost_worker(grant: Grant) -> None:
    """The lease of a worker that was killed has run out."""
    past = datetime.now(tz=UTC) - timedelta(seconds=1)
    GrantPreparation.objects.filter(pk=grant.pk).update(lease_until=past)


def test_a_small_one_is_asked_for_while_the_page_waits(accounts: list[Account], asker: Viewer) -> None:
    grant = submit(terms(accounts[:2]), asker)
    assert (grant.state, grant.parts.count()) == (GrantState.WAITING, 2)
    assert not GrantPreparation.objects.exists()


def test_a_large_one_is_accepted_first_and_asked_for_by_a_worker_once(
    accounts: list[Account], asker: Viewer, sent: list[Any]
) -> None:
    grant = submit(terms(accounts), asker)
    assert (grant.state, grant.parts.count(), Change.objects.count()) == (GrantState.PREPARING, 0, 0)
    assert submit(terms(accounts), asker).pk == grant.pk
    assert sent == [grant.pk]
    for _ in range(2):
        prepare_grant(str(grant.pk))
        lost_worker(grant)
    grant.refresh_from_db()
    assert (grant.state, grant.parts.count()) == (GrantState.WAITING, MANY)
    assert ChangeSet.objects.filter(cause_id=grant.pk).count() == 1
    assert GrantVersion.objects.filter(grant=grant).count() == 1
    assert [entry.data["to"] for entry in Entry.objects.filter(kind="grant.state")] == ["waiting"]


def test_a_large_request_says_the_same_as_one_that_was_made_at_once(
    accounts: list[Account], asker: Viewer
) -> None:
    at_once = services.request_grant(terms(accounts), actor=asker, idempotency_key="k2")
    later = submit(terms(accounts), asker)
    large_requests.prepare(later.pk)
    digests = [
        sorted(
            Change.objects.filter(change_set__cause_id=grant.pk).values_list("lane", "operation", "account")
        )
        for grant in (at_once, later)
    ]
    assert digests[0] == digests[1]
    later.refresh_from_db()
    assert (later.title, later.terms) == (at_once.title, at_once.terms)
    assert later.planned_end is not None
    texts = [str(change.params) for change in Change.objects.filter(change_set__cause_id=later.pk)]
    assert any(f"{later.planned_end:%Y-%m-%dT%H:%M:%SZ}" in text for text in texts)


def test_the_beat_takes_up_what_a_killed_worker_left(
    accounts: list[Account], asker: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = submit(terms(accounts), asker)
    with monkeypatch.context() as patch:
        patch.setattr(large_requests, "write_parts", _killed)
        with pytest.raises(SystemExit):
            prepare_grant(str(grant.pk))
    assert (Change.objects.count(), grant.parts.count()) == (0, 0)
    prepare_grants()
    grant.refresh_from_db()
    assert grant.state == GrantState.PREPARING, "its lease still runs"
    lost_worker(grant)
    prepare_grants()
    grant.refresh_from_db()
    assert (grant.state, grant.parts.count()) == (GrantState.WAITING, MANY)


def _killed(*_: object) -> None:
    raise SystemExit


def test_what_no_worker_was_told_of_is_taken_up(accounts: list[Account], asker: Viewer) -> None:
    grant = submit(terms(accounts), asker)
    assert services.prepare_open() == 0, "a worker has just been told"
    assert services.prepare_open(older_than=timedelta()) == 1
    grant.refresh_from_db()
    assert grant.state == GrantState.WAITING


def test_a_large_request_that_cannot_be_made_says_why_by_account_and_requests_nothing(
    accounts: list[Account], asker: Viewer
) -> None:
    grant = submit(terms(accounts), asker)
    Account.objects.filter(pk__in=[accounts[0].pk, accounts[1].pk]).update(write_role_arn="")
    large_requests.prepare(grant.pk)
    grant.refresh_from_db()
    problems = grant.preparation.problems
    assert grant.state == GrantState.REFUSED
    assert [text.partition(":")[0] for text in problems] == ["unit-0", "unit-1"]
    assert (Change.objects.count(), ChangeSet.objects.count(), grant.parts.count()) == (0, 0, 0)
    message = OutgoingMessage.objects.get(key__endswith=f"{grant.pk}:refused")
    assert (message.recipient, "unit-1" in message.text) == (str(asker.person_id), True)
    # The same form gives the same grant, and does not begin it anew.
    assert submit(terms(accounts), asker).state == GrantState.REFUSED


def test_an_end_that_nobody_accepted_is_told(accounts: list[Account], asker: Viewer) -> None:
    what = GrantContent(WhatKind.MANAGED, policy_arn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    grant = submit(terms(accounts, what=what), asker)
    large_requests.prepare(grant.pk)
    grant.refresh_from_db()
    assert (grant.state, grant.preparation.problems) == (GrantState.REFUSED, [requests.NOT_ACCEPTED])
    agreed = submit(terms(accounts, what=what), asker, "k2", accepts_end=True)
    large_requests.prepare(agreed.pk)
    agreed.refresh_from_db()
    assert agreed.state == GrantState.WAITING


def test_whoever_may_no_longer_ask_asks_for_nothing(accounts: list[Account], asker: Viewer) -> None:
    grant = submit(terms(accounts), asker)
    Person.objects.filter(pk=asker.person_id).update(is_active=False)
    large_requests.prepare(grant.pk)
    grant.refresh_from_db()
    assert grant.state == GrantState.REFUSED
    assert "no longer has a sign-in" in grant.preparation.problems[0]


def test_a_large_request_that_is_withdrawn_meanwhile_is_not_made(
    accounts: list[Account], asker: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = submit(terms(accounts), asker)

    def withdrawn(plan: GrantPlan, *, actor: Viewer) -> WeighedRequest:
        withdraw_grant = services.withdraw_grant(Grant.objects.get(pk=grant.pk), actor=asker)
        assert (withdraw_grant.state, withdraw_grant.versions.latest("number").act) == (
            GrantState.WITHDRAWN,
            "withdrawn",
        )
        return requests.examine_plan(plan, actor=actor)

    monkeypatch.setattr(large_requests, "examine_plan", withdrawn)
    large_requests.prepare(grant.pk)
    grant.refresh_from_db()
    assert (grant.state, grant.parts.count(), Change.objects.count()) == (GrantState.WITHDRAWN, 0, 0)
    with pytest.raises(RefusedError):
        services.withdraw_grant(grant, actor=asker)


def test_a_large_request_that_fails_too_often_is_given_up(accounts: list[Account], asker: Viewer) -> None:
    grant = submit(terms(accounts), asker)
    GrantPreparation.objects.filter(pk=grant.pk).update(attempts=large_requests.TRIALS)
    large_requests.prepare(grant.pk)
    grant.refresh_from_db()
    assert grant.state == GrantState.REFUSED
    assert "Preparing this request failed" in grant.preparation.problems[0]


def test_what_makes_no_sense_is_not_even_accepted(accounts: list[Account], asker: Viewer) -> None:
    with pytest.raises(TermsError):
        submit(terms(accounts, why=" "), asker)
    with pytest.raises(RefusedError):
        submit(terms(accounts), make.viewer(Role.MEMBER, name="Tomas Lind"))
    assert not Grant.objects.exists()
