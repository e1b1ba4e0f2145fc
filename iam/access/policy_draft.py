"""The text of a managed policy while somebody edits it: what is wrong with it, whom it would concern, and
asking for it.
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
"""What AWS takes in no policy;
https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
"""
_UNREADABLE: Final = frozenset({"JSON_SYNTAX_ERROR", "DUPLICATE_KEYS", "DUPLICATE_KEYS_WITH_DIFFERENT_CASE"})


@dataclass(frozen=True, slots=True)
class EditedPolicy:
    """A text that is being edited. `plan` is there where it could be asked for, else `refused` says why not,
    unless `errors` do.

    `base` is the digest of the text on which it was begun; `size` are the characters that AWS counts.
    """

    text: str
    base: str
    findings: Sequence[LintFinding]
    plan: services.ChangePlan | None = None
    refused: RefusedError | None = None

    @property
    def errors(self) -> list[LintFinding]:
        """What AWS would refuse, what can never do what it says, and new names that the catalogue lacks."""
        return [finding for finding in self.findings if finding.severity is LintSeverity.ERROR]

    @property
    def size(self) -> int:
        """Characters without white space."""
        return MANAGED.size(self.text)

    @property
    def quota(self) -> int:
        """How many there may be."""
        return MANAGED.limit


def begin(policy: Entity) -> tuple[str, str]:
    """The text to begin with, and its digest: what holds now, laid out where it stands in one line."""
    text = default_text(policy)
    return (laid_out(text) if "\n" not in text.strip() else text), state_in_mirror(policy)["text"]


def check_draft(viewer: Viewer, *, policy: Entity, text: str, base: str) -> EditedPolicy:
    """What is wrong with a text and, where nothing is, whom it would concern. Writes nothing."""
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
    """Ask for the text. Raises RefusedError when it has errors, or when the policy says something else than
    where it was begun.
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
    """What the lint finds, in the order of the text. A policy that is only used as a boundary is read as
    one.
    """
    uses = Edge.objects.filter(valid_at(None), target=policy)
    use_kinds = set(uses.values_list("kind", flat=True).distinct())
    kind = LintKind.BOUNDARY if use_kinds == {EdgeKind.BOUNDARY} else LintKind.IDENTITY
    new_findings = less_standing(lint(text, kind=kind), former=lambda: default_text(policy), kind=kind)
    findings = [*_untaken(text), *new_findings]
    return sorted(findings, key=lambda finding: (finding.line, finding.column))


def apply_fix(policy: Entity, *, text: str, key: str) -> str:
    """The text with what the lint proposes for the finding of a key; as it is where it has no such finding
    (any more).
    """
    text = _lines(text)
    finding = next((finding for finding in findings_of(policy, text=text) if key_of(finding) == key), None)
    return fixed(text, finding=finding) if finding and key else text


def managed_by(policy: Entity) -> str:
    """What its tags say that it is written by, if they do: CloudFormation's own tag, or a habit such as
    ManagedBy.
    """
    tags_by_key = {
        key.lower().replace("-", "").replace("_", ""): value for key, value in tags(policy, at=None).items()
    }
    stack = tags_by_key.get("aws:cloudformation:stackname")
    return f"the CloudFormation stack {stack}" if stack else tags_by_key.get("managedby", "")


def laid_out(text: str) -> str:
    """The text with one element a line; as it is where that would lose something of it."""
    text = _lines(text)
    if any(finding.code in _UNREADABLE for finding in lint(text, kind=LintKind.IDENTITY, quota=None)):
        return text
    try:
        shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return shown if document_meaning(shown) == document_meaning(text) else text


def _lines(text: str) -> str:
    """Browsers send other ends of lines than people type."""
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
