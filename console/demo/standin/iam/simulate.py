"""SimulatePrincipalPolicy and SimulateCustomPolicy, answered by the small evaluation of the simulated AWS.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult

from console.demo.standin import enforcement
from console.demo.standin.evaluate import (
    ALLOWED,
    EXPLICIT_DENY,
    IMPLICIT_DENY,
    AuthorizationQuestion,
    Context,
    decide,
)
from console.demo.standin.iam.extras import user_extras
from console.demo.standin.iam.gets import no_such
from console.demo.standin.organizations import policies_above
from console.demo.standin.overlay import ResponseOverlay


class SimulateCalls(ResponseOverlay):
    """Calls that simulate policies."""

    def simulate_principal_policy(self) -> ActionResult:
        """Return the decisions by the policies of a user, group or role, its boundary, the SCPs above, and
        the policies in the request.
        """
        arn = self._get_param("PolicySourceArn")
        backend = self.backend
        entities = [*backend.users.values(), *backend.groups.values(), *backend.roles.values()]
        entity = next((e for e in entities if e.arn == arn), None)
        if entity is None:
            raise no_such("entity", arn)
        groups = [g for g in backend.groups.values() if entity in g.users]
        boundary = getattr(entity, "permissions_boundary_arn", None)
        if entity in backend.users.values():
            boundary = user_extras(entity).boundary
        bounds = [document] if (document := enforcement.document_at(backend, boundary)) else []
        documents = enforcement.documents_of([entity, *groups]) + list(
            self._get_param("PolicyInputList") or []
        )
        levels = policies_above(backend.account_id, kind="SERVICE_CONTROL_POLICY")
        return self._decisions(documents, bounds, levels)

    def simulate_custom_policy(self) -> ActionResult:
        """Return the decisions by the policies in the request alone."""
        bounds = self._get_param("PermissionsBoundaryPolicyInputList") or []
        return self._decisions(list(self._get_param("PolicyInputList")), list(bounds), [])

    def _decisions(self, documents: list[str], bounds: list[str], levels: list[list[str]]) -> ActionResult:
        entries = self._get_param("ContextEntries") or []
        context: Context = {e["ContextKeyName"].lower(): list(e["ContextKeyValues"]) for e in entries}
        resources = self._get_param("ResourceArns") or ["*"]
        results = []
        for action in self._get_param("ActionNames"):
            for resource in resources:
                question = AuthorizationQuestion(action, resource, context)
                results.append(_result(question, documents, bounds, levels))
        order = {id(result): f"{index:06d}" for index, result in enumerate(results)}
        return self._page("EvaluationResults", results, name=lambda r: order[id(r)])


def _result(
    question: AuthorizationQuestion, documents: list[str], bounds: list[str], levels: list[list[str]]
) -> dict[str, Any]:
    """Return one row: the decision, and whether the boundary and the SCPs above allow the action."""
    above = [decide(level, question) for level in levels]
    bounded = decide(bounds, question) if bounds else ALLOWED
    verdicts = [*above, bounded, decide(documents, question)]
    row: dict[str, Any] = {
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": next((v for v in (EXPLICIT_DENY, IMPLICIT_DENY) if v in verdicts), ALLOWED),
        "MatchedStatements": [],
        "MissingContextValues": [],
    }
    if levels:
        row["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": set(above) == {ALLOWED}}
    if bounds:
        row["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": bounded == ALLOWED}
    return row
