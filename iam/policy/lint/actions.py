"""Action names: their form, and whether AWS publishes such actions."""

from __future__ import annotations

import re
from typing import Final

from iam.policy.catalogue.space import is_literal
from iam.policy.lint.codes import Severity
from iam.policy.lint.findings import quoted, shown
from iam.policy.lint.view import EVERYTHING, Subject, Word

FORM: Final = re.compile(r"[A-Za-z0-9*?-]+:[A-Za-z0-9*?_.-]+")


def check_actions(subject: Subject) -> None:
    """Every name in Action and NotAction."""
    for statement in subject.document.statements:
        for word in statement.actions.words if statement.actions else ():
            if EVERYTHING.fullmatch(word.text) is None:
                _check(word, subject)


def _check(word: Word, subject: Subject) -> None:
    if "${" in word.text:
        subject.report.add(
            "VARIABLE_UNSUPPORTED_IN_ELEMENT",
            word,
            "Policy variables don’t work in actions.",
            "Name the actions, or use * in place of the variable.",
        )
    elif FORM.fullmatch(word.text) is None:
        subject.report.add(
            "INVALID_ACTION",
            word,
            f"{quoted(word.text)} isn’t an action: an action has a service prefix, a colon and a name.",
            "Write it like s3:GetObject.",
        )
    else:
        _check_known(word, subject)


def _check_known(word: Word, subject: Subject) -> None:
    report, catalogue = subject.report, subject.catalogue
    prefix, _, name = word.text.partition(":")
    if not is_literal(prefix):
        report.add(
            "WILDCARD_IN_SERVICE_NAME",
            word,
            f"The service prefix of {shown(word.text)} has a wildcard, so it matches every such service, including future ones.",
            "Write one action for each service.",
        )
    elif not catalogue.has_service(prefix):
        close = report.closest(prefix, catalogue.prefixes)
        report.add(
            "INVALID_SERVICE_IN_ACTION",
            word,
            f"There’s no known service with the prefix {quoted(prefix)}.",
            f"Did you mean {close}:{shown(name)}?"
            if close
            else "Check the prefix in the AWS Service Authorization Reference.",
        )
        return
    if catalogue.mask(word.text):
        _check_deprecated(word, subject)
    elif word.is_pattern:
        report.add(
            "ACTION_MATCHES_NOTHING",
            word,
            f"{shown(word.text)} matches no known action.",
            "Fix the pattern, or remove it.",
        )
    else:
        _unknown(word, prefix, subject)


def _unknown(word: Word, prefix: str, subject: Subject) -> None:
    names = [one.partition(":")[2] for one in subject.catalogue.expand(f"{prefix}:*")]
    close = subject.report.closest(word.text.partition(":")[2], names)
    subject.report.add(
        "INVALID_ACTION",
        word,
        f"{subject.catalogue.title(prefix)} has no known action {quoted(word.text)}.",
        f"Did you mean {prefix}:{close}?"
        if close
        else "Check the name in the AWS Service Authorization Reference.",
        severity=Severity.WARNING,
    )


def _check_deprecated(word: Word, subject: Subject) -> None:
    action = None if word.is_pattern else subject.catalogue.action(word.text)
    if action is not None and action.is_deprecated:
        subject.report.add(
            "DEPRECATED_ACTION",
            word,
            f"AWS has deprecated {action.name}.",
            "See the AWS Service Authorization Reference for its replacement.",
        )
