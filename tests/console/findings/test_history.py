"""The history of a finding, on its page and in what changed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.findings.models import AuditFinding, FindingEvent
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror import snapshot
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.console.findings.test_pages import FULL, page_of, signed_in, text

pytestmark = pytest.mark.django_db
CHANGED = "/findings/?tab=changed"


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


@pytest.fixture
def finding(account: Account) -> AuditFinding:
    """A group with an administrator policy, opened ten days ago."""
    factories.edge(EdgeKind.ATTACHED, group(account), factories.policy(account, "Everything", body=FULL))
    join(account, "maya")
    long_ago = datetime.now(tz=UTC) - timedelta(days=10)
    AuditFinding.objects.update(first_seen=long_ago, changed_at=long_ago)
    FindingEvent.objects.update(at=long_ago)
    return AuditFinding.objects.get(kind="full-administrator-customer-managed")


def group(account: Account) -> Entity:
    return Entity.objects.filter(name="admins").first() or factories.group(account, "admins")


def join(account: Account, *names: str) -> None:
    from iam.audit.findings.calculation import calculate

    for name in names:
        factories.edge(EdgeKind.MEMBER, factories.user(account, name), group(account))
    account.writes += 1
    account.revision += 1
    account.save()
    snapshot.forget()
    assert calculate(account)


def history(page: str) -> list[str]:
    (listed,) = re.findall(r'<ol class="timeline">(.*?)</ol>', page, re.DOTALL)
    return [words_in(line) for line in re.findall(r"<li>(.*?)</li>", listed, re.DOTALL)]


def rows(client: Client, address: str) -> str:
    """The list without the posture score, which names findings too."""
    return client.get(address, headers={"HX-Request": "true", "HX-Target": "table"}).content.decode()


def words_in(html: str) -> str:
    words = " ".join(unescape(re.sub(r"<time.*?</time>|<[^>]*>", "", html, flags=re.DOTALL)).split())
    return words.replace(" ,", ",")


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_the_page_names_whom_it_also_affects_with_links(
    role: Role, account: Account, finding: AuditFinding
) -> None:
    join(account, "tomas")
    tomas = Entity.objects.get(name="tomas")
    page = text(signed_in(role), page_of(finding))
    assert history(page) == ["Also affects tomas", "Opened"]
    (listed,) = re.findall(r'<ol class="timeline">.*?</ol>', page, re.DOTALL)
    assert f'<a href="{reverse("identities:person", args=[tomas.pk])}">tomas</a>' in listed


def test_a_line_names_a_few_and_counts_the_others(account: Account, finding: AuditFinding) -> None:
    join(account, *(f"user-{number:02}" for number in range(30)))
    page = text(signed_in(Role.AUDITOR), page_of(finding))
    names = ", ".join(f"user-{number:02}" for number in range(5))
    assert history(page)[0] == f"Also affects {names} and 25 more"


def test_two_names_are_joined_by_and(account: Account, finding: AuditFinding) -> None:
    join(account, "tomas", "kwame")
    page = text(signed_in(Role.AUDITOR), page_of(finding))
    assert history(page)[0] == "Also affects kwame and tomas"


def test_a_lead_is_told_the_number_without_names(account: Account) -> None:
    policy = factories.policy(account, "AdministratorAccess", category="aws", body=FULL)
    factories.edge(EdgeKind.ATTACHED, group(account), policy)
    join(account, "maya")
    join(account, "tomas")
    finding = AuditFinding.objects.get(kind="full-administrator-aws-managed")
    team = Team.objects.create(name="Payments", slug="payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="admins")
    lead = signed_in(Role.TEAM_LEAD, team=team)
    events = FindingEvent.objects.filter(finding=finding, kind="affects")
    events.update(names=["arn:aws:iam::111111111111:user/hidden-name"])
    page = text(lead, page_of(finding))
    assert history(page)[0] == "Also affects 1 IAM user or role"
    changed = text(lead, CHANGED)
    assert "Also affects 1 IAM user or role" in changed
    assert "hidden-name" not in page + changed


def test_what_changed_has_the_finding_and_says_what_happened(account: Account, finding: AuditFinding) -> None:
    join(account, "tomas")
    client = signed_in(Role.AUDITOR)
    page = text(client, f"{CHANGED}&since={datetime.now(tz=UTC) - timedelta(days=1):%Y-%m-%d}")
    assert "1 with more affected, 0 with fewer affected" in page
    assert "Also affects tomas" in page
    assert "Everything" in page


def test_another_severity_is_said_without_quotes_or_a_colon(account: Account, finding: AuditFinding) -> None:
    AuditFinding.objects.filter(pk=finding.pk).update(severity=3, stamp="")
    join(account, "tomas")
    client = signed_in(Role.AUDITOR)
    assert "Severity changed From low to high" in history(text(client, page_of(finding)))
    page = text(client, f"{CHANGED}&since={datetime.now(tz=UTC) - timedelta(days=1):%Y-%m-%d}")
    assert "Severity changed from low to high" in page


def test_what_changed_is_not_new(account: Account, finding: AuditFinding) -> None:
    join(account, "tomas")
    client = signed_in(Role.AUDITOR)
    assert "Everything" not in rows(client, "/findings/?tab=new")
    FindingEvent.objects.filter(finding=finding, kind="opened").update(at=datetime.now(tz=UTC))
    assert "Everything" in rows(client, "/findings/?tab=new")
