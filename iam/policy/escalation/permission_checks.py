"""Permission checks for all principals of an account and their possible states, answered as bits, one for
each.

The answers equal those of `PolicyIndex.who_can`. Targets that no relevant statement distinguishes are checked
once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from iam.policy.catalogue import catalogue
from iam.policy.escalation.condition_facts import (
    BOUNDARY,
    HOME,
    MAX_REGIONS,
    REGION,
    ConditionFacts,
    ResourceNames,
    boundary_of,
    keys_of,
    regions_in,
    tag_keys,
    tags_of,
)
from iam.policy.evaluate import ASSUMING, EvaluationDecision
from iam.policy.index.classes import IndexedPrincipal, PrincipalClass
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.elements import EVERY_SERVICE, ActionElement
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.letter_case import fold

SCP_CONTEXT: Final = {"aws:RequestedRegion": HOME, "organizations:PolicyType": "SERVICE_CONTROL_POLICY"}
"""The context of requests to Organizations about SCPs."""


class PrincipalBits(NamedTuple):
    """The principals that certainly can, and those that can at least conditionally."""

    sure: int = 0
    any: int = 0

    def __and__(self, other: object) -> PrincipalBits:
        assert isinstance(other, PrincipalBits)
        if not self.any or other is EVERYBODY:
            return self
        if not other.any or self is EVERYBODY:
            return other
        return PrincipalBits(self.sure & other.sure, self.any & other.any)

    def __or__(self, other: object) -> PrincipalBits:
        assert isinstance(other, PrincipalBits)
        if not other.any or self == other:
            return self
        return PrincipalBits(self.sure | other.sure, self.any | other.any) if self.any else other

    def limited_to(self, mask: int) -> PrincipalBits:
        """Return only the principals in the mask."""
        return PrincipalBits(self.sure & mask, self.any & mask)

    def at_most(self, mark: PrincipalBits) -> PrincipalBits:
        """Return the principals, certain only where the other is certain too."""
        return PrincipalBits(self.sure & mark.sure, self.any & mark.any)

    @property
    def as_unsure(self) -> PrincipalBits:
        """The same principals, all uncertain."""
        return PrincipalBits(0, self.any)


NOBODY: Final = PrincipalBits()
EVERYBODY: Final = PrincipalBits(-1, -1)


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """The target of a permission check. `tags` None means unknown, or not a principal. `boundary` is an ARN
    or empty. `mask` are the bits of the principal itself.
    """

    arn: str
    tags: Mapping[str, str] | None = None
    boundary: str = ""
    trust: IndexedDocument | None = None
    mask: int = 0
    account: str = ""


class CheckSource:
    """Principals of one account in a separate index, and their bits by number."""

    def __init__(self, index: PolicyIndex, account: str, bits: Mapping[int, int]) -> None:
        self.index, self.bits = index, bits
        self.shard = index.accounts[account]
        self.numbers = {bit: number for number, bit in bits.items()}
        self._of_class: dict[PrincipalClass, int] = {}

    def ask(self, question: AccessQuestion) -> PrincipalBits:
        """Return who can, as bits."""
        sure = possible = 0
        answer = self.index.who_can(question)
        for decision, classes in answer.whole.items():
            mask = 0
            for cls in classes:
                mask |= self._class(cls)
            possible |= mask
            sure |= mask if decision is EvaluationDecision.ALLOWED else 0
        for part in answer.parts:
            mask = self.bits_of(part.members)
            possible |= mask
            sure |= mask if part.decision is EvaluationDecision.ALLOWED else 0
        return PrincipalBits(sure, possible)

    def bits_in(self, mask: int) -> Iterator[int]:
        """Yield the bits of a mask that belong to this source."""
        while mask:
            lowest = mask & -mask
            mask ^= lowest
            if lowest in self.numbers:
                yield lowest

    def _class(self, cls: PrincipalClass) -> int:
        mask = self._of_class.get(cls)
        if mask is None:
            mask = self._of_class[cls] = self.bits_of(cls.members)
        return mask

    def bits_of(self, members: Iterable[IndexedPrincipal]) -> int:
        """Return the bits of the members."""
        mask = 0
        for member in members:
            mask |= self.bits.get(member.id, 0)
        return mask

    @property
    def docs(self) -> Iterator[IndexedDocument]:
        """All documents that apply to its principals, with duplicates."""
        yield from self.index.register.bundles_of
        for profile in self.index.register.profiles:
            if profile.limits.boundary is not None:
                yield profile.limits.boundary
        levels = self.shard.levels
        for level in (*levels.scps, *levels.rcps):
            for _, doc in level:
                yield doc


class _PermissionQuestion(NamedTuple):
    """An action to check on any resource."""

    action: str
    policy: str | None = None

    @property
    def needs_trust(self) -> bool:
        """True if the role's trust policy applies."""
        return self.policy is None and fold(self.action) in ASSUMING

    def question(self, resource: str, context: Mapping[str, Any]) -> AccessQuestion:
        """Return the question about one resource."""
        return AccessQuestion(self.action, resource, context, resource_policy=self.policy, is_pattern=False)


class PermissionAsker:
    """Queries the sources of one account and caches the answers."""

    def __init__(self) -> None:
        self.sources: list[CheckSource] = []
        self._spoken: dict[str, ConditionFacts] = {}
        self._known: dict[Any, PrincipalBits] = {}
        self._names: dict[IndexedStatement, ResourceNames] = {}
        self._regions: tuple[str, ...] | None = None
        self._spoken_of: dict[str, dict[ActionElement, bool]] = {}
        self.questions = 0

    def use(self, sources: list[CheckSource], *, more: Iterable[IndexedDocument] = ()) -> None:
        """Use these sources from now on. Statements in `more` documents are considered too."""
        self.sources = sources
        self._clause_sets: dict[tuple[IndexedStatement, ...], int] = {}
        of_sources = chain.from_iterable(source.docs for source in sources)
        self._docs = list(dict.fromkeys(chain(of_sources, more)))
        self._clauses: dict[str, dict[ActionElement, dict[IndexedStatement, None]]] = {}
        clauses = dict.fromkeys(chain.from_iterable(doc.clauses for doc in self._docs))
        for clause in clauses:
            for service in clause.actions.services:
                by_actions = self._clauses.setdefault(service, {})
                by_actions.setdefault(clause.actions, {})[clause] = None
        self._regions = None
        self._spoken.clear()
        self._known.clear()

    @property
    def moment(self) -> datetime | None:
        """The time of the questions; None for now."""
        return self.sources[0].index.moment if self.sources else None

    def clauses(self, action: str) -> tuple[IndexedStatement, ...]:
        """Return the statements that cover an action."""
        return self._speaking(action).clauses

    def keys(self, action: str) -> frozenset[str]:
        """Return the context keys, in lower case, that the statements about an action read."""
        return self._speaking(action).keys

    def has_allowing(self, action: str) -> bool:
        """Return True if any statement allows an action."""
        return self._speaking(action).is_allowed

    def reads_tags(self, action: str) -> bool:
        """Return True if the statements about an action read tags of the resource."""
        return bool(self._speaking(action).tags)

    def regions(self) -> tuple[str, ...]:
        """Return the Regions that statements name in conditions or resources, always including IAM's own."""
        if self._regions is None:
            regions = {HOME: None}
            for doc in self._docs:
                for clause in doc.clauses:
                    regions |= dict.fromkeys(regions_in(clause))
            self._regions = tuple(regions)[:MAX_REGIONS]
        return self._regions

    def ask(self, action: str, resource: str, context: Mapping[str, Any]) -> PrincipalBits:
        """Return who can do an action on one resource."""
        spoken = self._speaking(action)
        relevant = self._relevant(action, context)
        key = (spoken.number, has_rcps_of(action), spoken.match_key(resource), _frozen(relevant))
        principals = self._known.get(key)
        if principals is None:
            principals = self._known[key] = self._ask(_PermissionQuestion(action), resource, relevant)
        return principals

    def on_targets(
        self,
        action: str,
        targets: Sequence[CheckTarget],
        context: Mapping[str, Any],
        *,
        policy: str | None = None,
    ) -> list[PrincipalBits]:
        """Return who can do an action on each target. `policy` replaces the resource policy of
        each target.
        """
        put, spoken = _PermissionQuestion(action, policy), self._speaking(action)
        groups: dict[Any, list[int]] = {}
        contexts = [self._context(action, target, context) for target in targets]
        for place, target in enumerate(targets):
            shape, trust = spoken.match_key(target.arn), target.trust if put.needs_trust else None
            key = (shape, _frozen(contexts[place]), trust, target.account)
            groups.setdefault(key, []).append(place)
        principals = [NOBODY] * len(targets)
        for key, places in groups.items():
            known = (spoken.number, has_rcps_of(action), put.policy, put.needs_trust, *key)
            group = [targets[place] for place in places]
            for place, bits in zip(
                places, self._on_group(put, group, contexts[places[0]], known), strict=True
            ):
                principals[place] = bits
        return principals

    def _on_group(
        self, put: _PermissionQuestion, group: list[CheckTarget], context: Mapping[str, Any], key: Any
    ) -> list[PrincipalBits]:
        """Return who can, on targets that differ only for the targets themselves."""
        if not self._speaking(put.action).names_their_own:
            principals = self._known.get(key)
            if principals is None:
                principals = self._known[key] = self._ask(put, group[0].arn, context)
            return [principals] * len(group)
        first = self._ask(put, group[0].arn, context)
        if len(group) == 1:
            return [first]
        mask = group[0].mask
        common = first.limited_to(~mask) | self._ask(put, group[1].arn, context).limited_to(mask)
        marks: dict[PrincipalClass, EvaluationDecision] = {}
        return [
            common.limited_to(~target.mask) | self._on_itself(put, target, context, marks) for target in group
        ]

    def _on_itself(
        self,
        put: _PermissionQuestion,
        target: CheckTarget,
        context: Mapping[str, Any],
        marks: dict[PrincipalClass, EvaluationDecision],
    ) -> PrincipalBits:
        """Return who can among the target itself. Principals of a class get the answer of their class, unless
        a condition reads their names.
        """
        principals = NOBODY
        for source in self.sources:
            for bit in source.bits_in(target.mask):
                member = source.shard.members[source.numbers[bit]]
                decision = marks.get(member.cls)
                if decision is None:
                    decision = source.index.decide(member, put.question(target.arn, context))
                    if not _is_personal(member.cls):
                        marks[member.cls] = decision
                principals |= _bits(decision, bit)
        return principals

    def _ask(self, put: _PermissionQuestion, resource: str, context: Mapping[str, Any]) -> PrincipalBits:
        question = put.question(resource, context)
        self.questions += 1
        principals = NOBODY
        for source in self.sources:
            principals |= source.ask(question)
        return principals

    def _context(self, action: str, target: CheckTarget, context: Mapping[str, Any]) -> dict[str, Any]:
        """Return the known context of a request about a target, limited to keys that statements read."""
        wanted = self._speaking(action).keys
        context_keys = self._relevant(action, context)
        if BOUNDARY in wanted:
            context_keys.setdefault("iam:PermissionsBoundary", boundary_of(action, target.boundary))
        tags = self._speaking(action).tags
        if tags and target.tags is not None:
            context_keys |= tags_of(target.tags, tags)
        return context_keys

    def _relevant(self, action: str, context: Mapping[str, Any]) -> dict[str, Any]:
        wanted = self._speaking(action).keys
        if not wanted or not context:
            return {}
        return {key: value for key, value in context.items() if fold(key) in wanted}

    def _speaking(self, action: str) -> ConditionFacts:
        facts = self._spoken.get(action)
        if facts is None:
            clauses = tuple(self._naming_statements(fold(action)))
            wanted = frozenset(chain.from_iterable(map(keys_of, clauses)))
            areas = tuple(self._names_of(clause) for clause in clauses if clause.is_partial)
            number = self._clause_sets.setdefault(clauses, len(self._clause_sets))
            facts = self._spoken[action] = ConditionFacts(
                clauses, number, wanted, areas, tag_keys(wanted), any(clause.allows for clause in clauses)
            )
        return facts

    def _naming_statements(self, lowered: str) -> Iterator[IndexedStatement]:
        """Yield the statements that cover an action. Which elements do so is the same in all rounds."""
        known = self._spoken_of.setdefault(lowered, {})
        for service in (lowered.partition(":")[0], EVERY_SERVICE):
            for actions, same in self._clauses.get(service, {}).items():
                is_named = known.get(actions)
                if is_named is None:
                    is_named = known[actions] = actions.covers_action(lowered)
                if is_named:
                    yield from same

    def _names_of(self, clause: IndexedStatement) -> ResourceNames:
        names = self._names.get(clause)
        if names is None:
            names = self._names[clause] = ResourceNames(clause)
        return names


def has_rcps_of(action: str) -> bool:
    """Return True if resource control policies apply to the action. Beyond its statements, nothing else
    depends on the action's name.
    """
    return fold(action.partition(":")[0]) in catalogue().rcp_services


def _is_personal(cls: PrincipalClass) -> bool:
    """Return True if members of a class can get different answers on the same resource."""
    limits = cls.profile.limits
    boundary = limits.boundary
    return (
        limits.levels.is_personal
        or (boundary is not None and boundary.is_personal)
        or any(doc.is_personal for doc in cls.profile.bundle.docs)
    )


def _frozen(context: Mapping[str, Any]) -> Any:
    if not context:
        return ()
    return tuple(sorted((fold(key), str(value)) for key, value in context.items()))


def _bits(decision: EvaluationDecision, bit: int) -> PrincipalBits:
    if decision is EvaluationDecision.ALLOWED:
        return PrincipalBits(bit, bit)
    return PrincipalBits(0, bit) if decision is EvaluationDecision.CONDITIONAL else NOBODY


__all__ = [
    "EVERYBODY",
    "HOME",
    "NOBODY",
    "REGION",
    "CheckSource",
    "CheckTarget",
    "PermissionAsker",
    "PrincipalBits",
    "tags_of",
]
