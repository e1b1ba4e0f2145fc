"""Shared code of the findings about delegation requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from iam.audit.findings.dates import moment_in
from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.statements import allows, is_full
from iam.changes.operations.sign_in_session import sign_in_words
from iam.mirror.models import Kind
from iam.policy.letter_case import fold

WAITING: Final = frozenset({"UNASSIGNED", "ASSIGNED", "PENDING_APPROVAL"})
ACCEPTED: Final = frozenset({"ACCEPTED", "FINALIZED"})
"""Source: "Understanding the Request Lifecycle",
https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html
"""
WORDS: Final = {
    "UNASSIGNED": "Waits for an owner",
    "ASSIGNED": "Waits for its owner",
    "PENDING_APPROVAL": "Waits for approval",
    "ACCEPTED": "Accepted, token not sent",
    "FINALIZED": "Accepted, token sent",
}


def delegations(facts: AccountFacts, *, states: frozenset[str]) -> Iterator[EntityFact]:
    """The delegation requests in these states that have not expired."""
    for request in facts.of_kind(Kind.DELEGATION_REQUEST):
        ends = moment_in(request.attrs, "ExpirationTime")
        if request.category in states and (ends is None or ends > facts.now):
            yield request


def delegation_evidence(request: EntityFact, facts: AccountFacts) -> dict[str, Any]:
    """The requester, permissions, duration and expiry of a delegation request."""
    attrs = request.attrs
    seconds = attrs.get("SessionDuration")
    statements = [statement.body for statement in allows(policy_text(request, facts))]
    return {
        "requested_by": _requestor(request),
        "description": attrs.get("Description"),
        "status": WORDS[request.category],
        "filed": request.created_at.isoformat() if request.created_at else None,
        "request_owner": attrs.get("OwnerId"),
        "approved_by": attrs.get("ApproverId"),
        "session": sign_in_words(seconds).capitalize() if seconds else None,
        "until": attrs.get("ExpirationTime"),
        "policy_template": attrs.get("PolicyTemplateArn"),
        "allows": [_words(statement) for statement in statements],
        "boundaries_of_new_roles": attrs.get("RolePermissionRestrictionArns") or None,
    }


def gives_administration(request: EntityFact, facts: AccountFacts) -> bool:
    """True if it allows all actions, or IAM actions that change permissions."""
    for statement in allows(policy_text(request, facts)):
        if is_full(statement) or statement.is_not or any(map(_is_administration, statement.actions)):
            return True
    return False


def policy_text(request: EntityFact, facts: AccountFacts) -> str:
    """The policy that it gives; "" if AWS did not report one."""
    return facts.documents.get(request.document or "", "")


_READS: Final = tuple(fold(f"iam:{verb}") for verb in ("Get", "List", "Generate", "Simulate"))


def _is_administration(action: str) -> bool:
    """True if an IAM action or pattern (in lower case) does more than read."""
    return action == "*" or (action.startswith("iam:") and not action.startswith(_READS))


def _requestor(request: EntityFact) -> str:
    number = request.attrs.get("RequestorId", "")
    return f"{request.name} (account {number})" if number and number != request.name else request.name


def _words(statement: Any) -> str:
    actions = statement.get("Action", statement.get("NotAction", ""))
    listed = ", ".join(actions) if isinstance(actions, list) else str(actions)
    resources = statement.get("Resource", "*")
    on = ", ".join(resources) if isinstance(resources, list) else str(resources)
    but = "everything but " if "NotAction" in statement else ""
    return f"{but}{listed} on {on}"
