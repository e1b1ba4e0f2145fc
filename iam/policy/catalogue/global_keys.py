"""The condition keys that don't belong to a single service, with their types.

Source: "AWS global condition context keys",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from typing import Final

from iam.policy.catalogue.records import ConditionKey, KeyType
from iam.policy.letter_case import fold

_TEXTS = (
    "aws:AssumedRoot",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CalledViaAWSMCP",
    "aws:Ec2InstanceSourceVpc",
    "aws:FederatedProvider",
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgMasterAccountId",
    "aws:PrincipalServiceName",
    "aws:PrincipalTag/${TagKey}",
    "aws:PrincipalType",
    "aws:referer",
    "aws:RequestedRegion",
    "aws:RequestTag/${TagKey}",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceTag/${TagKey}",
    "aws:SourceAccount",
    "aws:SourceIdentity",
    "aws:SourceOrgID",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:UserAgent",
    "aws:userid",
    "aws:username",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "glue:CredentialIssuingService",
    "glue:RoleAssumedBy",
    "identitystore:UserId",
)
_ARNS = (
    "aws:ChatbotSourceArn",
    "aws:PrincipalArn",
    "aws:SignInSessionArn",
    "aws:SourceArn",
    "aws:SourceVpcArn",
    "codebuild:BuildArn",
    "codebuild:ProjectArn",
    "ec2:SourceInstanceArn",
    "lambda:SourceFunctionArn",
    "ssm:SourceInstanceArn",
)
_BOOLS = (
    "aws:IsMcpServiceAction",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalIsAWSService",
    "aws:SecureTransport",
    "aws:ViaAWSMCPService",
    "aws:ViaAWSService",
)
_NUMBERS = ("aws:MultiFactorAuthAge", "ec2:RoleDelivery")
_DATES = ("aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime")
_ADDRESSES = ("aws:Ec2InstanceSourcePrivateIPv4", "aws:SourceIp", "aws:VpcSourceIp")
_MANY = (
    "aws:CalledVia",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceNamesList",
    "aws:ResourceOrgPaths",
    "aws:SourceOrgPaths",
    "aws:TagKeys",
    "aws:VpceOrgPaths",
)


def _keys(names: tuple[str, ...], kind: KeyType, *, is_multivalued: bool = False) -> dict[str, ConditionKey]:
    return {fold(name): ConditionKey(name, kind, is_multivalued) for name in names}


GLOBAL_KEYS: Final[dict[str, ConditionKey]] = {
    **_keys(_TEXTS, KeyType.STRING),
    **_keys(_ARNS, KeyType.ARN),
    **_keys(_BOOLS, KeyType.BOOL),
    **_keys(_NUMBERS, KeyType.NUMERIC),
    **_keys(_DATES, KeyType.DATE),
    **_keys(_ADDRESSES, KeyType.IP),
    **_keys(_MANY, KeyType.STRING, is_multivalued=True),
}
"""The keys by name in lower case, with a placeholder for a tag's key.

aws:PrincipalOrgMasterAccountId is not on the page, but in AWS's own AWSSSOServiceRolePolicy.
"""

DEPENDS_ON_SERVICE: Final = frozenset(
    {"aws:requesttag/${tagkey}", "aws:resourcetag/${tagkey}", "aws:tagkeys"}
)
"""Global keys that only some actions support. The catalogue lists them with the actions."""

SENSITIVE: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:resourceaccount",
        "aws:resourceorgid",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpceaccount",
        "aws:vpceorgid",
    }
)
"""Keys whose values can't sensibly contain a wildcard. Source: the same page, "Sensitive condition keys"."""
