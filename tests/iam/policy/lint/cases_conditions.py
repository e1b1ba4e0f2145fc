"""Cases of condition operators, keys, values and variables."""

from __future__ import annotations

from typing import Any

from tests.iam.policy.lint.builders import (
    ACCOUNT,
    BUCKET,
    CONDITION,
    FIRST,
    ROLE,
    Case,
    allow,
    deny,
    policy,
    shared,
    when,
)

CONDITIONS = [
    Case(
        "DEPRECATED_GLOBAL_CONDITION_KEY",
        when("ArnLike", "aws:ARN", ROLE),
        f"{CONDITION}.ArnLike.aws:ARN",
        when("ArnLike", "aws:PrincipalArn", ROLE),
    ),
    Case(
        "PRIVATE_NOT_IP_ADDRESS",
        when("NotIpAddress", "aws:SourceIp", "192.168.0.0/16"),
        f"{CONDITION}.NotIpAddress.aws:SourceIp",
        when("IpAddress", "aws:SourceIp", "192.168.0.0/16"),
    ),
    Case(
        "INVALID_CONDITION_OPERATOR",
        when("StringEqual", "aws:username", "a"),
        f"{CONDITION}.StringEqual",
        when("stringequals", "aws:username", "a"),
    ),
    Case(
        "INVALID_CONDITION_OPERATOR",
        when("ForSomeValues:StringEquals", "aws:TagKeys", "a"),
        f"{CONDITION}.ForSomeValues:StringEquals",
        when("ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "a"),
    ),
    Case(
        "INVALID_CONDITION_KEY_FORMAT",
        when("StringEquals", "username", "a"),
        f"{CONDITION}.StringEquals.username",
        when("StringEquals", "aws:username", "a"),
    ),
    Case(
        "INVALID_GLOBAL_CONDITION_KEY",
        when("StringEquals", "aws:PrincipalOrgId2", "a"),
        f"{CONDITION}.StringEquals.aws:PrincipalOrgId2",
        when("StringEquals", "aws:principalorgid", "o-a1b2c3d4e5"),
    ),
    Case(
        "INVALID_SERVICE_CONDITION_KEY",
        when("StringEquals", "s3:prefixes", "a"),
        f"{CONDITION}.StringEquals.s3:prefixes",
        when("StringEquals", "s3:prefix", "a", action="s3:ListBucket", resource=BUCKET),
    ),
    Case(
        "INVALID_SERVICE_CONDITION_KEY",
        when("StringEquals", "nosuch:key", "a"),
        f"{CONDITION}.StringEquals.nosuch:key",
        when("StringEquals", "accounts.google.com:sub", "a"),
    ),
    Case(
        "UNSUPPORTED_CONDITION_KEY_FOR_ACTION",
        when("StringEquals", "s3:prefix", "a"),
        f"{CONDITION}.StringEquals.s3:prefix",
        when("StringEqualsIfExists", "s3:prefix", "a"),
    ),
    Case(
        "UNSUPPORTED_CONDITION_KEY_FOR_ACTION",
        when("StringEquals", "s3:prefix", "a", action=["s3:ListBucket", "s3:GetObject"], resource="*"),
        f"{CONDITION}.StringEquals.s3:prefix",
        when("StringEquals", "s3:prefix", "a", action="s3:*", resource="*"),
    ),
    Case(
        "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
        when("StringEquals", "aws:ResourceTag/a", "b", action="iam:ListUsers", resource="*"),
        f"{CONDITION}.StringEquals.aws:ResourceTag/a",
        when("StringEquals", "aws:ResourceTag/a", "b", action="ec2:StopInstances", resource="*"),
    ),
    Case(
        "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
        policy(deny("iam:ListUsers", "*", Condition={"StringEquals": {"aws:ResourceTag/a": "b"}})),
        f"{CONDITION}.StringEquals.aws:ResourceTag/a",
        policy(deny("iam:ListUsers", "*", Condition={"StringNotEquals": {"aws:ResourceTag/a": "b"}})),
    ),
    Case(
        "TYPE_MISMATCH",
        when("StringEquals", "aws:SecureTransport", "true"),
        f"{CONDITION}.StringEquals",
        when("Bool", "aws:SecureTransport", "true"),
    ),
    Case(
        "TYPE_MISMATCH",
        when("StringEquals", "aws:SourceIp", "203.0.113.0"),
        f"{CONDITION}.StringEquals",
        when("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
    ),
    Case(
        "TYPE_MISMATCH",
        when("NumericLessThan", "aws:CurrentTime", "1"),
        f"{CONDITION}.NumericLessThan",
        when("NumericLessThan", "aws:EpochTime", "1"),
    ),
    Case(
        "TYPE_MISMATCH",
        when("ArnLike", "aws:username", "*"),
        f"{CONDITION}.ArnLike",
        when("ArnLike", "aws:PrincipalArn", ROLE),
    ),
    Case(
        "TYPE_MISMATCH",
        when("DateLessThan", "aws:MultiFactorAuthAge", "2026-01-01"),
        f"{CONDITION}.DateLessThan",
        when("NumericLessThan", "aws:MultiFactorAuthAge", "3600"),
    ),
    Case(
        "STRING_OPERATOR_WITH_ARN_CONDITION_KEY",
        when("StringLike", "aws:PrincipalArn", ROLE),
        f"{CONDITION}.StringLike",
        when("ArnLike", "aws:PrincipalArn", ROLE),
    ),
    Case(
        "MISSING_QUALIFIER",
        when("StringEquals", "aws:TagKeys", "a", action="ec2:CreateTags", resource="*"),
        f"{CONDITION}.StringEquals",
        when("ForAnyValue:StringEquals", "aws:TagKeys", "a", action="ec2:CreateTags", resource="*"),
    ),
    Case(
        "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
        when("ForAllValues:StringEquals", "aws:username", "a"),
        f"{CONDITION}.ForAllValues:StringEquals",
        when("StringEquals", "aws:username", "a"),
    ),
    Case(
        "FORANYVALUE_WITH_SINGLE_VALUED_KEY",
        when("ForAnyValue:StringEquals", "aws:username", "a"),
        f"{CONDITION}.ForAnyValue:StringEquals",
        when("StringEquals", "aws:username", "a"),
    ),
    Case(
        "FORALLVALUES_WITHOUT_NULL_CHECK",
        when("ForAllValues:StringLike", "dynamodb:LeadingKeys", "a", action="dynamodb:GetItem", resource="*"),
        f"{CONDITION}.ForAllValues:StringLike",
        policy(
            allow(
                "dynamodb:GetItem",
                "*",
                Condition={
                    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "a"},
                    "Null": {"dynamodb:LeadingKeys": "false"},
                },
            )
        ),
    ),
    Case(
        "NULL_WITH_IF_EXISTS",
        when("NullIfExists", "aws:username", "true"),
        f"{CONDITION}.NullIfExists",
        when("Null", "aws:username", "true"),
    ),
    Case(
        "NULL_WITH_QUALIFIER",
        when("ForAnyValue:Null", "aws:TagKeys", "true"),
        f"{CONDITION}.ForAnyValue:Null",
        when("Null", "aws:TagKeys", "true"),
    ),
    Case(
        "INVALID_CONDITION_MULTIPLE_BOOLEAN",
        when("Bool", "aws:SecureTransport", "true", "false"),
        f"{CONDITION}.Bool.aws:SecureTransport",
        when("Bool", "aws:SecureTransport", "true"),
    ),
    Case(
        "WILDCARD_WITHOUT_LIKE_OPERATOR",
        when("StringEquals", "aws:username", "ad*"),
        f"{CONDITION}.StringEquals.aws:username",
        when("StringLike", "aws:username", "ad*"),
    ),
    Case(
        "EQUIVALENT_TO_NULL_FALSE",
        when("StringLike", "aws:username", "*"),
        f"{CONDITION}.StringLike.aws:username",
        when("StringLike", "aws:username", "a*"),
    ),
    Case(
        "EQUIVALENT_TO_NULL_TRUE",
        when("StringNotLike", "aws:username", "*"),
        f"{CONDITION}.StringNotLike.aws:username",
        when("StringNotLike", "aws:username", "a*"),
    ),
    Case(
        "WILDCARD_IN_SENSITIVE_CONDITION_KEY",
        when("StringLike", "aws:PrincipalOrgID", "o-*"),
        f"{CONDITION}.StringLike.aws:PrincipalOrgID",
        when("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    ),
    Case(
        "TYPE_MISMATCH_NUMBER",
        when("NumericLessThan", "aws:MultiFactorAuthAge", "1h"),
        f"{CONDITION}.NumericLessThan.aws:MultiFactorAuthAge",
        when("NumericLessThan", "aws:MultiFactorAuthAge", 3600),
    ),
    Case(
        "TYPE_MISMATCH_DATE",
        when("DateLessThan", "aws:CurrentTime", "31.12.2026"),
        f"{CONDITION}.DateLessThan.aws:CurrentTime",
        when("DateLessThan", "aws:CurrentTime", "2026-12-31T23:59:59Z"),
    ),
    Case(
        "TYPE_MISMATCH_BOOLEAN",
        when("Bool", "aws:SecureTransport", "yes"),
        f"{CONDITION}.Bool.aws:SecureTransport",
        when("Bool", "aws:SecureTransport", True),
    ),
    Case(
        "TYPE_MISMATCH_BOOLEAN",
        when("Null", "aws:username", "no"),
        f"{CONDITION}.Null.aws:username",
        when("Null", "aws:username", "TRUE"),
    ),
    Case(
        "TYPE_MISMATCH_IP_RANGE",
        when("IpAddress", "aws:SourceIp", "203.0.113.0/33"),
        f"{CONDITION}.IpAddress.aws:SourceIp",
        when("IpAddress", "aws:SourceIp", "203.0.113.7", "2001:db8::/32"),
    ),
    Case(
        "TYPE_MISMATCH_ARN",
        when("ArnLike", "aws:PrincipalArn", "role/app"),
        f"{CONDITION}.ArnLike.aws:PrincipalArn",
        when("ArnLike", "aws:PrincipalArn", ROLE),
    ),
    Case(
        "TYPE_MISMATCH_ARN",
        when("ArnLike", "aws:SourceArn", "arn:aws:sns:*"),
        f"{CONDITION}.ArnLike.aws:SourceArn",
        when("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:*", "*"),
    ),
    Case(
        "TYPE_MISMATCH_BINARY",
        when("BinaryEquals", "aws:username", "%%%"),
        f"{CONDITION}.BinaryEquals.aws:username",
        when("BinaryEquals", "aws:username", "QmluYXJ5"),
    ),
    Case(
        "IMPROVE_IP_RANGE",
        when("IpAddress", "aws:SourceIp", "203.0.113.7/24"),
        f"{CONDITION}.IpAddress.aws:SourceIp",
        when("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
    ),
    Case(
        "UNRESTRICTED_IP_RANGE",
        when("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
        f"{CONDITION}.IpAddress.aws:SourceIp",
        when("NotIpAddress", "aws:SourceIp", "0.0.0.0/0"),
    ),
    Case(
        "PRIVATE_IP_ADDRESS",
        when("IpAddress", "aws:SourceIp", "203.0.113.0/24", "10.1.0.0/16"),
        f"{CONDITION}.IpAddress.aws:SourceIp[1]",
        when("IpAddress", "aws:VpcSourceIp", "10.1.0.0/16"),
    ),
    Case(
        "INVALID_CONDITION_VALUE_FORMAT",
        when("StringEquals", "aws:SourceAccount", "1111-2222"),
        f"{CONDITION}.StringEquals.aws:SourceAccount",
        when("StringEquals", "aws:SourceAccount", ACCOUNT),
    ),
    Case(
        "INVALID_CONDITION_VALUE_FORMAT",
        when("StringEquals", "aws:SourceVpce", "vpc-0a1b2c3d"),
        f"{CONDITION}.StringEquals.aws:SourceVpce",
        when("StringEquals", "aws:SourceVpce", "vpce-0a1b2c3d"),
    ),
    Case(
        "PRINCIPAL_ARN_OF_SESSION",
        when("ArnLike", "aws:PrincipalArn", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"),
        f"{CONDITION}.ArnLike.aws:PrincipalArn",
        when("ArnLike", "aws:PrincipalArn", ROLE),
    ),
    Case(
        "MFA_DENY_WITHOUT_IF_EXISTS",
        policy(deny(Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})),
        f"{CONDITION}.Bool",
        policy(deny(Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})),
    ),
    Case(
        "MFA_ALLOW_WITH_IF_EXISTS",
        when("BoolIfExists", "aws:MultiFactorAuthPresent", "true"),
        f"{CONDITION}.BoolIfExists",
        when("Bool", "aws:MultiFactorAuthPresent", "true"),
    ),
    Case(
        "REDUNDANT_CONDITION_VALUE",
        when("StringEquals", "aws:username", "a", "a"),
        f"{CONDITION}.StringEquals.aws:username[1]",
        when("StringEquals", "aws:username", "a", "A"),
    ),
]

HOME = f"{BUCKET}/${{aws:username}}/*"


def home(variable: str, **top: Any) -> str:
    """A policy with a variable in its resource."""
    return policy(allow(resource=f"{BUCKET}/{variable}/*"), **top)


VARIABLES = [
    Case(
        "MISSING_BRACE_IN_VARIABLE", home("${aws:username"), f"{FIRST}.Resource", policy(allow(resource=HOME))
    ),
    Case(
        "MISSING_QUOTE_IN_VARIABLE",
        home("${aws:username, you}"),
        f"{FIRST}.Resource",
        home("${aws:username, 'you'}"),
    ),
    Case("EMPTY_VARIABLE", home("${}"), f"{FIRST}.Resource", home("${*}")),
    Case(
        "UNSUPPORTED_SPACE_IN_VARIABLE",
        home("${ aws:username}"),
        f"{FIRST}.Resource",
        home("${aws:PrincipalTag/my team}"),
    ),
    Case(
        "VARIABLE_UNSUPPORTED_IN_ELEMENT",
        policy(allow("${aws:username}:Get*")),
        f"{FIRST}.Action",
        policy(allow(resource=HOME)),
    ),
    Case(
        "VARIABLE_UNSUPPORTED_IN_ELEMENT",
        policy(allow("sqs:SendMessage", "arn:aws:sqs:*:${aws:PrincipalAccount}:q")),
        f"{FIRST}.Resource",
        policy(allow("sqs:SendMessage", "arn:aws:sqs:*:*:${aws:username}")),
    ),
    Case(
        "VARIABLE_UNSUPPORTED_IN_ELEMENT",
        shared({"AWS": f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"}),
        f"{FIRST}.Principal.AWS",
        shared({"AWS": ROLE}),
        "resource",
    ),
    Case(
        "VARIABLE_UNSUPPORTED_IN_VERSION",
        policy(allow(resource=HOME), Version="2008-10-17"),
        f"{FIRST}.Resource",
        policy(allow(resource=HOME)),
    ),
    Case(
        "INVALID_VARIABLE_FOR_OPERATOR",
        when("NumericLessThan", "aws:MultiFactorAuthAge", "${aws:PrincipalTag/age}"),
        f"{CONDITION}.NumericLessThan.aws:MultiFactorAuthAge",
        when("StringEquals", "aws:SourceIdentity", "${aws:username}"),
    ),
    Case(
        "MISSING_TAG_KEY_IN_VARIABLE",
        home("${aws:PrincipalTag}"),
        f"{FIRST}.Resource",
        home("${aws:PrincipalTag/team}"),
    ),
    Case("MULTIVALUED_VARIABLE", home("${aws:TagKeys}"), f"{FIRST}.Resource", home("${aws:userid}")),
    Case(
        "UNKNOWN_VARIABLE",
        home("${aws:user}"),
        f"{FIRST}.Resource",
        home("${cognito-identity.amazonaws.com:sub}"),
    ),
]
