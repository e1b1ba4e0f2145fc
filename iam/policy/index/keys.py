"""Tells which context keys follow from the principal or from its account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final

from iam.policy.catalogue import catalogue
from iam.policy.catalogue.global_keys import GLOBAL_KEYS
from iam.policy.document import Principals, Statement
from iam.policy.letter_case import fold
from iam.policy.request import PrincipalKind, Values
from iam.policy.variables import LITERALS, VARIABLE

TAG: Final = "aws:principaltag/"
OWN: Final = frozenset({"aws:principalarn", "aws:username", "aws:userid"})
"""Keys that differ between principals, as tags do."""
OF_ACCOUNT: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalisawsservice",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:principaltype",
        "kms:calleraccount",
    }
)
"""Keys that are equal for all principals of one kind in one account."""
OF_PLACE: Final = frozenset(
    {"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths", "s3:resourceaccount"}
)
"""Keys that follow from the resource's account. If the resource doesn't tell, that is the principal's
account.
"""


def is_own(key: str) -> bool:
    """True if a key (in lower case) differs between principals."""
    return key in OWN or key.startswith(TAG)


def is_of_principal(key: str) -> bool:
    """True if the principal and its account alone determine a key's values."""
    return key in OF_ACCOUNT or is_own(key)


def own_values(
    kind: PrincipalKind, arn: str, unique_id: str, tags: Mapping[str, str] | None, key: str
) -> Values | None:
    """The values of an own key of a user, role or root user, as `Request.values` returns them; None if
    open.
    """
    if key == "aws:principalarn":
        return (arn,)
    if key == "aws:username":
        return (arn.rpartition("/")[2],) if kind is PrincipalKind.USER else ()
    if key.startswith(TAG):
        return _tag(tags, key.removeprefix(TAG), is_root=kind is PrincipalKind.ROOT)
    if kind is PrincipalKind.ROOT:
        return (arn.split(":", 5)[4],)
    return (unique_id,) if unique_id and kind is PrincipalKind.USER else None


def _tag(tags: Mapping[str, str] | None, name: str, *, is_root: bool) -> Values | None:
    if tags is None:
        return () if is_root else None
    tag_values: Values = ()
    for tag, value in tags.items():
        if fold(tag) == name:
            tag_values = (value,)
    return tag_values


def variables_in(texts: Iterable[str]) -> frozenset[str]:
    """The lowercase keys of the variables in some texts."""
    written = chain.from_iterable(VARIABLE.findall(text) for text in texts if "${" in text)
    return frozenset(fold(inner.partition(",")[0].strip()) for inner in written if inner not in LITERALS)


def keys_of_conditions(statement: Statement, *, has_variables: bool) -> list[tuple[str, frozenset[str]]]:
    """For each condition, the compared key and the keys of the variables in its values, in lower case."""
    return [
        (fold(key), variables_in(values) if has_variables else frozenset())
        for _, key, values in statement.conditions
    ]


def special_names(principals: Principals) -> frozenset[str]:
    """The ARNs and unique IDs under `AWS`, with `account:role` for sessions; empty if `*` is among them."""
    names = principals.get("AWS", ())
    if "*" in names:
        return frozenset()
    special = set()
    for name in names:
        parts = name.split(":", 5)
        is_session = len(parts) == 6 and parts[5].startswith("assumed-role/")
        if is_session:
            name = f"{parts[4]}:{parts[5].split('/')[1]}"
        special.add(name)
    return frozenset(special)


def keys_of_services(statements: Iterable[Statement]) -> frozenset[str]:
    """The lowercase condition keys that only some actions of one service have."""
    service_keys = set()
    for statement in statements:
        for _, key, _ in statement.conditions:
            lowered = fold(key)
            is_global = lowered.startswith("aws:") or lowered in GLOBAL_KEYS
            if not is_global and catalogue().condition_key(lowered) is not None:
                service_keys.add(lowered)
    return frozenset(service_keys)
