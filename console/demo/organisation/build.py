"""Builds Northline from its people, machines, groups, policies and workloads."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from console.demo.organisation import (
    fleet,
    gatehouse,
    guardrails,
    jobs_elsewhere,
    jobs_production,
    machines,
    outside,
    populace,
    shared_roles,
    troubles_elsewhere,
    troubles_production,
    workloads,
)
from console.demo.organisation.documents import ORGANISATION_ID, arn
from console.demo.organisation.people import ACCOUNT_AGES, ACCOUNT_IDS
from console.demo.organisation.specs import (
    AccountSpec,
    GroupSpec,
    KeySpec,
    OrganizationSpec,
    PlantedTrouble,
    RootSpec,
    TrailSpec,
    UserSpec,
)

JOBS = {
    "production": jobs_production.production,
    "data": jobs_elsewhere.data,
    "staging": jobs_elsewhere.enter_staging,
    "sandbox": jobs_elsewhere.sandbox,
    "management": jobs_elsewhere.management,
}
# Deliberate problems for an audit to find, listed in tests/console/demo/planted.json. Some only look like
# problems: a condition, a boundary or an SCP makes them harmless, and an audit that reports them is wrong.
TROUBLES = {
    "production": troubles_production.trouble,
    "data": troubles_elsewhere.data,
    "staging": troubles_elsewhere.staging,
    "sandbox": troubles_elsewhere.sandbox,
}
# Organizational units and their parents. Root contains Workloads and Experiments.
UNITS = {"Workloads": "Root", "Production": "Workloads", "Development": "Workloads", "Experiments": "Root"}
PLACES = {
    "management": "Root",
    "production": "Production",
    "data": "Production",
    "staging": "Development",
    "sandbox": "Experiments",
}
ROOTS = {
    "management": RootSpec(used=400, mfa="hardware", password_age=900),
    "production": RootSpec(used=None, mfa="hardware"),
    "data": RootSpec(used=310, mfa="hardware"),
    "staging": RootSpec(used=200, mfa="virtual"),
    # No one remembers why this access key was created.
    "sandbox": RootSpec(used=3, mfa=None, keys=(KeySpec(700, 3, service="ec2"),), password_age=1090),
}
TRAIL_BUCKET = "northline-trail-archive"


def _password_policy(length: int, **changed: Any) -> dict[str, Any]:
    usual = {
        "allow_change_password": True,
        "hard_expiry": False,
        "max_password_age": 90,
        "minimum_password_length": length,
        "password_reuse_prevention": 24,
        "require_lowercase_characters": True,
        "require_numbers": True,
        "require_symbols": True,
        "require_uppercase_characters": True,
    }
    return usual | changed


# The sandbox has only AWS's default policy. The policy of staging dates from the year in which it was opened.
PASSWORD_POLICIES = {
    "management": _password_policy(16),
    "production": _password_policy(14),
    "data": _password_policy(14),
    "staging": _password_policy(
        8, max_password_age=0, password_reuse_prevention=None, require_symbols=False, require_numbers=False
    ),
}


@functools.cache
def northline() -> OrganizationSpec:
    """Return the organization, the same for every call and in every process."""
    members = tuple(_account(name) for name in ("production", "data", "staging", "sandbox"))
    return OrganizationSpec(
        id=ORGANISATION_ID,
        root_id="r-nl01",
        management=_account("management"),
        members=members,
        units=UNITS,
        policies=(*guardrails.SCPS, *guardrails.RCPS),
    )


def _account(name: str) -> AccountSpec:
    number = ACCOUNT_IDS[name]
    job_policies, job_groups = JOBS[name]()
    own_policies, own_roles = workloads.of_account(name, number)
    machine_roles, profiles, instances = fleet.of_account(name)
    elsewhere = outside.of_account(name, number)
    trouble = TROUBLES[name]() if name in TROUBLES else PlantedTrouble()
    people = () if name == "management" else populace.users(name)
    common = () if name == "management" else guardrails.account_policies(name)
    return AccountSpec(
        id=number,
        name=name,
        alias=f"northline-{name}",
        email=f"aws+{name}@northline.example",
        ou=PLACES[name],
        age=ACCOUNT_AGES[name],
        root=ROOTS[name],
        password_policy=PASSWORD_POLICIES.get(name),
        users=(*people, *machines.users(name), *trouble.users, *_hub_users(name)),
        groups=(*_groups_with_policies(job_groups, trouble.attached), *trouble.groups),
        policies=(*common, *job_policies, *own_policies, *trouble.policies),
        roles=(
            *own_roles,
            *machine_roles,
            *shared_roles.of_account(name),
            *elsewhere.roles,
            *trouble.roles,
            *gatehouse.roles(number),
        ),
        profiles=(*profiles, *trouble.profiles),
        instances=(*instances, *trouble.instances),
        providers=(*shared_roles.providers(name), *trouble.providers),
        certificates=trouble.certificates,
        trails=_trails(name, number),
        anchors=(*elsewhere.anchors, *trouble.anchors),
        anywhere=(*elsewhere.profiles, *trouble.anywhere),
        pods=(*elsewhere.pods, *trouble.pods),
        delegations=trouble.delegations,
        issues_tokens=trouble.issues_tokens,
    )


def _groups_with_policies(
    groups: tuple[GroupSpec, ...], attached: tuple[tuple[str, str], ...]
) -> tuple[GroupSpec, ...]:
    """Return the groups with policies that other modules attach to them."""
    return tuple(
        replace(
            group, policies=group.policies + tuple(policy for name, policy in attached if name == group.name)
        )
        for group in groups
    )


def _hub_users(name: str) -> tuple[UserSpec, ...]:
    return (gatehouse.hub_user(),) if name == "management" else ()


def _trails(name: str, number: str) -> tuple[TrailSpec, ...]:
    """Return the trails of an account. They are configured well, except in staging (no validation, no key)
    and in the sandbox (one Region, no validation).
    """
    if name == "sandbox":
        return (TrailSpec("sandbox-events", "sandbox-trail", multi_region=False, validated=False),)
    if name == "staging":
        return (TrailSpec("staging-events", "staging-trail", validated=False),)
    group = arn("logs", number, "log-group:trail:*")
    key = arn("kms", number, "key/5a0d2f3c-7c1b-4b8e-9d4e-0f6c2a91e7b4")
    return (
        TrailSpec("northline", TRAIL_BUCKET, key=key, log_group=group, organisation=name == "management"),
    )
