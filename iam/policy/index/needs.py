"""What must be known of a principal before some statements can be judged for it: by that, principals are told apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from iam.policy.document import Principals
from iam.policy.index import keys
from iam.policy.index.classes import Member
from iam.policy.index.documents import Clause
from iam.policy.request import Principal, PrincipalKind

Signature = tuple[Any, ...]
ABSENT_FROM_QUESTION: Final = "not in the question"


@dataclass(frozen=True, slots=True)
class Needs:
    """See `Traits`. `special` are names in Principal elements: whom they mean is told apart from everybody else."""

    is_placed: bool = False
    raw: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    special: frozenset[str] = frozenset()

    @property
    def tells_apart(self) -> bool:
        """Whether principals of one class may be judged differently."""
        return bool(self.raw or self.named or self.special)

    def __or__(self, other: Needs) -> Needs:
        if other is NONE or self is other:
            return self
        if self is NONE:
            return other
        return Needs(
            self.is_placed or other.is_placed,
            self.raw | other.raw,
            self.named | other.named,
            self.special | other.special,
        )


NONE: Final = Needs()


class Reader:
    """Finds the needs of statements for one question, and the signatures of principals by them."""

    def __init__(self, *, texts: Iterable[str], resource: str, is_pattern: bool, says_who: bool) -> None:
        """`texts` are all that values of variables can be compared with; `says_who`: keys of principals are among the context."""
        self._texts = "\n".join(texts).lower()
        self._resource = resource
        self._is_pattern = is_pattern
        self._says_who = says_who

    def of_clauses(self, clauses: Iterable[Clause], *, is_marked: bool, is_resource: bool) -> Needs:
        """`is_marked`: classes agree in the atoms of the clauses. `is_resource`: they may have Principal elements."""
        found = NONE
        for clause in clauses:
            traits = clause.traits
            if traits.is_plain:
                continue
            raw, named, is_placed = traits.raw, traits.named, traits.is_placed
            special: frozenset[str] = frozenset()
            if named and not self._is_within_reach(clause):
                named = frozenset()
            if self._says_who:
                raw, is_placed = raw | traits.paired, is_placed or traits.has_pairs
            if not is_marked:
                raw, is_placed = raw | traits.atom_keys, is_placed or bool(traits.atoms)
            if traits.names_principals:
                is_placed = True
                if is_resource:
                    special = special_names(clause.source.principals or {})
                else:
                    raw = raw | {"aws:principalarn"}
            if self._is_pattern:
                raw, named = raw | named, frozenset()
            found = found | Needs(is_placed, raw, named, special)
        return found

    def _is_within_reach(self, clause: Clause) -> bool:
        """Whether its variables can matter. Those in conditions can always; those in a pattern that fits for nobody cannot."""
        if clause.traits.named_in_conditions or clause.area is None:
            return True
        return clause.area.is_possible(self._resource)

    def signature(self, member: Member, needs: Needs) -> Signature:
        """Members of a class with one signature are judged alike."""
        if not needs.tells_apart:
            return ()
        who = member.principal
        found: list[Any] = [(key, keys.own_values(who, key)) for key in sorted(needs.raw)]
        found += [(key, self._reduced(who, key)) for key in sorted(needs.named - needs.raw)]
        if needs.special and is_special(who, needs.special):
            found.append(who.arn)
        return tuple(found)

    def _reduced(self, who: Principal, key: str) -> Any:
        """A value that does not occur in the question is as good as any other that does not."""
        values = keys.own_values(who, key)
        if values is not None and len(values) == 1 and values[0].lower() not in self._texts:
            return ABSENT_FROM_QUESTION
        return values


def special_names(principals: Principals) -> frozenset[str]:
    """ARNs and unique ids under AWS, and account and role of the sessions that are named."""
    found = set()
    for name in principals.get("AWS", ()):
        parts = name.split(":", 5)
        is_session = len(parts) == 6 and parts[5].startswith("assumed-role/")
        found.add(f"{parts[4]}:{parts[5].split('/')[1]}" if is_session else name)
    return frozenset(found)


def is_special(who: Principal, names: frozenset[str]) -> bool:
    """Whether a Principal element may mean the principal itself, not only its account or everybody."""
    if who.arn in names or (who.unique_id and who.unique_id in names):
        return True
    return who.kind is PrincipalKind.ROLE and f"{who.account}:{who.name}" in names
