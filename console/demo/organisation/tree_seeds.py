"""Seeds AWS Organizations: root, units, accounts, SCPs and RCPs."""

from __future__ import annotations

import json
from typing import Any

import moto.organizations.models as models
from moto.organizations.models import organizations_backends

from console.demo.organisation.specs import AccountSpec, OrganisationPolicy, OrganizationSpec
from console.demo.organisation.times import OrganisationTimes
from console.demo.standin import ids

# Policies that AWS attaches everywhere: (type, ID, name, description, whether it has a Principal element).
DEFAULTS = (
    ("SERVICE_CONTROL_POLICY", "p-FullAWSAccess", "FullAWSAccess", "Allows access to every operation", False),
    (
        "RESOURCE_CONTROL_POLICY",
        "p-RCPFullAWSAccess",
        "RCPFullAWSAccess",
        "Allows access to every resource",
        True,
    ),
)


def seed_tree(organisation: OrganizationSpec, *, times: OrganisationTimes) -> None:
    """Create the organization in the management account's backend."""
    backend: Any = organizations_backends[organisation.management.id]["aws"]
    organizations_backends.master_accounts.clear()
    root = _found(backend, organisation)
    nodes: dict[str, Any] = {"Root": root}
    for name, parent in organisation.units.items():
        unit = models.FakeOrganizationalUnit(backend.org, Name=name, ParentId=nodes[parent].id)
        unit.id = f"ou-{organisation.root_id[2:]}-{ids.digest('unit', name)[:8]}"
        backend.ou.append(unit)
        nodes[name] = unit
    for account in organisation.accounts:
        nodes[account.name] = _account(backend, account, organisation, nodes, times)
    for node in nodes.values():
        for policy in backend.policies:
            _attach(policy, node)
    for spec in organisation.policies:
        _policy(backend, spec, nodes)


def _found(backend: Any, organisation: OrganizationSpec) -> Any:
    """Create the organization with its root and AWS's two policies, because moto would use random IDs."""
    org = models.FakeOrganization(organisation.management.id, region_name="us-east-1", feature_set="ALL")
    org.id, org.root_id = organisation.id, organisation.root_id
    org.master_account_email = organisation.management.email
    backend.org = org
    root = models.FakeRoot(org)
    root.policy_types = [{"Type": kind, "Status": "ENABLED"} for kind, *_ in DEFAULTS]
    backend.ou.append(root)
    for kind, policy_id, name, description, for_resources in DEFAULTS:
        statement = {
            "Effect": "Allow",
            **({"Principal": "*"} if for_resources else {}),
            "Action": "*",
            "Resource": "*",
        }
        policy = models.FakePolicy(
            org,
            Name=name,
            Description=description,
            Type=kind,
            Content=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        policy.id, policy.aws_managed = policy_id, True
        backend.policies.append(policy)
    return root


def _account(
    backend: Any,
    spec: AccountSpec,
    organisation: OrganizationSpec,
    nodes: dict[str, Any],
    times: OrganisationTimes,
) -> Any:
    # The constructor of FakeAccount creates a role in an account with a random ID. Only the object is needed
    # here.
    account = models.FakeAccount.__new__(models.FakeAccount)
    org = backend.org
    joined_method = "INVITED" if spec.id == organisation.management.id else "CREATED"
    account.__dict__.update(
        type="ACCOUNT",
        region=org.region,
        organization_id=org.id,
        master_account_id=org.master_account_id,
        create_account_status_id=f"car-{ids.digest('account', spec.id)[:8]}",
        id=spec.id,
        name=spec.name,
        email=spec.email,
        create_time=times.made(spec.age, spec.id, "joined"),
        status="ACTIVE",
        state="ACTIVE",
        joined_method=joined_method,
        parent_id=nodes[spec.ou].id,
        attached_policies=[],
        tags={},
    )
    backend.accounts.append(account)
    if spec.id != organisation.management.id:
        organizations_backends.master_accounts[spec.id] = (organisation.management.id, "aws")
    return account


def _policy(backend: Any, spec: OrganisationPolicy, nodes: dict[str, Any]) -> None:
    policy = models.FakePolicy(
        backend.org,
        Name=spec.name,
        Description=spec.description,
        Type=spec.type,
        Content=json.dumps(spec.document, indent=2),
    )
    policy.id = f"p-{ids.digest('organization policy', spec.name)[:8]}"
    backend.policies.append(policy)
    for target in spec.targets:
        _attach(policy, nodes[target])


def _attach(policy: Any, node: Any) -> None:
    if policy not in node.attached_policies:
        node.attached_policies.append(policy)
        policy.attachments.append(node)
