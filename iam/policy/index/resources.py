"""Finds a resource's owner and its resource-based policy, as far as the index knows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from iam.policy.compiled import PolicyKind, PolicySet
from iam.policy.evaluate import ASSUMING, needs_resource_policy
from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.question import AccessQuestion
from iam.policy.index.shard import AccountShard
from iam.policy.letter_case import fold
from iam.policy.logic import NO, YES
from iam.policy.principals import Grades
from iam.policy.request import Principal, Request, account_of

UNKNOWN_TEXT: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Sid": "NotRead"}]}
)
"""A policy without a principal, so that its result is open."""


@dataclass(frozen=True, slots=True)
class ResourcePlace:
    """The account of a resource ("" if unknown) and its policy (None if unknown). `is_guess` is True if a
    policy decides but is unknown.
    """

    account: str
    policy: IndexedDocument | None
    is_guess: bool = False


def place_of(
    question: AccessQuestion, *, shards: Mapping[str, AccountShard], documents: SharedDocuments
) -> ResourcePlace:
    """The known facts about a question's resource. Trust policies of roles are in the index; the question
    must provide policies of other resources.
    """
    account = question.resource_account or account_of(question.resource)
    if question.resource_policy is not None:
        return ResourcePlace(account, _resource_policy(question.resource_policy, documents))
    asked = Request(question.action, question.resource, Principal(""))
    if not needs_resource_policy(asked):
        return ResourcePlace(account, None)
    trust = _trust(question, shards.get(account))
    return ResourcePlace(account, trust, is_guess=trust is None)


def _resource_policy(policy: str | Mapping[str, object], documents: SharedDocuments) -> IndexedDocument:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return documents.add(digest, text)


def _trust(question: AccessQuestion, shard: AccountShard | None) -> IndexedDocument | None:
    if shard is None or fold(question.action) not in ASSUMING:
        return None
    member = shard.members.find(question.resource)
    return None if member is None else member.trust


def policy_set(doc: IndexedDocument, *, of_pattern: bool) -> PolicySet:
    """The policy set of a resource-based policy."""
    problems = tuple(("resource policy", problem) for problem in doc.problems)
    return PolicySet(
        PolicyKind.RESOURCE,
        doc.statements_of("resource policy", PolicyKind.RESOURCE, of_pattern=of_pattern),
        problems,
    )


def unknown_policy() -> PolicySet:
    """A placeholder for the unknown policy of a key or role. It may delegate to the account's identity-based
    policies.
    """
    doc = SharedDocuments().add("", UNKNOWN_TEXT)
    (statement,) = doc.statements_of("the policy of the resource", PolicyKind.RESOURCE, of_pattern=False)
    return PolicySet(PolicyKind.RESOURCE, (replace(statement, means=_the_account),))


def _the_account(who: Principal, strict: bool) -> Grades:
    return (YES, NO, NO)


__all__ = ["ResourcePlace", "place_of", "policy_set", "unknown_policy"]
