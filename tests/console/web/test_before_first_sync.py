"""Between connecting an account and its first sync, and between that and the first calculation, no page and
no file says that there is none, in whatever role it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape

import pytest
from django.core.cache import cache
from django.http.response import HttpResponseBase
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
)
NOUNS = (
    r"(?:(?:IAM|machine|root|managed|customer|access|MFA|synced|critical|open|high|identity|instance) )*"
    r"(?:users?|roles?|groups?|policy|policies|keys?|devices?|findings?|services?|principals?|people|one|profiles?"
    r"|providers?|matches|match|AWS user)"
)
CLAIM = re.compile(rf"\b(?:No|no|0|Every|None of the|All 0|There are no) {NOUNS}\b[^.]*")
"""Words that say that there is none, or that all are fine."""
EXPLAINED = re.compile(
    r"^No one (found|is known)|^No (finding|open finding|people) (is|are) known|^No synced IAM user"
    r"|^No (machine user without an owning team|one with an IAM user) is known"
    r"|^Every (IAM user:|IAM user and role (that|of)|access key of)|^No one in your teams is stuck"
    r"|^No one (can approve|approves|can do one|creates|reviews|is asked|was offboarded)"
    r"|no one (is locked|gets|can sign in|can do together|creates|any rights|else|is allowed)"
    r"|No (IAM user is linked until|key is being rotated|device is lost|IAM users have been synced)"
    r"|[Nn]o policy of the account (can )?restrict|0 access keys Of 0 active keys that you chose"
    r"|No one Apply"
)
"""What says how something works, what was done in Gatehouse, or that no one is known."""
CALCULATED = re.compile(
    r"No one can (become|use any)|No one is administrator|0 of 0|\b0 (services|open|critical|medium|low)\b"
    r"|No (critical or high|open) findings"
)
"""What rests on a calculation."""


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


def text_of(answer: HttpResponseBase) -> str:
    """What a page says in its main part, or a file."""
    content = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
    body = content.decode()
    if "html" not in answer["Content-Type"]:
        return body
    body = body.partition("<main")[2].partition("</main>")[0] or body
    body = re.sub(r"(?s)<(svg|select|option|title)\b.*?</\1>", "", body)
    return re.sub(r"\s+", " ", unescape(re.sub(r"(?s)<[^>]+>", " ", body)))


def said(client: Client) -> Iterator[tuple[str, str]]:
    """(address, text) of everything that the reader may open."""
    for _, address in sorted(set(addresses())):
        answer = client.get(address)
        if answer.status_code == 200:
            yield address, text_of(answer)


@pytest.mark.parametrize(("role", "least"), ROLES.items())
def test_of_what_was_never_synced_no_page_says_that_there_is_none(role: Role, least: int) -> None:
    connected(STAGES[0])
    pages = dict(said(reader(role)))
    assert len(pages) > least
    claims = [
        (address, claim)
        for address, text in pages.items()
        for claim in (*CLAIM.findall(text), *CALCULATED.findall(text))
    ]
    assert [claim for claim in claims if not EXPLAINED.search(claim[1])] == []


@pytest.mark.parametrize(("role", "least"), ROLES.items())
def test_of_what_was_not_calculated_since_no_page_says_that_there_is_none(role: Role, least: int) -> None:
    connected(STAGES[1])
    pages = dict(said(reader(role)))
    assert len(pages) > least
    assert {address: found for address, text in pages.items() if (found := CALCULATED.search(text))} == {}
