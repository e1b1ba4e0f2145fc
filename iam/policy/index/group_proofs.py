"""Proves what a change does to a group of actions. Verdicts are reused where the same statements decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from iam.policy.evaluate import ASSUMING
from iam.policy.index.action_group import ActionGroup
from iam.policy.index.keys import keys_of_services
from iam.policy.index.kinds import ResourceKindSet, sorts_of
from iam.policy.index.names import ABSTRACT
from iam.policy.index.overlap import Tokens
from iam.policy.index.proof_memory import ProofMemory
from iam.policy.index.proof_sharing import ProofKey
from iam.policy.index.request_trial import NONE, RequestTrial
from iam.policy.index.sides import PrincipalSide
from iam.policy.index.verdicts import ActionSetProof, AlikeVerdict
from iam.policy.letter_case import fold


class GroupProofs:
    """The proofs of one group of actions."""

    def __init__(self, group: ActionGroup, prover: ProofMemory, *, alike: ProofKey | None = None) -> None:
        self._group = group
        self._prover = prover
        self._alike = alike
        self.is_taken_over = False
        """True if a verdict contains requests of a similar principal."""
        self.unsettled = 0
        """The actions for which nothing that the differing statements concern is allowed before, or after."""

    def proofs(self) -> Iterator[ActionSetProof]:
        """What happens to the actions."""
        group = self._group
        is_same_shape = group.before.shape == group.after.shape
        if group.left == group.right and is_same_shape and not group.differ_in_person:
            return
        keys = keys_of_services(each.clause.shape.plain for each in group.every)
        is_everywhere = group.accounts is not None
        is_partial = any(each.clause.is_partial for each in group.every)
        if not (keys or is_everywhere or is_partial):
            yield from self._proof(ResourceKindSet(group.part, None), is_anywhere=True)
            return
        patterns = group.patterns()
        space = self._prover.space
        sorts = sorts_of(space, group.part, patterns=patterns, keys=keys, is_everywhere=is_everywhere)
        for sort in sorts:
            yield from self._proof(sort, patterns=patterns)

    def _proof(
        self, sort: ResourceKindSet, *, patterns: Mapping[Tokens, int] = NONE, is_anywhere: bool = False
    ) -> Iterator[ActionSetProof]:
        verdict, is_settled = self._verdict(sort, patterns, is_anywhere=is_anywhere)
        if not verdict.is_nothing or verdict.already or verdict.keeps or verdict.blocked:
            self.unsettled |= 0 if is_settled else sort.mask
            yield ActionSetProof(sort.mask, verdict)

    def _verdict(
        self, sort: ResourceKindSet, patterns: Mapping[Tokens, int], *, is_anywhere: bool
    ) -> tuple[AlikeVerdict, bool]:
        key = self._verdict_key(sort, is_anywhere=is_anywhere)
        known = self._prover.known.get(key)
        arn = self._group.before.principal.arn
        if known is None:
            trial = RequestTrial(self._group, sort, patterns, is_anywhere=is_anywhere)
            verdict = trial.verdict()
            known = (arn, self._prover.verdicts.setdefault(verdict, verdict), trial.is_settled)
            self._prover.known[key] = known
        self.is_taken_over = self.is_taken_over or (self._alike is not None and known[0] != arn)
        return known[1], known[2]

    def _verdict_key(self, sort: ResourceKindSet, *, is_anywhere: bool) -> object:
        kind: object = "anywhere" if is_anywhere else sort.formats
        if sort.is_elsewhere:
            kind = ("elsewhere", sort.formats == ())
        group = self._group
        action = group.name_of(sort.mask)
        return (
            # It makes no difference which statement allows everything.
            group.left[group.is_plain :],
            group.right[group.is_plain :],
            group.is_plain,
            self._principal_key(group.before),
            self._principal_key(group.after),
            kind,
            sort.never,
            group.has_rcps,
            fold(action) in ASSUMING,
        )

    def _principal_key(self, side: PrincipalSide) -> tuple[object, ...]:
        """What the verdicts depend on in a side's principal."""
        principal, alike = side.principal, self._alike
        place = alike.place if alike else (principal.account, _texts(side.facts), _texts(side.place_facts))
        own: list[object] = []
        for key in self._group.own_keys:
            if alike and alike.name and key in ABSTRACT:
                own.append(alike.name)
            else:
                own.append(side.known.values(key))
        is_untagged = principal.tags is None
        return (principal.kind, place, is_untagged, bool(principal.unique_id), tuple(own), side.shape)


def _texts(facts: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, str(value)) for key, value in facts.items()))
