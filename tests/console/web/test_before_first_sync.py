"""Between connecting an account and its first sync, and between that and the first calculation, no page and
no file says that there is none, in whatever role it is read; nor while other accounts are synced already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from iam.access.escalation_calculation.calculation import calculate_due
from iam.audit.findings import calculation as findings
from iam.audit.frameworks.definitions import all_frameworks
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import Account, Section
from iam.mirror.pull.freshness import begin_sections
from tests import factories
from tests.url_answers import ANSWERS

pytestmark = pytest.mark.django_db
NUMBER = "111111111111"
STAGES = ("nothing was synced", "synced, but not calculated")
OTHER = "222222222222"
ROLES = {
    Role.ADMINISTRATOR: 100,
    Role.APPROVER: 80,
    Role.AUDITOR: 80,
    Role.TEAM_LEAD: 40,
    Role.MEMBER: 20,
}
"""The roles, and how many pages each can open at least."""
ARGUMENTS: tuple[dict[str, str], ...] = (
    {},
    {"account_id": NUMBER},
    {"form": "csv"},
    {"name": next(iter(all_frameworks()))},
    {"prefix": "iam"},
    {"prefix": "iam", "form": "csv"},
)
QUESTIONS = (
    ("access:who-can", {"action": "iam:CreateUser"}),
    ("access:who-can", {"action": "s3", "level": "write"}),
    ("access:who-can-reach", {"action": "iam:CreateUser"}),
    ("access:escalation", {"view": "principals"}),
    ("access:escalation", {"show": "there"}),
    ("access:escalation", {"account": NUMBER}),
    ("access:services", {"account": NUMBER}),
    ("dashboard:overview", {"account": NUMBER}),
    ("findings:list", {"tab": "new"}),
    ("findings:list", {"account": NUMBER}),
    ("linking:links", {"view": "unlinked"}),
    ("linking:links", {"view": "doubtful"}),
    ("identities:search", {"q": "ines"}),
    ("identities:search", {"q": "zzzz"}),
    ("identities:people", {"q": "zzzz"}),
    ("identities:people", {"view": "no-mfa"}),
    ("identities:roles", {"q": "zzzz"}),
    ("mfa:fleet", {"q": "zzzz"}),
    ("keys:keys", {"q": "zzzz"}),
    ("findings:list", {"severity": "critical"}),
    ("findings:list", {"q": "zzzz"}),
    ("changes:drift", {"account": NUMBER}),
    ("changes:drift", {"kind": "user"}),
    ("offboarding:begin", {"q": "zzzz"}),
    ("access:services", {"q": "zzzz"}),
    ("access:escalation", {"q": "zzzz"}),
)
NOUNS = (
    r"(?:(?:IAM|machine|root|managed|customer|access|MFA|synced|critical|open|high|identity|instance) )*"
    r"(?:users?|roles?|groups?|policy|policies|keys?|devices?|findings?|services?|principals?|people|one|profiles?"
    r"|providers?|matches|match|AWS user)"
)
CLAIM = re.compile(
    rf"\b(?:No|no|0|Every|None of the|All 0|There are no) {NOUNS}\b[^.]*"
    r"|Nothing (?:needs|matches|is allowed)[^.]*|No (?:drift|differences)\b[^.]*"
)
"""Words that say that there is none, or that all are fine."""
EXPLAINED = re.compile(
    r"^No one (found|is known)|^No (finding|open finding|people|differences) (is|are) known|^No synced "
    r"|^No finding that matches these filters is known|^No differences known"
    r"|^No (machine user without an owning team|one with an IAM user) is known"
    r"|^Every (IAM user:|IAM user and role (that|of)|access key of)|^No one in your teams is stuck"
    r"|^No one (can approve|approves|can do one|creates|reviews|is asked|was offboarded)"
    r"|no one (is locked|gets|can sign in|can do together|creates|any rights|else|is allowed)"
    r"|No (IAM user is linked until|key is being rotated|device is lost|IAM users have been synced)"
    r"|[Nn]o policy of the account (can )?restrict|0 access keys Of 0 active keys in the list"
    r"|No one Apply|no one (but administrators can reach AWS Support|sees it from outside)|^0 people ?$"
)
"""What says how something works, what was done in Gatehouse, or that no one is known."""
CALCULATED = re.compile(
    r"No one can (become|use any)|No one is administrator|0 of 0|\b0 (services|open|critical|medium|low)\b"
    r"|No (critical or high|open) findings|Every IAM user is matched|No match to confirm"
    r"|(To confirm|Ambiguous|Not linked|Without a proposal) 0\b"
)
"""What rests on a calculation."""

MARKED = re.compile(
    r'(?s)class="empty">\s*<svg[^>]*><use href="[^"]*#(?:shield|circle)-check"/></svg>(.*?)</div>'
)
"""An empty list with a mark that all is well, and what is said there."""
ZERO = re.compile(r'>([^<>]*)(?:</\w+>)?\s*<span class="count"[^>]*>\s*0\s*</span>')
"""A title with the count 0."""
OF_GATEHOUSE = re.compile(
    r"No (packs|assertions|rules) yet|^ ?(For you|Requested by you|Who is stuck) ?$"
    r"|^ ?(Will be rotated|Required in|Blueprints) ?$"
    r"|^ ?(All|Access removed|Cancelled|Deleted|In progress|Restored|Suspended) ?$"
)
"""What rests on nothing that is synced."""


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def connected(stage: str) -> Account:
    """An account that was just connected, with what workers calculated before its first sync."""
    account = factories.account(NUMBER, name="Production")
    begin_sections([account])
    calculate_due()
    findings.calculate_due()
    if stage != STAGES[0]:
        now = datetime.now(tz=UTC)
        Section.objects.update(state="complete", observed_at=now, known_since=now, attempted_at=now)
        Account.objects.update(revision=1, writes=1)
    return account


def synced_before() -> None:
    """Another account, which is empty: it was synced and calculated before the first one was connected."""
    account = factories.account(OTHER, name="Data")
    factories.synced(account)
    Account.objects.update(revision=1, writes=1)
    calculate_due()
    findings.calculate_due()


def reader(role: Role) -> Client:
    """Someone of a role; a lead leads a group of the account, and all but the lead have a user there."""
    client, arns = Client(), (f"arn:aws:iam::{NUMBER}:user/ines.duarte",)
    if role is Role.TEAM_LEAD:
        team = Team.objects.create(slug="payments", name="Payments")
        TeamRule.objects.create(team=team, kind=RuleKind.GROUP, account_id=NUMBER, value="payments-dev")
        operator = factories.operator(role, name="Ines Duarte", team=team, arns=arns)
    else:
        operator = factories.operator(role, name="Ines Duarte", arns=arns)
    client.force_login(operator)
    return client


def addresses() -> Iterator[tuple[str, str]]:
    """(name, address) of each page and file that needs no row of its own, and of questions to them."""
    for method, name, _ in ANSWERS:
        if method != "GET":
            continue
        for arguments in ARGUMENTS:
            try:
                yield name, reverse(name, kwargs=arguments)
            except NoReverseMatch:
                continue
            break
    for name, query in QUESTIONS:
        yield name, f"{reverse(name)}?{urlencode(query)}"


def announced(body: str) -> str:
    """What a screen reader is told of a page."""
    return " ".join(unescape(text) for text in re.findall(r'data-announce="([^"]*)"', body))


@dataclass(frozen=True)
class Opened:
    """A page or a file as a reader got it."""

    body: str
    is_page: bool


def text_of(answer: Opened) -> str:
    """What a page says in its main part, or a file."""
    body = answer.body
    if not answer.is_page:
        return body
    body = body.partition("<main")[2].partition("</main>")[0] or body
    told = announced(body)
    body = re.sub(r"(?s)<(svg|select|option|title)\b.*?</\1>", "", body)
    return f"{plain(body)} {told}"


def plain(markup: str) -> str:
    """The text of some markup."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"(?s)<[^>]+>", " ", markup)))


def opened(client: Client) -> Iterator[tuple[str, Opened]]:
    """(address, what is there) of everything that the reader may open."""
    for _, address in sorted(set(addresses())):
        answer = client.get(address)
        if answer.status_code == 200:
            content = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
            yield address, Opened(body=content.decode(), is_page="html" in answer["Content-Type"])


def claims_on(pages: dict[str, str]) -> list[tuple[str, str]]:
    """(address, words) of what says that there is none, or that all are fine."""
    claims = []
    for address, text in pages.items():
        for match in (*CLAIM.finditer(text), *CALCULATED.finditer(text)):
            if not EXPLAINED.search(match[0]):
                claims.append((address, match[0]))
    return claims


def marks_on(pages: dict[str, Opened]) -> list[tuple[str, str]]:
    """(address, words) of empty lists with a mark that all is well, and of titles with the count 0."""
    marks = []
    for address, page in pages.items():
        if not page.is_page:
            continue
        for words in (*MARKED.findall(page.body), *ZERO.findall(page.body)):
            if not OF_GATEHOUSE.search(plain(words)):
                marks.append((address, plain(words)))
    return marks


@pytest.mark.parametrize("other", [False, True], ids=["alone", "beside another"])
@pytest.mark.parametrize("role", ROLES)
def test_of_what_was_never_synced_no_page_says_or_marks_that_there_is_none(role: Role, other: bool) -> None:
    if other:
        synced_before()
    connected(STAGES[0])
    pages = dict(opened(reader(role)))
    assert len(pages) > ROLES[role]
    assert claims_on({address: text_of(page) for address, page in pages.items()}) == []
    assert marks_on(pages) == []


@pytest.mark.parametrize(("role", "least"), ROLES.items())
def test_of_what_was_not_calculated_since_no_page_says_that_there_is_none(role: Role, least: int) -> None:
    connected(STAGES[1])
    pages = {address: text_of(page) for address, page in opened(reader(role))}
    assert len(pages) > least
    assert {address: found for address, text in pages.items() if (found := CALCULATED.search(text))} == {}
