"""Who the worker is, and which accounts an organization has, asked of the stand-in; then all connected by one
role name.
"""

from __future__ import annotations

from typing import Any

import pytest

from console.demo.broker import free_port
from console.demo.organisation.gatehouse import READER_ROLE, WRITER_ROLE
from console.demo.organisation.people import ACCOUNT_IDS
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts.connect import connect_account
from iam.mirror.accounts.connect_discovered import RolePlan, connect_discovered
from iam.mirror.accounts.discover import AccountDiscovery, discover, find_identity, principal_of
from iam.mirror.accounts.jobs import request_discovery, request_identity
from iam.mirror.accounts.prepare import prepare_connection
from iam.mirror.accounts.run_jobs import run_job
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models import Account
from tests import factories
from tests.iam.mirror.accounts.aws import HUB, ID_OF_SPOKES, PRODUCTION, SANDBOX, Cloud, spoke

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
PLAN = RolePlan(READER_ROLE, WRITER_ROLE, external_id=ID_OF_SPOKES)


def test_the_worker_says_who_it_is(cloud: Cloud) -> None:
    identity = find_identity()
    assert (identity.account_id, identity.partition) == (HUB, "aws")
    assert identity.principal == f"arn:aws:iam::{HUB}:user/machines/gatehouse"


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:sts::1:assumed-role/gatehouse/i-0abc", "arn:aws:iam::1:role/gatehouse"),
        ("arn:aws-cn:sts::1:assumed-role/gatehouse/x", "arn:aws-cn:iam::1:role/gatehouse"),
        ("arn:aws:iam::1:user/machines/gatehouse", "arn:aws:iam::1:user/machines/gatehouse"),
        ("arn:aws:iam::1:root", "arn:aws:iam::1:root"),
    ],
)
def test_a_session_stands_for_its_role(arn: str, principal: str) -> None:
    assert principal_of(arn) == principal


def test_the_answer_of_the_worker_completes_prepared_connections(cloud: Cloud) -> None:
    draft = prepare_connection("339011276654", name="brightwater", partition="aws", actor=COMMAND_LINE)
    other = prepare_connection("339011276655", name="china", partition="aws-cn", actor=COMMAND_LINE)
    done = run_job(request_identity(actor=COMMAND_LINE).pk)
    assert done is not None
    assert done.result["account_id"] == HUB
    draft.refresh_from_db()
    other.refresh_from_db()
    assert draft.hub_arn == f"arn:aws:iam::{HUB}:user/machines/gatehouse"
    assert other.hub_arn == ""


def test_without_credentials_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run_job(request_identity(actor=COMMAND_LINE).pk)
    assert done is not None
    assert done.state == "failed"
    assert "Put valid ones into the worker’s environment" in done.message


def test_an_endpoint_that_is_not_there_is_said_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAX")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(SetupError, match="can’t be reached"):
        find_identity()


def test_the_organization_is_found_through_the_workers_own_credentials(cloud: Cloud) -> None:
    discovery = discover(None)
    assert discovery.own_credentials
    assert discovery.management_account_id == HUB
    assert {account.account_id for account in discovery.accounts} == set(ACCOUNT_IDS.values())
    assert [account.name for account in discovery.accounts] == sorted(
        account.name for account in discovery.accounts
    )


def test_a_member_account_may_not_list_the_others(cloud: Cloud) -> None:
    account = connect_account(spoke(PRODUCTION, name="production"), actor=COMMAND_LINE)
    cloud.enforce()
    with pytest.raises(SetupError, match="may not call organizations:"):
        discover(account)


def test_an_account_known_from_an_upload_cannot_be_asked() -> None:
    account = factories.account("339011276654", source="export", role_arn="")
    with pytest.raises(SetupError, match="uploaded file"):
        request_discovery(account, actor=COMMAND_LINE)


def test_a_discovery_is_a_job_whose_result_can_be_connected(cloud: Cloud) -> None:
    job = run_job(request_discovery(None, actor=COMMAND_LINE).pk)
    assert job is not None
    assert job.state == "done"
    outcome = connect_discovered(job.result, chosen=None, plan=PLAN, actor=COMMAND_LINE)
    assert {account.account_id for account in outcome.connected} == set(ACCOUNT_IDS.values())
    own, member = Account.objects.get(account_id=HUB), Account.objects.get(account_id=SANDBOX)
    assert (own.source, own.role_arn, own.is_writable) == ("environment", "", True)
    assert (member.source, member.external_id) == ("organization", ID_OF_SPOKES)
    assert member.role_arn == f"arn:aws:iam::{SANDBOX}:role/{READER_ROLE}"
    assert member.organization_id == job.result["organization_id"]
    assert all(account.next_pull_at is not None for account in outcome.connected)


def test_an_account_that_was_disconnected_meanwhile_ends_the_job_with_the_reason(cloud: Cloud) -> None:
    account = connect_account(spoke(), actor=COMMAND_LINE)
    job = request_discovery(account, actor=COMMAND_LINE)
    account.delete()
    done = run_job(job.pk)
    assert done is not None
    assert "disconnected in the meantime" in done.message


def made_up(*statuses: str) -> dict[str, Any]:
    """A discovery of accounts with these statuses."""
    from iam.mirror.accounts.discover import DiscoveredAccount, WorkerIdentity

    return AccountDiscovery(
        identity=WorkerIdentity(
            "000000000001", "arn:aws:iam::000000000001:role/x", "aws", "arn:aws:iam::000000000001:role/x"
        ),
        own_credentials=False,
        organization_id="o-abc",
        management_account_id="000000000001",
        accounts=tuple(
            DiscoveredAccount(f"{n:012d}", f"a{n}", status) for n, status in enumerate(statuses, 1)
        ),
    ).as_result()


def test_what_is_connected_or_closed_is_left_out_and_named() -> None:
    factories.account("000000000001", name="first")
    outcome = connect_discovered(
        made_up("ACTIVE", "SUSPENDED", "ACTIVE"), chosen=None, plan=PLAN, actor=COMMAND_LINE
    )
    assert [account.name for account in outcome.connected] == ["a3"]
    assert [reason for _, reason in outcome.left_out] == ["a1 is connected already", "a2 is suspended in AWS"]


def test_a_second_time_connects_what_is_still_missing() -> None:
    result = made_up("ACTIVE", "ACTIVE", "ACTIVE")
    connect_discovered(result, chosen={"000000000002"}, plan=PLAN, actor=COMMAND_LINE)
    again = connect_discovered(result, chosen=None, plan=PLAN, actor=COMMAND_LINE)
    assert [account.name for account in again.connected] == ["a1", "a3"]


def test_a_number_that_was_not_found_is_refused() -> None:
    with pytest.raises(SetupError, match="999999999999 isn’t in this organization"):
        connect_discovered(made_up("ACTIVE"), chosen={"999999999999"}, plan=PLAN, actor=COMMAND_LINE)
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (RolePlan(""), "role_name"),
        (RolePlan("a/b"), "role_name"),
        (RolePlan("x", "x"), "write_role_name"),
        (RolePlan("x", external_id='"'), "external_id"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: RolePlan, field: str) -> None:
    with pytest.raises(SetupError) as caught:
        connect_discovered(made_up("ACTIVE"), chosen=None, plan=plan, actor=COMMAND_LINE)
    assert caught.value.field == field


def test_an_administrator_of_one_account_connects_no_organization() -> None:
    from django.core.exceptions import PermissionDenied

    person = factories.person()
    factories.assign(person, Role.ADMINISTRATOR, account_id="000000000001")
    with pytest.raises(PermissionDenied):
        connect_discovered(made_up("ACTIVE"), chosen=None, plan=PLAN, actor=viewer_for(person))
