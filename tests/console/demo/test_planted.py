"""Each planted problem is really there in what boto3 sees, and each harmless entity has what makes it
harmless.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from console.demo.organisation.gatehouse import READER_ROLE
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import all_pages, hub
from tests.console.demo.planted import HARMLESS, PLANTED, Problem
from tests.console.demo.planted_checks import ADMINISTRATOR, CHECKS, Check, is_full
from tests.console.demo.served import Served, listed

EXCUSES: dict[str, Check] = {}


def excuse(kind: str) -> Callable[[Check], Check]:
    """Register a check of what makes an entity harmless."""
    return lambda function: EXCUSES.setdefault(kind, function)


@pytest.fixture(scope="module")
def account(standin: RunningStandin) -> Callable[[str], Served]:
    return functools.cache(lambda name: Served(standin, name))


@pytest.mark.parametrize("problem", PLANTED, ids=str)
def test_a_planted_problem_is_there(account: Callable[[str], Served], problem: Problem) -> None:
    assert CHECKS[problem.kind](account(problem.account), problem), problem.why


@pytest.mark.parametrize("problem", HARMLESS, ids=str)
def test_a_harmless_entity_looks_wrong_and_is_not(account: Callable[[str], Served], problem: Problem) -> None:
    assert EXCUSES[problem.kind](account(problem.account), problem), problem.why


def test_every_check_is_used_and_every_arn_is_in_its_account() -> None:
    assert set(CHECKS) == {problem.kind for problem in PLANTED}
    assert set(EXCUSES) == {problem.kind for problem in HARMLESS}
    for problem in PLANTED + HARMLESS:
        assert problem.arn.split(":")[4] == ACCOUNT_IDS[problem.account]


@excuse("inline-policy-on-user")
def _(a: Served, p: Problem) -> bool:
    readers = (role for role in a.details["RoleDetailList"] if role["RoleName"] == READER_ROLE)
    trusted = [statement["Principal"]["AWS"] for role in readers for statement in a.trust(role["Arn"])]
    return bool(a.by_arn[p.arn]["UserPolicyList"]) and trusted == [p.arn]


@excuse("roles-anywhere-profile-unrestricted")
def _(a: Served, p: Problem) -> bool:
    profile = a.anywhere[p.arn]
    (role,) = profile["roleArns"]
    (statement,) = a.trust(role)
    return ("Condition" in statement) is not ("sessionPolicy" in profile)


@excuse("pod-identity-administrator")
def _(a: Served, p: Problem) -> bool:
    return p.arn in a.pods.values() and not any(is_full(s) for s in a.statements(p.arn))


@excuse("administrator-without-boundary")
def _(a: Served, p: Problem) -> bool:
    entity = a.by_arn[p.arn]
    boundary = entity["PermissionsBoundary"]["PermissionsBoundaryArn"]
    looks_wrong = ADMINISTRATOR in {policy["PolicyArn"] for policy in entity["AttachedManagedPolicies"]}
    return looks_wrong and not any(is_full(s) for s in a.statements(boundary))


@excuse("confused-deputy")
def _(a: Served, p: Problem) -> bool:
    (statement,) = a.trust(p.arn)
    return statement["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT_IDS[p.account]


@excuse("privilege-escalation")
def _(a: Served, p: Problem) -> bool:
    (passing,) = [s for s in a.statements(p.arn) if s["Action"] == "iam:PassRole"]
    return (
        passing["Resource"].count("*") == 0 and "iam:PassedToService" in passing["Condition"]["StringEquals"]
    )


@excuse("trust-outside-account-without-external-id")
def _(a: Served, p: Problem) -> bool:
    (statement,) = a.trust(p.arn)
    return (
        "339011276654" in statement["Principal"]["AWS"]
        and "sts:ExternalId" in statement["Condition"]["StringEquals"]
    )


@excuse("trust-any-principal")
def _(a: Served, p: Problem) -> bool:
    (statement,) = a.trust(p.arn)
    organisation = hub(a.standin, "organizations").describe_organization()["Organization"]["Id"]
    return (
        statement["Principal"] == "*"
        and statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"] == organisation
    )


@excuse("outbound-tokens-for-any-audience")
def _(a: Served, p: Problem) -> bool:
    (policy,) = a.by_arn[p.arn]["RolePolicyList"]
    (statement,) = listed(policy["PolicyDocument"]["Statement"])
    key = "sts:IdentityTokenAudience"
    return (
        statement["Action"] == "sts:GetWebIdentityToken"
        and key in statement["Condition"]["ForAllValues:StringEquals"]
    )


@excuse("not-action-with-allow")
def _(a: Served, p: Problem) -> bool:
    return a.statements(p.arn) == [] and all("NotAction" in s for s in a.statements(p.arn, effect="Deny"))


@excuse("full-access-to-service")
def _(a: Served, p: Problem) -> bool:
    wanted = f"{p.more['service']}:*"
    organizations = hub(a.standin, "organizations")
    listed_policies = all_pages(organizations, "list_policies", "Policies", Filter="SERVICE_CONTROL_POLICY")
    scp = next(policy["Id"] for policy in listed_policies if policy["Name"] == "SandboxLimits")
    content = organizations.describe_policy(PolicyId=scp)["Policy"]["Content"]
    return any(wanted in listed(s["Action"]) for s in a.statements(p.arn)) and wanted in content
