"""Describes in sentences what policies allow, and checks if they allow a called action. Cached while a roster
is written, because most users share policies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final

from iam.mirror.models import Edge, EdgeKind, InlinePolicy, PolicyVersion, valid_at
from iam.policy.compiled import CompiledStatement, PolicyKind, compile_set
from iam.policy.document import read
from iam.policy.letter_case import fold
from iam.policy.sentences import PolicySentence, riskiest_first, sentences_of

LINES: Final = 8
"""The maximum number of stored sentences per access. Policies are stored completely."""


@dataclass(frozen=True, slots=True)
class AccessTexts:
    """The policies of an access by digest, the number of policies that aren't synced, and since when the
    texts are unchanged.
    """

    texts: Mapping[str, str]
    unread: int = 0
    changed_at: datetime | None = None

    def key(self, account_id: str) -> str:
        """Return the key that rows with the same permissions in an account share."""
        parts = [account_id, str(self.unread), *sorted(self.texts)]
        return hashlib.blake2b("|".join(parts).encode(), digest_size=16).hexdigest()


NO_TEXTS: Final = AccessTexts({}, unread=1)


@dataclass(slots=True)
class PolicyBook:
    """The texts of managed policies and groups, each loaded once."""

    _policies: dict[int, AccessTexts] = field(default_factory=dict)
    _groups: dict[int, AccessTexts] = field(default_factory=dict)
    _statements: dict[str, tuple[CompiledStatement, ...]] = field(default_factory=dict)
    _allows: dict[tuple[str, str], bool] = field(default_factory=dict)

    def read_policies(self, numbers: Iterable[int]) -> None:
        """Load missing policies. One query."""
        wanted = set(numbers) - self._policies.keys()
        if not wanted:
            return
        self._policies |= dict.fromkeys(wanted, NO_TEXTS)
        rows = PolicyVersion.objects.filter(valid_at(None), policy__in=wanted, is_default=True)
        columns = ("policy_id", "document_id", "document__text", "valid_from")
        for number, digest, text, since in rows.values_list(*columns):
            self._policies[number] = AccessTexts({digest: text}, changed_at=since)

    def read_groups(self, numbers: Iterable[int]) -> None:
        """Load missing groups. Three queries."""
        wanted = set(numbers) - self._groups.keys()
        if not wanted:
            return
        attached: dict[int, list[tuple[int, datetime]]] = {number: [] for number in wanted}
        edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.ATTACHED, source__in=wanted)
        for group, policy, since in edges.values_list("source_id", "target_id", "valid_from"):
            attached[group].append((policy, since))
        self.read_policies(policy for policy, _ in chain.from_iterable(attached.values()))
        inline: dict[int, list[tuple[str, str, datetime]]] = {number: [] for number in wanted}
        rows = InlinePolicy.objects.filter(valid_at(None), owner__in=wanted)
        for owner, digest, text, since in rows.values_list(
            "owner_id", "document_id", "document__text", "valid_from"
        ):
            inline[owner].append((digest, text, since))
        for number in wanted:
            self._groups[number] = self._of_group(attached[number], inline[number])

    def _of_group(
        self, attached: Sequence[tuple[int, datetime]], inline: Sequence[tuple[str, str, datetime]]
    ) -> AccessTexts:
        texts: dict[str, str] = {}
        moments: list[datetime] = []
        unread = 0
        for policy, since in attached:
            known = self._policies[policy]
            texts |= known.texts
            unread += known.unread
            moments += [since, known.changed_at] if known.changed_at else [since]
        for digest, text, since in inline:
            texts[digest] = text
            moments.append(since)
        return AccessTexts(texts, unread, max(moments, default=None))

    def policy(self, number: int) -> AccessTexts:
        """The texts of a managed policy."""
        return self._policies.get(number, NO_TEXTS)

    def group(self, number: int) -> AccessTexts:
        """The texts of a group's policies."""
        return self._groups.get(number, NO_TEXTS)

    def allows(self, access: AccessTexts, action: str) -> bool:
        """True if a policy allows an action (`service:Name`) on any resource."""
        name = fold(action)
        return any(self._text_allows(digest, text, name) for digest, text in access.texts.items())

    def _text_allows(self, digest: str, text: str, action: str) -> bool:
        known = self._allows.get((digest, action))
        if known is None:
            statements = self._compiled(digest, text)
            known = any(each.allows and each.covers_action(action) for each in statements)
            self._allows[digest, action] = known
        return known

    def _compiled(self, digest: str, text: str) -> tuple[CompiledStatement, ...]:
        if digest not in self._statements:
            self._statements[digest] = compile_set([("", read(text))], kind=PolicyKind.IDENTITY).statements
        return self._statements[digest]


@dataclass(frozen=True, slots=True)
class AccessWords:
    """The sentences about an access."""

    lines: tuple[str, ...]
    more: int
    warning: str


def words_of(access: AccessTexts, *, account_id: str) -> AccessWords:
    """Return the most important sentences about what policies allow in an account, and the first warning."""
    sentences: list[PolicySentence] = []
    for text in access.texts.values():
        sentences += sentences_of(text, account_id=account_id)
    lines: dict[str, None] = {}
    warning = ""
    # Pages show only the first of them: a reviewer must not miss "All actions" behind smaller permissions.
    for sentence in riskiest_first(sentences):
        lines[sentence.text] = None
        warning = warning or sentence.warning
    kept = tuple(lines)[:LINES]
    return AccessWords(kept, len(lines) - len(kept), warning[:300])
