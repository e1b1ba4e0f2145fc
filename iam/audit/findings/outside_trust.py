"""Determines who outside of the organization a role's trust policy lets in.

Someone who owns an account chooses the names of its roles, the address they call from and the external ID
they send. A condition that they can meet, such as a pattern for the name of a role, limits nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.trust import OUTSIDE, STRANGER, admits, condition_values, trusted
from iam.policy.glob import compile_glob
from iam.policy.letter_case import is_digits

ACCOUNT_FIELD: Final = 4
"""The place of the account in an ARN."""
SOME_EXTERNAL_ID: Final[Mapping[str, Any]] = {**OUTSIDE, "sts:ExternalId": "gatehouse-any-external-id"}
"""A request with an external ID that no one agreed on: only a wildcard accepts it."""
FROM_ANYWHERE: Final[Mapping[str, Any]] = {**SOME_EXTERNAL_ID, "aws:SourceIp": "198.18.0.77"}
"""The same from an address of RFC 2544, which belongs to no one: only a test of every address accepts it."""
UNKNOWN_EXTERNAL_ID: Final = {key: value for key, value in OUTSIDE.items() if key != "sts:ExternalId"}
"""A request of someone who may know the external ID, which is no secret."""
CHOSEN: Final = (
    "sts:rolesessionname",
    "sts:sourceidentity",
    "aws:securetransport",
    "aws:multifactorauthpresent",
    "aws:useragent",
    "aws:referer",
    "aws:requesttag/",
    "aws:principaltag/",
)
"""Beginnings of condition keys, in lower case, whose values a caller in an own account chooses."""
NAMED_KINDS: Final = frozenset({"user", "role", "session", "federated-user"})
RANKS: Final = {None: 0, False: 1, True: 2}


def admits_stranger(role: EntityFact, facts: AccountFacts) -> bool | None:
    """Return whether the role lets in someone of any account, as `admits` does."""
    values = condition_values(role, facts)
    callers = tuple(callers_in(STRANGER, values, facts.partition))
    contexts: list[Mapping[str, Any]] = [OUTSIDE, FROM_ANYWHERE, UNKNOWN_EXTERNAL_ID]
    if chosen := _chosen_by_caller(values):
        contexts += [{**context, **chosen} for context in (OUTSIDE, FROM_ANYWHERE)]
    return _best(role, facts, callers, contexts)


def _chosen_by_caller(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return values that a caller would choose to meet the conditions, by key."""
    chosen: dict[str, str] = {}
    for key, wanted in values.items():
        if key.startswith(CHOSEN) and wanted and "${" not in wanted[0]:
            chosen[key] = _example(wanted[0])
    return chosen


def admits_outsider(role: EntityFact, facts: AccountFacts) -> str:
    """Return an account outside of the organization that can assume the role, with whatever external ID.

    Return "" if there is none, or if the accounts of the organization are unknown.
    """
    if not facts.is_organization_known:
        return ""
    for account, callers, _ in outsiders(role, facts):
        if _best(role, facts, callers, (UNKNOWN_EXTERNAL_ID,)) is not None:
            return account
    return ""


def admits_without_external_id(role: EntityFact, facts: AccountFacts, callers: Sequence[str]) -> bool | None:
    """Return whether the role lets in one of these principals with no external ID or with any, as `admits`
    does.
    """
    return _best(role, facts, callers, (OUTSIDE, SOME_EXTERNAL_ID))


def is_for_anybody_named(role: EntityFact, facts: AccountFacts) -> bool:
    """Return whether the principal is anyone, and conditions name who that is."""
    is_for_anybody = any(principal.kind == "anybody" for principal in trusted(role, facts))
    return is_for_anybody and not admits_stranger(role, facts)


def outsiders(role: EntityFact, facts: AccountFacts) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Return each outside account, principals of it that the trust policy can mean, and how the policy names
    it.
    """
    values = condition_values(role, facts)
    for principal in trusted(role, facts):
        account = principal.account_id
        if principal.kind == "account" and account not in facts.known_accounts:
            yield account, tuple(callers_in(account, values, facts.partition)), principal.text
        elif principal.kind in NAMED_KINDS and account not in facts.known_accounts:
            yield account, (principal.text,), principal.text
    if is_for_anybody_named(role, facts):
        for account in accounts_in_conditions(role, facts):
            yield account, tuple(callers_in(account, values, facts.partition)), "*"


def callers_in(account: str, values: Mapping[str, Sequence[str]], partition: str) -> Iterator[str]:
    """Return principals of an account: one role with any name, and one for each condition on
    aws:PrincipalArn that fits the account.

    `values` are the values of the conditions by key in lower case.
    """
    prefix = f"arn:{partition}:iam::{account}:"
    yield f"{prefix}role/someone"
    for pattern in values.get("aws:principalarn", ()):
        fields = pattern.split(":", ACCOUNT_FIELD + 1)
        if len(fields) == ACCOUNT_FIELD + 2:
            if compile_glob(fields[ACCOUNT_FIELD])(account):
                yield prefix + _example(fields[-1])
        elif pattern.startswith("*"):
            name = pattern.rpartition(":")[2].removeprefix("role/")
            yield f"{prefix}role/{_example(name)}"


def _example(pattern: str) -> str:
    return pattern.replace("*", "x").replace("?", "x")


def accounts_in_conditions(role: EntityFact, facts: AccountFacts) -> list[str]:
    """Return the accounts outside of the organization that conditions on aws:PrincipalAccount and
    aws:PrincipalArn name.
    """
    values = condition_values(role, facts)
    named = list(values.get("aws:principalaccount", ()))
    for pattern in values.get("aws:principalarn", ()):
        named += pattern.split(":")[ACCOUNT_FIELD : ACCOUNT_FIELD + 1]
    numbers = dict.fromkeys(name for name in named if is_digits(name))
    return [number for number in numbers if number not in facts.known_accounts]


def organizations_in_conditions(role: EntityFact, facts: AccountFacts) -> dict[str, bool | None]:
    """Return the other organizations that conditions on aws:PrincipalOrgID and aws:PrincipalOrgPaths name.

    The values say whether the role lets in their accounts without an agreed external ID, as `admits` does.
    """
    values = condition_values(role, facts)
    paths = [f"{name}/" for name in values.get("aws:principalorgid", ())]
    paths += values.get("aws:principalorgpaths", ())
    callers = tuple(callers_in(STRANGER, values, facts.partition))
    known = _known_organizations(facts)
    answers: dict[str, bool | None] = {}
    for path in paths:
        organization = path.partition("/")[0]
        if organization.startswith("o-") and not {"*", "?"} & set(organization) and organization not in known:
            membership = {"aws:PrincipalOrgID": organization, "aws:PrincipalOrgPaths": [_example(path)]}
            contexts = ({**OUTSIDE, **membership}, {**SOME_EXTERNAL_ID, **membership})
            answers[organization] = _best(role, facts, callers, contexts)
    return answers


def _known_organizations(facts: AccountFacts) -> set[str]:
    shards = facts.index.accounts.values() if facts.index else ()
    return {shard.standing.organization_id for shard in shards}


def _best(
    role: EntityFact,
    facts: AccountFacts,
    callers: Sequence[str],
    contexts: Sequence[Mapping[str, Any]],
) -> bool | None:
    """Return the most permissive answer of `admits` over these callers and contexts."""
    best: bool | None = None
    for context in contexts:
        for caller in callers:
            answer = admits(role, facts, caller, context=context)
            if RANKS[answer] > RANKS[best]:
                best = answer
    return best
