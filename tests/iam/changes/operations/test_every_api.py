"""Every call by which IAM is written is made by an operation, or left out for a reason
(`docs/decisions.md`).
"""

from __future__ import annotations

import re

import botocore.session

from iam.aws.permissions import WRITE

READING = re.compile(r"(Get|List|Simulate|Generate)[A-Z]")
LEFT_OUT = {
    "UpdateRoleDescription": "UpdateRole does it",
    "UpdateOpenIDConnectProvider": "ties a provider to IAM Identity Center, which comes with Identity Center",
    "ChangePassword": "is the caller's own password: a worker has none",
    "SetSecurityTokenServicePreferences": "a setting of STS, not of who may do what",
    "EnableOutboundWebIdentityFederation": "a setting of STS, not of who may do what",
    "DisableOutboundWebIdentityFederation": "a setting of STS, not of who may do what",
    "PutAccountProperties": "switches features of AWS's console, such as its Role Manager",
    "EnableOrganizationsRootCredentialsManagement": (
        "is set once for an organization, in its management account"
    ),
    "DisableOrganizationsRootCredentialsManagement": (
        "is set once for an organization, in its management account"
    ),
    "EnableOrganizationsRootSessions": "is set once for an organization, in its management account",
    "DisableOrganizationsRootSessions": "is set once for an organization, in its management account",
    "CreateDelegationRequest": "is how a product provider asks its customer",
    "AssociateDelegationRequest": "is answered by a person in AWS's own console",
    "AcceptDelegationRequest": "is answered by a person in AWS's own console",
    "RejectDelegationRequest": "is answered by a person in AWS's own console",
    "UpdateDelegationRequest": "is answered by a person in AWS's own console",
    "SendDelegationToken": "is answered by a person in AWS's own console",
    "AcquireRole": (
        "makes a role from a template of AWS's, which a receipt could not weigh; CreateRole makes the same"
    ),
}


def test_every_writing_call_of_iam_is_made_or_left_out_for_a_reason() -> None:
    model = botocore.session.get_session().get_service_model("iam")
    writing = {name for name in model.operation_names if not READING.match(name)}
    made = {action.partition(":")[2] for family in WRITE.values() for action in family}
    assert writing == {name for name in writing if name in made} | set(LEFT_OUT)
    assert not made & set(LEFT_OUT)
