"""The same reads against our stand-in of the embedded default, which speaks as AWS does and checks
permissions.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.demo.broker import free_port
from iam.aws.access import AccountAccess
from iam.aws.reads import entities, instances, lists, organization
from iam.aws.reads.authorization import stream_authorization
from iam.aws.reads.credential_report import read_credential_report
from iam.aws.records import PolicyRecord, RoleRecord
from iam.aws.session import Aws, connect
from tests.iam.aws import stock
from tests.iam.aws.test_authorization import meaning
from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def standin() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "console.demo.standin", "--port", str(port)]
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root
    )
    assert process.stdout is not None
    assert "stand-in on" in process.stdout.readline(), "the stand-in did not start"
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(PATIENCE_S)
    process.stdout.close()


@pytest.fixture
def hub(standin: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", standin)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    account = lists.caller_identity(connect(AccountAccess("123456789012"))).account_id
    aws = connect(AccountAccess(account))
    yield aws
    aws.close()


def bulk(aws: Aws) -> dict[str, Any]:
    return {item.arn: item.record for page in stream_authorization(aws, page_size=50) for item in page.items}


def test_the_records_are_those_that_botocore_parses(hub: Aws) -> None:
    ours = {arn: meaning(record) for arn, record in bulk(hub).items()}
    theirs = {record.arn: record for _, record in stock.records(stock.authorization_details())}
    assert {type(record).__name__ for record in ours.values()} >= {"UserRecord", "RoleRecord", "PolicyRecord"}
    assert ours == theirs


def test_every_entity_reads_alone_as_it_does_in_bulk(hub: Aws) -> None:
    for arn, record in bulk(hub).items():
        if isinstance(record, PolicyRecord):
            assert replace(entities.get_policy(hub, arn=arn), tags=None) == record
        elif isinstance(record, RoleRecord):
            alone = entities.get_role(hub, name=record.name)
            assert replace(alone, description=None, max_session_duration=None) == record
        else:
            get = entities.get_user if "User" in type(record).__name__ else entities.get_group
            assert get(hub, name=record.name) == record


def test_the_account_wide_reads_work(hub: Aws) -> None:
    users = lists.list_users(hub)
    report = read_credential_report(hub, sleep=lambda seconds: None)
    assert {row.user for row in report.rows} == {user.name for user in users} | {"<root_account>"}
    assert lists.account_summary(hub)["Users"] == len(users)
    assert {role.arn for role in lists.list_roles(hub)} == {arn for arn in bulk(hub) if ":role/" in arn}
    for read in (
        lists.list_virtual_mfa_devices,
        lists.list_service_specific_credentials,
        lists.list_instance_profiles,
        lists.list_server_certificates,
        lists.list_saml_providers,
        lists.list_oidc_providers,
        lists.account_aliases,
    ):
        assert isinstance(read(hub), tuple)


def test_the_organization_is_read_as_a_tree(hub: Aws) -> None:
    tree = organization.read_organization(hub)
    assert {account.account_id for account in tree.accounts} == {
        account.account_id for account in organization.discover_accounts(hub)
    }
    assert {account.parent_id for account in tree.accounts} <= {unit.unit_id for unit in tree.units}
    assert all(policy.document and policy.targets for policy in tree.policies)


def test_instances_are_read_by_region(hub: Aws) -> None:
    assert instances.enabled_regions(hub)
    assert isinstance(instances.list_instances(hub, regions=["us-east-1", "eu-west-1"]), tuple)
