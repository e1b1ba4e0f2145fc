"""SimulatePrincipalPolicy and SimulateCustomPolicy, answered by the stand-in's own small evaluation.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult

from console.demo.standin import enforcement
from console.demo.standin.evaluate import ALLOWED, Context, Question, decide
from console.demo.standin.iam.extras import user_extras
from console.demo.standin.iam.gets import no_such
from console.demo.standin.overlay import Overlay


class Simulate(Overlay):
    """What would be allowed."""

    def simulate_principal_policy(self) -> ActionResult:
        """Decisions by the policies of a user, group or role, its boundary, and policies given with the question."""
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
        return self._decisions(documents, bounds)

    def simulate_custom_policy(self) -> ActionResult:
        """Decisions by the policies given with the question alone."""
        bounds = self._get_param("PermissionsBoundaryPolicyInputList") or []
        return self._decisions(list(self._get_param("PolicyInputList")), list(bounds))

    def _decisions(self, documents: list[str], bounds: list[str]) -> ActionResult:
        entries = self._get_param("ContextEntries") or []
        context: Context = {e["ContextKeyName"].lower(): list(e["ContextKeyValues"]) for e in entries}
        results: list[dict[str, Any]] = []
        for action in self._get_param("ActionNames"):
            for resource in self._get_param("ResourceArns") or ["*"]:
                question = Question(action, resource, context)
                verdict = decide(documents, question)
                if bounds and verdict == ALLOWED:
                    verdict = decide(bounds, question)
                results.append(
                    {
                        "EvalActionName": action,
                        "EvalResourceName": resource,
                        "EvalDecision": verdict,
                        "MatchedStatements": [],
                    }
                )
        return self._page_of_results(results)

    def _page_of_results(self, results: list[dict[str, Any]]) -> ActionResult:
        order = {id(result): f"{index:06d}" for index, result in enumerate(results)}
        return self._page("EvaluationResults", results, name=lambda r: order[id(r)])
