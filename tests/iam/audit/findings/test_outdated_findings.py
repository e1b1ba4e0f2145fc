"""A finding whose account was written to since it was calculated says that it is being recalculated."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db.models import F
from django.test import Client

from iam.access.escalation_calculation.models import EscalationCalculation
from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding, FindingStatus
from iam.audit.findings.outdated_findings import behind_accounts
from iam.directory.models import Role
from iam.mirror.models import Account
from tests import factories

pytestmark = pytest.mark.django_db
WORDS = "Being recalculated"


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    factories.user(account, "tomas", credentials={"mfa": "none", "has_password": True})
    calculate(account)
    return account


def _finding(**fields: object) -> AuditFinding:
    """The finding about the user, with other values."""
    pk = AuditFinding.objects.get(subject__endswith="/tomas", severity=1).pk
    AuditFinding.objects.filter(pk=pk).update(**fields)
    return AuditFinding.objects.get(pk=pk)


def _written(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(writes=F("writes") + 1)
    cache.clear()


def test_what_is_calculated_is_as_it_is(account: Account) -> None:
    assert not behind_accounts().will_recalculate(_finding())


def test_what_was_written_to_is_being_recalculated_until_it_is(account: Account) -> None:
    _written(account)
    assert behind_accounts().will_recalculate(_finding())
    assert calculate(account)
    cache.clear()
    assert not behind_accounts().will_recalculate(_finding())


def test_what_is_fixed_stays_so(account: Account) -> None:
    _written(account)
    assert not behind_accounts().will_recalculate(_finding(status=FindingStatus.FIXED))


def test_another_account_says_nothing(account: Account) -> None:
    other = factories.account("222222222222", name="other")
    factories.synced(other)
    calculate(other)
    _written(other)
    assert not behind_accounts().will_recalculate(_finding())


@pytest.mark.parametrize(("revision", "is_behind"), [(0, False), (1, True)])
def test_a_path_is_behind_until_paths_are_calculated(
    account: Account, revision: int, is_behind: bool
) -> None:
    EscalationCalculation.objects.create(moment="", number=1, revisions={account.account_id: 0})
    Account.objects.filter(pk=account.pk).update(revision=revision)
    cache.clear()
    assert behind_accounts().will_recalculate(_finding(kind="privilege-escalation")) is is_behind
    assert not behind_accounts().will_recalculate(_finding(kind="password-without-mfa"))


def test_the_list_and_the_page_say_it(account: Account) -> None:
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR, name="Otto Audit"))
    addresses = ("/findings/", f"/findings/{_finding().pk}/")
    for address in addresses:
        assert WORDS not in client.get(address).content.decode()
    _written(account)
    for address in addresses:
        assert WORDS in client.get(address).content.decode()
