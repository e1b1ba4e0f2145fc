"""Builds the policy text: without MFA it denies everything except a first password and one's own device.

It follows "AWS: Allows MFA-authenticated IAM users to manage their own credentials on the Security
credentials page",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html
with the two actions that its note names for a first or expired password. It is stricter than that page: what
is left without MFA is limited to one's own user, whatever else is allowed. User names are unique in an
account regardless of path, so the two ARN patterns of a user match nobody else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

PRESENT: Final = "aws:MultiFactorAuthPresent"
OF_ACCOUNT: Final = ("iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices")
"""Actions without a resource."""
OF_DEVICE: Final = ("iam:CreateVirtualMFADevice",)
OF_SELF: Final = (
    "iam:ChangePassword",
    "iam:EnableMFADevice",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ResyncMFADevice",
)
SESSION: Final = "sts:GetSessionToken"
"""Exchanges a code for a session with MFA. AWS requires no permission for it, but a deny would block it."""
LEFT: Final = tuple(sorted((*OF_ACCOUNT, *OF_DEVICE, *OF_SELF, SESSION)))
"""Everything that is left without MFA."""


@dataclass(frozen=True, slots=True)
class PolicyVariant:
    """The policy for one account.

    With `denies_keys`, calls signed by an access key alone are denied too; otherwise only sessions that began
    without MFA.
    """

    partition: str
    account_id: str
    denies_keys: bool = True

    @property
    def own_user(self) -> tuple[str, str]:
        """The ARN patterns of the calling user, at the root and under any path."""
        prefix = f"arn:{self.partition}:iam::{self.account_id}:user"
        return f"{prefix}/${{aws:username}}", f"{prefix}/*/${{aws:username}}"

    @property
    def any_device(self) -> str:
        """The ARN pattern of a new virtual device with any name."""
        return f"arn:{self.partition}:iam::{self.account_id}:mfa/*"


def document(variant: PolicyVariant) -> dict[str, Any]:
    """The policy as JSON data."""
    operator = "BoolIfExists" if variant.denies_keys else "Bool"
    without = {operator: {PRESENT: "false"}}
    own = list(variant.own_user)
    return {
        "Version": "2012-10-17",
        "Statement": [
            _allow("SeeAccountSettings", OF_ACCOUNT, "*"),
            _allow("MakeVirtualDevice", OF_DEVICE, variant.any_device),
            _allow("ManageOwnPasswordAndDevice", OF_SELF, own),
            {
                "Sid": "DenyAllElseWithoutMfa",
                "Effect": "Deny",
                "NotAction": list(LEFT),
                "Resource": "*",
                "Condition": without,
            },
            {
                "Sid": "DenyOthersWithoutMfa",
                "Effect": "Deny",
                "Action": list(OF_SELF),
                "NotResource": own,
                "Condition": without,
            },
        ],
    }


def text_of(variant: PolicyVariant) -> str:
    """The policy as formatted text."""
    return json.dumps(document(variant), indent=2)


def _allow(sid: str, actions: tuple[str, ...], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
