"""The pages of the posture score: its days, a past time that a worker calculates, and who sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from console.findings.posture import points_words
from iam.audit.findings.calculation import calculate
from iam.audit.posture import past
from iam.audit.posture.models import PastPosture
from iam.audit.posture.past_calculation import calculate_waiting
from iam.directory.models import Role
from iam.mirror.models import Account, UserCredentials
from tests import factories
from tests.iam.changes.site import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/findings/posture/"
THEN = factories.FIRST_READ + timedelta(days=1)
PAST = f"{PAGE}?as-of={THEN:%Y-%m-%dT%H:%M:%S}"


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    user = factories.user(account, "tomas", credentials={"mfa": "none"})
    factories.becomes(UserCredentials.objects.get(user=user), at=THEN + timedelta(days=1), mfa="virtual")
    return account


@pytest.fixture
def auditor() -> Client:
    return signed_in(factories.operator(Role.AUDITOR, name="Otto Audit"))


def _text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_of_findings_leads_to_the_days_and_a_day_to_its_findings(
    account: Account, auditor: Client
) -> None:
    assert "No score was calculated yet. It is unknown." in _text(auditor, PAGE)
    calculate(account)
    assert f'href="{PAGE}"' in _text(auditor, "/findings/")
    text = _text(auditor, PAGE)
    assert "1 of 1" in text
    assert f'href="{PAGE}?as-of=' in text


def test_a_past_time_waits_for_a_worker_and_shows_what_was_found_then(
    account: Account, auditor: Client
) -> None:
    assert "A worker calculates the findings of that time." in _text(auditor, PAST)
    assert PastPosture.objects.count() == 1
    assert calculate_waiting() == 1
    text = _text(auditor, PAST)
    assert "Console password without MFA" in text
    assert "of 100" in text
    update = auditor.get(PAST, headers={"HX-Request": "true", "Gatehouse-Poll": "1"})
    assert update.headers["HX-Refresh"] == "true"


def test_of_many_accounts_one_is_chosen(
    account: Account, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.findings.past_posture.MAX_ACCOUNTS", 1)
    factories.account("222222222222", name="data")
    assert "Choose an account" in _text(auditor, PAST)
    assert not PastPosture.objects.exists()
    assert "A worker calculates" in _text(auditor, f"{PAST}&account={account.account_id}")


def test_while_many_wait_no_row_is_added(
    account: Account, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "MAX_WAITING", 0)
    assert "A worker calculates" in _text(auditor, PAST)
    assert not PastPosture.objects.exists()


def test_who_sees_one_account_sees_its_score_alone(account: Account) -> None:
    other = factories.account("222222222222", name="data")
    operator = factories.operator(None, name="Ann Limited")
    factories.assign(operator.person, Role.AUDITOR, account_id=account.account_id)
    assert "A worker calculates" in _text(signed_in(operator), PAST)
    assert list(PastPosture.objects.values_list("account_id", flat=True)) == [account.pk]
    assert other.pk != account.pk


@pytest.mark.parametrize("role", [Role.MEMBER, None])
def test_others_see_nothing(account: Account, role: Role | None) -> None:
    client = signed_in(factories.operator(role, name="Kwame Boateng"))
    assert client.get(PAGE).status_code == 404
    assert client.get(PAST).status_code == 404


@pytest.mark.parametrize(("points", "words"), [(1.24, "−1.2"), (0.1, "−0.1"), (0.04, "−0.04")])
def test_no_kind_is_said_to_cost_nothing(points: float, words: str) -> None:
    assert points_words(points) == words
