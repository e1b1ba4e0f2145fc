"""Determines who a role's trust policy lets in, using the engine with conditions, denies and RCPs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.statements import TEXTS_KEPT
from iam.policy.compiled import CompiledStatement, PolicyKind, PolicySet
from iam.policy.escalation.states import FULL, FULL_DIGEST
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.index.documents import IndexedDocument
from iam.policy.request import Principal, Request
from iam.policy.statements import as_list, statements_of
from iam.policy.trust_conditions import read_conditions
from iam.policy.trust_principals import TrustPrincipal, read_principals

STRANGER: Final = "999999999999"
"""An account of someone else."""
OTHER_ORGANIZATION: Final = "o-0000000000"
OUTSIDE: Final[Mapping[str, Any]] = {
    "aws:PrincipalOrgID": OTHER_ORGANIZATION,
    "aws:PrincipalOrgPaths": [f"{OTHER_ORGANIZATION}/r-0000/"],
    "sts:ExternalId": None,
    "aws:SourceAccount": None,
    "aws:SourceArn": None,
}
"""The known values of a request from outside the organization without an external ID."""
MARKS: Final = {EvaluationDecision.ALLOWED: True, EvaluationDecision.CONDITIONAL: False}


def trusted(role: EntityFact, facts: AccountFacts) -> tuple[TrustPrincipal, ...]:
    """All principals in Allow statements of the trust policy; none if the text can't be parsed.

    NotPrincipal counts as anyone.
    """
    return _trusted(facts.documents.get(role.document or "", ""))


@lru_cache(maxsize=TEXTS_KEPT)
def _trusted(text: str) -> tuple[TrustPrincipal, ...]:
    return tuple(_read_trusted(text))


def _read_trusted(text: str) -> Iterator[TrustPrincipal]:
    for statement in statements_of(text):
        if statement.get("Effect") != "Allow":
            continue
        try:
            everyone: Any = "*" if "NotPrincipal" in statement else {}
            element = statement.get("Principal", everyone)
            yield from read_principals(element)
        except ValueError:
            continue


def admits(
    role: EntityFact,
    facts: AccountFacts,
    principal: str,
    *,
    action: str = "sts:AssumeRole",
    context: Mapping[str, Any],
) -> bool | None:
    """Whether the role lets in a principal that has full rights in its own account: True for certain, False
    under conditions, None if not.
    """
    index = facts.index
    shard = index.accounts.get(facts.number) if index else None
    if index is None or shard is None or role.document is None:
        return None
    trust = shard.members[role.id].trust if role.id in shard.members else None
    if trust is None:
        return None
    full = index.documents.add(FULL_DIGEST, FULL)
    request = Request(
        action,
        role.arn,
        Principal(principal, tags=None),
        resource_account=facts.number,
        context=context,
        moment=index.moment,
    )
    policies = RequestPolicies(
        identity=_set_of(PolicyKind.IDENTITY, full),
        resource=_set_of(PolicyKind.RESOURCE, trust),
        rcps=tuple(_level(level) for level in shard.levels.rcps),
    )
    return MARKS.get(decide(request, policies))


def condition_values(role: EntityFact, facts: AccountFacts) -> Mapping[str, list[str]]:
    """The values that Allow statements of the trust policy test, by key in lower case."""
    return _condition_values(facts.documents.get(role.document or "", ""))


@lru_cache(maxsize=TEXTS_KEPT)
def _condition_values(text: str) -> Mapping[str, list[str]]:
    values: dict[str, list[str]] = {}
    for statement in statements_of(text):
        try:
            tests = read_conditions(statement.get("Condition"))
        except ValueError:
            continue
        for test in tests if statement.get("Effect") == "Allow" else ():
            values.setdefault(test.name, []).extend(test.values)
    return values


def _level(level: tuple[tuple[str, IndexedDocument], ...]) -> PolicySet:
    statements: list[CompiledStatement] = []
    for name, doc in level:
        statements += doc.statements_of(name, PolicyKind.RCP, of_pattern=False)
    return PolicySet(PolicyKind.RCP, tuple(statements))


def _set_of(kind: PolicyKind, doc: IndexedDocument) -> PolicySet:
    return PolicySet(kind, doc.statements_of(kind.value, kind, of_pattern=False))


def trust_evidence(role: EntityFact, facts: AccountFacts, principal: str) -> dict[str, Any]:
    """The statement that names a principal, with its number from 1."""
    for number, statement in enumerate(statements_of(facts.documents.get(role.document or "", "")), 1):
        if statement.get("Effect") == "Allow" and principal in _names(statement):
            sid = str(statement.get("Sid", ""))
            return {"principal": principal, "statement": number, "sid": sid, "text": statement}
    return {"principal": principal}


def _names(statement: Mapping[str, Any]) -> list[str]:
    element = statement.get("Principal", "*")
    if not isinstance(element, dict):
        return [str(element)]
    names: list[str] = []
    for value in element.values():
        names += [str(name) for name in as_list(value)]
    return names
