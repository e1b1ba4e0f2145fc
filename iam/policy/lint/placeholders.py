"""Checks policy variables: their form, where they work, and whether their keys exist.

Source: "IAM policy elements: Variables and tags",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

from typing import Final

from iam.policy.letter_case import fold
from iam.policy.lint.conditions import is_of_provider, propose_key
from iam.policy.lint.findings import preview, quoted
from iam.policy.lint.view import LintSubject, SourceText
from iam.policy.variables import LITERALS

TAGS: Final = frozenset({"aws:principaltag", "aws:requesttag", "aws:resourcetag"})
WITHOUT_VARIABLES: Final = ("numeric", "date", "bool", "null", "ipaddress", "notipaddress", "binary")


def check_variables(subject: LintSubject) -> None:
    """Check all places in which a variable may have been intended."""
    for statement in subject.document.statements:
        for word in statement.resources.words if statement.resources else ():
            _check(word, subject)
        for _, word in statement.principals.words() if statement.principals else ():
            if "${" in word.text:
                _refuse(word, "Policy variables don’t work in principals.", subject)
        for test in statement.tests:
            for word in test.values:
                if "${" in word.text and test.base.startswith(WITHOUT_VARIABLES):
                    _refuse_operator(word, test.operator.text, subject)
                else:
                    _check(word, subject)


def _refuse(word: SourceText, message: str, subject: LintSubject) -> None:
    subject.report.add("VARIABLE_UNSUPPORTED_IN_ELEMENT", word, message, "Write the value itself.")


def _refuse_operator(word: SourceText, operator: str, subject: LintSubject) -> None:
    subject.report.add(
        "INVALID_VARIABLE_FOR_OPERATOR",
        word,
        f"Policy variables don’t work with {preview(operator)}.",
        "Write the value itself, or use a string or ARN operator.",
    )


def _check(word: SourceText, subject: LintSubject) -> None:
    if "${" not in word.text:
        return
    if not subject.document.has_variables:
        subject.report.add(
            "VARIABLE_UNSUPPORTED_IN_VERSION",
            word,
            "Without Version 2012-10-17, AWS reads a variable as plain text.",
            'Write "Version": "2012-10-17".',
        )
        return
    for piece in word.text.split("${")[1:]:
        inner, brace, _ = piece.partition("}")
        if not brace:
            subject.report.add(
                "MISSING_BRACE_IN_VARIABLE", word, "A variable has no closing brace.", "Add } at its end."
            )
            return
        if inner not in LITERALS:
            _check_variable(inner, word, subject)


def _check_variable(inner: str, word: SourceText, subject: LintSubject) -> None:
    report = subject.report
    key, comma, rest = inner.partition(",")
    default = rest.strip()
    name = key.strip()
    if not name:
        report.add(
            "EMPTY_VARIABLE",
            word,
            "A variable has no name.",
            "Put a condition key in it, such as ${aws:username}.",
        )
    elif fold(name).rstrip("/") in TAGS:
        report.add(
            "MISSING_TAG_KEY_IN_VARIABLE",
            word,
            f"{quoted(name)} doesn’t name a tag.",
            f"Write ${{{preview(name.rstrip('/'))}/KEY}}.",
        )
    elif key != key.strip() or " " in name.partition("/")[0]:
        report.add(
            "UNSUPPORTED_SPACE_IN_VARIABLE",
            word,
            f"There’s a space in ${{{preview(inner)}}}.",
            "Remove the space.",
        )
    elif comma and not (len(default) >= 2 and default[0] == default[-1] == "'"):
        report.add(
            "MISSING_QUOTE_IN_VARIABLE",
            word,
            f"The default value in ${{{preview(inner)}}} isn’t in single quotes.",
            f"Write ${{{preview(name)}, 'value'}}.",
        )
    else:
        _check_key(name, word, subject)


def _check_key(name: str, word: SourceText, subject: LintSubject) -> None:
    if is_of_provider(name):
        return
    condition_key = subject.catalogue.condition_key(name)
    if condition_key is None:
        close = propose_key(name, subject)
        remedy = "Check the key in the AWS Service Authorization Reference."
        if close:
            remedy = f"Did you mean ${{{close}}}?"
        subject.report.add(
            "UNKNOWN_VARIABLE",
            word,
            f"{quoted(name)} isn’t a known condition key.",
            remedy,
        )
    elif condition_key.is_multivalued:
        subject.report.add(
            "MULTIVALUED_VARIABLE",
            word,
            f"{condition_key.name} can have several values, so it can’t be used as a variable.",
            "Use a key that has one value.",
        )
