"""What a proof says of a change: requests that are answered differently, and what becomes of the actions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from iam.policy.evaluate import needs_resource_policy
from iam.policy.index.circumstances import Circumstance
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.kinds import formats_of
from iam.policy.index.probes import ProbePlace, probes
from iam.policy.index.sides import PrincipalSide
from iam.policy.letter_case import fold

ALLOWED: Final = "allowed"
DENIED: Final = "denied"
TRUST_POLICY: Final = "trust-policy"
KEY_POLICY: Final = "key-policy"
RESOURCE_POLICY: Final = "resource-policy"


class RequestSample(NamedTuple):
    """Resource and circumstances of a request; resource None: any that the action works on."""

    resource: str | None
    context: Circumstance

    def outline(self, side: PrincipalSide, own_keys: Iterable[str]) -> RequestSample:
        """The same for all of whom the same is true: without the account of its principal, and without what
        this one has of its own in some keys.
        """
        texts = {side.principal.account: "account"}
        for key in own_keys:
            texts.update((text, key) for text in side.known.values(key) or () if text)

        def without_own(text: str) -> str:
            for own in sorted(texts, key=len, reverse=True):
                text = text.replace(own, f"\0{texts[own]}\0")
            return text

        context = tuple((key, tuple(map(without_own, values))) for key, values in self.context)
        resource = None if self.resource is None else without_own(self.resource)
        return RequestSample(resource, context)


@dataclass(frozen=True, slots=True)
class ChangeWitness:
    """A request that is answered differently before and after. Keys that `context` does not name are absent.

    `given` is what else has to allow it, and is taken to: the trust policy of a role, a key policy, the
    policy of another account's resource.
    """

    principal: str
    action: str
    resource: str
    context: Circumstance
    before: str
    after: str
    given: str = ""

    @property
    def was_allowed(self) -> bool:
        """Whether it is a request that is no longer allowed; else one that is newly allowed."""
        return self.before == ALLOWED


class AlikeVerdict(NamedTuple):
    """What becomes of actions that all statements treat alike. `more` is a request that is allowed after and
    was not, `less` the reverse.

    `had`, `has`: whether anything of it is allowed before, and after. `only_then`: of the resource of `less`
    something is still allowed, under other circumstances. `already`, `keeps`: the documents that give all of
    what is newly given, or taken away. `blocked`: what denies all of it. `outlines` are of `more` and `less`.
    """

    more: RequestSample | None = None
    less: RequestSample | None = None
    had: bool = False
    has: bool = False
    only_then: bool = False
    already: tuple[IndexedDocument, ...] = ()
    keeps: tuple[IndexedDocument, ...] = ()
    blocked: tuple[str, ...] = ()
    is_given: bool = False
    is_taken: bool = False
    outlines: tuple[RequestSample | None, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether no request is answered differently."""
        return self.more is None and self.less is None

    @property
    def sort(self) -> str:
        """What becomes of the actions, as `AccessShift` calls it; empty where nothing does."""
        if self.more is not None:
            if self.less is not None:
                return "altered"
            return "wider" if self.had else "gained"
        if self.less is None:
            return ""
        if not self.has:
            return "lost"
        return "conditional" if self.only_then else "narrower"


class ActionSetProof(NamedTuple):
    """A set of actions and what becomes of them."""

    mask: int
    verdict: AlikeVerdict


class FindsChange(Protocol):
    """Compares a principal before and after."""

    def change(self, before: PrincipalSide, after: PrincipalSide, *, within: int) -> PrincipalChange:
        """What becomes of the actions `within` a set."""
        ...


@dataclass(frozen=True, slots=True)
class PrincipalChange:
    """What becomes of all actions for one principal; those of which nothing can be said are left out.

    `proved_for` is the ARN of the principal whose requests the proofs name; empty where they were taken over
    from several others. `prover` finds the requests of everybody else. `personal` are the actions for which
    principals who hold the same may differ. Of the `unsettled` ones nothing is allowed before, or after, that
    the differing statements are about.
    """

    proofs: tuple[ActionSetProof, ...] = ()
    is_personal: bool = False
    proved_for: str = field(default="", compare=False)
    prover: FindsChange | None = field(default=None, compare=False, repr=False)
    personal: int = field(default=0, compare=False)
    unsettled: int = field(default=0, compare=False)

    def own(self, before: PrincipalSide, after: PrincipalSide, *, within: int) -> PrincipalChange:
        """The same with requests of this principal, for the actions `within` a set."""
        if self.prover is None or self.proved_for == before.principal.arn:
            return self
        return self.prover.change(before, after, within=within)

    def changes_any_of(self, mask: int) -> bool:
        """Whether a request for some of the actions is answered differently."""
        return any(not verdict.is_nothing and proof & mask for proof, verdict in self.proofs)

    def verdict_of(self, bit: int) -> AlikeVerdict | None:
        """What becomes of one action."""
        return next((verdict for mask, verdict in self.proofs if mask & bit), None)


def witness_of(
    principal: PrincipalSide, action: str, cell: RequestSample, *, was_allowed: bool
) -> ChangeWitness:
    """The request of a cell for an action of its set."""
    resource = cell.resource if cell.resource is not None else _any_resource(principal, action)
    request = principal.request(action, resource, context=dict(cell.context))
    what_policy = ""
    if needs_resource_policy(request):
        what_policy = KEY_POLICY if fold(action).startswith("kms:") else TRUST_POLICY
    elif request.is_cross_account:
        what_policy = RESOURCE_POLICY
    answers = (ALLOWED, DENIED) if was_allowed else (DENIED, ALLOWED)
    return ChangeWitness(principal.principal.arn, action, resource, cell.context, *answers, what_policy)


def _any_resource(side: PrincipalSide, action: str) -> str:
    """A resource that an action works on."""
    who = side.principal
    place = ProbePlace(who.partition, who.account, fold(action.partition(":")[0]))
    formats = formats_of(action)
    return next((probes({}, formats=(each,), place=place)[0] for each in formats or ()), "*")
