"""Checks condition operators and keys: whether they exist, fit each other, and are supported by the
statement's actions.

Sources: "IAM JSON policy elements: Condition operators"; "Set operators for multivalued context keys"; "AWS
global condition context keys".
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import Final

from iam.policy.catalogue import AwsCatalogue, ConditionKey, KeyType
from iam.policy.catalogue.global_keys import DEPENDS_ON_SERVICE, GLOBAL_KEYS
from iam.policy.letter_case import fold
from iam.policy.lint.action_resources import known_actions
from iam.policy.lint.codes import LintSeverity
from iam.policy.lint.dates import check_dates
from iam.policy.lint.findings import IF_NEWER, preview, quoted
from iam.policy.lint.grammar import OPERATOR_NAMES
from iam.policy.lint.values import check_values
from iam.policy.lint.view import ConditionTest, LintStatement, LintSubject

KEY: Final = re.compile(r"[^\s:]+:\S.*", re.DOTALL | re.ASCII)
DEPRECATED: Final = {"aws:arn": "aws:PrincipalArn or aws:SourceArn"}
PROVIDERS: Final = frozenset({"saml", "cognito-identity-auth", "cognito-identity-unauth"})
FAMILIES: Final = {
    "string": frozenset({KeyType.STRING}),
    "numeric": frozenset({KeyType.NUMERIC}),
    "date": frozenset({KeyType.DATE}),
    "bool": frozenset({KeyType.BOOL}),
    "ipaddress": frozenset({KeyType.IP}),
    "notipaddress": frozenset({KeyType.IP}),
    "arn": frozenset({KeyType.ARN}),
}
"""The key types for each prefix of an operator."""
OPERATORS_FOR: Final = {
    KeyType.STRING: "StringEquals or StringLike",
    KeyType.NUMERIC: "NumericEquals and the like",
    KeyType.DATE: "DateLessThan and the like",
    KeyType.BOOL: "Bool",
    KeyType.IP: "IpAddress",
    KeyType.ARN: "ArnLike",
}


def check_conditions(subject: LintSubject) -> None:
    """Check every test of every statement."""
    for statement in subject.document.statements:
        for test in statement.tests:
            _check(test, statement, subject)


def is_of_provider(key: str) -> bool:
    """Return True if an identity provider defines the key, such as
    `token.actions.githubusercontent.com:sub`.
    """
    prefix = fold(key).rpartition(":")[0]
    return "." in prefix or "/" in prefix or prefix in PROVIDERS


def _check(test: ConditionTest, statement: LintStatement, subject: LintSubject) -> None:
    if not test.base:
        close = subject.report.closest(test.operator.text.rpartition(":")[2], OPERATOR_NAMES)
        remedy = "Use an operator that IAM knows, such as StringEquals."
        if close:
            remedy = f"Did you mean {close}?"
        subject.report.add(
            "INVALID_CONDITION_OPERATOR",
            test.operator,
            f"{quoted(test.operator.text)} isn’t a condition operator.",
            remedy,
        )
        return
    key = _known_key(test, subject)
    if test.base == "null":
        _check_null(test, subject)
    elif key is not None:
        _check_type(test, key, subject)
        _check_quantifier(test, key, statement, subject)
    check_values(test, key, statement, subject)
    check_dates(test, statement, subject)
    if key is not None:
        _check_support(test, key, statement, subject)


def _known_key(test: ConditionTest, subject: LintSubject) -> ConditionKey | None:
    word, report, catalogue = test.key, subject.report, subject.catalogue
    condition_key = catalogue.condition_key(word.text)
    if condition_key is not None:
        return condition_key
    if KEY.fullmatch(word.text) is None:
        report.add(
            "INVALID_CONDITION_KEY_FORMAT",
            word,
            f"{quoted(word.text)} isn’t a condition key: a key has a prefix, a colon and a name.",
            "Write it like aws:SourceIp.",
        )
        return None
    if is_of_provider(word.text):
        return None
    if fold(word.text) in DEPRECATED:
        report.add(
            "DEPRECATED_GLOBAL_CONDITION_KEY",
            word,
            f"{quoted(word.text)} is an old name that AWS no longer documents.",
            f"Use {DEPRECATED[fold(word.text)]}.",
        )
        return None
    _report_unknown(test, subject)
    return None


def _report_unknown(test: ConditionTest, subject: LintSubject) -> None:
    """Report an unknown key. It is an error if the service is known; some services have keys but no actions,
    and the catalogue leaves them out.
    """
    word, catalogue = test.key, subject.catalogue
    prefix = word.text.partition(":")[0]
    code, where = "INVALID_SERVICE_CONDITION_KEY", f"{catalogue.title(prefix)} has no such condition key"
    severity = None
    if fold(prefix) == "aws":
        code, where = "INVALID_GLOBAL_CONDITION_KEY", "AWS has no such global condition key"
    elif not catalogue.has_service(prefix):
        where = f"there’s no known service with the prefix “{preview(prefix)}”"
        severity = LintSeverity.WARNING
    close = propose_key(word.text, subject)
    remedy = f"Check the key in the AWS Service Authorization Reference. {IF_NEWER}"
    if close:
        remedy = f"Did you mean {close}?"
    subject.report.add_unknown(
        code,
        word,
        f"{quoted(word.text)} isn’t a known condition key: {where}.",
        remedy,
        names=(word.text, prefix),
        severity=severity,
    )


def propose_key(name: str, subject: LintSubject) -> str:
    """Return the most similar known key."""
    prefix = fold(name.partition(":")[0])
    service = subject.catalogue.service(prefix)
    own = [key.name for key in service.condition_keys.values()] if service else []
    return subject.report.closest(name, [*(key.name for key in GLOBAL_KEYS.values()), *own])


def _check_null(test: ConditionTest, subject: LintSubject) -> None:
    if test.if_exists:
        subject.report.add(
            "NULL_WITH_IF_EXISTS",
            test.operator,
            "Null tests whether the key is in the request, and IfExists cancels that test.",
            "Write Null.",
        )
    if test.quantifier:
        subject.report.add(
            "NULL_WITH_QUALIFIER",
            test.operator,
            "Null doesn’t need ForAllValues or ForAnyValue.",
            "Write Null.",
        )


def _check_type(test: ConditionTest, key: ConditionKey, subject: LintSubject) -> None:
    family = next((name for name in FAMILIES if test.base.startswith(name)), "")
    if not family or key.type in FAMILIES[family] or _is_exception(test, key, family):
        return
    remedy = f"Use {OPERATORS_FOR[key.type]}."
    if family == "string" and key.type is KeyType.ARN:
        subject.report.add(
            "STRING_OPERATOR_WITH_ARN_CONDITION_KEY",
            test.operator,
            f"{key.name} holds an ARN, and a string operator can’t tell its fields apart.",
            remedy,
        )
        return
    subject.report.add(
        "TYPE_MISMATCH",
        test.operator,
        f"{preview(test.operator.text)} doesn’t work with {key.name}, which holds {_of_type(key.type)}.",
        remedy,
    )


def _is_exception(test: ConditionTest, key: ConditionKey, family: str) -> bool:
    """Return True for allowed mismatches: the time in seconds is also compared as a number, and a key with a
    free name can hold an ARN.
    """
    is_free = "${" in key.name or "<" in key.name
    return (family == "numeric" and key.name == "aws:EpochTime") or (family == "arn" and is_free)


def _of_type(kind: KeyType) -> str:
    words = {
        KeyType.STRING: "a string",
        KeyType.NUMERIC: "a number",
        KeyType.DATE: "a date",
        KeyType.BOOL: "true or false",
        KeyType.IP: "an IP address",
        KeyType.ARN: "an ARN",
    }
    return words[kind]


def _check_quantifier(
    test: ConditionTest, key: ConditionKey, statement: LintStatement, subject: LintSubject
) -> None:
    report = subject.report
    if key.is_multivalued and not test.quantifier:
        report.add_unknown(
            "MISSING_QUALIFIER",
            test.operator,
            f"{key.name} can have several values in one request.",
            "Put ForAnyValue: or ForAllValues: before the operator.",
            names=(key.name,),
        )
    elif test.quantifier == "forallvalues" and not key.is_multivalued:
        report.add(
            "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
            test.operator,
            f"{key.name} has only one value, and with ForAllValues a request without the key passes.",
            "Remove ForAllValues:.",
        )
    elif test.quantifier == "foranyvalue" and not key.is_multivalued:
        report.add(
            "FORANYVALUE_WITH_SINGLE_VALUED_KEY",
            test.operator,
            f"{key.name} has only one value, so ForAnyValue changes nothing.",
            "Remove ForAnyValue:.",
        )
    elif test.quantifier == "forallvalues" and statement.allows and not _is_required(test.name, statement):
        severity = LintSeverity.SUGGESTION if key.name == "aws:TagKeys" else None
        report.add(
            "FORALLVALUES_WITHOUT_NULL_CHECK",
            test.operator,
            f"A request without {key.name} passes this condition too.",
            f'If the key is required, add "Null": {{"{key.name}": "false"}}.',
            severity=severity,
        )


def _is_required(name: str, statement: LintStatement) -> bool:
    return any(
        other.base == "null"
        and other.name == name
        and any(fold(value.text) == "false" for value in other.values)
        for other in statement.tests
    )


def _check_support(
    test: ConditionTest, key: ConditionKey, statement: LintStatement, subject: LintSubject
) -> None:
    """Check for keys that the statement's actions don't support. Such an Allow doesn't apply to them, and a
    Deny doesn't deny them.
    """
    name = fold(key.name)
    is_tag = name in DEPENDS_ON_SERVICE
    if (name in GLOBAL_KEYS and not is_tag) or statement.actions is None or statement.actions.is_not:
        return
    prefix = name.partition(":")[0]
    if not is_tag and not subject.catalogue.has_service(prefix):
        return
    key_prefix = "" if is_tag else prefix
    lacking = _lacking(name, statement, subject, prefix=key_prefix)
    if not lacking or not _matters(test, statement):
        return
    are_all = len(lacking) == len(statement.actions.words)
    effect = "allow" if statement.allows else "deny"
    verb, them = ("doesn’t", "it") if len(lacking) == 1 else ("don’t", "them")
    code, severity = "UNSUPPORTED_CONDITION_KEY_FOR_ACTION", None if are_all else LintSeverity.SUGGESTION
    if is_tag:
        code = f"{'ALLOW' if statement.allows else 'DENY'}_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"
    subject.report.add(
        code,
        test.key,
        f"{_listed(lacking)} {verb} support {preview(test.key.text)}, so the statement doesn’t {effect} "
        f"{them}.",
        f"Move {them} to {'its' if len(lacking) == 1 else 'their'} own statement, without this condition.",
        severity=severity,
    )


def _matters(test: ConditionTest, statement: LintStatement) -> bool:
    """Return True if a request without the key fails the test, so that the statement doesn't apply."""
    if test.base == "null":
        return not any(fold(value.text) == "true" for value in test.values)
    is_negated = "not" in test.base and not test.quantifier
    return not (test.if_exists or is_negated or test.quantifier == "forallvalues")


def _lacking(name: str, statement: LintStatement, subject: LintSubject, *, prefix: str) -> list[str]:
    """Return the action names of the statement without any action that has the key, including those of other
    services.
    """
    lacking = []
    for word in statement.actions.words if statement.actions else ():
        # Keys also apply beyond their service (ec2:… with ssm actions), which the catalogue shows only in
        # part.
        if prefix and fold(word.text.partition(":")[0]) != prefix:
            continue
        keys = _keys_of(subject.catalogue, word.text)
        if keys is not None and name not in keys:
            lacking.append(word.text)
    return lacking


@lru_cache(maxsize=1024)
def _keys_of(catalogue: AwsCatalogue, pattern: str) -> frozenset[str] | None:
    """Return the keys that any of the actions has, in lower case, or None if that is unknown."""
    actions = known_actions(catalogue, pattern)
    if not actions:
        return None
    keys = chain.from_iterable(action.condition_keys for action in actions)
    return frozenset(fold(key) for key in keys)


def _listed(names: list[str]) -> str:
    first = ", ".join(preview(name) for name in names[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3} more"
