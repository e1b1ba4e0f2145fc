"""The sample organization has drift from the start: somebody was made outside of Gatehouse, with a key and an
administrator's rights.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pytest_django.fixtures import Settings

from console.demo import outsider
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.server import RunningStandin
from iam.changes.drift.models import DriftWatch
from iam.mirror.models import Account, Pull
from iam.mirror.pull.sections import ACCESS_KEYS
from tests import factories as make
from tests.console.demo import clients

pytestmark = pytest.mark.django_db


@pytest.fixture
def production(fresh: RunningStandin, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account, not synced yet, while the sample organization runs."""
    settings.SAMPLE_DATA = True
    variables = {
        "AWS_ENDPOINT_URL": fresh.url,
        "AWS_ACCESS_KEY_ID": clients.HUB_ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": clients.HUB_SECRET_ACCESS_KEY,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return make.account(ACCOUNT_IDS[outsider.ACCOUNT], name=outsider.ACCOUNT)


def was_synced(account: Account) -> None:
    DriftWatch.objects.create(account=account, since=datetime.now(tz=UTC))
    account.sections.update_or_create(name=ACCESS_KEYS, defaults={"known_since": datetime.now(tz=UTC)})


def test_somebody_is_made_once_after_the_first_sync(production: Account, fresh: RunningStandin) -> None:
    iam = clients.reader(fresh, "iam", outsider.ACCOUNT)
    assert not outsider.make_outsider(), "what the first sync finds is no drift"
    was_synced(production)
    production.sections.update(known_since=None)
    assert not outsider.make_outsider(), "a key that the first sync of access keys finds is no drift"
    production.sections.update(known_since=datetime.now(tz=UTC))
    assert outsider.make_outsider()
    assert outsider.make_outsider(), "the mirror does not have the user yet: nothing is made twice"
    assert len(iam.list_access_keys(UserName=outsider.NAME)["AccessKeyMetadata"]) == 1
    groups = iam.list_groups_for_user(UserName=outsider.NAME)["Groups"]
    assert [group["GroupName"] for group in groups] == [outsider.GROUP]
    assert Pull.objects.filter(account=production).count() == 1
    make.user(production, outsider.NAME)
    assert not outsider.make_outsider()


def test_the_group_makes_administrators(fresh: RunningStandin) -> None:
    iam = clients.reader(fresh, "iam", outsider.ACCOUNT)
    attached = iam.list_attached_group_policies(GroupName=outsider.GROUP)["AttachedPolicies"]
    assert "AdministratorAccess" in {policy["PolicyName"] for policy in attached}


@pytest.mark.parametrize("endpoint", ["", "https://iam.amazonaws.com"])
def test_no_call_ever_goes_to_the_real_aws(
    production: Account, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    was_synced(production)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert not outsider.make_outsider()


def test_without_the_sample_nobody_is_made(production: Account, settings: Settings) -> None:
    was_synced(production)
    settings.SAMPLE_DATA = False
    assert not outsider.make_outsider()
