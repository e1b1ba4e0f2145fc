"""Defines what a grant gives, with conversion to and from JSON. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any, Final, Self

from iam.access.grants.term_errors import TermsError, TermsPart, kind_of, known_texts, texts_of
from iam.access.grants.who import ARN
from iam.policy.document import read
from iam.policy.lint import LintFinding, LintKind, LintSeverity, lint

POLICY: Final = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):iam::(aws|\d{12}):policy/([\w+=,.@/-]{1,512})", re.ASCII
)


class WhatKind(StrEnum):
    """The types of access that a grant can give."""

    TEMPLATE = "template"
    MANAGED = "managed"
    STATEMENTS = "statements"
    ROLE = "role"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class GrantContent(TermsPart):
    """What a grant gives.

    `template`: slug, version and `parameters`. `managed`: `policy_arn`. `statements`: policy documents as
    text. `role`: assume the existing role `role_arn`. `group`: membership of `group_arn`. Roles, groups and
    customer managed policies are found in each account by path and name.
    """

    kind: WhatKind
    template: str = ""
    version: int = 0
    parameters: Mapping[str, str] = field(default_factory=dict)
    policy_arn: str = ""
    documents: tuple[str, ...] = ()
    role_arn: str = ""
    group_arn: str = ""

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Parse the JSON form. Raises TermsError if it is invalid."""
        fields_given = known_texts(cls, body, part="what") | {
            "kind": kind_of(WhatKind, body, part="what"),
            "documents": texts_of(body, "documents", part="what"),
        }
        parameters, version = body.get("parameters", {}), body.get("version", 0)
        if not isinstance(parameters, dict) or not all(
            isinstance(value, str) for value in parameters.values()
        ):
            raise TermsError("Template parameters must be texts.", part="what")
        if not isinstance(version, int):
            raise TermsError("The version of a template is a number.", part="what")
        return cls(**fields_given | {"parameters": dict(parameters), "version": version})

    def check(self) -> None:
        """Check that the content is complete. Raises TermsError."""
        if self.kind is WhatKind.TEMPLATE and not (self.template and self.version > 0):
            raise TermsError("Choose a template.", part="what")
        if self.kind is WhatKind.MANAGED and not POLICY.fullmatch(self.policy_arn):
            raise TermsError("Choose a managed policy.", part="what")
        if self.kind is WhatKind.ROLE:
            _check_one(self.role_arn, kind="role")
        if self.kind is WhatKind.GROUP:
            _check_one(self.group_arn, kind="group")
        if self.kind is WhatKind.STATEMENTS:
            check_documents(self.documents)


def check_documents(documents: tuple[str, ...]) -> None:
    """Check that the documents are complete, readable and free of lint errors. Raises TermsError."""
    if not documents:
        raise TermsError("Choose permissions: there are none yet.", part="what")
    for text in documents:
        document = read(text)
        in_statements = chain.from_iterable(statement.problems for statement in document.statements)
        problems = [*document.problems, *in_statements]
        if problems:
            problem = str(problems[0]).removesuffix(".")
            raise TermsError(f"The policy can’t be read: {problem}.", part="what")
        if not document.statements:
            raise TermsError("Choose permissions: a policy has no statement.", part="what")
        if any(statement.principals is not None for statement in document.statements):
            raise TermsError(
                "Remove the Principal element: who gets access is chosen in the previous step.", part="what"
            )
        wrong = [
            finding
            for finding in lint(text, kind=LintKind.IDENTITY)
            if finding.severity is LintSeverity.ERROR
        ]
        # The planner checks the size, because it can split a large policy into several.
        wrong = [finding for finding in wrong if not finding.code.startswith("POLICY_SIZE")]
        if wrong:
            raise TermsError(_refusal(wrong[0]), part="what")


def _refusal(finding: LintFinding) -> str:
    """The message of a finding, with its remedy if AWS itself would accept the policy."""
    if finding.is_refused:
        return f"AWS would reject this: {finding.message}"
    return f"{finding.message} {finding.remedy}"


def _check_one(arn: str, *, kind: str) -> None:
    match = ARN.fullmatch(arn)
    if not match or match[3] != kind:
        raise TermsError(f"Choose the {kind}.", part="what")
