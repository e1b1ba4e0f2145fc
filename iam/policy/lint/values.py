"""Checks the values of conditions: whether numbers, dates, addresses, ARNs and identifiers fit the operator
and the key.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from ipaddress import ip_interface, ip_network
from typing import Final

from iam.policy.catalogue import ConditionKey
from iam.policy.catalogue.global_keys import SENSITIVE
from iam.policy.letter_case import fold
from iam.policy.lint.arns import ACCOUNT, FIELDS, PARTITIONS, fields_of, is_open, is_region, remedy_of_region
from iam.policy.lint.codes import LintSeverity
from iam.policy.lint.findings import preview, quoted
from iam.policy.lint.view import ConditionTest, LintStatement, LintSubject, SourceText, report_wrong
from iam.policy.operators import moment_of, number_of
from iam.policy.variables import VARIABLE

LIKE: Final = frozenset({"stringlike", "stringnotlike", "arnlike", "arnnotlike", "arnequals", "arnnotequals"})
"""Operators with wildcards. According to AWS, ArnEquals is one of them."""
FORMS: Final = {
    "aws:principalaccount": (re.compile(r"[0-9]{12}|anonymous"), "a 12-digit account ID"),
    "aws:resourceaccount": (re.compile(r"[0-9]{12}"), "a 12-digit account ID"),
    "aws:sourceaccount": (re.compile(r"[0-9]{12}"), "a 12-digit account ID"),
    "aws:vpceaccount": (re.compile(r"[0-9]{12}"), "a 12-digit account ID"),
    "aws:principalorgid": (re.compile(r"o-[a-z0-9]{10,32}"), "an organization ID such as o-a1b2c3d4e5"),
    "aws:resourceorgid": (re.compile(r"o-[a-z0-9]{10,32}"), "an organization ID such as o-a1b2c3d4e5"),
    "aws:sourceorgid": (re.compile(r"o-[a-z0-9]{10,32}"), "an organization ID such as o-a1b2c3d4e5"),
    "aws:vpceorgid": (re.compile(r"o-[a-z0-9]{10,32}"), "an organization ID such as o-a1b2c3d4e5"),
    "aws:sourcevpc": (re.compile(r"vpc-[0-9a-f]{8,17}"), "a VPC ID such as vpc-0a1b2c3d"),
    "aws:sourcevpce": (re.compile(r"vpce-[0-9a-f]{8,17}"), "a VPC endpoint ID such as vpce-0a1b2c3d"),
}
"""The form of a key's values. Source: "AWS global condition context keys", the examples of each."""
OF_REGIONS: Final = frozenset({"aws:requestedregion", "ec2:region"})
PUBLIC_ONLY: Final = frozenset({"aws:sourceip"})
PRIVATE: Final = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
MFA: Final = "aws:multifactorauthpresent"


def check_values(
    test: ConditionTest, key: ConditionKey | None, statement: LintStatement, subject: LintSubject
) -> None:
    """Check every value of a test, and the values together."""
    check = _check_for(test.base)
    for value in test.values:
        if check is not None and not (VARIABLE.search(value.text) and subject.document.has_variables):
            check(value, test, subject)
        if key is not None and test.base.startswith("string"):
            _check_form(value, test, key, subject)
    if test.base in {"bool", "null"} and len({fold(value.text) for value in test.values}) > 1:
        subject.report.add(
            "INVALID_CONDITION_MULTIPLE_BOOLEAN",
            test.key,
            f"{preview(test.key.text)} is compared with both true and false.",
            "Keep one of them.",
        )
    _check_private(test, subject)
    _check_repeated(test, subject)
    _check_star(test, subject)
    if test.name == MFA:
        _check_mfa(test, statement, subject)


def _check_for(base: str) -> Callable[[SourceText, ConditionTest, LintSubject], None] | None:
    if base.startswith("string"):
        return None if base in LIKE else _check_no_wildcard
    if base.startswith("arn"):
        return _check_arn
    for beginning, check in (
        ("numeric", _check_number),
        ("date", _check_date),
        ("bool", _check_boolean),
        ("null", _check_boolean),
        ("binary", _check_binary),
    ):
        if base.startswith(beginning):
            return check
    return _check_address


def _check_number(value: SourceText, test: ConditionTest, subject: LintSubject) -> None:
    if number_of(value.text) is None:
        report_wrong("TYPE_MISMATCH_NUMBER", value, "a number", "Write a number such as 3600.", subject)


def _check_date(value: SourceText, test: ConditionTest, subject: LintSubject) -> None:
    if moment_of(value.text) is None:
        report_wrong("TYPE_MISMATCH_DATE", value, "a date", "Write it like 2026-12-31T23:59:59Z.", subject)


def _check_boolean(value: SourceText, test: ConditionTest, subject: LintSubject) -> None:
    if fold(value.text) not in {"true", "false"}:
        report_wrong("TYPE_MISMATCH_BOOLEAN", value, "true or false", "Write true or false.", subject)


def _check_binary(value: SourceText, test: ConditionTest, subject: LintSubject) -> None:
    try:
        base64.b64decode(value.text, validate=True)
    except (binascii.Error, ValueError):
        report_wrong("TYPE_MISMATCH_BINARY", value, "Base64", "Encode the bytes as Base64.", subject)


def _check_address(value: SourceText, test: ConditionTest, subject: LintSubject) -> None:
    report, text = subject.report, value.text
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        report_wrong(
            "TYPE_MISMATCH_IP_RANGE",
            value,
            "an IP address or range",
            "Write it in CIDR notation, such as 203.0.113.0/24.",
            subject,
        )
        return
    if "/" in text and ip_interface(text).ip != network.network_address:
        report.add(
            "IMPROVE_IP_RANGE",
            value,
            f"AWS ignores the bits of {quoted(text)} that are outside its mask.",
            f"Write {network}.",
        )
    if test.base == "ipaddress" and network.prefixlen == 0:
        report.add(
            "UNRESTRICTED_IP_RANGE",
            value,
            f"{quoted(text)} matches every IP address.",
            "Write the ranges to allow.",
        )


def _check_private(test: ConditionTest, subject: LintSubject) -> None:
    """Check for private addresses. If no address is public, the condition is never or always true, which is
    an error.
    """
    if test.name not in PUBLIC_ONLY or "ipaddress" not in test.base:
        return
    private = [value for value in test.values if _is_private(value.text)]
    severity = None if len(private) == len(test.values) else LintSeverity.SUGGESTION
    for value in private:
        subject.report.add(
            f"PRIVATE_{'NOT_' if test.base.startswith('not') else ''}IP_ADDRESS",
            value,
            f"{quoted(value.text)} is a private address, and {test.key.text} holds the public address of "
            "the caller.",
            "Use aws:VpcSourceIp for addresses in a VPC.",
            severity=severity,
        )


def _is_private(text: str) -> bool:
    """Return True if an address or range begins in those of RFC 1918, of shared addresses (RFC 6598) or of
    unique local IPv6 (RFC 4193).
    """
    try:
        address = ip_network(text, strict=False).network_address
    except ValueError:
        return False
    return any(address in network for network in PRIVATE)


def _check_arn(value: SourceText, test: ConditionTest, subject: LintSubject) -> None:
    if value.text == "*":
        return
    fields = fields_of(value.text, has_variables=subject.document.has_variables)
    if fields[0] != "arn" and not is_open(fields[0]):
        report_wrong("TYPE_MISMATCH_ARN", value, "an ARN", "Start it with arn:.", subject)
    elif len(fields) < FIELDS:
        report_wrong(
            "TYPE_MISMATCH_ARN",
            value,
            "a whole ARN: the ARN operators compare its six fields one by one",
            "Write all six fields. Each of them can be *.",
            subject,
        )
    elif not is_open(fields[1]) and fields[1] not in PARTITIONS:
        subject.report.add(
            "INVALID_PARTITION",
            value,
            f"{quoted(fields[1])} isn’t an AWS partition.",
            "Write aws, aws-cn, aws-us-gov or another partition.",
        )
    elif fields[3] and not is_region(fields[3]):
        subject.report.add_unknown(
            "INVALID_ARN_REGION",
            value,
            f"{quoted(fields[3])} "
            f"{'matches no known Region' if is_open(fields[3]) else 'isn’t a known Region'}.",
            remedy_of_region(fields[3], subject),
            names=(value.text, fields[3], fields[2]),
        )
    elif fields[4] and not is_open(fields[4]) and ACCOUNT.fullmatch(fields[4]) is None:
        subject.report.add(
            "INVALID_ARN_ACCOUNT",
            value,
            f"{quoted(fields[4])} isn’t an account ID.",
            "Write the 12 digits of the account ID.",
            is_by_catalogue=True,
        )
    elif test.name == "aws:principalarn" and fields[2] == "sts" and fields[5].startswith("assumed-role/"):
        subject.report.add(
            "PRINCIPAL_ARN_OF_SESSION",
            value,
            "For a role session, aws:PrincipalArn holds the ARN of the role, never of the session.",
            "Write arn:aws:iam::ACCOUNT:role/NAME.",
        )


def _check_no_wildcard(value: SourceText, test: ConditionTest, subject: LintSubject) -> None:
    if "*" in value.text or "?" in value.text:
        subject.report.add(
            "WILDCARD_WITHOUT_LIKE_OPERATOR",
            value,
            f"{preview(test.operator.text)} doesn’t support wildcards: it compares * and ? as plain "
            "characters.",
            "If you mean a wildcard, use StringLike or StringNotLike.",
        )


def _check_form(value: SourceText, test: ConditionTest, key: ConditionKey, subject: LintSubject) -> None:
    has_wildcard = test.base in LIKE and value.is_pattern
    if has_wildcard and fold(key.name) in SENSITIVE:
        subject.report.add(
            "WILDCARD_IN_SENSITIVE_CONDITION_KEY",
            value,
            f"A wildcard in {key.name} can match values of someone else, outside your organization.",
            "Write the whole value.",
        )
    if fold(key.name) in OF_REGIONS and "${" not in value.text:
        _check_region(value, test, subject)
    if value.is_pattern or "${" in value.text or fold(key.name) not in FORMS:
        return
    form, words = FORMS[fold(key.name)]
    if form.fullmatch(value.text) is None:
        subject.report.add(
            "INVALID_CONDITION_VALUE_FORMAT",
            value,
            f"{quoted(value.text)} isn’t a valid value of {key.name}.",
            f"Write {words}.",
        )


def _check_region(value: SourceText, test: ConditionTest, subject: LintSubject) -> None:
    if is_region(value.text) or (value.is_pattern and test.base not in LIKE):
        return
    subject.report.add_unknown(
        "INVALID_REGION",
        value,
        f"{quoted(value.text)} {'matches no known Region' if value.is_pattern else 'isn’t a known Region'}.",
        remedy_of_region(value.text, subject),
        names=(value.text,),
    )


def _check_repeated(test: ConditionTest, subject: LintSubject) -> None:
    seen: set[str] = set()
    for value in test.values:
        if value.text in seen:
            subject.report.add(
                "REDUNDANT_CONDITION_VALUE",
                value,
                f"{quoted(value.text)} is listed twice.",
                "Remove one of them.",
            )
        seen.add(value.text)


def _check_star(test: ConditionTest, subject: LintSubject) -> None:
    """Check for the value `*`, which only tests whether the key is present."""
    if test.base not in LIKE or test.if_exists or test.quantifier:
        return
    is_negated = "not" in test.base
    if any(value.text == "*" for value in test.values):
        wanted = "true" if is_negated else "false"
        subject.report.add(
            f"EQUIVALENT_TO_NULL_{wanted.upper()}",
            test.key,
            f"The value * only tests whether {preview(test.key.text)} is "
            f"{'absent from' if is_negated else 'in'} the request.",
            f'Write "Null": {{"{preview(test.key.text)}": "{wanted}"}}, or list values.',
        )


def _check_mfa(test: ConditionTest, statement: LintStatement, subject: LintSubject) -> None:
    """Check tests of MFA, because requests with long-term access keys lack this key. Source: "AWS global
    condition context keys", aws:MultiFactorAuthPresent.
    """
    wants = {fold(value.text) for value in test.values}
    if test.base == "bool" and statement.denies and wants == {"false"} and not test.if_exists:
        subject.report.add(
            "MFA_DENY_WITHOUT_IF_EXISTS",
            test.operator,
            "Requests with long-term access keys don’t have this condition key, so they aren’t denied.",
            "Use BoolIfExists instead of Bool.",
        )
    elif test.base == "bool" and statement.allows and wants == {"true"} and test.if_exists:
        subject.report.add(
            "MFA_ALLOW_WITH_IF_EXISTS",
            test.operator,
            "Requests with long-term access keys don’t have this condition key, so they are allowed without "
            "MFA.",
            "Use Bool instead of BoolIfExists.",
        )
