"""The sample organisation of the embedded default, read through its AWS stand-in as a worker reads it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from console.demo.broker import free_port
from console.demo.organisation.gatehouse import EXTERNAL_ID
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.supervisor import stand_in_variables
from iam.aws import credentials
from iam.mirror.models import Account, EntityState, Kind, Pull, Section, UserCredentials
from iam.mirror.pull.sections import ALL
from tests import factories
from tests.iam.aws import stock
from tests.iam.mirror.pull.picture import TABLES, picture, rows
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a stand-in of our own."""
    port = free_port()
    command = [sys.executable, "-m", "console.demo.standin", "--port", str(port)]
    root = Path(__file__).resolve().parents[4]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root
    )
    assert process.stdout is not None
    assert "stand-in on" in process.stdout.readline(), "the stand-in did not start"
    yield port
    process.terminate()
    process.wait(PATIENCE_S)
    process.stdout.close()


@pytest.fixture
def organisation(port: int, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> dict[str, str]:
    """The numbers of the accounts, with this process's AWS variables pointing at the stand-in."""
    settings.AWS_RATE = 1000
    for name, value in stand_in_variables(port).items():
        monkeypatch.setenv(name, value)
    credentials._kept.clear()
    return ACCOUNT_IDS


def connected(number: str) -> Account:
    return factories.account(
        number, role_arn=f"arn:aws:iam::{number}:role/gatehouse-reader", external_id=EXTERNAL_ID
    )


def test_an_account_is_read_whole_by_the_role_that_the_set_up_page_gives(
    organisation: dict[str, str], pull: Callable[..., Pull]
) -> None:
    account = connected(organisation["production"])
    done = pull(account)
    assert (done.state, done.message) == ("complete", "")
    assert set(Section.objects.filter(state="complete").values_list("name", flat=True)) == set(ALL)
    kinds = dict.fromkeys(Kind.values, 0)
    for kind in EntityState.objects.filter(valid_to=None).values_list("kind", flat=True):
        kinds[kind] += 1
    assert kinds["user"] > 100
    missing = {kind for kind, count in kinds.items() if not count}
    # The tree is the management account's to show.
    assert missing <= {"org-root", "org-unit", "org-account", "scp", "rcp"}
    # The first pull is one observation: nothing has changed within it.
    for table in TABLES:
        assert not table.objects.filter(valid_to__isnull=False).exists(), table
    assert {"virtual", "security-key", "hardware", "none"} <= set(
        UserCredentials.objects.values_list("mfa", flat=True)
    )


def test_a_second_reading_of_the_same_organisation_writes_nothing(
    organisation: dict[str, str], pull: Callable[..., Pull]
) -> None:
    account = connected(organisation["sandbox"])
    pull(account)
    before = rows(account)
    done = pull(account)
    assert rows(account) == before
    assert (done.added, done.changed, done.ended) == (0, 0, 0)


def test_the_management_account_shows_the_tree_and_the_same_entities_as_stock_boto3(
    organisation: dict[str, str], pull: Callable[..., Pull]
) -> None:
    account = connected(organisation["management"])
    assert pull(account).state == "complete"
    theirs = {record.arn for _, record in stock.records(stock.authorization_details())}
    ours = {facts[3] for facts in picture(account)["entities"].values()}
    assert ours == theirs
    states = EntityState.objects.filter(valid_to=None)
    numbers = set(states.filter(kind=Kind.ORG_ACCOUNT).values_list("entity__aws_id", flat=True))
    assert set(organisation.values()) <= numbers
    assert all(
        s.document and "Statement" in s.document.text for s in states.filter(kind__in=(Kind.SCP, Kind.RCP))
    )
    assert states.filter(kind=Kind.SCP).exists()
