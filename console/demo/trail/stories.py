"""Events that an auditor should find in the sample trail. tests/console/demo/planted_activity.json lists each
story.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from console.demo.organisation.specs import AccountSpec, OrganizationSpec, RoleSpec, UserSpec
from console.demo.standin import ids
from console.demo.trail.records import (
    BOTO,
    BROWSER,
    CLI,
    GATEWAY,
    TERRAFORM,
    SampleCaller,
    address_of,
    role_caller,
    root_caller,
    user_caller,
)

STRANGE_NETWORK: Final = "198.51.100.66"
"""A network from which no one at Northline has called before."""
SETTLEMENTS: Final = "pay-settlements"
"""A bucket to which no developer has access by a policy."""


def stories(organisation: OrganizationSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield the events of all stories, in no particular order."""
    accounts = {account.name: account for account in organisation.accounts}
    production, staging, data = accounts["production"], accounts["staging"], accounts["data"]
    yield from _denied_calls(production, until)
    yield from _key_from_a_new_network(production, until)
    yield from _root_sign_in(accounts["sandbox"], until)
    yield from _administrator_by_console(production, until)
    yield from _boundary_by_terraform(staging, until)
    yield from _policy_by_script(data, until)
    yield from _escalation_that_was_used(production, until)
    yield from _nodes_behind_a_gateway(data, until)


def _denied_calls(production: AccountSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """A developer tries to read the settlement files, six times in two days."""
    tomas = _key_of(production, "tomas.lind", CLI)
    for number in range(6):
        at = until - timedelta(hours=4 + 7 * number, minutes=3)
        key = {"bucketName": SETTLEMENTS, "key": f"2026/settlement-{number + 1}.csv"}
        yield tomas.is_denied("s3", "GetObject", at, key, action="s3:GetObject")


def _key_from_a_new_network(production: AccountSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """The release pipeline's key is used from an unknown network, only for reads."""
    thief = _key_of(production, "ci-release", BOTO, address=STRANGE_NETWORK)
    at = until - timedelta(days=3, hours=2)
    yield thief.calls("sts", "GetCallerIdentity", at)
    yield thief.is_denied("s3", "ListBuckets", at + timedelta(seconds=4), action="s3:ListAllMyBuckets")
    yield thief.is_denied("iam", "ListUsers", at + timedelta(seconds=9), action="iam:ListUsers")
    yield thief.is_denied(
        "secretsmanager", "ListSecrets", at + timedelta(seconds=15), action="secretsmanager:ListSecrets"
    )


def _root_sign_in(sandbox: AccountSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """The sandbox's root user signs in with only a password."""
    root = root_caller(sandbox, address_of("office"))
    at = until - timedelta(days=3)
    yield root.signs_in(at, mfa=False)
    yield root.calls("iam", "ListAccessKeys", at + timedelta(seconds=40))


def _administrator_by_console(production: AccountSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """A user becomes administrator in the console, at night, without a request."""
    gunnar = user_caller(production, _user(production, "gunnar.hauge"), key=None, agent=BROWSER)
    at = until - timedelta(days=41, hours=9)
    yield gunnar.signs_in(at, mfa=False)
    parameters = {"userName": "maya.okafor", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    yield gunnar.calls("iam", "AttachUserPolicy", at + timedelta(minutes=2), parameters, is_read=False)


def _boundary_by_terraform(staging: AccountSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """Terraform changes a role's trust policy, which is expected."""
    terraform = _key_of(staging, "terraform-staging", TERRAFORM)
    at = until - timedelta(days=8)
    parameters = {"roleName": "pages-preview"}
    yield terraform.calls("iam", "GetRole", at, parameters)
    later = at + timedelta(seconds=2)
    yield terraform.calls("iam", "UpdateAssumeRolePolicy", later, parameters, is_read=False)


def _policy_by_script(data: AccountSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """An engineer's script gives her own user an inline policy."""
    priya = _key_of(data, "priya.raman", BOTO)
    parameters = {"userName": "priya.raman", "policyName": "glue-pass-role"}
    yield priya.calls("iam", "PutUserPolicy", until - timedelta(days=22), parameters, is_read=False)


def _escalation_that_was_used(production: AccountSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """A deployer runs a function with the administrator role, and the function reads secrets."""
    owen = _key_of(production, "owen.pritchard", CLI)
    at = until - timedelta(days=12, hours=1)
    role = _role(production, "pay-admin")
    function = {"functionName": "pay-fix"}
    arn = f"arn:aws:iam::{production.id}:role{role.path}{role.name}"
    creation = function | {"role": arn, "runtime": "python3.13"}
    yield owen.calls("lambda", "CreateFunction20150331", at, creation, is_read=False)
    yield owen.calls("lambda", "Invoke", at + timedelta(seconds=20), function, is_read=False)
    session = role_caller(production, role, "pay-fix", agent=BOTO, address="192.0.2.51")
    yield session.calls("iam", "ListUsers", at + timedelta(seconds=22))
    secret = {"secretId": "pay/ledger-database"}
    yield session.calls("secretsmanager", "GetSecretValue", at + timedelta(seconds=23), secret)


def _nodes_behind_a_gateway(data: AccountSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """ETL nodes use their role from the same address as the key of airflow-legacy."""
    role = _role(data, "etl-node-instance")
    nodes = [instance for instance in data.instances if instance.profile == role.name]
    for number, node in enumerate(nodes):
        caller = role_caller(
            data,
            role,
            ids.instance_id(data.id, node.name),
            agent=BOTO,
            address=GATEWAY,
            ec2RoleDelivery="2.0",
        )
        for week in range(4):
            at = until - timedelta(days=7 * week + number, minutes=11)
            yield caller.calls("ec2", "DescribeTags", at)


def _user(account: AccountSpec, name: str) -> UserSpec:
    return next(user for user in account.users if user.name == name)


def _role(account: AccountSpec, name: str) -> RoleSpec:
    return next(role for role in account.roles if role.name == name)


def _key_of(account: AccountSpec, name: str, agent: str, *, address: str = "") -> SampleCaller:
    """Return the caller for a user with the first access key."""
    return user_caller(account, _user(account, name), key=0, agent=agent, address=address)
