"""Prepares the answer to “Who can” for its page: headline, assumptions, groups and limits of the analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from django.urls import reverse

from console.access.circumstances import ANY
from console.access.forms.who_can import WhoCanForm
from console.access.limits import LimitRow, limit_rows, unread_rows
from console.access.lines import CERTAINTY_MARKS, AnswerLine, entity_page
from console.web.access import ViewerRequest
from console.web.query import QueryPairs
from iam.access.certainty import SCPS_UNREAD, Certainty
from iam.access.usual_values import connected_accounts
from iam.access.visible_accounts import accounts_seen
from iam.access.ways import AccessWay, WayKind
from iam.access.who_can import PeopleByWay, WhoCanPage, WhoCanQuestion, WhoCanRow
from iam.guard import Viewer
from iam.mirror.models import Kind
from iam.phrases import counted
from iam.policy.index.question import UNREADABLE
from iam.policy.request import account_of

Choice = tuple[str, str, bool]
Lines = Callable[[list[WhoCanRow]], list[AnswerLine]]
KIND_CHOICES: Final = (("", "Users and roles"), ("users", "IAM users"), ("roles", "Roles"))
CERTAINTIES: Final = (
    ("", "Any certainty"),
    ("confirmed", "Confirmed"),
    ("conditional", "Conditional"),
    ("unconfirmed", "Unconfirmed"),
)
OPEN_GROUPS: Final = 3


@dataclass(frozen=True, slots=True)
class AnswerAssumption:
    """An assumption of the answer; `url` is the same question without it."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class GroupCard:
    """A way in which access is given, with the first principals that have it."""

    key: str
    icon: str
    title: str
    url: str
    policy: str
    policy_url: str
    account: str
    count: str
    marks: tuple[tuple[str, str, str], ...]
    lines: tuple[AnswerLine, ...]
    total: str
    more: int
    all_url: str
    is_open: bool


def headline(answer: WhoCanPage, asked: WhoCanQuestion) -> str:
    """Return '9 IAM users (8 people) and 4 roles: 9 confirmed, 4 conditional', or 'No one'."""
    words = asked.selection.words
    if not answer.everyone.total:
        stopped = counted(len(answer.stopped), "principal")
        least = "" if answer.is_stopped_whole else "at least "
        more = f"; {least}{stopped} denied" if answer.stopped else ""
        none = "No one found who can" if may_miss_someone(answer) else "No one can"
        return f"{none} {_verb(words)}{more}"
    parts = [
        f"{answer.by_certainty[each]:,} {each}"
        for each in (Certainty.CONFIRMED, Certainty.CONDITIONAL, Certainty.UNCONFIRMED)
        if answer.by_certainty[each]
    ]
    least = "At least " if may_miss_someone(answer) else ""
    return f"{least}{answer.everyone.words} can {_verb(words)}: {', '.join(parts)}"


def may_miss_someone(answer: WhoCanPage) -> bool:
    """Return whether the answer may miss someone.

    Missing SCPs don’t matter, because they only deny access.
    """
    clauses = set(chain.from_iterable(answer.unread.values()))
    is_unreadable = any(limitation.kind == UNREADABLE for limitation in answer.limitations)
    return is_unreadable or bool(clauses - {SCPS_UNREAD})


def _verb(words: str) -> str:
    """Return 'use s3:GetObject', 'write in Amazon S3' or 'do anything in Amazon S3'."""
    if ":" in words.partition(" ")[0]:
        return f"use {words}"
    if words.startswith("anything"):
        return f"do {words}"
    for noun, verb in (("permissions management", "manage permissions"), ("tagging", "tag")):
        if words.startswith(noun):
            return f"{verb}{words.removeprefix(noun)}"
    return words


def assumptions(form: WhoCanForm) -> list[AnswerAssumption]:
    """Return all conditions and assumptions of the question, each with the address without it."""
    if form.is_blank:
        return []
    assumptions = []
    for chip in form.circumstances.chips:
        url = chip.url
        if chip.word.startswith(("mfa=", "region=")):
            url = str(form.query.with_values(**{chip.word.partition("=")[0]: ANY}))
        assumptions.append(AnswerAssumption(chip.label, chip.value, url))
    if form.circumstances.assumed_now:
        words = "as of the moment shown" if form.question and form.question.at else "now"
        assumptions.append(AnswerAssumption("Time", words, str(form.query.with_values(time=ANY))))
    if form.texts["owner"] and form.texts["owner"] != ANY:
        assumptions.append(
            AnswerAssumption(
                "Account of the resource", _owner_words(form), str(form.query.with_values(owner=ANY))
            )
        )
    return assumptions


def _owner_words(form: WhoCanForm) -> str:
    named = {candidate.account: candidate.name for candidate in form.candidates}
    name = named.get(form.texts["owner"], "")
    return f"{name} ({form.texts['owner']})" if name else form.texts["owner"]


def account_choices(request: ViewerRequest, form: WhoCanForm) -> list[Choice]:
    """Return (value, label, is chosen) for the account of a resource; accounts whose policies name it come
    first.
    """
    named = []
    for candidate in form.candidates:
        policies = counted(candidate.policies, "policy", "policies")
        named.append((candidate.account, f"{candidate.name} (named in {policies})"))
    known = {number for number, _ in named}
    accounts = connected_accounts(accounts_seen(request.viewer))
    others = [(number, name) for number, name in accounts if number not in known]
    known |= {number for number, _ in others}
    typed = (
        [(form.texts["owner"], form.texts["owner"])] if form.texts["owner"] not in {*known, ANY, ""} else []
    )
    values = [(ANY, "Each principal’s own account"), *named, *others, *typed]
    chosen = form.texts["owner"] or ANY
    return [(value, label, value == chosen) for value, label in values]


def group_cards(
    groups: list[PeopleByWay], *, form: WhoCanForm, lines: Lines, accounts: Mapping[str, str]
) -> list[GroupCard]:
    """Return the groups of an answer; the first ones are open."""
    cards = []
    for number, group in enumerate(groups):
        way = group.way
        title, url, policy, policy_url = _title(way, form.query)
        account = accounts.get(way.account, way.account) if form.account is None else ""
        cards.append(
            GroupCard(
                key=way.key,
                icon=ICONS[way.kind],
                title=title,
                url=url,
                policy=policy,
                policy_url=policy_url,
                account=account,
                count=_count(group),
                marks=tuple(
                    (f"{group.counts[each]:,} {each}", *CERTAINTY_MARKS[each][1:])
                    for each in Certainty
                    if group.counts[each]
                ),
                lines=tuple(lines(group.rows)),
                total=f"{group.total:,}",
                more=group.total - len(group.rows),
                all_url=f"{reverse('access:who-can')}{form.query.with_values(way=way.key)}",
                is_open=number < OPEN_GROUPS,
            )
        )
    return cards


ICONS: Final = {
    WayKind.GROUP: "users",
    WayKind.ATTACHED: "scroll-text",
    WayKind.INLINE: "scroll-text",
    WayKind.TRUST: "waypoints",
    WayKind.RESOURCE: "database",
    WayKind.RULE: "info",
}
PLAIN: Final = {
    WayKind.INLINE: "Directly, by inline policies of users and roles",
    WayKind.TRUST: "By the trust policy of the role",
    WayKind.RESOURCE: "By the resource-based policy",
    WayKind.RULE: "AWS allows it without a policy",
}


def way_words(way: AccessWay) -> str:
    """Return 'Group payments-dev: LedgerRead'."""
    title, _, policy, _ = _title(way, QueryPairs())
    return f"{title}: {policy}" if policy else title


def _title(way: AccessWay, query: QueryPairs) -> tuple[str, str, str, str]:
    """Return (title, its page, policy, its page)."""
    policy_url = entity_page(Kind.POLICY, way.policy_pk, query)
    if way.kind is WayKind.GROUP:
        return f"Group {way.group}", entity_page(Kind.GROUP, way.group_pk, query), way.policy, policy_url
    if way.kind is WayKind.ATTACHED:
        return "Attached directly", "", way.policy, policy_url
    return PLAIN[way.kind], "", "", ""


def _count(group: PeopleByWay) -> str:
    roles = group.total - group.users
    parts = [counted(group.users, "IAM user")] if group.users else []
    parts += [counted(roles, "role")] if roles else []
    return " and ".join(parts)


def limits(answer: WhoCanPage, *, viewer: Viewer) -> list[LimitRow]:
    """Return all limits of the answer."""
    rows = limit_rows(answer.limitations, viewer=viewer)
    if answer.roots:
        whose = "1 account" if answer.roots == 1 else f"{answer.roots:,} accounts"
        users = "user" if answer.roots == 1 else "users"
        rows.insert(
            0, LimitRow(f"The root {users} of {whose} can do this too. Only SCPs can stop a root user.")
        )
    return [*rows, *unread_rows(answer.unread, viewer=viewer)]


def owner_is_unclear(form: WhoCanForm) -> bool:
    """Return whether several accounts name the resource equally often, so that none is assumed."""
    return len(form.candidates) > 1 and not form.texts["owner"] and not account_of(form.texts["resource"])
