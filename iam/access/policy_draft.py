"""Checks and requests an edit of a managed policy: findings in the text, affected principals, and the
request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.access.fixes import fixed, key_of
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations.policy_content import document_meaning
from iam.changes.operations.policy_version import default_text, state_in_mirror
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, valid_at
from iam.mirror.queries.entities import tags
from iam.policy.lint import MANAGED, LintFinding, LintSeverity, less_standing, lint
from iam.policy.lint.kinds import LintKind

UNTAKEN: Final = re.compile(r"[^\t\n\r\x20-\xff]")
"""Characters that AWS accepts in no policy.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
"""
_UNREADABLE: Final = frozenset({"JSON_SYNTAX_ERROR", "DUPLICATE_KEYS", "DUPLICATE_KEYS_WITH_DIFFERENT_CASE"})


@dataclass(frozen=True, slots=True)
class EditedPolicy:
    """A policy text that is being edited.

    `plan` is set if the text can be requested; otherwise `errors` or `refused` say why not. `base` is the
    digest of the text that the edit started from.
    """

    text: str
    base: str
    findings: Sequence[LintFinding]
    plan: services.ChangePlan | None = None
    refused: RefusedError | None = None

    @property
    def errors(self) -> list[LintFinding]:
        """Findings that block the request: rejected by AWS, without effect, or new names that the catalogue
        lacks.
        """
        return [finding for finding in self.findings if finding.severity is LintSeverity.ERROR]

    @property
    def size(self) -> int:
        """The number of characters without white space, as AWS counts them."""
        return MANAGED.size(self.text)

    @property
    def quota(self) -> int:
        """The maximum size."""
        return MANAGED.limit


def begin(policy: Entity) -> tuple[str, str]:
    """The current text, formatted if it is on one line, and its digest."""
    text = default_text(policy)
    return (laid_out(text) if "\n" not in text.strip() else text), state_in_mirror(policy)["text"]


def check_draft(viewer: Viewer, *, policy: Entity, text: str, base: str) -> EditedPolicy:
    """Check a text and, if it has no errors, plan the change. Writes nothing."""
    text = _lines(text)
    draft = EditedPolicy(text, base, findings_of(policy, text=text))
    if draft.errors:
        return draft
    try:
        _check_base(policy, base=base)
        plan = services.plan_policy_text(viewer, policy=policy, text=text)
    except RefusedError as refused:
        return EditedPolicy(text, base, draft.findings, refused=refused)
    return EditedPolicy(text, base, draft.findings, plan=plan)


def request_edit(
    actor: Viewer, *, policy: Entity, text: str, base: str, reason: str, idempotency_key: str
) -> Change:
    """Request the new text. Raises RefusedError if it has errors or the policy has changed since the edit
    began.
    """
    text = _lines(text)
    errors = EditedPolicy(text, base, findings_of(policy, text=text)).errors
    if errors:
        first = errors[0]
        raise RefusedError(f"Fix line {first.line} first. {first.message}")
    _check_base(policy, base=base)
    return services.request_policy_text(
        actor, policy=policy, text=text, reason=reason, idempotency_key=idempotency_key
    )


def findings_of(policy: Entity, *, text: str) -> list[LintFinding]:
    """The lint's findings in text order. A policy used only as a boundary is linted as a boundary."""
    uses = Edge.objects.filter(valid_at(None), target=policy)
    use_kinds = set(uses.values_list("kind", flat=True).distinct())
    kind = LintKind.BOUNDARY if use_kinds == {EdgeKind.BOUNDARY} else LintKind.IDENTITY
    new_findings = less_standing(lint(text, kind=kind), former=lambda: default_text(policy), kind=kind)
    findings = [*_untaken(text), *new_findings]
    return sorted(findings, key=lambda finding: (finding.line, finding.column))


def apply_fix(policy: Entity, *, text: str, key: str) -> str:
    """The text with the lint's suggestion for this finding; unchanged if the finding no longer exists."""
    text = _lines(text)
    finding = next((finding for finding in findings_of(policy, text=text) if key_of(finding) == key), None)
    return fixed(text, finding=finding) if finding and key else text


def managed_by(policy: Entity) -> str:
    """The tool that manages the policy according to its tags: a CloudFormation stack, or the value of a
    ManagedBy tag; else "".
    """
    tags_by_key = {
        key.lower().replace("-", "").replace("_", ""): value for key, value in tags(policy, at=None).items()
    }
    stack = tags_by_key.get("aws:cloudformation:stackname")
    return f"the CloudFormation stack {stack}" if stack else tags_by_key.get("managedby", "")


def laid_out(text: str) -> str:
    """The text with one element per line; unchanged if formatting would lose content."""
    text = _lines(text)
    if any(finding.code in _UNREADABLE for finding in lint(text, kind=LintKind.IDENTITY, quota=None)):
        return text
    try:
        shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return shown if document_meaning(shown) == document_meaning(text) else text


def _lines(text: str) -> str:
    """Normalize line endings, which browsers send as CRLF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_base(policy: Entity, *, base: str) -> None:
    now = state_in_mirror(policy)
    if base != now["text"]:
        raise RefusedError(
            f"{policy.name} has changed since you opened it: the default version is now "
            f"{now['default'] or 'another one'}. "
            "Copy your text, reload the page, and make your changes again."
        )


def _untaken(text: str) -> list[LintFinding]:
    match = UNTAKEN.search(text)
    if match is None:
        return []
    at = match.start()
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return [
        LintFinding(
            code="CHARACTER_NOT_TAKEN",
            severity=LintSeverity.ERROR,
            message=f"AWS doesn’t accept the character U+{ord(match.group()):04X} in policies.",
            remedy="Use only Latin-1 characters (up to U+00FF). In names, use * and ? for other characters.",
            statement=None,
            path="",
            line=line,
            column=column,
        )
    ]
