"""Checks action names: their form, and whether AWS publishes such actions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from iam.policy.catalogue.space import is_literal
from iam.policy.letter_case import fold
from iam.policy.lint.findings import IF_NEWER, preview, quoted
from iam.policy.lint.view import EVERYTHING, LintSubject, SourceText

FORM: Final = re.compile(r"[A-Za-z0-9*?-]+:[A-Za-z0-9*?_.-]+")
LITERAL: Final = re.compile(r"[^*?]+")


def check_actions(subject: LintSubject) -> None:
    """Check every name in Action and NotAction."""
    for statement in subject.document.statements:
        for word in statement.actions.words if statement.actions else ():
            if EVERYTHING.fullmatch(word.text) is None:
                _check(word, subject)


def _check(word: SourceText, subject: LintSubject) -> None:
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


def _check_known(word: SourceText, subject: LintSubject) -> None:
    report, catalogue = subject.report, subject.catalogue
    prefix, _, name = word.text.partition(":")
    if not is_literal(prefix):
        report.add(
            "WILDCARD_IN_SERVICE_NAME",
            word,
            f"The service prefix of {preview(word.text)} has a wildcard, so it matches every such service, "
            "including future ones.",
            "Write one action for each service.",
        )
    elif not catalogue.has_service(prefix):
        close = report.closest(prefix, catalogue.prefixes)
        if close:
            remedy = f"Did you mean {close}:{preview(name)}?"
        else:
            remedy = f"Check the prefix in the AWS Service Authorization Reference. {IF_NEWER}"
        report.add_unknown(
            "INVALID_SERVICE_IN_ACTION",
            word,
            f"There’s no known service with the prefix {quoted(prefix)}.",
            remedy,
            names=(word.text, prefix),
        )
        return
    if catalogue.mask(word.text):
        _check_deprecated(word, subject)
        _check_case(word, name, subject)
    elif word.is_pattern:
        report.add(
            "ACTION_MATCHES_NOTHING",
            word,
            f"{preview(word.text)} matches no known action.",
            "Fix the pattern, or remove it.",
        )
    else:
        _unknown(word, prefix, subject)


def _unknown(word: SourceText, prefix: str, subject: LintSubject) -> None:
    names = [action.partition(":")[2] for action in subject.catalogue.expand(f"{prefix}:*")]
    close = subject.report.closest(word.text.partition(":")[2], names)
    if close:
        remedy = f"Did you mean {prefix}:{close}?"
    else:
        remedy = f"Check the name in the AWS Service Authorization Reference. {IF_NEWER}"
    subject.report.add_unknown(
        "INVALID_ACTION",
        word,
        f"{subject.catalogue.title(prefix)} has no known action {quoted(word.text)}.",
        remedy,
        names=(word.text, prefix),
    )


def _check_case(word: SourceText, name: str, subject: LintSubject) -> None:
    """Check patterns such as `glue:Gett*` that match an action only because IAM ignores case (GetTable)."""
    if not word.is_pattern or not subject.report.may_look():
        return
    start = LITERAL.match(name)
    if start is None or fold(start.group()) == start.group():
        return
    written = start.group()
    names = [action.partition(":")[2] for action in subject.catalogue.expand(word.text)]
    if any(name.startswith(written) for name in names):
        return
    subject.report.add(
        "ACTION_OF_OTHER_CASE",
        word,
        f"No action starts with “{preview(written)}” in these letters. IAM ignores case, so "
        f"{preview(word.text)} matches {_names_text(names)}.",
        f"Write {word.text.partition(':')[0]}:{names[0][: len(written)]}… as AWS does, or fix the pattern.",
    )


def _names_text(names: Sequence[str]) -> str:
    more = len(names) - 2
    return f"{', '.join(names[:2])} and {more} more" if more > 0 else " and ".join(names)


def _check_deprecated(word: SourceText, subject: LintSubject) -> None:
    action = None if word.is_pattern else subject.catalogue.action(word.text)
    if action is not None and action.is_deprecated:
        subject.report.add(
            "DEPRECATED_ACTION",
            word,
            f"AWS has deprecated {action.name}.",
            "See the AWS Service Authorization Reference for its replacement.",
        )
