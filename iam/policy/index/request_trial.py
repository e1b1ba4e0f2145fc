"""Evaluates requests for actions that all statements treat alike, before and after a change, until one proves
what happens to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from iam.policy.compiled import PolicyKind
from iam.policy.evaluate import EvaluationDecision, decide
from iam.policy.index.action_group import ActionGroup
from iam.policy.index.circumstances import Circumstance
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.grid import AllowedRequests, RequestGrid
from iam.policy.index.kinds import ResourceKindSet
from iam.policy.index.overlap import Tokens
from iam.policy.index.probes import ProbePlace, probes
from iam.policy.index.sides import PlacedStatement, PrincipalSide
from iam.policy.index.verdicts import AlikeVerdict, RequestSample
from iam.policy.letter_case import fold

MAX_TRIES: Final = 12
"""The maximum number of requests that the engine evaluates to confirm one finding."""
NONE: Final[Mapping[Tokens, int]] = MappingProxyType({})


class RequestTrial:
    """Tries all requests for actions of one sort."""

    def __init__(
        self, asked: ActionGroup, sort: ResourceKindSet, patterns: Mapping[Tokens, int], *, is_anywhere: bool
    ) -> None:
        self._asked = asked
        self._action = asked.name_of(sort.mask)
        self._is_anywhere = is_anywhere
        self._is_any = is_anywhere or sort.is_elsewhere
        self.is_settled = False
        """True if something that the differing statements concern is allowed before, and something is
        after.
        """
        resources = self._resources(sort, patterns)
        contexts = asked.circumstances(sort.never)
        self._grid = RequestGrid(
            self._action,
            resources,
            contexts,
            has_rcps=asked.has_rcps,
            fits=asked.fits,
            met=asked.met,
            person=asked.person,
        )

    def _resources(self, sort: ResourceKindSet, patterns: Mapping[Tokens, int]) -> tuple[str, ...]:
        if self._is_anywhere:
            return ("*",)
        who = self._asked.after.principal
        place = ProbePlace(who.partition, who.account, fold(self._action.partition(":")[0]))
        named = NONE if sort.is_elsewhere else patterns
        return probes(
            named,
            formats=sort.formats,
            place=place,
            accounts=self._asked.accounts,
        )

    def verdict(self) -> AlikeVerdict:
        """Evaluate the requests and return the verdict."""
        asked, grid = self._asked, self._grid
        if not grid.everything:
            return AlikeVerdict()
        was = self._allowed(asked.before, asked.left)
        becomes = self._allowed(asked.after, asked.right)
        about = grid.where((asked.before, asked.left), (asked.after, asked.right))
        self.is_settled = bool(was.maybe & about and becomes.maybe & about)
        more = self._confirmed(becomes.sure & ~was.maybe, was_allowed=False)
        less = self._confirmed(was.sure & ~becomes.maybe, was_allowed=True)
        bits = self._allowed_only_there(asked.after, asked.right, asked.left)
        taken = self._allowed_only_there(asked.before, asked.left, asked.right)
        already = bits & becomes.sure
        kept = taken & was.sure
        only_then = self._is_allowed_otherwise(less, becomes)
        already_by = self._allowing_documents(already) if already and not already & ~was.sure else ()
        kept_by = self._allowing_documents(kept) if kept and not kept & ~becomes.sure else ()
        blocked_by = self._blocking_kinds(bits) if bits and not bits & becomes.maybe else ()
        return AlikeVerdict(
            more=more,
            less=less,
            had=bool(was.maybe),
            has=bool(becomes.maybe),
            only_then=only_then,
            already=already_by,
            keeps=kept_by,
            blocked=blocked_by,
            is_given=bool(bits),
            is_taken=bool(taken),
            outlines=(self._outline(more, asked.after), self._outline(less, asked.before)),
        )

    def _outline(self, cell: RequestSample | None, side: PrincipalSide) -> RequestSample | None:
        return None if cell is None else cell.outline(side, self._asked.own_keys)

    def _allowed(self, side: PrincipalSide, statements: Sequence[PlacedStatement]) -> AllowedRequests:
        allowed = self._grid.allowed(side, statements)
        if side.is_root and fold(self._action) == "sts:assumerole":
            return AllowedRequests(0, 0)
        return allowed

    def _confirmed(self, bits: int, *, was_allowed: bool) -> RequestSample | None:
        """The first of some requests for which the engine gives the expected decision."""
        for _ in range(MAX_TRIES):
            if not bits:
                return None
            resource, context = self._grid.cell(bits)
            if self._is_confirmed(resource, context, was_allowed=was_allowed):
                named = None if self._is_any else resource
                return RequestSample(named, context)
            bits &= bits - 1
        return None

    def _is_confirmed(self, resource: str, context: Circumstance, *, was_allowed: bool) -> bool:
        asked = self._asked
        answers = []
        for side, statements in ((asked.before, asked.left), (asked.after, asked.right)):
            request = side.request(self._action, resource, context=dict(context))
            answers.append(decide(request, side.policies(request, statements)))
        if EvaluationDecision.CONDITIONAL in answers:
            return False
        return [answer is EvaluationDecision.ALLOWED for answer in answers] == [was_allowed, not was_allowed]

    def _is_allowed_otherwise(self, cell: RequestSample | None, becomes: AllowedRequests) -> bool:
        if cell is None:
            return False
        place = 0 if cell.resource is None else self._grid.resources.index(cell.resource)
        return bool(becomes.sure >> place * self._grid.width & self._grid.row)

    def _allowed_only_there(
        self, side: PrincipalSide, mine: Sequence[PlacedStatement], theirs: Sequence[PlacedStatement]
    ) -> int:
        """The requests that identity statements of only one side allow."""
        bits = 0
        for each in mine:
            if each.kind is PolicyKind.IDENTITY and each.allows and each not in theirs:
                bits |= self._grid.mark(side, each).sure
        return bits

    def _allowing_documents(self, bits: int) -> tuple[IndexedDocument, ...]:
        """Documents on both sides that together allow all of the given requests; empty if they don't."""
        asked, grid = self._asked, self._grid
        bits_by_doc: dict[IndexedDocument, int] = {}
        for each in asked.left:
            if each.kind is PolicyKind.IDENTITY and each.allows and each in asked.right:
                for doc in sorted(asked.before.doc_of(each), key=lambda doc: doc.digest):
                    if doc in asked.after.docs:
                        bits_by_doc[doc] = bits_by_doc.get(doc, 0) | grid.mark(asked.before, each).sure
        documents: list[IndexedDocument] = []
        while bits:
            best = max(
                bits_by_doc, key=lambda doc: ((bits_by_doc[doc] & bits).bit_count(), doc.digest), default=None
            )
            if best is None or not bits_by_doc[best] & bits:
                return ()
            documents.append(best)
            bits &= ~bits_by_doc.pop(best)
        return tuple(documents)

    def _blocking_kinds(self, bits: int) -> tuple[str, ...]:
        """Reasons why the given requests aren't allowed, by type of policy."""
        asked, grid = self._asked, self._grid
        allowed: dict[tuple[PolicyKind, int], int] = {}
        denied: dict[PolicyKind, int] = {}
        for each in asked.right:
            mark = grid.mark(asked.after, each).sure
            if each.allows:
                allowed[each.kind, each.level] = allowed.get((each.kind, each.level), 0) | mark
            else:
                denied[each.kind] = denied.get(each.kind, 0) | mark
        reasons = [f"denied by {kind}" for kind in PolicyKind if denied.get(kind, 0) & bits]
        for place in sorted(grid.limits(asked.after)):
            if bits & ~allowed.get(place, 0):
                reasons.append(f"not allowed by {place[0]}")
        return tuple(dict.fromkeys(reasons))
