"""Summarizes what a request gives or removes, where and until when. Written once, for lists, its page and
mails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final, Self

from iam.changes.operations import REGISTRY, Operation
from iam.mirror.models import PolicyVersion, valid_at
from iam.moments import moment_words
from iam.phrases import joined
from iam.policy.sentences import in_short, sentences_of

MAX_NAMED: Final = 3
"""Up to this many changes of one kind are named individually; more are counted."""
WRITES_POLICY: Final = ("policy.create", "inline_policy.put")
TIES_POLICY: Final = ("attachment.attach", "attachment.detach")
"""Operations whose content is in a managed policy, which only the mirror knows."""
GIVES: Final = (*WRITES_POLICY, "attachment.attach", "group_membership.add")
IN_EACH: Final = " in each account"
IN_TOTAL: Final = " in total"
MAX_BLOCKS: Final = 3
"""The maximum number of blocks with one block per account."""
LINES: Final = 6
"""The maximum number of stored lines per block."""
NAMED: Final = 3
"""The maximum number of accounts named in a sentence."""

PolicyTexts = Mapping[str, str]
"""Policy texts by the ARN of the managed policy."""
OF_GROUP: Final[Mapping[str, tuple[str, str]]] = {
    "group_membership.add": ("Add", "to"),
    "group_membership.remove": ("Remove", "from"),
}


@dataclass(frozen=True, slots=True)
class SummaryBlock:
    """Accounts in which the request does the same.

    `what` are short sentences, `more` is the number of further ones; `accounts` are pairs of account ID and
    name. `plain` are the sentences for people who don't know AWS terms; empty if equal to `what`.
    """

    what: tuple[str, ...]
    accounts: tuple[tuple[str, str], ...]
    more: int = 0
    until: datetime | None = None
    plain: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Parse the stored form."""
        until = datetime.fromisoformat(body["until"]) if body.get("until") else None
        return cls(
            what=tuple(body["what"]),
            accounts=tuple((number, name) for number, name in body["accounts"]),
            more=int(body.get("more", 0)),
            until=until,
            plain=tuple(body.get("plain", ())),
        )

    @property
    def body(self) -> dict[str, Any]:
        """The stored form."""
        body: dict[str, Any] = {
            "what": list(self.what),
            "accounts": [list(account) for account in self.accounts],
            "more": self.more,
            "until": self.until.isoformat() if self.until else "",
        }
        if self.plain and self.plain != self.what:
            body["plain"] = list(self.plain)
        return body

    @property
    def where(self) -> str:
        """ "production", "data, production and 38 more accounts"."""
        return where_words([name for _, name in self.accounts])

    @property
    def sentence(self) -> str:
        """What is done where, without the end date."""
        more = f" and {self.more} more" if self.more else ""
        return f"{'; '.join(self.what)}{more} ({self.where})"


def summary_of(operations: Sequence[Operation]) -> list[SummaryBlock]:
    """One block per set of accounts with the same operations, in order.

    If nearly every account would have its own block, operations are counted by kind instead, unless the
    content differs by account.
    """
    texts = _managed_texts(operations)
    blocks = _by_account(operations, texts)
    if len(blocks) <= MAX_BLOCKS or _gives_by_account(operations, texts):
        return blocks
    return _by_kind(operations, texts)


def _by_slug(operations: Iterable[Operation]) -> dict[str, list[Operation]]:
    groups: dict[str, list[Operation]] = {}
    for operation in operations:
        groups.setdefault(operation.slug, []).append(operation)
    return groups


def _by_kind(operations: Sequence[Operation], texts: PolicyTexts) -> list[SummaryBlock]:
    """One block for all kinds of changes made in the same accounts."""
    by_slug = _by_slug(operations)
    by_accounts: dict[frozenset[tuple[str, str]], list[list[Operation]]] = {}
    for alike in by_slug.values():
        accounts = frozenset((each.account.account_id, each.account.name) for each in alike)
        by_accounts.setdefault(accounts, []).append(alike)
    blocks = []
    for accounts, kinds in by_accounts.items():
        scope = IN_TOTAL if len(accounts) > 1 else ""
        lines, plain = (
            tuple(
                chain.from_iterable(
                    _of_kind(alike, texts, most=1, plain=is_plain, scope=scope) for alike in kinds
                )
            )
            for is_plain in (False, True)
        )
        plain = () if plain == lines else plain[:LINES]
        where = tuple(sorted(accounts, key=lambda account: account[1]))
        blocks.append(SummaryBlock(lines[:LINES], where, more=len(lines[LINES:]), plain=plain))
    return blocks


def _gives_by_account(operations: Sequence[Operation], texts: PolicyTexts) -> bool:
    """True if accounts get different policies or groups, which a count would hide."""
    gifts_by_slug: dict[str, set[str]] = {}
    for operation in operations:
        if operation.slug in GIVES:
            text = _text_of_policy(operation, texts) or str(operation.params.get("policy_arn", ""))
            group = str(operation.params.get("group_name", ""))
            gifts_by_slug.setdefault(operation.slug, set()).add(text or group)
    return any(len(gifts) > 1 for gifts in gifts_by_slug.values())


def _by_account(operations: Sequence[Operation], texts: PolicyTexts) -> list[SummaryBlock]:
    by_account: dict[str, list[Operation]] = {}
    for operation in operations:
        by_account.setdefault(operation.account.account_id, []).append(operation)
    alike: dict[tuple[str, ...], list[list[Operation]]] = {}
    for account_operations in by_account.values():
        lines = tuple(_lines(account_operations, texts, plain=False))
        alike.setdefault(lines, []).append(account_operations)
    return [_block(same, texts) for same in alike.values()]


def _block(same: Sequence[Sequence[Operation]], texts: PolicyTexts) -> SummaryBlock:
    """The block of accounts with the same operations."""
    each = len(same) > 1
    lines = tuple(_lines(same[0], texts, plain=False, each=each))
    plain = tuple(_lines(same[0], texts, plain=True, each=each))[:LINES]
    if plain == lines[:LINES]:
        plain = ()
    return SummaryBlock(
        lines[:LINES],
        tuple((operations[0].account.account_id, operations[0].account.name) for operations in same),
        more=len(lines[LINES:]),
        plain=plain,
    )


def blocks_of(summary: Iterable[Mapping[str, Any]], *, plain: bool = False) -> list[SummaryBlock]:
    """The stored blocks of a set; `plain` uses the sentences without AWS terms, as in the preview
    of a grant.
    """
    blocks = [SummaryBlock.from_json(body) for body in summary]
    return [replace(block, what=block.plain or block.what) for block in blocks] if plain else blocks


def text_of(
    summary: Iterable[Mapping[str, Any]],
    *,
    until: datetime | None = None,
    lasts: str = "",
    plain: bool = False,
) -> str:
    """The summary in one line, for a mail or a list row.

    `until` is the end date; `lasts` is the duration if the end date is set at approval.
    """
    sentences = []
    for block in blocks_of(summary, plain=plain):
        end = until or block.until
        words = lasts or (f"until {moment_words(end)}" if end else "")
        sentences.append(f"{block.sentence} {words}".rstrip())
    return "; ".join(sentences)


def where_words(names: Sequence[str]) -> str:
    """ "production", "data and production", "data, management, production and 38 more accounts"."""
    if len(names) > NAMED + 1:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more accounts"
    return joined(names)


def _managed_texts(operations: Sequence[Operation]) -> PolicyTexts:
    """The texts of customer managed policies that are attached or detached. One query; none without policies.

    AWS managed policies are left out: their names are known, and their texts are long.
    """
    arns = {str(operation.params["policy_arn"]) for operation in operations if operation.slug in TIES_POLICY}
    own = {arn for arn in arns if "::aws:" not in arn}
    if not own:
        return {}
    versions = PolicyVersion.objects.filter(valid_at(None), policy__arn__in=own, is_default=True)
    return dict(versions.values_list("policy__arn", "document__text"))


def _lines(
    operations: Sequence[Operation], texts: PolicyTexts, *, plain: bool, each: bool = False
) -> list[str]:
    """A line for each of a few changes of one kind; they are counted if there are too many lines.

    `each`: the same number is made in further accounts.
    """
    by_slug = _by_slug(operations)
    scope = IN_EACH if each else ""
    named = chain.from_iterable(
        _of_kind(alike, texts, most=MAX_NAMED, plain=plain, scope=scope) for alike in by_slug.values()
    )
    lines = list(named)
    if len(lines) <= LINES:
        return lines
    return list(
        chain.from_iterable(
            _of_kind(alike, texts, most=1, plain=plain, scope=scope) for alike in by_slug.values()
        )
    )


def _of_kind(
    operations: Sequence[Operation], texts: PolicyTexts, *, most: int, plain: bool, scope: str
) -> Iterable[str]:
    """The lines for changes of one kind: one for each, or their number and what all of them allow.

    `scope` says which accounts the number covers.
    """
    if len(operations) <= most:
        return dict.fromkeys(
            f"{operation.title}{_allowed(operation, texts, plain=plain)}" for operation in operations
        )
    by_text: dict[str, Operation] = {}
    for operation in operations:
        by_text.setdefault(_text_of_policy(operation, texts), operation)
        if len(by_text) > MAX_NAMED:
            break
    allowed = {_allowed(operation, texts, plain=plain) for operation in by_text.values()}
    words = f"{_summary_of_several(operations)}{scope}"
    return [words + (allowed.pop() if len(allowed) == 1 else "")]


def _summary_of_several(operations: Sequence[Operation]) -> str:
    """A line for several changes of one kind, with the group's name if they concern a single one."""
    slug, number = operations[0].slug, len(operations)
    groups = {operation.params["group_name"] for operation in operations} if slug in OF_GROUP else set()
    if len(groups) != 1:
        return counted(slug, number)
    verb, word = OF_GROUP[slug]
    return f"{verb} {number:,} IAM users {word} {groups.pop()}"


def _text_of_policy(operation: Operation, texts: PolicyTexts) -> str:
    """The policy text that a change writes, attaches or detaches; "" if none or unknown."""
    if operation.slug in TIES_POLICY:
        return texts.get(str(operation.params["policy_arn"]), "")
    return str(operation.params.get("document") or "") if operation.slug in WRITES_POLICY else ""


def _allowed(operation: Operation, texts: PolicyTexts, *, plain: bool) -> str:
    """What that policy text allows and denies, to continue the sentence; "" for other changes."""
    text = _text_of_policy(operation, texts)
    if not text:
        return ""
    sentences = sentences_of(text, account_id=operation.account.account_id)
    phrases = []
    for phrase in in_short(sentences, most=MAX_NAMED, plain=plain):
        phrases.append(re.sub("^Denies: ", "deny ", phrase))
    return f": {'; '.join(phrases)}"


def counted(slug: str, number: int) -> str:
    """ "Create 5 IAM users"."""
    verb, noun = REGISTRY[slug].counted
    singular, _, plural = noun.partition("|")
    return f"{verb} {number:,} {singular if number == 1 else plural or f'{singular}s'}"
