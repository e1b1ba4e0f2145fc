"""Checks Allow statements for permissions that are rarely intended: all actions, whole services, write access
to everything, roles to pass.

The codes of the checks on iam:PassRole and iam:CreateServiceLinkedRole are IAM Access Analyzer's.
"""

from __future__ import annotations

import re
from typing import Final

from iam.policy.catalogue import AccessLevel
from iam.policy.catalogue.space import is_literal
from iam.policy.lint.codes import LintSeverity
from iam.policy.lint.findings import SourceSpot, quoted
from iam.policy.lint.kinds import GRANTS, LintKind
from iam.policy.lint.view import LintNames, LintStatement, LintSubject, SourceText

ANY_ROLE: Final = re.compile(r"\*+|role/?\*+")
PASS_ROLE: Final = ("iam:PassRole", "PASS_ROLE", "iam:passedtoservice", "pass roles to services")
CREATE_SLR: Final = (
    "iam:CreateServiceLinkedRole",
    "CREATE_SLR",
    "iam:awsservicename",
    "create service-linked roles",
)


def check_risks(subject: LintSubject) -> None:
    """Check the Allow statements of policies that grant permissions."""
    if subject.kind not in GRANTS or subject.kind is LintKind.TRUST:
        return
    for statement in subject.document.statements:
        if statement.allows and statement.actions is not None:
            _check_negations(statement, subject)
            for sensitive in (PASS_ROLE, CREATE_SLR):
                _check_sensitive(statement, statement.actions, *sensitive, subject=subject)
            if statement.resources is not None and statement.resources.has_star:
                _check_star(statement, statement.actions, subject)


def _check_negations(statement: LintStatement, subject: LintSubject) -> None:
    if statement.actions is not None and statement.actions.is_not:
        subject.report.add(
            "ALLOW_WITH_NOT_ACTION",
            statement.actions.spot,
            "Allow with NotAction allows every action that isn’t named, including those of future services.",
            "Use Action, and name what to allow, or use Deny with NotAction.",
        )
    if statement.resources is not None and statement.resources.is_not:
        subject.report.add(
            "ALLOW_WITH_NOT_RESOURCE",
            statement.resources.spot,
            "Allow with NotResource gives access to every resource that isn’t named.",
            "Use Resource, and name the resources, or deny the exceptions.",
        )


def _check_sensitive(
    statement: LintStatement,
    actions: LintNames,
    name: str,
    prefix: str,
    key: str,
    words: str,
    *,
    subject: LintSubject,
) -> None:
    """Check iam:PassRole and similar actions without a limit on resources."""
    resources = statement.resources
    place = _place_of(actions, name, subject)
    if resources is None or place is None or not (resources.is_not or _means_every_role(resources)):
        return
    if actions.is_not:
        form = "NOT_ACTION_AND_NOT_RESOURCE" if resources.is_not else "STAR_IN_RESOURCE_AND_NOT_ACTION"
    elif isinstance(place, SourceText) and place.is_pattern:
        form = f"STAR_IN_ACTION_AND_{'NOT_RESOURCE' if resources.is_not else 'RESOURCE'}"
    else:
        form = "NOT_RESOURCE" if resources.is_not else "STAR_IN_RESOURCE"
    is_limited = any(test.name == key for test in statement.tests)
    severity = LintSeverity.SUGGESTION if is_limited else None
    subject.report.add(
        f"{prefix}_WITH_{form}",
        place,
        f"The statement lets principals {words}, for every role"
        + (", limited only by service." if is_limited else "."),
        f"Name the roles in Resource{'' if is_limited else f', and add a condition on {_spelled(key)}'}.",
        severity=severity,
    )


def _means_every_role(resources: LintNames) -> bool:
    """Return True for `*`, and `arn:aws:iam::*:role/*` with or without an account."""
    return resources.has_star or any(
        ANY_ROLE.fullmatch(word.text.split(":", 5)[-1]) and ":iam:" in word.text for word in resources.words
    )


def _spelled(key: str) -> str:
    return {"iam:passedtoservice": "iam:PassedToService", "iam:awsservicename": "iam:AWSServiceName"}[key]


def _place_of(actions: LintNames, name: str, subject: LintSubject) -> SourceSpot | None:
    """Return the place in the statement that gives the action, preferably its exact name; for NotAction the
    element.
    """
    bit = subject.catalogue.mask(name)
    meaning = [word for word in actions.words if subject.catalogue.mask(word.text) & bit]
    if actions.is_not:
        return None if meaning else actions.spot
    literal = [word for word in meaning if not word.is_pattern]
    return next(iter([*literal, *meaning]), None)


def _check_star(statement: LintStatement, actions: LintNames, subject: LintSubject) -> None:
    """Check statements with Resource `*`."""
    is_limited = bool(statement.tests)
    if actions.has_star:
        severity = LintSeverity.WARNING if is_limited else None
        subject.report.add(
            "ALLOW_WITH_STAR_IN_ACTION_AND_RESOURCE",
            actions.spot,
            "The statement allows every action on every resource: anyone who has it is an administrator"
            + (", when its conditions are met." if is_limited else "."),
            "Name the actions and the resources.",
            severity=severity,
        )
        return
    if actions.is_not or is_limited:
        return
    wide = [word for word in actions.words if _is_whole_service(word)]
    for word in wide:
        subject.report.add(
            "SERVICE_STAR_WITH_STAR_IN_RESOURCE",
            word,
            f"{quoted(word.text)} allows all of {subject.catalogue.title(word.text.partition(':')[0])} "
            "on every resource, including future actions.",
            "Name only the actions that are needed, or the resources.",
        )
    _check_levels([word for word in actions.words if word not in wide], actions.spot, subject)


def _is_whole_service(word: SourceText) -> bool:
    prefix, _, name = word.text.partition(":")
    return is_literal(prefix) and name != "" and name.strip("*") == ""


def _check_levels(words: list[SourceText], spot: SourceSpot, subject: LintSubject) -> None:
    catalogue, mask = subject.catalogue, 0
    for word in words:
        mask |= catalogue.mask(word.text)
    for level, code, what in (
        (AccessLevel.PERMISSIONS, "PERMISSIONS_MANAGEMENT_WITH_STAR_IN_RESOURCE", "manage permissions on"),
        (AccessLevel.WRITE, "WRITE_WITH_STAR_IN_RESOURCE", "change"),
    ):
        names = [
            name
            for name in catalogue.names(mask & catalogue.mask_of_level(level))
            if subject.catalogue.resource_types(name)
        ]
        if names:
            first = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            subject.report.add(
                code,
                spot,
                f"{first} can {what} every resource, and could be limited to some.",
                "Name the resources.",
            )
