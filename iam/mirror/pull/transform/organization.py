"""Converts the organization's roots, units, accounts and control policies to entities of the account that
shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from iam.aws.reads.organization import (
    SCP,
    ControlPolicy,
    MemberAccount,
    OrganizationTree,
    OrganizationUnit,
)
from iam.mirror.models import EdgeKind, Kind
from iam.mirror.pull.facts import EntityRef, FoundEntity, by_id
from iam.mirror.pull.usage import instant


def organization_entities(tree: OrganizationTree, *, intern: Callable[[str], str]) -> list[FoundEntity]:
    """All entities of the tree, parents first."""
    return [
        *(_unit(unit) for unit in tree.units),
        *(_account(account) for account in tree.accounts),
        *(_policy(policy, intern) for policy in tree.policies),
    ]


def organization_node(aws_id: str) -> EntityRef:
    """Refer to a root, unit or account by its ID: r-…, ou-…, or twelve digits."""
    if aws_id.startswith("r-"):
        return by_id(Kind.ORG_ROOT.value, aws_id)
    if aws_id.startswith("ou-"):
        return by_id(Kind.ORG_UNIT.value, aws_id)
    return by_id(Kind.ORG_ACCOUNT.value, aws_id)


def paths(tree: OrganizationTree) -> Iterator[tuple[str, str]]:
    """(account ID, path) of each account, in the form of aws:PrincipalOrgPaths: o-…/r-…/ou-…/

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths
    """
    parents = {unit.unit_id: unit.parent_id for unit in tree.units}
    for account in tree.accounts:
        steps: list[str] = []
        at = account.parent_id
        while at is not None:
            steps.insert(0, at)
            at = parents.get(at)
        yield account.account_id, "/".join([tree.organization.organization_id, *steps, ""])


def _parent(parent_id: str | None) -> tuple[tuple[str, EntityRef], ...]:
    return ((EdgeKind.PARENT.value, organization_node(parent_id)),) if parent_id else ()


def _unit(unit: OrganizationUnit) -> FoundEntity:
    kind = Kind.ORG_UNIT
    attrs: dict[str, Any] = {}
    if unit.parent_id is None:
        kind = Kind.ORG_ROOT
        attrs = {"PolicyTypes": list(unit.enabled_types)}
    return FoundEntity(
        kind=kind.value,
        aws_id=unit.unit_id,
        name=unit.name,
        arn=unit.arn,
        attrs=attrs,
        edges=_parent(unit.parent_id),
    )


def _account(account: MemberAccount) -> FoundEntity:
    return FoundEntity(
        kind=Kind.ORG_ACCOUNT.value,
        aws_id=account.account_id,
        name=account.name or account.account_id,
        arn=account.arn,
        created_at=account.joined_at,
        category=account.status,
        attrs={"Email": account.email, "JoinedTimestamp": instant(account.joined_at)},
        edges=_parent(account.parent_id),
    )


def _policy(policy: ControlPolicy, intern: Callable[[str], str]) -> FoundEntity:
    kind = Kind.SCP if policy.kind == SCP else Kind.RCP
    category = "aws" if policy.is_aws_managed else "customer"
    return FoundEntity(
        kind=kind.value,
        aws_id=policy.policy_id,
        name=policy.name,
        arn=policy.arn,
        category=category,
        document=intern(policy.document),
        attrs={"Description": policy.description},
        edges=tuple((EdgeKind.TARGET.value, organization_node(target)) for target in policy.targets),
    )
