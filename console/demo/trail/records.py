"""Records of the simulated trail in CloudTrail's format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from console.demo.organisation.fleet import PUBLIC
from console.demo.organisation.specs import AccountSpec, KeySpec, RoleSpec, UserSpec
from console.demo.standin import ids
from console.demo.trail.calls import EMAIL_SOURCE, SampleCall, filled

REGION: Final = "eu-west-1"
GLOBAL: Final = {"iam", "sts", "cloudfront", "organizations", "ce", "support"}
BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
CLI: Final = "aws-cli/2.31.8 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 lang/python#3.13.7"
BOTO: Final = "Boto3/1.42.7 md/Botocore#1.42.7 ua/2.1 os/linux#6.8.0 lang/python#3.12.3"
TERRAFORM: Final = "APN/1.0 HashiCorp/1.0 Terraform/1.13.4 terraform-provider-aws/6.21.0"
GITHUB: Final = "aws-sdk-js/3.929.0 os/linux/6.11.0-1018-azure lang/js md/nodejs/20.19.5"

GATEWAY: Final = "198.51.100.40"
"""The NAT gateway of the data account's ETL nodes."""
KEY_PLACES: Final = {
    ("production", "sftp-sync"): PUBLIC["production", "sftp-drop-1"],
    ("data", "airflow-legacy"): GATEWAY,
}
"""Keys that programs on EC2 instances use, with the address from which they are used."""


@dataclass(frozen=True)
class SampleCaller:
    """A caller: identity in CloudTrail's format, account, address and tool."""

    account: AccountSpec
    identity: dict[str, Any]
    address: str
    agent: str

    @property
    def is_console(self) -> bool:
        """True if the calls are made in the AWS console."""
        return self.agent == BROWSER

    def calls(
        self,
        service: str,
        name: str,
        at: datetime,
        parameters: dict[str, Any] | None = None,
        *,
        is_read: bool = True,
        **more: Any,
    ) -> dict[str, Any]:
        """Return the record of a call. `more` are further fields, such as an error."""
        principal = str(self.identity.get("arn", self.identity.get("principalId", "")))
        source = EMAIL_SOURCE.get(service, service)
        record: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": self.identity,
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1" if service in GLOBAL else REGION,
            "sourceIPAddress": self.address,
            "userAgent": self.agent,
            "requestParameters": parameters,
            "responseElements": None,
            "requestID": ids.as_uuid("request", principal, service, name, at.isoformat()),
            "eventID": ids.as_uuid("history", principal, service, name, at.isoformat()),
            "readOnly": is_read,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": self.account.id,
            "eventCategory": "Management",
        }
        if self.is_console:
            record["sessionCredentialFromConsole"] = "true"
        return record | more

    def makes(
        self, service: str, call: SampleCall, at: datetime, values: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the record of a sample call with its placeholders filled in."""
        parameters = None
        if call.parameters is not None:
            parameters = {name: filled(text, values) for name, text in call.parameters.items()}
        more: dict[str, Any] = {}
        if call.resource:
            more["resources"] = [{"accountId": self.account.id, "ARN": filled(call.resource, values)}]
        return self.calls(service, call.name, at, parameters, is_read=call.is_read, **more)

    def signs_in(self, at: datetime, *, mfa: bool) -> dict[str, Any]:
        """Return the record of a sign-in to the AWS console with a password."""
        return self.calls(
            "signin",
            "ConsoleLogin",
            at,
            is_read=False,
            eventType="AwsConsoleSignIn",
            responseElements={"ConsoleLogin": "Success"},
            additionalEventData={"MFAUsed": "Yes" if mfa else "No", "MobileVersion": "No"},
        )

    def is_denied(
        self, service: str, name: str, at: datetime, parameters: dict[str, Any] | None = None, *, action: str
    ) -> dict[str, Any]:
        """Return the record of a call that AWS denies because no policy allows the action."""
        message = (
            f"User: {self.identity['arn']} is not authorized to perform: {action} "
            "because no identity-based policy allows the action"
        )
        return self.calls(
            service,
            name,
            at,
            parameters,
            errorCode="AccessDenied",
            errorMessage=message,
            responseElements=None,
        )


def address_of(*parts: str) -> str:
    """Return an address from the documentation ranges that depends only on the parts."""
    return f"203.0.113.{1 + int(ids.digest('address', *parts)[:4], 16) % 250}"


def requires_mfa(account: AccountSpec, user: UserSpec) -> bool:
    """Return True if a group of the user denies everything without MFA."""
    strict = {group.name for group in account.groups if "RequireMfa" in group.policies}
    return bool(strict.intersection(user.groups))


def key_caller(
    account: AccountSpec, user: UserSpec, *, key: int, agent: str, address: str = ""
) -> SampleCaller:
    """Return the caller for a user with an access key."""
    identity = _user_identity(account, user)
    identity["accessKeyId"] = ids.stable_key("AKIA", account.id, user.name, str(key))
    return SampleCaller(account, identity, address or key_address(account, user), agent)


def key_address(account: AccountSpec, user: UserSpec) -> str:
    """Return the address from which a user's keys are used."""
    return KEY_PLACES.get((account.name, user.name)) or address_of(user.name)


def user_caller(
    account: AccountSpec, user: UserSpec, *, key: int | None, agent: str, address: str = ""
) -> SampleCaller:
    """Return the caller for a user in the console (`key` None) or with an access key. If a group requires
    MFA, the access key is used through a session with MFA.
    """
    has_device = bool(user.devices)
    if key is not None and not (has_device and requires_mfa(account, user)):
        return key_caller(account, user, key=key, agent=agent, address=address)
    identity = _user_identity(account, user)
    identity["accessKeyId"] = ids.stable_key("ASIA", account.id, user.name, str(key))
    identity["sessionContext"] = {"attributes": {"mfaAuthenticated": str(has_device).lower()}}
    return SampleCaller(account, identity, address or address_of(user.name), agent)


def _user_identity(account: AccountSpec, user: UserSpec) -> dict[str, Any]:
    return {
        "type": "IAMUser",
        "principalId": ids.stable("AIDA", account.id, "user", user.name),
        "arn": f"arn:aws:iam::{account.id}:user{user.path}{user.name}",
        "accountId": account.id,
        "userName": user.name,
    }


def role_caller(
    account: AccountSpec, role: RoleSpec, session: str, *, agent: str, address: str, **context: Any
) -> SampleCaller:
    """Return the caller for a session of a role. `context` is added to the session's context."""
    unique_id = ids.stable("AROA", account.id, "role", role.name)
    identity = {
        "type": "AssumedRole",
        "principalId": f"{unique_id}:{session}",
        "arn": f"arn:aws:sts::{account.id}:assumed-role/{role.name}/{session}",
        "accountId": account.id,
        "accessKeyId": ids.stable_key("ASIA", account.id, role.name, session),
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": unique_id,
                "arn": f"arn:aws:iam::{account.id}:role{role.path}{role.name}",
                "accountId": account.id,
                "userName": role.name,
            },
            "attributes": {"mfaAuthenticated": "false"},
        }
        | context,
    }
    return SampleCaller(account, identity, address, agent)


def root_caller(account: AccountSpec, address: str) -> SampleCaller:
    """Return the caller for the root user in the console."""
    identity = {
        "type": "Root",
        "principalId": account.id,
        "arn": f"arn:aws:iam::{account.id}:root",
        "accountId": account.id,
    }
    return SampleCaller(account, identity, address, BROWSER)


def services_of(key: KeySpec) -> tuple[str, ...]:
    """Return the services that a key is used for: its own, and S3, which its owner uses too."""
    return (key.service, "s3") if key.service != "s3" else ("s3",)
