"""Tells what must be known about a principal to evaluate statements. Principals are distinguished by that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from iam.policy.index import keys
from iam.policy.index.areas import may_be_about
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import IndexedStatement
from iam.policy.index.question import AccessQuestion
from iam.policy.letter_case import fold
from iam.policy.request import PrincipalKind, values_of

Signature = tuple[Any, ...]
ABSENT_FROM_QUESTION: Final = "not in the question"
NAMES_OF_USERS: Final = frozenset({"aws:username"})
"""Names known for every principal: users have one, others have none."""


@dataclass(frozen=True, slots=True)
class StatementNeeds:
    """See `StatementTraits`. `special` are names in Principal elements; the principals they refer to are
    distinguished from all others.
    """

    is_placed: bool = False
    raw: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    special: frozenset[str] = frozenset()

    @property
    def tells_apart(self) -> bool:
        """True if principals of one class may get different decisions."""
        return bool(self.raw or self.named or self.special)

    def __or__(self, other: StatementNeeds) -> StatementNeeds:
        if other is NONE or self is other:
            return self
        if self is NONE:
            return other
        return StatementNeeds(
            self.is_placed or other.is_placed,
            self.raw | other.raw,
            self.named | other.named,
            self.special | other.special,
        )


NONE: Final = StatementNeeds()


class NeedsReader:
    """Finds the needs of statements for one question, and the signatures of principals for them."""

    def __init__(self, question: AccessQuestion) -> None:
        values = chain.from_iterable(map(values_of, question.context.values()))
        # All texts that the values of variables can be compared with.
        self.texts = fold("\n".join((question.resource, *values)))
        self._resource = question.resource
        self._is_pattern = question.asks_for_pattern
        self._is_open = self._is_pattern or "*" in question.resource or "?" in question.resource
        # True if the context overrides keys that would follow from the principal.
        self._says_who = any(keys.is_of_principal(fold(key)) for key in question.context)

    def of_clauses(
        self, clauses: Iterable[IndexedStatement], *, is_marked: bool, is_resource: bool
    ) -> StatementNeeds:
        """The combined needs of these statements. `is_marked`: marks distinguish the principals already.
        `is_resource`: the statements may have Principal elements.
        """
        needs = NONE
        for clause in clauses:
            if not clause.traits.is_plain:
                needs = needs | self._of_clause(clause, is_marked=is_marked, is_resource=is_resource)
        return needs

    def _of_clause(self, clause: IndexedStatement, *, is_marked: bool, is_resource: bool) -> StatementNeeds:
        traits = clause.traits
        raw, named, is_placed = traits.raw, traits.named, traits.is_placed
        special: frozenset[str] = frozenset()
        if named and not self._is_within_reach(clause):
            named = frozenset()
        if self._says_who:
            raw, is_placed = raw | traits.paired, is_placed or traits.has_pairs
        if not is_marked:
            raw, is_placed = raw | traits.atom_keys | traits.tags, is_placed or bool(traits.atoms)
        if traits.names_principals:
            special = keys.special_names(clause.shape.plain.principals or {})
            is_placed = is_placed or bool(special)
        if special and not is_resource:
            raw, special = raw | {"aws:principalarn"}, frozenset()
        if self._is_pattern and not (named and self._is_met_by_all(clause)):
            raw, named = raw | named, frozenset()
        return (
            StatementNeeds(is_placed, raw, named, special) if is_placed or raw or named or special else NONE
        )

    def is_the_same_for_all(self, clause: IndexedStatement) -> bool:
        """True if a statement of an identity-based policy means the same for all principals."""
        traits = clause.traits
        if traits.is_plain:
            return True
        if traits.atoms or traits.tags or traits.names_principals or not traits.named <= NAMES_OF_USERS:
            return False
        return self._of_clause(clause, is_marked=True, is_resource=False) is NONE

    def _is_within_reach(self, clause: IndexedStatement) -> bool:
        """True if the variables of a statement can matter. They always can in conditions; they can't in a
        pattern that matches for no principal.
        """
        if clause.traits.named_in_conditions:
            return True
        source = clause.source
        names = None if source.is_not_resource or self._is_open else source.resources
        if names is not None and not may_be_about(names, self._resource):
            return False
        if clause.area is None:
            return True
        return clause.area.is_possible(self._resource)

    def _is_met_by_all(self, clause: IndexedStatement) -> bool:
        """True if the question is about everything, and the patterns match a part of it whatever their
        variables are.
        """
        area = clause.area
        if self._resource != "*" or area is None or clause.traits.named_in_conditions:
            return False
        return area.is_some_of_everything

    def mentions(self, name: str) -> bool:
        """True if a name (in lower case) occurs in the question."""
        return name in self.texts

    def depends_on_names_alone(self, needs: StatementNeeds) -> bool:
        """True if all principals whose names aren't in the question get the same decision."""
        return not (needs.raw or needs.special or needs.is_placed) and needs.named <= NAMES_OF_USERS

    def signature(self, member: IndexedPrincipal, kind: PrincipalKind, needs: StatementNeeds) -> Signature:
        """The signature of a member. Members of a class with equal signatures get the same decision. `kind`
        is that of the class.
        """
        signature: list[Any] = []
        for key in sorted(needs.raw):
            signature.append((key, keys.own_values(kind, member.arn, member.unique_id, member.tags, key)))
        for key in sorted(needs.named - needs.raw):
            values = keys.own_values(kind, member.arn, member.unique_id, member.tags, key)
            # Values that don't occur in the question are equivalent.
            is_met = values is None or len(values) != 1 or fold(values[0]) in self.texts
            signature.append((key, values if is_met else ABSENT_FROM_QUESTION))
        if needs.special and is_special(member, kind, needs.special):
            signature.append(member.arn)
        return tuple(signature)


def is_special(member: IndexedPrincipal, kind: PrincipalKind, names: frozenset[str]) -> bool:
    """True if a Principal element may name the principal itself, not only its account or everyone."""
    if member.arn in names or member.unique_id in names:
        return True
    return kind is PrincipalKind.ROLE and f"{member.account}:{member.name}" in names
