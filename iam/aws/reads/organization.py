"""The organization that an account belongs to: roots, units, accounts, and the policies that bound them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from iam.aws.errors import AwsError, ErrorKind, map_errors
from iam.aws.raw import malformed
from iam.aws.reads.pages import method
from iam.aws.session import Aws

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"


@dataclass(frozen=True, slots=True)
class OrganizationRecord:
    """The organization itself; `policy_types` are those that the organization offers ("SERVICE_CONTROL_POLICY")."""

    organization_id: str
    arn: str
    management_account_id: str
    feature_set: str


@dataclass(frozen=True, slots=True)
class OrganizationUnit:
    """A root or an organizational unit; `parent_id` is None for a root, `enabled_types` is empty for a unit."""

    unit_id: str
    arn: str
    name: str
    parent_id: str | None
    enabled_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberAccount:
    """An account of the organization; `status` is "ACTIVE", "SUSPENDED" or "PENDING_CLOSURE"."""

    account_id: str
    arn: str
    name: str
    email: str
    status: str
    joined_at: datetime | None
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """An SCP or RCP with its document text and the ids of the roots, units and accounts that it is attached to."""

    policy_id: str
    arn: str
    name: str
    description: str
    kind: str
    document: str
    is_aws_managed: bool
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrganizationTree:
    """The whole organization as read at one time."""

    organization: OrganizationRecord
    units: tuple[OrganizationUnit, ...]
    accounts: tuple[MemberAccount, ...]
    policies: tuple[ControlPolicy, ...]


def organization(aws: Aws) -> OrganizationRecord:
    """The organization; AwsError (not_found, AWSOrganizationsNotInUseException) when the account is in none."""
    found = _call(aws, "DescribeOrganization")["Organization"]
    return OrganizationRecord(
        organization_id=found["Id"],
        arn=found["Arn"],
        management_account_id=found["MasterAccountId"],
        feature_set=found["FeatureSet"],
    )


def discover_accounts(aws: Aws) -> tuple[MemberAccount, ...]:
    """All accounts of the organization by one cheap list, without their parents.

    Works from the management account or a delegated administrator's.
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    """
    return tuple(_account(found, parent_id=None) for found in _pages(aws, "ListAccounts", key="Accounts"))


def read_organization(aws: Aws) -> OrganizationTree:
    """The whole tree, with the SCPs and RCPs of the types that are enabled."""
    described = organization(aws)
    units = tuple(_units(aws))
    accounts = tuple(
        _account(found, parent_id=unit.unit_id)
        for unit in units
        for found in _pages(aws, "ListAccountsForParent", key="Accounts", ParentId=unit.unit_id)
    )
    enabled = {kind for unit in units for kind in unit.enabled_types}
    policies = tuple(
        policy for kind in (SCP, RCP) if kind in enabled for policy in control_policies(aws, kind=kind)
    )
    return OrganizationTree(organization=described, units=units, accounts=accounts, policies=policies)


def control_policies(aws: Aws, *, kind: str) -> tuple[ControlPolicy, ...]:
    """All policies of one kind (`SCP` or `RCP`) with documents and targets."""
    return tuple(
        _policy(aws, found["Id"]) for found in _pages(aws, "ListPolicies", key="Policies", Filter=kind)
    )


def _units(aws: Aws) -> Iterator[OrganizationUnit]:
    roots = [_unit(root, parent_id=None) for root in _pages(aws, "ListRoots", key="Roots")]
    waiting = list(roots)
    yield from roots
    while waiting:
        parent = waiting.pop(0)
        for found in _pages(
            aws, "ListOrganizationalUnitsForParent", key="OrganizationalUnits", ParentId=parent.unit_id
        ):
            unit = _unit(found, parent_id=parent.unit_id)
            waiting.append(unit)
            yield unit


def _unit(found: dict[str, Any], *, parent_id: str | None) -> OrganizationUnit:
    enabled = (entry["Type"] for entry in found.get("PolicyTypes", ()) if entry.get("Status") == "ENABLED")
    return OrganizationUnit(
        unit_id=found["Id"],
        arn=found["Arn"],
        name=found["Name"],
        parent_id=parent_id,
        enabled_types=tuple(sorted(enabled)),
    )


def _account(found: dict[str, Any], *, parent_id: str | None) -> MemberAccount:
    return MemberAccount(
        account_id=found["Id"],
        arn=found["Arn"],
        name=found.get("Name", ""),
        email=found.get("Email", ""),
        status=found.get("State") or found.get("Status", ""),
        joined_at=found.get("JoinedTimestamp"),
        parent_id=parent_id,
    )


def _policy(aws: Aws, policy_id: str) -> ControlPolicy:
    found = _call(aws, "DescribePolicy", PolicyId=policy_id)["Policy"]
    summary = found["PolicySummary"]
    targets = _pages(aws, "ListTargetsForPolicy", key="Targets", PolicyId=policy_id)
    return ControlPolicy(
        policy_id=policy_id,
        arn=summary["Arn"],
        name=summary["Name"],
        description=summary.get("Description", ""),
        kind=summary["Type"],
        document=found["Content"],
        is_aws_managed=summary.get("AwsManaged", False),
        targets=tuple(sorted(target["TargetId"] for target in targets)),
    )


def _pages(aws: Aws, operation: str, *, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    token: str | None = None
    while True:
        answer = _call(aws, operation, **parameters, **({"NextToken": token} if token else {}))
        yield from answer.get(key, ())
        following = answer.get("NextToken")
        if not following:
            return
        if following == token:
            raise malformed(f"organizations:{operation}", "the same token came twice")
        token = following


def _call(aws: Aws, operation: str, **parameters: Any) -> dict[str, Any]:
    with map_errors(f"organizations:{operation}"):
        answer: dict[str, Any] = method(aws.organizations, operation)(**parameters)
    return answer


def is_outside_of_organization(error: AwsError) -> bool:
    """Whether the error says that the account belongs to no organization, rather than that asking was refused."""
    return error.kind is ErrorKind.NOT_FOUND and error.code == "AWSOrganizationsNotInUseException"
