"""The index over accounts. It takes in rows, applies changes to them and answers questions about all
principals.

Several threads can query an index at the same time. No thread can change it while another queries it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from iam.policy.compiled import CompiledStatement, PolicyKind, PolicySet
from iam.policy.document import DocumentProblem
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.explain import DecisionExplanation, explain
from iam.policy.index.classes import IndexedPrincipal, PrincipalClass
from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.effective import EffectiveActions
from iam.policy.index.image import IndexImage, rows_of
from iam.policy.index.image_parts import image_of
from iam.policy.index.question import AccessQuestion, WhoCanAnswer
from iam.policy.index.register import UseRegister
from iam.policy.index.rows import AccountRows, OrganizationStanding, RowChanges
from iam.policy.index.shard import AccountShard
from iam.policy.index.statement_needs import NeedsReader
from iam.policy.index.who_can import WhoCanSearch, judge_for, named_classes
from iam.policy.memory import without_collecting
from iam.policy.request import Request, account_of

OLD: Final = 10_000
"""The number of newly placed principals after which the kept effective actions are dropped."""


STATEMENT: Final = 200
"""The approximate number of characters in a statement."""


class PolicyIndex:
    """The accounts by account ID. A document that rows refer to by digest must be in `documents` before the
    rows are entered.

    `version` changes with each change of the index, so that derived results can be kept until then. `moment`
    is the time of the questions; None means now.
    """

    def __init__(self, documents: SharedDocuments, *, moment: datetime | None = None) -> None:
        self.moment = moment
        self._passed = documents.passed()
        self.documents = documents
        self.register = UseRegister(documents)
        self.accounts: dict[str, AccountShard] = {}
        self._effective: dict[bool, EffectiveActions] = {}
        self.version = 0
        self.derived: dict[tuple[int, Hashable], Any] = {}
        """Results derived from one version, by user of the result. Code that adds a result drops older
        ones.
        """
        self._named: tuple[tuple[int, str], frozenset[PrincipalClass]] | None = None
        self.former: dict[Hashable, Any] = {}
        """The latest derived results of any version, for code that reuses the parts that are still valid."""

    def keep_time(self) -> None:
        """Drop derived results if a date in a condition has passed since; `version` then changes. Cheap if
        none has.
        """
        if self.is_of_another_time:
            self._passed = self.documents.passed()
            self._effective.clear()
            self.version += 1

    @property
    def is_of_another_time(self) -> bool:
        """True if a date in a condition has passed since the last `keep_time`."""
        return self.moment is None and self.documents.passed() != self._passed

    def __len__(self) -> int:
        """The number of users, roles and root users."""
        return sum(len(shard.members) for shard in self.accounts.values())

    def enter_account(self, rows: AccountRows) -> None:
        """Enter an account. Replaces what is known about it."""
        with without_collecting(STATEMENT * self.documents.clauses):
            new = AccountShard(self.register, rows)
        self.drop(rows.number)
        self.accounts[rows.number] = new
        self.version += 1

    def put_image(self, image: IndexImage, standing: OrganizationStanding) -> None:
        """Enter an account from its image. `standing` must be the one the image was made with."""
        with without_collecting(STATEMENT * self.documents.clauses):
            new = AccountShard(self.register, rows_of(image, standing), image)
        self.drop(image.number)
        self.accounts[image.number] = new
        self.version += 1

    def drop(self, number: str) -> None:
        """Remove an account. Does nothing if it isn't in the index."""
        shard = self.accounts.pop(number, None)
        if shard is not None:
            self.version += 1
            # Former results would keep the account in memory.
            self.former.clear()
            self._grow_old(len(shard.members))
            shard.clear()

    def dissolve(self) -> None:
        """Empty the index at once, so that nothing in it waits for the garbage collector, which may be
        disabled or told to ignore it.
        """
        for bundle in self.register.bundles:
            for profile in bundle.profiles:
                for cls in profile.classes:
                    cls.clear()
                profile.classes = ()
            bundle.profiles = ()
        self.version += 1
        self.accounts.clear()
        self.derived.clear()
        self.former.clear()
        self.register = UseRegister(self.documents)
        self._effective.clear()

    def apply(self, number: str, changes: RowChanges) -> list[IndexedPrincipal]:
        """Change some rows of an account. Return the members that were placed again."""
        placed = self.accounts[number].apply(changes)
        self.version += 1
        self._grow_old(len(placed))
        return placed

    def place_in_organization(self, number: str, standing: OrganizationStanding) -> list[IndexedPrincipal]:
        """Set an account's place in its organization. Return the members that were placed again."""
        placed = self.accounts[number].place_in_organization(standing)
        if placed:
            self.version += 1
            self._grow_old(len(placed))
            if self.accounts[number].members.is_unfolded:
                self.put_image(image_of(self.accounts[number]), standing)
            self.register.forget_levels(shard.levels for shard in self.accounts.values())
        return placed

    @property
    def members(self) -> Iterator[IndexedPrincipal]:
        """All principals, including root users."""
        for shard in self.accounts.values():
            yield from shard.members.values()

    @property
    def classes(self) -> Iterator[PrincipalClass]:
        """All classes."""
        for shard in self.accounts.values():
            yield from shard.classes.values()

    def member(self, account: str, number: int) -> IndexedPrincipal | None:
        """Find a principal by account ID and number."""
        shard = self.accounts.get(account)
        return None if shard is None else shard.members.get(number)

    def find(self, arn: str) -> IndexedPrincipal | None:
        """Find a user, role or root user by ARN."""
        shard = self.accounts.get(account_of(arn))
        if shard is None:
            return None
        return shard.members.find(arn)

    def who_can(self, question: AccessQuestion) -> WhoCanAnswer:
        """Find the principals who can perform an action on a resource."""
        search = WhoCanSearch(
            question,
            register=self.register,
            shards=self.accounts,
            moment=self.moment,
            named=self.classes_named,
        )
        return search.answer()

    def classes_named(self, reader: NeedsReader) -> frozenset[PrincipalClass]:
        """The classes of the users whose names occur in a question. The latest result is kept, since
        consecutive questions often concern one resource.
        """
        about = (self.version, reader.texts)
        known = self._named
        if known is None or known[0] != about:
            known = self._named = (about, named_classes(self.accounts, reader))
        return known[1]

    def decide(self, member: IndexedPrincipal, question: AccessQuestion) -> EvaluationDecision:
        """The decision for one principal, evaluated with all of its policies. `who_can` gives the same result
        by class.
        """
        return decide(*self.request_and_policies(member, question))

    def effective(
        self, *, context: Mapping[str, Any] | None = None, strict: bool = False, is_any_time: bool = False
    ) -> EffectiveActions:
        """Return an evaluator of all actions that principals can perform. Without `context` and `strict`, it
        is kept and shared with later callers.

        `is_any_time` leaves the time of the requests open.
        """
        if context or strict:
            return EffectiveActions(
                self.documents.space, self.accounts, context=context, strict=strict, moment=self.moment
            )
        self.keep_time()
        kept = self._effective.get(is_any_time)
        if kept is None or kept.age > OLD:
            kept = self._effective[is_any_time] = EffectiveActions(
                self.documents.space, self.accounts, moment=self.moment, is_any_time=is_any_time
            )
        return kept

    def _grow_old(self, placed: int) -> None:
        for kept in self._effective.values():
            kept.age += placed

    def explain(self, member: IndexedPrincipal, question: AccessQuestion) -> DecisionExplanation:
        """Explain why one principal can or cannot do something, down to the statements."""
        return explain(*self.request_and_policies(member, question))

    def request_and_policies(
        self, member: IndexedPrincipal, question: AccessQuestion
    ) -> tuple[Request, RequestPolicies]:
        """The arguments of `decide` and `explain`. Policies carry their names as displayed to people."""
        judge, _ = judge_for(question, shards=self.accounts, documents=self.documents, moment=self.moment)
        request = judge.request_of(member)
        shard, is_pattern = self.accounts[member.account], judge.is_pattern
        owner = self.accounts.get(request.resource_account)
        boundary = shard.boundary_of(member.grants)
        rcps = () if owner is None else owner.levels.rcps
        bounding = None
        if boundary is not None:
            bounding = _policy_set(PolicyKind.BOUNDARY, [boundary], of_pattern=is_pattern)
        identity = shard.named_policies(member.grants)
        return request, RequestPolicies(
            identity=_policy_set(PolicyKind.IDENTITY, identity, of_pattern=is_pattern),
            boundary=bounding,
            resource=judge.resource,
            scps=tuple(
                _policy_set(PolicyKind.SCP, level, of_pattern=is_pattern) for level in shard.levels.scps
            ),
            rcps=tuple(_policy_set(PolicyKind.RCP, level, of_pattern=is_pattern) for level in rcps),
        )


def _policy_set(
    kind: PolicyKind, named: Iterable[tuple[str, IndexedDocument]], *, of_pattern: bool
) -> PolicySet:
    """Combine named documents into one policy set."""
    statements: list[CompiledStatement] = []
    problems: list[tuple[str, DocumentProblem]] = []
    for name, doc in named:
        statements += doc.statements_of(name, kind, of_pattern=of_pattern)
        problems += [(name, problem) for problem in doc.problems]
    return PolicySet(kind, tuple(statements), tuple(problems))
