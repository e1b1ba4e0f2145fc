"""Finds what stands out in a policy document's text: all actions allowed, changes to IAM, or a deny."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from iam.policy.applicability import can_apply, can_be_of_any_service
from iam.policy.catalogue import catalogue
from iam.policy.letter_case import fold
from iam.policy.statements import as_list, statements_of

EVERYTHING = "everything"
IAM_WRITE = "iam"
DENIES = "denies"
OWN_ONLY: Final = ("iam:ChangePassword",)
"""IAM actions that change nothing but the caller's own password (IAM API Reference, ChangePassword)."""

MANY_ACTIONS: Final = 1200
"""More actions than any service has: some of them work on any given resource."""
_IAM_READING = ("iam:get", "iam:list", "iam:generate", "iam:simulate")


def flags(text: str) -> tuple[str, ...]:
    """Sorted marks of a document: it allows every action, allows changes to IAM, or denies something.

    An action counts if it can work on one of the statement's resources. Conditions and boundaries are
    ignored: a mark is a hint, not a decision. Unreadable documents have no marks.
    """
    flag_names: set[str] = set()
    for statement in map(_StatementMarks, statements_of(text)):
        if statement.effect == "Deny" and statement.has_effect:
            flag_names.add(DENIES)
        elif statement.effect == "Allow":
            flag_names |= statement.allow_flags()
    return tuple(sorted(flag_names))


class _StatementMarks:
    """A statement's actions and resources, as needed for its marks."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.effect = body.get("Effect")
        self.is_not_resource = "NotResource" in body
        self.resources = _resources(body)
        self.patterns: list[str] = [] if "NotAction" in body else _lower(body.get("Action", []))
        self.actions = _mask(self.patterns)
        if "NotAction" in body:
            self.actions = catalogue().mask("*") & ~_mask(_lower(body["NotAction"]))

    @property
    def has_effect(self) -> bool:
        """False only if none of its actions works on any of its resources."""
        if self.actions.bit_count() > MANY_ACTIONS or not all(map(catalogue().mask, self.patterns)):
            return True
        return any(map(self._applies, catalogue().names(self.actions)))

    def allow_flags(self) -> set[str]:
        """The marks of what the statement allows."""
        is_everything = self.actions == catalogue().mask("*")
        if is_everything and can_be_of_any_service(self.resources, is_not=self.is_not_resource):
            return {EVERYTHING}
        changing = [*catalogue().names(self.actions & _changing_iam()), *filter(_is_unknown, self.patterns)]
        return {IAM_WRITE} if any(map(self._applies, changing)) else set()

    def _applies(self, action: str) -> bool:
        return can_apply(action, self.resources, is_not=self.is_not_resource)


def _resources(body: dict[str, Any]) -> list[str] | None:
    """The values of the Resource or NotResource element; None if it has neither."""
    value = body.get("NotResource", body.get("Resource"))
    if value is None:
        return None
    return [item for item in as_list(value) if isinstance(item, str)]


def _mask(patterns: list[str]) -> int:
    bits = 0
    for pattern in patterns:
        bits |= catalogue().mask(pattern)
    return bits


@cache
def _changing_iam() -> int:
    known = catalogue()
    return known.mask_of_service("iam") & ~known.mask_of_reads & ~_mask(_lower(list(OWN_ONLY)))


def _is_unknown(action: str) -> bool:
    """True for an IAM action that AWS may have added since, unless its name suggests that it only reads."""
    is_known = bool(catalogue().mask(action))
    return action.startswith("iam:") and not is_known and not action.startswith(_IAM_READING)


def _lower(value: object) -> list[str]:
    return [fold(item) for item in as_list(value) if isinstance(item, str)]
