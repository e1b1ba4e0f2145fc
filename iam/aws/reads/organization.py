"""The organization of an account: roots, organizational units, accounts, and their SCPs and RCPs."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

from iam.aws.calls import build_all, invoke, part
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.pages import token_pages
from iam.aws.session import Aws

T = TypeVar("T")

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
ROOT_CREDENTIALS = "RootCredentialsManagement"
"""The feature of central root access that removes root credentials of member accounts."""
NOT_TOLD_HERE = frozenset({"AccountNotManagementOrDelegatedAdministrator", "OrganizationNotFound"})
TURNED_OFF = frozenset({"ServiceAccessNotEnabled", "OrganizationNotInAllFeaturesMode"})
"""The error codes if IAM has no trusted access or the organization lacks all features: root access is not
managed centrally.
"""
READS = 3
"""The maximum number of reads of the tree if it changes during each."""


@dataclass(frozen=True, slots=True)
class OrganizationRecord:
    """An organization. `feature_set` is "ALL" or "CONSOLIDATED_BILLING"."""

    organization_id: str
    arn: str
    management_account_id: str
    feature_set: str


@dataclass(frozen=True, slots=True)
class OrganizationUnit:
    """A root or an organizational unit. `parent_id` is None for a root; `enabled_types` is empty
    for a unit.
    """

    unit_id: str
    arn: str
    name: str
    parent_id: str | None
    enabled_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberAccount:
    """An account of the organization. `status` is "ACTIVE", "SUSPENDED" or "PENDING_CLOSURE"."""

    account_id: str
    arn: str
    name: str
    email: str
    status: str
    joined_at: datetime | None
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """An SCP or RCP with its document text and the ids of the roots, units and accounts to which it is
    attached.
    """

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
    """The whole organization at one time."""

    organization: OrganizationRecord
    units: tuple[OrganizationUnit, ...]
    accounts: tuple[MemberAccount, ...]
    policies: tuple[ControlPolicy, ...]


def organization(aws: Aws) -> OrganizationRecord:
    """Return the organization. AwsError (not_found, AWSOrganizationsNotInUseException) if the account belongs
    to none.
    """
    answer = invoke(aws.organizations, "DescribeOrganization", {})
    return build_all([answer], _organization, action="organizations:DescribeOrganization")[0]


def discover_accounts(aws: Aws) -> tuple[MemberAccount, ...]:
    """Return all accounts of the organization from one list call, without their parents.

    This works in the management account or a delegated administrator's account.
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    """
    return _read_all(aws, "ListAccounts", key="Accounts", build=_account)


def read_organization(aws: Aws, *, described: OrganizationRecord | None = None) -> OrganizationTree:
    """Return the whole tree, with the SCPs and RCPs of the enabled types. `described` saves a call.

    If units are deleted or accounts moved during the read, the result can be inconsistent, so it is read
    again. AwsError (conflict) if it still is inconsistent after the last read.
    """
    described = described or organization(aws)
    reason = ""
    for _ in range(READS):
        try:
            tree = _read_tree(aws, described)
            reason = _gap_in(aws, tree)
        except AwsError as error:
            if error.kind is not ErrorKind.NOT_FOUND or is_outside_of_organization(error):
                raise
            reason = f"{error.action} says {error.code}"
        if not reason:
            return tree
    message = f"The organization changed while it was synced: {reason}. The last complete sync is kept."
    raise AwsError(message, kind=ErrorKind.CONFLICT, action="organizations:ListAccountsForParent")


def _gap_in(aws: Aws, tree: OrganizationTree) -> str:
    """Return why a tree cannot be the state at one time, or "" if it can. In AWS each account has exactly one
    parent.
    """
    numbers = Counter(account.account_id for account in tree.accounts)
    for number, times in numbers.items():
        if times > 1:
            return f"account {number} has several parents"
    try:
        every = discover_accounts(aws)
    except AwsError as error:
        if error.kind is ErrorKind.DENIED:
            return ""
        raise
    missing = sorted({account.account_id for account in every} - numbers.keys())
    return f"account {missing[0]} has no parent" if missing else ""


def _read_tree(aws: Aws, described: OrganizationRecord) -> OrganizationTree:
    units = tuple(_units(aws))
    accounts = tuple(chain.from_iterable(_accounts_of(aws, unit.unit_id) for unit in units))
    enabled = set(chain.from_iterable(unit.enabled_types for unit in units))
    policies = tuple(
        chain.from_iterable(control_policies(aws, kind=kind) for kind in (SCP, RCP) if kind in enabled)
    )
    return OrganizationTree(organization=described, units=units, accounts=accounts, policies=policies)


def control_policies(aws: Aws, *, kind: str) -> tuple[ControlPolicy, ...]:
    """Return all policies of a kind (`SCP` or `RCP`) with documents and targets."""
    ids = _read_all(aws, "ListPolicies", key="Policies", build=itemgetter("Id"), Filter=kind)
    return tuple(_control_policy(aws, policy_id) for policy_id in ids)


def root_access_features(aws: Aws) -> tuple[str, ...] | None:
    """Return the enabled features of central root access: "RootCredentialsManagement" and "RootSessions".
    None if AWS does not show them to this account, because it is neither the management account nor IAM's
    delegated administrator.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOrganizationsFeatures.html
    """
    try:
        answer = invoke(aws.iam, "ListOrganizationsFeatures", {})
    except AwsError as error:
        code = error.code.removesuffix("Exception")
        if code in NOT_TOLD_HERE:
            return None
        if code in TURNED_OFF:
            return ()
        raise
    # AWS can omit the list itself if it is empty.
    part(answer, "OrganizationId", action="iam:ListOrganizationsFeatures")
    return tuple(sorted(map(str, answer.get("EnabledFeatures") or ())))


def is_outside_of_organization(error: AwsError) -> bool:
    """Return True if the error means that the account belongs to no organization, and not that the call was
    denied.
    """
    return error.kind is ErrorKind.NOT_FOUND and error.code == "AWSOrganizationsNotInUseException"


def _units(aws: Aws) -> Iterator[OrganizationUnit]:
    waiting = deque(_read_all(aws, "ListRoots", key="Roots", build=_unit))
    while waiting:
        unit = waiting.popleft()
        yield unit
        below = "ListOrganizationalUnitsForParent"
        units = _read_all(aws, below, key="OrganizationalUnits", build=_unit, ParentId=unit.unit_id)
        waiting.extend(replace(child, parent_id=unit.unit_id) for child in units)


def _accounts_of(aws: Aws, parent_id: str) -> Iterator[MemberAccount]:
    accounts = _read_all(aws, "ListAccountsForParent", key="Accounts", build=_account, ParentId=parent_id)
    return (replace(account, parent_id=parent_id) for account in accounts)


def _control_policy(aws: Aws, policy_id: str) -> ControlPolicy:
    target_of = itemgetter("TargetId")
    targets = _read_all(aws, "ListTargetsForPolicy", key="Targets", build=target_of, PolicyId=policy_id)
    answer = invoke(aws.organizations, "DescribePolicy", {"PolicyId": policy_id})
    described = build_all([answer], _policy, action="organizations:DescribePolicy")[0]
    return replace(described, targets=tuple(sorted(targets)))


def _read_all(
    aws: Aws, operation: str, *, key: str, build: Callable[[dict[str, Any]], T], **parameters: Any
) -> tuple[T, ...]:
    items = token_pages(aws.organizations, operation, key=key, **parameters)
    return build_all(items, build, action=f"organizations:{operation}")


def _organization(answer: dict[str, Any]) -> OrganizationRecord:
    organization = answer["Organization"]
    return OrganizationRecord(
        organization_id=organization["Id"],
        arn=organization["Arn"],
        management_account_id=organization["MasterAccountId"],
        feature_set=organization["FeatureSet"],
    )


def _unit(unit: dict[str, Any]) -> OrganizationUnit:
    enabled = (entry["Type"] for entry in unit.get("PolicyTypes", ()) if entry.get("Status") == "ENABLED")
    return OrganizationUnit(
        unit_id=unit["Id"],
        arn=unit["Arn"],
        name=unit["Name"],
        parent_id=None,
        enabled_types=tuple(sorted(enabled)),
    )


def _account(account: dict[str, Any]) -> MemberAccount:
    return MemberAccount(
        account_id=account["Id"],
        arn=account["Arn"],
        name=account.get("Name", ""),
        email=account.get("Email", ""),
        status=account.get("State") or account.get("Status", ""),
        joined_at=account.get("JoinedTimestamp"),
        parent_id=None,
    )


def _policy(answer: dict[str, Any]) -> ControlPolicy:
    policy = answer["Policy"]
    summary = policy["PolicySummary"]
    return ControlPolicy(
        policy_id=summary["Id"],
        arn=summary["Arn"],
        name=summary["Name"],
        description=summary.get("Description", ""),
        kind=summary["Type"],
        document=policy["Content"],
        is_aws_managed=summary.get("AwsManaged", False),
        targets=(),
    )
