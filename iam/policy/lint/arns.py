"""Checks the form of ARNs in Resource and NotResource: fields, partition, service, Region, account, and
whether such a resource exists.

Source: "Identify AWS resources with Amazon Resource Names (ARNs)",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from iam.policy.catalogue import ResourceType
from iam.policy.catalogue.regions import NO_PLACE, REGIONS
from iam.policy.glob import compile_glob
from iam.policy.letter_case import fold
from iam.policy.lint.codes import LintSeverity
from iam.policy.lint.findings import IF_NEWER, quoted
from iam.policy.lint.overlaps import can_mean
from iam.policy.lint.view import LintSubject, SourceText
from iam.policy.variables import VARIABLE

PARTITIONS: Final = frozenset(
    {"aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"}
)
SERVICES_OF_ARNS: Final = frozenset({"catalog", "elastic-inference", "route53-recovery-control"})
"""Services that appear in ARNs but in no action."""
ACCOUNT: Final = re.compile(r"[0-9]{12}|[a-z][a-z0-9-]*")
FIELDS: Final = 6
HIDDEN: Final = "\x02"
"""Stands for a variable, whose colon doesn't separate fields of the ARN."""


def check_arns(subject: LintSubject) -> set[SourceText]:
    """Check every name in Resource and NotResource. Returns the names that can't match anything, so that
    later checks skip them.
    """
    meaningless: set[SourceText] = set()
    for statement in subject.document.statements:
        words = statement.resources.words if statement.resources else ()
        meaningless.update(word for word in words if word.text != "*" and not _check(word, subject))
    return meaningless


def fields_of(text: str, *, has_variables: bool) -> list[str]:
    """Return the fields of an ARN, at most six, with variables masked."""
    return (VARIABLE.sub(HIDDEN, text) if has_variables else text).split(":", FIELDS - 1)


def is_open(field: str) -> bool:
    """Return True if a field contains a wildcard or a variable."""
    return any(mark in field for mark in ("*", "?", HIDDEN))


def is_region(field: str) -> bool:
    """Return True if the text, which can have wildcards, matches a Region."""
    if not is_open(field):
        return field in REGIONS or field in NO_PLACE
    matches = compile_glob(field.replace(HIDDEN, "*"))
    return any(matches(region) for region in (*REGIONS, *NO_PLACE, ""))


def remedy_of_region(field: str, subject: LintSubject) -> str:
    """Return the remedy: the Region that was probably meant, or how to allow a new one."""
    close = subject.report.closest(field, sorted(REGIONS))
    return f"Did you mean {close}?" if close else f"Write a Region such as eu-west-1. {IF_NEWER}"


def _check(word: SourceText, subject: LintSubject) -> bool:
    fields = fields_of(word.text, has_variables=subject.document.has_variables)
    if fields[0] != "arn" and not word.text.startswith("arn:"):
        subject.report.add(
            "INVALID_ARN_PREFIX",
            word,
            f"{quoted(word.text)} isn’t an ARN or *.",
            "Write an ARN, which starts with arn:, or *.",
        )
        return False
    if len(fields) < FIELDS and not fields[-1].endswith(("*", HIDDEN)):
        subject.report.add(
            "MISSING_ARN_FIELD",
            word,
            f"{quoted(word.text)} has only {len(fields)} of the six fields of an ARN.",
            "Write arn:partition:service:region:account:resource. Region and account can be empty.",
        )
        return False
    return _check_fields(word, [*fields, *["*"] * (FIELDS - len(fields))], subject)


def _check_fields(word: SourceText, fields: Sequence[str], subject: LintSubject) -> bool:
    """Return True if a resource can have such an ARN. The first wrong field is reported."""
    report = subject.report
    _, partition, service, region, account, _ = fields
    if any(HIDDEN in field for field in fields[:-1]):
        report.add(
            "VARIABLE_UNSUPPORTED_IN_ELEMENT",
            word,
            "AWS replaces variables only in the last field of an ARN, and this one is in an earlier field.",
            "Write * or the value itself.",
            severity=LintSeverity.WARNING,
        )
    if not is_open(partition) and partition not in PARTITIONS:
        report.add(
            "INVALID_PARTITION",
            word,
            f"{quoted(partition)} isn’t an AWS partition.",
            "Write aws, aws-cn, aws-us-gov or another partition.",
        )
        return False
    if region and not is_region(region):
        report.add_unknown(
            "INVALID_ARN_REGION",
            word,
            f"{quoted(region)} {'matches no known Region' if is_open(region) else 'isn’t a known Region'}.",
            remedy_of_region(region, subject),
            names=(word.text, region, service),
        )
        return False
    if not is_open(account) and account and ACCOUNT.fullmatch(account) is None:
        report.add(
            "INVALID_ARN_ACCOUNT",
            word,
            f"{quoted(account)} isn’t an account ID.",
            "Write the 12 digits of the account ID.",
        )
        return False
    return is_open(service) or _check_service(word, fields, subject)


def _check_service(word: SourceText, fields: Sequence[str], subject: LintSubject) -> bool:
    report, catalogue, service = subject.report, subject.catalogue, fields[2]
    if service != fold(service) and catalogue.has_service(service):
        report.add(
            "INVALID_ARN_SERVICE_CASE",
            word,
            f"The service {quoted(service)} has capital letters, and ARNs need lowercase.",
            f"Write {fold(service)}.",
        )
        return False
    if not catalogue.has_service(service):
        if service in SERVICES_OF_ARNS:
            return True
        close = report.closest(service, catalogue.prefixes)
        message = f"There’s no known service {quoted(service)}." if service else "The ARN has no service."
        remedy = f"Check the ARN in the AWS Service Authorization Reference. {IF_NEWER}"
        if close:
            remedy = f"Did you mean {close}?"
        report.add_unknown(
            "INVALID_SERVICE",
            word,
            message,
            remedy,
            names=(word.text, service),
        )
        return False
    return _check_resource(word, fields, subject)


def _check_resource(word: SourceText, fields: Sequence[str], subject: LintSubject) -> bool:
    known = subject.catalogue.service(fields[2])
    types = [] if known is None else list(known.resource_types.values())
    has_variables = subject.document.has_variables
    if (
        not types
        or not subject.report.may_look()
        or any(can_mean(word.text, resource_type.arn, has_variables=has_variables) for resource_type in types)
    ):
        return True
    wanted = [
        resource_type
        for resource_type in types
        if _has_resource(word, resource_type, has_variables=has_variables)
    ]
    if not wanted:
        subject.report.add_unknown(
            "INVALID_ARN_RESOURCE",
            word,
            f"{quoted(word.text)} matches no resource type of {subject.catalogue.title(fields[2])}.",
            f"Write an ARN like {types[0].arn}.",
            names=(word.text, fields[2]),
        )
        return False
    _explain(word, fields, wanted, subject)
    return False


def _has_resource(word: SourceText, resource_type: ResourceType, *, has_variables: bool) -> bool:
    """Return True if the ARN matches the type apart from Region and account."""
    own = resource_type.arn.split(":", FIELDS - 1)[-1]
    resource = word.text.split(":", FIELDS - 1)[-1]
    return can_mean(f"arn:aws:x:::{resource}", f"arn:aws:x:::{own}", has_variables=has_variables)


def _explain(
    word: SourceText, fields: Sequence[str], types: Sequence[ResourceType], subject: LintSubject
) -> None:
    """Report that Region or account must be left out, or is missing."""
    remedy = f"Write it like {types[0].arn}."
    problems = []
    for place, name, field in ((3, "REGION", "Region"), (4, "ACCOUNT", "account")):
        forms = {resource_type.arn.split(":")[place] for resource_type in types}
        if fields[place] and forms == {""}:
            problems.append((f"ARN_{name}_NOT_ALLOWED", f"ARNs of this type have no {field}."))
        elif not fields[place] and "" not in forms:
            problems.append((f"MISSING_ARN_{name}", f"The {field} is missing from the ARN."))
    if not problems:
        problems.append(("INVALID_ARN_RESOURCE", f"{quoted(word.text)} matches no resource."))
    service = fields[2]
    for code, message in problems:
        if service == "iam" and code.endswith("NOT_ALLOWED"):
            subject.report.add(code, word, message, remedy)
        else:
            subject.report.add_unknown(code, word, message, remedy, names=(word.text, service))
