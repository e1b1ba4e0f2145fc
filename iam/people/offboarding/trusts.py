"""Finds roles in all accounts whose trust policies name a person's users. They are only changed
on request.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db.models import Q

from iam.access.grants.trust_statement import SESSION, USER_NAME
from iam.mirror.models import Entity, EntityState, Kind, valid_at


@dataclass(frozen=True, slots=True)
class TrustingRole:
    """A role whose trust policy names some of the users. `demands_name` means that each such statement
    requires the user name as session name, so that their sessions can be identified. `without` is the trust
    policy without the users, or None if it would admit no one.
    """

    role: Entity
    arns: tuple[str, ...]
    demands_name: bool
    others: int
    without: str | None

    @property
    def names(self) -> list[str]:
        """The user names in the trust policy."""
        return sorted({arn.rpartition("/")[2] for arn in self.arns})


def trusting(users: Iterable[Entity]) -> list[TrustingRole]:
    """Return the roles of all accounts that name one of the users, by account and name, with one query."""
    arns = {entity.arn for entity in users}
    trusts_found = [_trusting(state, arns) for state in roles_naming(arns)]
    return [trust for trust in trusts_found if trust is not None]


def roles_naming(principals: Collection[str]) -> list[EntityState]:
    """Return the roles of all accounts whose trust policies contain one of these texts, by account and name,
    with one query, or none without texts.
    """
    named = Q()
    for principal in principals:
        named |= Q(document__text__contains=json.dumps(principal))
    if not named:
        return []
    states = EntityState.objects.filter(
        named, valid_at(None), kind=Kind.ROLE, entity__gone_at__isnull=True, account__removed_at__isnull=True
    )
    rows = states.select_related("document", "entity__account")
    return list(rows.order_by("account__name", "sort_name"))


def _trusting(state: EntityState, arns: set[str]) -> TrustingRole | None:
    text = state.document.text if state.document else ""
    try:
        body = json.loads(text)
        statements = _listed(body.get("Statement", []))
    except (ValueError, AttributeError):
        return None
    allowing = _allowing(statements)
    naming = [statement for statement in allowing if arns & set(_principals_named(statement))]
    if not naming:
        return None
    theirs = sorted(arns.intersection(_all_named(naming)))
    others = set(_all_named(allowing)) - arns
    return TrustingRole(
        role=state.entity,
        arns=tuple(theirs),
        demands_name=all(_demands_name(statement) for statement in naming),
        others=len(others),
        without=_without(body, statements, arns),
    )


def _without(body: dict[str, Any], statements: Sequence[dict[str, Any]], arns: set[str]) -> str | None:
    kept = []
    for statement in statements:
        if statement.get("Effect") != "Allow" or not arns & set(_principals_named(statement)):
            kept.append(statement)
            continue
        principal = dict(statement["Principal"])
        left = [arn for arn in _principals_named(statement) if arn not in arns]
        if left:
            principal["AWS"] = left[0] if len(left) == 1 else left
        else:
            principal.pop("AWS")
        if principal:
            kept.append({**statement, "Principal": principal})
    if not any(statement.get("Effect") == "Allow" for statement in kept):
        return None
    return json.dumps({**body, "Statement": kept})


def trusted_by(text: str) -> list[str]:
    """Return the AWS principals that a trust policy admits."""
    try:
        statements = _listed(json.loads(text).get("Statement", []))
    except (ValueError, AttributeError):
        return []
    return list(_all_named(_allowing(statements)))


def _allowing(statements: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [statement for statement in statements if statement.get("Effect") == "Allow"]


def _all_named(statements: Iterable[dict[str, Any]]) -> Iterable[str]:
    return chain.from_iterable(map(_principals_named, statements))


def _principals_named(statement: dict[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    principals = principal.get("AWS", []) if isinstance(principal, dict) else []
    return [str(principal_arn) for principal_arn in _listed(principals)]


def _demands_name(statement: dict[str, Any]) -> bool:
    """Return True if the statement has the condition that Gatehouse's grants write
    (`iam.access.grants.trust_statement`).
    """
    equal = statement.get("Condition", {}).get("StringEquals", {})
    return isinstance(equal, dict) and equal.get(SESSION) == USER_NAME


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
