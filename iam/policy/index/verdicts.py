"""The content of proofs about a change: requests whose decision differs, and what happens to actions."""

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
    """Resource and circumstances of a request. `resource` None means any resource that the action works
    on.
    """

    resource: str | None
    context: Circumstance

    def outline(self, side: PrincipalSide, own_keys: Iterable[str]) -> RequestSample:
        """The sample in the form shared by similar principals: without the principal's account and without
        its values for these keys.
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
    """A request whose decision differs before and after. Keys missing in `context` are absent.

    `given` is another policy that must allow the request and is assumed to: a role's trust policy, a key
    policy, or the policy of another account's resource.
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
        """True if the request is no longer allowed; False if it is newly allowed."""
        return self.before == ALLOWED


class AlikeVerdict(NamedTuple):
    """What happens to actions that all statements treat alike. `more` is a newly allowed request, `less` one
    that is no longer allowed.

    `had`, `has`: something is allowed before, after. `only_then`: something is still allowed on the resource
    of `less`, under other circumstances. `already`, `keeps`: the documents that allow everything that is
    newly granted, or removed. `blocked`: what denies all of it. `is_given`, `is_taken`: statements held only
    after, or only before, allow something. `outlines` belong to `more` and `less`.
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
        """True if no decision differs."""
        return self.more is None and self.less is None

    @property
    def sort(self) -> str:
        """What happens to the actions, as named by `AccessShift`; "" for nothing."""
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
    """A set of actions and what happens to them."""

    mask: int
    verdict: AlikeVerdict


class FindsChange(Protocol):
    """Compares a principal before and after a change."""

    def change(self, before: PrincipalSide, after: PrincipalSide, *, within: int) -> PrincipalChange:
        """What happens to the actions `within` a set."""
        ...


@dataclass(frozen=True, slots=True)
class PrincipalChange:
    """What happens to all actions for one principal. Actions without a finding are omitted.

    `proved_for` is the ARN of the principal in the proofs' requests; "" if they come from several others.
    `prover` finds the requests of other principals. `personal` are the actions for which principals with the
    same holdings may differ. For `unsettled` actions, nothing that the differing statements concern is
    allowed before, or after.
    """

    proofs: tuple[ActionSetProof, ...] = ()
    is_personal: bool = False
    proved_for: str = field(default="", compare=False)
    prover: FindsChange | None = field(default=None, compare=False, repr=False)
    personal: int = field(default=0, compare=False)
    unsettled: int = field(default=0, compare=False)

    def own(self, before: PrincipalSide, after: PrincipalSide, *, within: int) -> PrincipalChange:
        """The same change with requests of this principal, for the actions `within` a set."""
        if self.prover is None or self.proved_for == before.principal.arn:
            return self
        return self.prover.change(before, after, within=within)

    def changes_any_of(self, mask: int) -> bool:
        """True if the decision for a request with one of the actions differs."""
        return any(not verdict.is_nothing and proof & mask for proof, verdict in self.proofs)

    def verdict_of(self, bit: int) -> AlikeVerdict | None:
        """What happens to one action."""
        return next((verdict for mask, verdict in self.proofs if mask & bit), None)


def witness_of(
    principal: PrincipalSide, action: str, cell: RequestSample, *, was_allowed: bool
) -> ChangeWitness:
    """The request of a sample, for an action of its set."""
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
