"""Determines the resource of a call, and the condition keys that AWS sets for it.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

from typing import Any

from moto.iam.models import iam_backends

from console.demo.standin.calls import StandinCall
from console.demo.standin.evaluate import Context

# The first of these parameters determines the resource: the group for AddUserToGroup, the instance profile
# for AddRoleToInstanceProfile, the user for AttachUserPolicy.
NAMED = (
    ("GroupName", "group", "groups"),
    ("InstanceProfileName", "instance-profile", "instance_profiles"),
    ("UserName", "user", "users"),
    ("RoleName", "role", "roles"),
    ("PolicyName", "policy", ""),
    ("VirtualMFADeviceName", "mfa", ""),
    ("Name", "saml-provider", ""),
    ("ServerCertificateName", "server-certificate", ""),
)
ARNS = ("RoleArn", "PolicyArn", "SAMLProviderArn", "OpenIDConnectProviderArn")


def resource_of(call: StandinCall) -> str:
    """Return the ARN of the resource of a call, or * for a call about the account as a whole."""
    params = call.parameters
    if call.service == "sts":
        return str(params.get("RoleArn", "*"))
    if call.service != "iam":
        return "*"
    for parameter, kind, table in NAMED:
        if name := params.get(parameter):
            return _arn(call, kind, str(name), table)
    if "SerialNumber" in params and str(params["SerialNumber"]).startswith("arn:"):
        return str(params["SerialNumber"])
    return next((str(params[parameter]) for parameter in ARNS if parameter in params), "*")


def _arn(call: StandinCall, kind: str, name: str, table: str) -> str:
    backend = iam_backends[call.account]["aws"]
    for entity in getattr(backend, table).values() if table else ():
        if entity.name == name:
            return str(entity.arn)
    path = call.parameters.get("Path") or "/"
    return f"arn:aws:iam::{call.account}:{kind}{path}{name}"


def context_of(call: StandinCall, *, organisation: str | None) -> Context:
    """Return the condition keys of the call, in lower case. Keys that AWS would omit are omitted."""
    caller, params = call.caller, call.parameters
    context: Context = {
        "aws:principalarn": [caller.role_arn or caller.arn],
        "aws:principalaccount": [caller.account],
        "aws:principaltype": [{"AssumedRole": "AssumedRole", "IAMUser": "User"}.get(caller.kind, "Account")],
        "aws:userid": [caller.principal_id],
        "aws:sourceip": [call.source_ip],
        # The simulated AWS counts as an HTTPS endpoint, although it listens without TLS.
        "aws:securetransport": ["true"],
        "aws:requestedregion": [call.region],
        "aws:currenttime": [call.at.strftime("%Y-%m-%dT%H:%M:%SZ")],
    }
    if caller.kind == "AssumedRole":
        context["aws:multifactorauthpresent"] = ["false"]
    if caller.user_name:
        context["aws:username"] = [caller.user_name]
    if organisation:
        context["aws:principalorgid"] = [organisation]
    context |= {
        f"aws:principaltag/{key.lower()}": [value] for key, value in _tags(caller_entity(call)).items()
    }
    context |= _request_keys(params)
    return context


def _request_keys(params: dict[str, Any]) -> Context:
    """Return the condition keys from the request's own parameters."""
    keys = {
        "ExternalId": "sts:externalid",
        "RoleSessionName": "sts:rolesessionname",
        "SourceIdentity": "sts:sourceidentity",
        "PolicyArn": "iam:policyarn",
        "PermissionsBoundary": "iam:permissionsboundary",
        "AWSServiceName": "iam:awsservicename",
    }
    context: Context = {key: [str(params[name])] for name, key in keys.items() if name in params}
    tags: dict[str, str] = {}
    for name, value in params.items():
        if name.startswith("Tags.member.") and name.endswith(".Key"):
            tags[str(value)] = str(params.get(name.removesuffix("Key") + "Value", ""))
    context |= {f"aws:requesttag/{key.lower()}": [value] for key, value in tags.items()}
    return context | ({"aws:tagkeys": list(tags)} if tags else {})


def caller_entity(call: StandinCall) -> Any | None:
    """Return the user or role of the caller, or None."""
    backend = iam_backends[call.caller.account]["aws"]
    if call.caller.kind == "AssumedRole":
        return next((r for r in backend.roles.values() if r.arn == call.caller.role_arn), None)
    return backend.users.get(call.caller.user_name)


def _tags(entity: Any | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in (entity.tags or [])} if entity is not None else {}
