"""How cases are written down: a request, its policies, and what AWS's documentation says comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

ALLOWED = "allowed"
DENIED = "explicitly_denied"
NOT_ALLOWED = "implicitly_denied"
CONDITIONAL = "conditional"

ACCOUNT = "111122223333"
OTHER = "444455556666"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OTHER_ROOT = f"arn:aws:iam::{OTHER}:root"
USER = f"arn:aws:iam::{ACCOUNT}:user/ana"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/night"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/ana"
OTHER_USER = f"arn:aws:iam::{OTHER}:user/ben"
OTHER_SESSION = f"arn:aws:sts::{OTHER}:assumed-role/visitor/day"
OTHER_ROLE = f"arn:aws:iam::{OTHER}:role/visitor"
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"
OBJECT = f"{BUCKET}/report.csv"
ABSENT: Any = object()
"""The key is not in the request."""


@dataclass(frozen=True)
class Case:
    """`strict`: what AWS decides; `loose`: what can be said while keys that the request does not name are
    open.
    """

    page: str
    name: str
    line: dict[str, Any]
    strict: str
    loose: str
    note: str = ""
    condition: dict[str, Any] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.page}: {self.name}"


def _statement(effect: str, action: Any, resource: Any, elements: dict[str, Any]) -> dict[str, Any]:
    names = {
        "to": "Principal",
        "not_to": "NotPrincipal",
        "when": "Condition",
        "not_action": "NotAction",
        "not_resource": "NotResource",
        "sid": "Sid",
    }
    statement: dict[str, Any] = {"Effect": effect}
    if "not_action" not in elements and action is not None:
        statement["Action"] = action
    if "not_resource" not in elements and resource is not None:
        statement["Resource"] = resource
    return statement | {names[key]: value for key, value in elements.items()}


def allow(action: Any = "*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    """A statement that allows; `resource=None` leaves the element out."""
    return _statement("Allow", action, resource, elements)


def deny(action: Any = "*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    """A statement that denies."""
    return _statement("Deny", action, resource, elements)


def policy(*statements: Any, version: str | None = "2012-10-17") -> dict[str, Any]:
    """A document; without a Version element when `version` is None."""
    head = {} if version is None else {"Version": version}
    return {**head, "Statement": list(statements)}


def policies_of(value: Any) -> list[Any]:
    """A list of policies from one policy, one statement, a list of statements, or a list of policies."""
    if isinstance(value, dict):
        return [value if "Statement" in value else policy(value)]
    if value and all(isinstance(item, dict) and "Effect" in item for item in value):
        return [policy(*value)]
    return [*value]


def _policies(case_line: dict[str, Any]) -> dict[str, Any]:
    policies: dict[str, Any] = {}
    for kind, value in case_line.items():
        if kind == "resource_policy":
            policies["resource"] = None if value is None else policies_of(value)[0]
        elif kind in {"scps", "rcps"}:
            policies[kind] = [policies_of(level) for level in value]
        else:
            policies[kind] = policies_of(value)
    return policies


class Page:
    """Collects the cases of one page of AWS's documentation."""

    def __init__(self, title: str, into: list[Case]) -> None:
        self.title = title
        self.into = into

    def case(
        self,
        name: str,
        strict: str,
        *,
        action: str = "s3:GetObject",
        resource: str = OBJECT,
        principal: Any = USER,
        loose: str = "",
        note: str = "",
        account: str = "",
        context: dict[str, Any] | None = None,
        **policies: Any,
    ) -> None:
        """One case. `loose` differs from `strict` only where a key is open; `account` owns the resource."""
        line: dict[str, Any] = {"id": name, "action": action, "resource": resource, "principal": principal}
        if account:
            line["resource_account"] = account
        if context:
            line["context"] = context
        line["policies"] = _policies(policies)
        self.into.append(Case(self.title, name, line, strict, loose or strict, note))

    def condition(
        self,
        name: str,
        operator: str,
        key: str,
        wanted: Any,
        principal_given: Any,
        matches: bool,
        **more: Any,
    ) -> None:
        """One test of a condition; tried as the condition of an Allow, and of a Deny beside an Allow.

        An absent key is open when not strict, unless `loose` says that it follows from the caller.
        """
        block = {operator: {key: wanted}}
        context = {} if principal_given is ABSENT else {key: principal_given}
        context |= more.get("context", {})
        loose = more.get("loose", CONDITIONAL if principal_given is ABSENT else "")
        line: dict[str, Any] = {"id": name, "action": "s3:GetObject", "resource": OBJECT}
        line |= {"principal": more.get("principal", USER), "context": context}
        version = more.get("version", "2012-10-17")
        line["policies"] = {"identity": [policy(allow(when=block), version=version)]}
        strict = ALLOWED if matches else NOT_ALLOWED
        note = more.get("note", "")
        self.into.append(Case(self.title, name, line, strict, loose or strict, note, block))

    def conditions(self, rows: Sequence[tuple[Any, ...]], **more: Any) -> None:
        """Rows of (name, operator, key, values of the policy, values of the request, whether it matches)."""
        for row in rows:
            self.condition(*row, **more)
