"""The pages of findings: who sees which, filters, pages, files, and acceptance by two people."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding, FindingAcceptance, FindingStatus
from iam.audit.findings.writes import end_acceptances
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.directory.owners import name_owner
from iam.journal.models import Entry
from iam.journal.services import GATEHOUSE
from iam.linking.key_owners import key_subject
from iam.mirror import snapshot
from iam.mirror.models import Account, EdgeKind, UserCredentials
from tests import factories
from tests.console.rotation.rows import key

pytestmark = pytest.mark.django_db
LIST = "/findings/"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def account() -> Account:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    factories.synced(account)
    return account


def signed_in(role: Role, name: str = "Ines Duarte", **fields: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, name=name, **fields))
    return client


@pytest.fixture
def finding(account: Account) -> AuditFinding:
    factories.user(account, "tomas", credentials={"mfa": "none"})
    calculate(account)
    return AuditFinding.objects.get(kind="password-without-mfa")


def page_of(finding: AuditFinding) -> str:
    return reverse("findings:finding", args=[finding.pk])


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR])
def test_those_who_see_accounts_see_their_findings(role: Role, finding: AuditFinding) -> None:
    client = signed_in(role)
    assert "Console password without MFA" in text(client, LIST)
    page = text(client, page_of(finding))
    assert "tomas" in page
    assert ("Request acceptance" in page) is (role is not Role.AUDITOR)
    assert ("Open MFA" in page) is (role is not Role.AUDITOR)


def test_a_member_sees_none(finding: AuditFinding) -> None:
    client = signed_in(Role.MEMBER, arns=(finding.subject,))
    assert client.get(LIST).status_code == 404
    assert client.get(page_of(finding)).status_code == 404


def test_a_lead_sees_those_of_their_people(account: Account, finding: AuditFinding) -> None:
    team = Team.objects.create(name="Payments", slug="payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments")
    kwame = factories.user(account, "kwame", credentials={"mfa": "none"})
    policy = factories.policy(account, "Extra")
    factories.edge(EdgeKind.MEMBER, kwame, factories.group(account, "payments"))
    factories.edge(EdgeKind.ATTACHED, kwame, policy)
    Account.objects.update(writes=9)
    account.refresh_from_db()
    calculate(account)
    client = signed_in(Role.TEAM_LEAD, team=team)
    listed = text(client, LIST)
    assert "kwame" in listed
    assert "tomas" not in listed
    assert client.get(page_of(finding)).status_code == 404
    attached = AuditFinding.objects.get(kind="policy-attached-to-user", name="kwame")
    assert policy.arn not in text(client, page_of(attached))
    answer = client.get(reverse("findings:export", args=["json"]))
    body = b"".join(answer.streaming_content).decode()
    assert "kwame" in body
    assert policy.arn not in body


@pytest.mark.parametrize(
    ("query", "is_listed"),
    [
        ("", True),
        ("?severity=high", True),
        ("?severity=critical", False),
        ("?severity=nonsense", True),
        ("?kind=password-without-mfa", True),
        ("?kind=root-without-mfa", False),
        ("?certainty=confirmed", True),
        ("?certainty=conditional", False),
        ("?q=TOMAS", True),
        ("?q=nobody-of-this-name", False),
        ("?tab=new", True),
        ("?tab=fixed", False),
        ("?tab=requested", False),
        ("?since=2020-01-01", True),
        ("?since=2099-01-01", False),
        ("?since=2026-99-99", True),
    ],
)
def test_a_filter_narrows_the_list(query: str, is_listed: bool, finding: AuditFinding) -> None:
    client = signed_in(Role.AUDITOR)
    assert (f'href="{page_of(finding)}"' in text(client, f"{LIST}{query}")) is is_listed


def test_as_many_are_listed_as_affected_as_are_counted(account: Account) -> None:
    """The group and the policy through which they have it are named apart."""
    policy = factories.policy(account, "AdministratorAccess", category="aws", body=FULL)
    group = factories.group(account, "admins")
    factories.edge(EdgeKind.ATTACHED, group, policy)
    for name in ("maya", "tomas"):
        user = factories.user(account, name, credentials={"mfa": "none"})
        factories.edge(EdgeKind.MEMBER, user, group)
    snapshot.forget()
    calculate(account)
    finding = AuditFinding.objects.get(kind="full-administrator-aws-managed")
    page = text(signed_in(Role.AUDITOR), page_of(finding))
    (affected,) = re.findall(r'aria-labelledby="af-h">(.*?)</section>', page, re.DOTALL)[:1]
    assert "2 IAM users and roles" in affected
    assert len(re.findall(r"<tr>", affected)) - 1 == finding.affected == 2
    assert re.search(r"Through\s+(<a [^>]*>)?AdministratorAccess", affected)


def test_an_aws_managed_policy_is_opened_in_the_account_of_the_finding(account: Account) -> None:
    policy = factories.policy(account, "AdministratorAccess", category="aws", body=FULL)
    other = factories.policy(
        factories.account("222222222222"), "AdministratorAccess", category="aws", body=FULL, arn=policy.arn
    )
    factories.edge(EdgeKind.ATTACHED, factories.role(account, "jenkins"), policy)
    snapshot.forget()
    calculate(account)
    finding = AuditFinding.objects.get(kind="full-administrator-aws-managed")
    page = text(signed_in(Role.AUDITOR), page_of(finding))
    assert f'href="{reverse("identities:policy", args=[policy.pk])}"' in page
    assert f'href="{reverse("identities:policy", args=[other.pk])}"' not in page


@pytest.mark.parametrize(("subject", "label"), [(":root", "Found on"), ("", "Account")])
def test_a_finding_about_the_root_user_is_found_on_it_and_not_on_the_account(
    subject: str, label: str, finding: AuditFinding
) -> None:
    number = finding.account.account_id
    finding.subject = f"arn:aws:iam::{number}{subject}" if subject else number
    finding.entity = None
    finding.save()
    page = text(signed_in(Role.AUDITOR), page_of(finding))
    assert re.search(rf"<dt>{label}</dt>\s*<dd>\s*<span class=\"id\">", page)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_day_until_which_it_is_accepted_is_the_day_that_was_chosen(
    zone: str, finding: AuditFinding
) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    client.cookies["zone"] = zone
    day = datetime.now(tz=UTC).date() + timedelta(days=40)
    body = {"until": f"{day:%Y-%m-%d}", "reason": "The device is on its way."}
    assert client.post(reverse("findings:accept", args=[finding.pk]), body).status_code == 302
    shown = f">{day.day} {day:%b %Y}, 23:59<"
    assert shown in text(client, page_of(finding))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_last_day_that_the_field_offers_is_taken(zone: str, finding: AuditFinding) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    client.cookies["zone"] = zone
    latest = re.search(r'max="(\d{4}-\d\d-\d\d)"', text(client, page_of(finding)))
    assert latest
    body = {"until": latest.group(1), "reason": "The device is on its way."}
    assert client.post(reverse("findings:accept", args=[finding.pk]), body).status_code == 302


@pytest.mark.usefixtures("standing_clock")
def test_pages_follow_each_other_with_the_same_number_of_queries(
    account: Account, django_assert_max_num_queries: Any
) -> None:
    with factories.at_once():
        for number in range(60):
            factories.user(account, f"user-{number:02}", credentials={"mfa": "none"})
    calculate(account)
    client = signed_in(Role.AUDITOR)
    address = f"{LIST}?kind=password-without-mfa"
    client.get(address)
    with django_assert_max_num_queries(14):
        first = client.get(address)
    following = first.context["following"]
    second = client.get(f"{address}&after={following}")
    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 10)
    assert second.context["following"] is None


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_file_has_what_is_filtered(form: str, finding: AuditFinding) -> None:
    client = signed_in(Role.AUDITOR)
    answer = client.get(f"{reverse('findings:export', args=[form])}?kind=password-without-mfa")
    body = b"".join(answer.streaming_content).decode()
    assert finding.subject in body
    if form == "json":
        (row,) = json.loads(body)["rows"]
        assert (row["severity"], row["evidence"]) == ("high", {"mfa": "none"})


def test_list_page_and_files_agree_on_the_owner(account: Account, finding: AuditFinding) -> None:
    """It is looked up when each is made, so that a link that was made a moment ago shows everywhere."""
    factories.person("Tomas Lind", arns=(finding.subject,))
    client = signed_in(Role.AUDITOR)
    address = f"{LIST}?owner=Tomas%20Lind"
    assert f'href="{address}"' in text(client, page_of(finding))
    for query, is_listed in (("?owner=tomas lind", True), ("?owner=Priya", False)):
        page = text(client, f"{LIST}{query}")
        assert (f'href="{page_of(finding)}"' in page) is is_listed
        assert ("owner: Tomas Lind" in page) is is_listed
        for form in ("csv", "json", "ocsf.jsonl"):
            answer = client.get(f"{reverse('findings:export', args=[form])}{query}")
            body = b"".join(answer.streaming_content).decode()
            assert ("Tomas Lind" in body) is is_listed, (form, query)


def test_list_page_and_files_name_the_owner_of_a_key(account: Account) -> None:
    user = factories.user(account, "tomas", credentials={"mfa": "virtual", "active_keys": 2})
    factories.person("Tomas Lind", arns=(user.arn,))
    for owner in ("Payments", "Data"):
        team = Team.objects.create(slug=owner.lower(), name=owner)
        name_owner(key_subject(key(user)), team, actor=GATEHOUSE)
    calculate(account)
    finding = AuditFinding.objects.get(kind="two-active-keys")
    client = signed_in(Role.AUDITOR)
    page = text(client, page_of(finding))
    for owner in ("Payments", "Data"):
        assert f'href="{LIST}?owner={owner}"' in page
        assert "owner: Payments, Data" in text(client, f"{LIST}?owner={owner}")
        for form in ("csv", "json", "ocsf.jsonl"):
            answer = client.get(f"{reverse('findings:export', args=[form])}?owner={owner}")
            body = b"".join(answer.streaming_content).decode()
            assert "Payments, Data" in body, form


def until(days: int = 30) -> str:
    return f"{datetime.now(tz=UTC) + timedelta(days=days):%Y-%m-%d}"


def requested(client: Client, finding: AuditFinding, **fields: str) -> Any:
    data = {"until": until(), "reason": "Moves to single sign-on in January"} | fields
    return client.post(reverse("findings:accept", args=[finding.pk]), data)


def decided(client: Client, finding: AuditFinding, decision: str = "approve") -> Any:
    return client.post(reverse("findings:decide", args=[finding.pk]), {"decision": decision})


def test_two_people_accept_until_a_date_and_it_ends(finding: AuditFinding) -> None:
    ines, hana = signed_in(Role.ADMINISTRATOR), signed_in(Role.APPROVER, "Hana Sato")
    assert requested(ines, finding).status_code == 302
    finding.refresh_from_db()
    assert finding.status == FindingStatus.OPEN
    assert decided(ines, finding).status_code == 422
    assert "Another approver" in text(ines, page_of(finding))
    assert f'href="{page_of(finding)}"' in text(hana, f"{LIST}?tab=requested")
    assert decided(hana, finding).status_code == 302
    finding.refresh_from_db()
    assert finding.status == FindingStatus.ACCEPTED
    page = text(hana, page_of(finding))
    assert "Hana Sato, about the request: “" in page
    assert "Ines Duarte: “" in page
    assert "Hana Sato: “" not in page
    calculate(finding.account)
    finding.refresh_from_db()
    assert finding.status == FindingStatus.ACCEPTED
    assert finding.accepted_until is not None
    assert end_acceptances(finding.accepted_until + timedelta(seconds=1)) == 1
    finding.refresh_from_db()
    assert (finding.status, finding.accepted_until) == (FindingStatus.OPEN, None)
    events = list(finding.events.order_by("pk").values_list("kind", flat=True))
    assert events == ["opened", "requested", "accepted", "ended"]
    kinds = set(Entry.objects.values_list("kind", flat=True))
    assert {"finding.requested", "finding.accepted"} <= kinds


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_file_says_until_when_a_finding_is_accepted(form: str, finding: AuditFinding) -> None:
    address = reverse("findings:export", args=[form])
    ines, hana = signed_in(Role.ADMINISTRATOR), signed_in(Role.APPROVER, "Hana Sato")
    finding_dates = []
    for query in ("", "?tab=accepted"):
        body = b"".join(hana.get(f"{address}{query}").streaming_content).decode()
        rows = json.loads(body)["rows"] if form == "json" else list(csv.DictReader(io.StringIO(body)))
        (row,) = [row for row in rows if row["kind"] == finding.kind]
        finding_dates.append(row["accepted_until"])
        requested(ines, finding)
        decided(hana, finding)
    finding.refresh_from_db()
    assert finding.accepted_until
    assert finding_dates[0] in (None, "")
    assert finding_dates[1] == finding.accepted_until.isoformat()


def test_kinds_are_offered_in_the_order_of_their_titles(finding: AuditFinding) -> None:
    page = text(signed_in(Role.AUDITOR), LIST)
    options = re.search(r'<select[^>]*name="kind".*?</select>', page, re.DOTALL)
    assert options
    titles = [unescape(title).strip() for title in re.findall(r"<option[^>]*>([^<]*)<", options[0])][1:]
    assert len(titles) > 40
    assert titles == sorted(titles, key=str.casefold)


def test_a_declined_request_leaves_it_open_and_can_be_repeated(finding: AuditFinding) -> None:
    ines, hana = signed_in(Role.ADMINISTRATOR), signed_in(Role.APPROVER, "Hana Sato")
    requested(ines, finding)
    assert requested(ines, finding).status_code == 422
    decided(hana, finding, "decline")
    finding.refresh_from_db()
    assert finding.status == FindingStatus.OPEN
    assert requested(ines, finding).status_code == 302


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"until": "tomorrow"}, "Enter a date"),
        ({"until": "2020-01-01"}, "The date must be in the future."),
        ({"until": until(500)}, "Choose a date within a year."),
        ({"reason": "  "}, "Give a reason."),
        ({"reason": "x" * 1001}, "Use at most 1,000 characters."),
    ],
)
def test_a_wrong_answer_is_named_and_keeps_what_was_typed(
    fields: dict[str, str], message: str, finding: AuditFinding
) -> None:
    answer = requested(signed_in(Role.ADMINISTRATOR), finding, **fields)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert message in page
    assert fields.get("reason", "Moves to single sign-on").strip() in page
    assert not FindingAcceptance.objects.exists()


def test_an_acceptance_can_be_ended_before_its_date(finding: AuditFinding) -> None:
    ines, hana = signed_in(Role.ADMINISTRATOR), signed_in(Role.APPROVER, "Hana Sato")
    requested(ines, finding)
    decided(hana, finding)
    assert ines.post(reverse("findings:end", args=[finding.pk])).status_code == 302
    finding.refresh_from_db()
    assert finding.status == FindingStatus.OPEN


def test_an_auditor_changes_nothing(finding: AuditFinding) -> None:
    auditor = signed_in(Role.AUDITOR)
    for address in ("accept", "decide", "end"):
        assert auditor.post(reverse(f"findings:{address}", args=[finding.pk])).status_code == 404


def test_what_was_fixed_while_acceptance_waited_is_not_accepted(
    account: Account, finding: AuditFinding
) -> None:
    ines, hana = signed_in(Role.ADMINISTRATOR), signed_in(Role.APPROVER, "Hana Sato")
    requested(ines, finding)
    UserCredentials.objects.update(mfa="virtual")
    Account.objects.update(writes=9)
    account.refresh_from_db()
    calculate(account)
    assert decided(hana, finding).status_code == 422
    finding.refresh_from_db()
    assert finding.status == FindingStatus.FIXED
