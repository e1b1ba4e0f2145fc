"""Finds all principals who can do something: from the action to the documents that allow it, to the
principals who hold these, to what restricts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Final

from iam.policy.aws_owned import owner_reason
from iam.policy.evaluate import FREE, EvaluationDecision
from iam.policy.index.classes import (
    IndexedPrincipal,
    PolicyBundle,
    PrincipalClass,
    PrincipalLimits,
    PrincipalProfile,
)
from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.query_evaluation import (
    ALLOWS,
    BY_NAME,
    DENIES,
    DEPENDS,
    POSITIVE,
    SILENT,
    AppliedLimits,
    EffectBits,
    QueryEvaluation,
)
from iam.policy.index.question import (
    CONTROL_POLICIES,
    KMS_GRANTS,
    OTHER_ACCOUNTS,
    OWN_ACCOUNT,
    OWNED_BY_AWS,
    RESOURCE_POLICY,
    UNREADABLE,
    AccessQuestion,
    AnswerLimitation,
    MatchedPrincipals,
    WhoCanAnswer,
)
from iam.policy.index.register import UseRegister
from iam.policy.index.resources import ResourcePlace, place_of, policy_set, unknown_policy
from iam.policy.index.shard import AccountShard
from iam.policy.index.statement_needs import NeedsReader, Signature, StatementNeeds
from iam.policy.kms_grants import GRANTABLE, NOT_READ
from iam.policy.request import PrincipalKind

Groups = dict[EffectBits, set[PolicyBundle]]
"""Bundles by the combined effects of their documents."""
FEW_ACCOUNTS_FACTOR: Final = 4
"""If a question includes less than a fourth of the accounts, visiting these one by one is faster."""


def judge_for(
    question: AccessQuestion,
    *,
    shards: Mapping[str, AccountShard],
    documents: SharedDocuments,
    moment: datetime | None,
) -> tuple[QueryEvaluation, ResourcePlace]:
    """The evaluation of a question at a moment (None means now), and what is known about its resource."""
    place = place_of(question, shards=shards, documents=documents)
    judge = QueryEvaluation(question, shards=shards, place=place.account, moment=moment)
    if place.policy is not None:
        judge.resource = policy_set(place.policy, of_pattern=judge.is_pattern)
        clauses = [clause for clause in place.policy.clauses if judge.names_action(clause.actions)]
        judge.resource_needs = judge.reader.of_clauses(clauses, is_marked=False, is_resource=True)
    elif place.is_guess:
        judge.resource = unknown_policy()
    return judge, place


class WhoCanSearch:
    """The search for the answer to one question."""

    def __init__(
        self,
        question: AccessQuestion,
        *,
        register: UseRegister,
        shards: Mapping[str, AccountShard],
        moment: datetime | None = None,
        named: Callable[[NeedsReader], frozenset[PrincipalClass]],
    ) -> None:
        """`named` returns the classes of users whose names are in the question."""
        self._question, self._register, self._shards = question, register, shards
        self._judge, self._place = judge_for(
            question, shards=shards, documents=register.documents, moment=moment
        )
        self._whole: dict[EvaluationDecision, list[PrincipalClass]] = {
            decision: [] for decision in EvaluationDecision
        }
        self._parts: list[MatchedPrincipals] = []
        self._owner_reason = owner_reason(self._judge.lowered, question.resource)
        self._find_named = named
        self._named: set[PrincipalProfile] = set()
        """The profiles of users whose names are in the question, if names matter."""
        self._of_nobody: dict[PrincipalKind, Signature] = {}
        """The signature of principals whose names aren't in the question, if nothing else about them
        matters.
        """
        self._known: dict[EffectBits, dict[PrincipalLimits, list[PrincipalClass]]] = {}
        """For effects and limits that decide for all principals alike, the list in `_whole` that classes are
        added to.
        """

    def answer(self) -> WhoCanAnswer:
        """All principals who can, and the limits of the answer."""
        if self._judge.lowered in FREE:
            everybody = chain.from_iterable(profile.classes for profile in self._register.profiles)
            self._whole[EvaluationDecision.ALLOWED] = self._wanted(everybody)
        elif not self._owner_reason:
            self._judge.load_statements(self._register)
            if self._judge.heard is not self._judge.said:
                self._named = {cls.profile for cls in self._named_classes}
            self._search()
        whole = {decision: self._whole[decision] for decision in POSITIVE}
        return WhoCanAnswer(self._question, whole, self._parts, tuple(self._limitations()))

    @cached_property
    def _named_classes(self) -> frozenset[PrincipalClass]:
        return self._find_named(self._judge.reader)

    def _names_nobody(
        self, classes: list[PrincipalClass], kind: PrincipalKind, needs: StatementNeeds
    ) -> bool:
        """True if all members get the same decision because none of their names is in the question."""
        if not self._judge.reader.depends_on_names_alone(needs):
            return False
        return kind is not PrincipalKind.USER or self._named_classes.isdisjoint(classes)

    def _search(self) -> None:
        account = self._place.account
        if not account:
            self._everywhere()
            return
        shard = self._shards.get(account)
        if shard is not None:
            self._look_at_accounts([shard])
        if self._place.policy is not None:
            self._look_at_bundles(self._candidates(), is_local=False)

    def _everywhere(self) -> None:
        """Evaluate each principal as if the resource were in its own account. If there is a resource-based
        policy, this includes principals without policies.
        """
        accounts = self._question.accounts
        if accounts is not None and len(accounts) * FEW_ACCOUNTS_FACTOR < len(self._shards):
            self._look_at_accounts(self._shards[number] for number in accounts if number in self._shards)
        elif self._judge.resource is not None:
            self._look_at_bundles(self._every_bundle(), is_local=True)
        else:
            self._look_at_bundles(self._candidates(), is_local=True)

    def _candidates(self) -> Groups:
        """The bundles with a document that may allow the action to some principal, by their combined effects.
        Root users need no such document.
        """
        judge = self._judge
        allowing: dict[EffectBits, list[IndexedDocument]] = {}
        others: dict[EffectBits, list[IndexedDocument]] = {}
        for doc, effects in judge.heard.items():
            may_allow = effects & ALLOWS or (effects & DEPENDS and judge.spoken[doc].allows)
            by_effects = allowing if may_allow else others
            by_effects.setdefault(effects, []).append(doc)
        groups = self._holding(allowing)
        groups[SILENT] = {profile.bundle for profile in self._named}
        empty = self._register.empty_bundle
        if PrincipalKind.ROOT in self._question.kinds and empty is not None:
            groups[SILENT].add(empty)
        candidates = _said_together(groups, to={})
        return _said_together(self._holding(others), to=candidates, adds=False)

    def _every_bundle(self) -> Groups:
        said_by: dict[EffectBits, list[IndexedDocument]] = {}
        for doc, effects in self._judge.heard.items():
            said_by.setdefault(effects, []).append(doc)
        everybody: Groups = {SILENT: set(self._register.bundles)}
        return _said_together(self._holding(said_by), to=everybody, adds=False)

    def _holding(self, said_by: Mapping[EffectBits, list[IndexedDocument]]) -> Groups:
        """The bundles that contain some of the documents, by effects."""
        bundles_of = self._register.bundles_of
        return {effects: set().union(*map(bundles_of.__getitem__, docs)) for effects, docs in said_by.items()}

    def _wanted(self, classes: Iterable[PrincipalClass]) -> list[PrincipalClass]:
        accounts, kinds = self._question.accounts, self._question.kinds
        return [
            cls
            for cls in classes
            if cls.profile.limits.flags[0] in kinds and (accounts is None or cls.account in accounts)
        ]

    def _look_at_accounts(self, shards: Iterable[AccountShard]) -> None:
        accounts = self._question.accounts
        for shard in shards:
            if accounts is not None and shard.number not in accounts:
                continue
            for profile, cls in shard.classes.items():
                effects = self._said_by(profile)
                if self._may_allow(profile, effects):
                    self._evaluate(profile, [cls], effects, is_local=True)

    def _may_allow(self, profile: PrincipalProfile, effects: EffectBits) -> bool:
        """True if something may allow it: a policy of the principal or of the resource, or being the root
        user.
        """
        is_root = profile.limits.flags[0] is PrincipalKind.ROOT
        return bool(effects & (ALLOWS | DEPENDS)) or is_root or self._judge.resource is not None

    def _look_at_bundles(self, groups: Groups, *, is_local: bool) -> None:
        named = self._named
        for effects, bundles in groups.items():
            if effects & DEPENDS or (effects & BY_NAME and named):
                self._look_at_each(bundles, effects, is_local=is_local)
            elif not effects & DENIES:
                self._look_at_alike(bundles, effects, is_local=is_local)

    def _look_at_alike(self, bundles: Iterable[PolicyBundle], effects: EffectBits, *, is_local: bool) -> None:
        """Evaluate bundles whose effects are the same for all holders. Inlined for speed, since it runs for a
        hundred thousand profiles.
        """
        is_short = is_local and self._question.accounts is None
        known_of = self._known.setdefault(effects, {}).get if is_short else _unknown
        for bundle in bundles:
            for profile in bundle.profiles:
                whither = known_of(profile.limits)
                if whither is not None:
                    whither += profile.classes
                else:
                    self._evaluate(
                        profile, self._asked_of(profile, is_local=is_local), effects, is_local=is_local
                    )

    def _look_at_each(self, bundles: Iterable[PolicyBundle], effects: EffectBits, *, is_local: bool) -> None:
        """Evaluate bundles whose documents have different effects for different holders."""
        is_short, named = is_local and self._question.accounts is None, self._named
        for bundle in bundles:
            for profile in bundle.profiles:
                is_apart = effects & DEPENDS or profile in named
                own_effects = self._said_by(profile) if is_apart else effects
                known = self._known.get(own_effects)
                whither = known.get(profile.limits) if known is not None and is_short else None
                if whither is not None:
                    whither += profile.classes
                else:
                    self._evaluate(
                        profile, self._asked_of(profile, is_local=is_local), own_effects, is_local=is_local
                    )

    def _asked_of(self, profile: PrincipalProfile, *, is_local: bool) -> list[PrincipalClass]:
        """The classes of the accounts in the question; unless `is_local`, without the resource's own
        account.
        """
        classes, accounts = list(profile.classes), self._question.accounts
        if accounts is not None:
            classes = [cls for cls in classes if cls.account in accounts]
        if not is_local:
            classes = [cls for cls in classes if cls.account != self._place.account]
        return classes

    def _said_by(self, profile: PrincipalProfile) -> EffectBits:
        judge, effects = self._judge, SILENT
        said_of = judge.said if profile in self._named else judge.heard
        for doc in profile.bundle.plain:
            effects |= said_of.get(doc, SILENT)
        for marked in profile.marked:
            heard = judge.effects_by_marked.get(marked)
            effects |= judge.effects_of_marked(marked, _first(profile)) if heard is None else heard
        return effects

    def _evaluate(
        self, profile: PrincipalProfile, classes: list[PrincipalClass], effects: EffectBits, *, is_local: bool
    ) -> None:
        if effects & DENIES or not classes:
            return
        limited = self._judge.limited(profile.limits, is_local=is_local)
        if not limited.is_asked:
            return
        if effects & DEPENDS or limited.bounds is None:
            self._look_closer(profile, classes, effects, limited, is_local=is_local)
            return
        whither = self._whole[limited.bounds.decide(effects)]
        self._known.setdefault(effects, {})[profile.limits] = whither
        whither += classes

    def _look_closer(
        self,
        profile: PrincipalProfile,
        classes: list[PrincipalClass],
        effects: EffectBits,
        limited: AppliedLimits,
        *,
        is_local: bool,
    ) -> None:
        """Evaluate by account or by member, as the decision depends on the principal."""
        judge = self._judge
        needs = limited.needs | judge.needs_of(profile.bundle) if effects & DEPENDS else limited.needs
        if not (needs.is_placed or needs.tells_apart):
            member = classes[0].members[0]
            effects = judge.said_by(profile, member, ()) if effects & DEPENDS else effects
            decision = judge.bounds(profile.limits, member, (), is_local=is_local).decide(effects)
            self._whole[decision] += classes
            return
        kind = profile.limits.flags[0]
        if not needs.is_placed and self._names_nobody(classes, kind, needs):
            member = classes[0].members[0]
            signature = self._of_nobody.get(kind)
            if signature is None:
                signature = self._of_nobody[kind] = judge.reader.signature(member, kind, needs)
            effects = judge.said_by(profile, member, signature) if effects & DEPENDS else effects
            self._whole[
                judge.bounds(profile.limits, member, signature, is_local=is_local).decide(effects)
            ] += classes
            return
        for cls in classes:
            for signature, members in self._alike(cls, needs).items():
                own_effects = judge.said_by(profile, members[0], signature) if effects & DEPENDS else effects
                decision = judge.bounds(profile.limits, members[0], signature, is_local=is_local).decide(
                    own_effects
                )
                if decision in POSITIVE:
                    self._parts.append(MatchedPrincipals(decision, cls.account, tuple(members)))

    def _alike(
        self, cls: PrincipalClass, needs: StatementNeeds
    ) -> Mapping[Signature, Sequence[IndexedPrincipal]]:
        if not needs.tells_apart:
            return {(): cls.members}
        groups: dict[Signature, list[IndexedPrincipal]] = {}
        kind, signature_of = cls.profile.limits.flags[0], self._judge.reader.signature
        for member in cls.members:
            groups.setdefault(signature_of(member, kind, needs), []).append(member)
        return groups

    def _limitations(self) -> Iterator[AnswerLimitation]:
        place = self._place
        if self._owner_reason:
            yield AnswerLimitation(OWNED_BY_AWS, self._owner_reason)
            return
        if place.is_guess:
            yield AnswerLimitation(
                RESOURCE_POLICY,
                "The resource-based policy isn’t synced. It can allow fewer principals, or more.",
            )
        if place.account and place.policy is None:
            yield AnswerLimitation(
                OTHER_ACCOUNTS,
                f"Principals outside account {place.account} are left out: they need the resource-based "
                "policy, which isn’t synced.",
            )
        if not place.account and self._judge.lowered not in FREE:
            yield AnswerLimitation(
                OWN_ACCOUNT,
                "The resource’s account isn’t known, so each principal is evaluated as if the resource were "
                "in its own account.",
            )
        if self._judge.lowered in GRANTABLE:
            yield AnswerLimitation(KMS_GRANTS, NOT_READ)
        yield from self._unknown_standing()
        yield from self._unreadable()

    def _unknown_standing(self) -> Iterator[AnswerLimitation]:
        accounts = self._question.accounts
        numbers = sorted(
            shard.number
            for shard in self._shards.values()
            if not shard.standing.is_known and (accounts is None or shard.number in accounts)
        )
        if numbers:
            yield AnswerLimitation(
                CONTROL_POLICIES,
                "SCPs and RCPs of these accounts weren’t synced.",
                tuple(numbers),
            )

    def _unreadable(self) -> Iterator[AnswerLimitation]:
        accounts: set[str] = set()
        for bundle in self._register.unreadable_bundles():
            for profile in bundle.profiles:
                accounts |= {cls.account for cls in profile.classes}
        if self._question.accounts is not None:
            accounts &= self._question.accounts
        if accounts:
            yield AnswerLimitation(
                UNREADABLE,
                "Some policies in these accounts couldn’t be read. What they allow or deny isn’t part of "
                "the answer.",
                tuple(sorted(accounts)),
            )


def _said_together(said_by: Groups, *, to: Groups, adds: bool = True) -> Groups:
    """Update `to` so that each bundle is grouped by its combined effects. With `adds`, bundles that aren't in
    it yet are added.
    """
    groups = to
    for effects, bundles in said_by.items():
        groups_together: Groups = {}
        rest = bundles
        for before, known in groups.items():
            both = known & rest
            if both and before | effects != before:
                known -= both
                groups_together.setdefault(before | effects, set()).update(both)
            rest = rest - both
        for together, both in groups_together.items():
            groups.setdefault(together, set()).update(both)
        if adds and rest:
            groups.setdefault(effects, set()).update(rest)
    return groups


def named_classes(shards: Mapping[str, AccountShard], reader: NeedsReader) -> frozenset[PrincipalClass]:
    """The classes of users whose names are in the question."""
    of_users = (shard.classes_of_users(reader.mentions) for shard in shards.values())
    return frozenset(chain.from_iterable(of_users))


def _unknown(limits: PrincipalLimits) -> None:
    """Return None: no result is known for any limits."""


def _first(profile: PrincipalProfile) -> IndexedPrincipal:
    return next(iter(profile.classes)).members[0]
