"""The pages of frameworks: who sees which, filters, files, decisions by two people, and how much they ask."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.compliance.exception_coverage import CoveredProblems, covered_problems
from console.compliance.requirement_page import labelled_findings
from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding
from iam.audit.frameworks import assessment, results
from iam.audit.frameworks.models import (
    ComplianceScope,
    FrameworkSummary,
    RequirementChange,
    RequirementDecision,
)
from iam.audit.frameworks.summaries import MAX_WAITING
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.mirror.models import Account
from tests import factories
from tests.console.findings.test_pages import signed_in, text

pytestmark = pytest.mark.django_db
PCI = "/compliance/pci-dss-4.0.1/"
ROW = f"{PCI}8.2.2/"
MOST_STATEMENTS = 14


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    factories.user(account, "shared-ops", credentials={"mfa": "none"})
    calculate(account)
    assessment.assess_due()
    return account


def filled(decided: str, /, **fields: str) -> dict[str, str]:
    until = f"{timezone.now() + timedelta(days=30):%Y-%m-%d}"
    return {"kind": decided, "reason": "Looked at the device policy.", "until": until} | fields


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR])
def test_those_who_see_accounts_see_frameworks(role: Role, account: Account) -> None:
    client = signed_in(role)
    assert "PCI DSS v4.0.1" in text(client, "/compliance/")
    page = text(client, PCI)
    assert "8.4.2 MFA for all access" in page
    row = text(client, ROW)
    assert "shared-ops" in row
    assert ('name="kind"' in row) is (role is not Role.AUDITOR)


def test_an_unknown_framework_requirement_or_scope_is_not_found(account: Account) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    for address in ("/compliance/pci/", f"{PCI}9.9.9/", f"{PCI}?scope=none", f"{PCI}export.xml"):
        assert client.get(address).status_code == 404, address


def test_filters_narrow_by_state_and_words(account: Account) -> None:
    client = signed_in(Role.AUDITOR)
    page = text(client, f"{PCI}?tab=failed")
    assert "8.2.2 Shared" in page
    assert "8.2.8 Sign in again" not in page
    page = text(client, f"{PCI}?q=idle+15")
    assert "8.2.8 Sign in again" in page
    assert "8.2.2 Shared" not in page
    assert "No requirements match." in text(client, f"{PCI}?q=nothing-like-this")


def test_what_changed_since_a_day_says_what_it_was(account: Account) -> None:
    RequirementChange.objects.update(at=timezone.now() - timedelta(days=9))
    client = signed_in(Role.ADMINISTRATOR)
    since = f"{timezone.now() - timedelta(days=2):%Y-%m-%d}"
    assert "No requirement changed its status since then." in text(client, f"{PCI}?tab=changed&since={since}")
    assert client.post(f"{PCI}8.2.8/decide/", filled("met")).status_code == 302
    page = text(client, f"{PCI}?tab=changed&since={since}")
    assert "Was: Needs a person" in page
    assert "8.2.2 Shared" not in page


def test_what_changed_since_the_last_assessment(account: Account) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    assert "Was: Not judged" in text(client, f"{PCI}?tab=changed")
    assert client.post(f"{PCI}assessed/").status_code == 302
    page = text(client, f"{PCI}?tab=changed")
    assert "No requirement changed its status" in page
    assert "Last assessment: Ines Duarte" in page
    client.post(f"{PCI}8.2.8/decide/", filled("met"))
    assert "Was: Needs a person" in text(client, f"{PCI}?tab=changed")
    assert "Record assessment" not in text(signed_in(Role.AUDITOR, name="Amara Diallo"), PCI)
    assert Entry.objects.filter(kind="framework.assessed").count() == 1


def test_an_exception_is_approved_by_another_person(account: Account) -> None:
    ines, hana = signed_in(Role.ADMINISTRATOR), signed_in(Role.APPROVER, name="Hana Sato")
    assert ines.post(f"{ROW}decide/", filled("exception")).status_code == 302
    decision = RequirementDecision.objects.get()
    waiting = text(hana, f"{PCI}?tab=waiting")
    assert "8.2.2 Shared" in waiting
    assert "8.4.2 MFA" not in waiting
    own = text(ines, ROW)
    assert "Another approver or administrator has to decide." in own
    assert 'value="approve"' not in own
    asked = text(hana, ROW)
    assert 'value="approve"' in asked
    assert "Covers what failed when it was requested:" in asked
    assert "Shared user with a console password: shared-ops in production" in asked
    address = f"/compliance/decisions/{decision.pk}/answer/"
    ines.post(address, {"decision": "approve"})
    decision.refresh_from_db()
    assert decision.state == "requested"
    hana.post(address, {"decision": "approve"})
    decision.refresh_from_db()
    assert (decision.state, decision.decided_name) == ("in-force", "Hana Sato")
    page = text(ines, ROW)
    assert "Exception, approved by Hana Sato" in page
    entries = Entry.objects.filter(kind__startswith="requirement.").order_by("pk")
    assert list(entries.values_list("kind", flat=True)) == [
        "requirement.requested",
        "requirement.approved",
    ]


def test_of_accounts_that_someone_does_not_see_an_exception_says_only_how_many(account: Account) -> None:
    signed_in(Role.ADMINISTRATOR).post(f"{ROW}decide/", filled("exception"))
    decision = RequirementDecision.objects.get()
    other = factories.account("222222222222", name="other")
    operator = factories.operator(None, name="Amara Diallo")
    operator.person.assignments.create(role=Role.AUDITOR, account_id=other.account_id)
    (covered,) = covered_problems([decision], viewer_for(operator.person)).values()
    assert covered == CoveredProblems((), 1)


def test_what_an_exception_covers_is_said_kind_by_kind(account: Account) -> None:
    check = "mfa-enforced"
    users = [f"{check}:arn:aws:iam::{account.account_id}:user/people/u{number}" for number in range(12)]
    decision = RequirementDecision(kind="exception", covers=[*users, "first-passwords", "gone"])
    person = factories.operator(Role.APPROVER, name="Hana Sato").person
    (covered,) = covered_problems([decision], viewer_for(person)).values()
    assert [(kind.title, len(kind.names), kind.more) for kind in covered.kinds] == [
        ("“A policy denies everything without MFA” fails for", 10, 2),
        ("“First passwords are changed” fails", 0, 0),
    ]
    assert covered.kinds[0].names[0] == "u0"
    assert covered.more == 1


def test_findings_of_several_kinds_say_which_they_are(account: Account) -> None:
    assert ">shared-ops</a>" in text(signed_in(Role.ADMINISTRATOR), ROW)
    rows = list(AuditFinding.objects.filter(name="shared-ops"))
    assert len(rows) > 1
    labels = [label for _, label in labelled_findings(rows)]
    assert len(set(labels)) == len(labels)
    assert all(label.startswith("shared-ops: ") for label in labels)


WRONG = [
    ({"kind": "nonsense"}, "Choose what you decide."),
    ({"reason": "ok"}, "Say what you looked at"),
    ({"until": "soon"}, "Choose a date"),
    ({"until": "2020-01-01"}, "The date must be in the future."),
    ({"reason": "a\u202eb and so on and on"}, "reverses the order of letters"),
]


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_a_wrong_decision_is_refused_and_keeps_what_was_typed(
    account: Account, fields: dict[str, str], words: str
) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    answer = client.post(f"{PCI}8.2.8/decide/", filled("met", **fields))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "aria-invalid" in page
    assert not RequirementDecision.objects.exists()


def test_auditors_and_members_decide_nothing_by_any_address(account: Account) -> None:
    signed_in(Role.ADMINISTRATOR).post(f"{ROW}decide/", filled("exception"))
    decision = RequirementDecision.objects.get()
    for role in (Role.AUDITOR, Role.MEMBER):
        client = signed_in(role, name=f"Some {role}")
        assert client.post(f"{ROW}decide/", filled("met")).status_code == 404
        for act in ("answer", "end"):
            address = f"/compliance/decisions/{decision.pk}/{act}/"
            assert client.post(address, {"decision": "approve"}).status_code == 404
        assert client.post("/compliance/scopes/new/", {"name": "Cards"}).status_code == 404
    assert RequirementDecision.objects.get().state == "requested"


def exported(client: Client, form: str) -> bytes:
    answer: Any = client.get(f"{PCI}export.{form}")
    assert answer.status_code == 200
    if answer.streaming:
        return b"".join(answer.streaming_content)
    return bytes(answer.content)


def test_files_have_every_row(account: Account) -> None:
    client = signed_in(Role.AUDITOR)
    lines = list(csv.DictReader(StringIO(exported(client, "csv").decode("utf-8-sig"))))
    by_number = {line["requirement"].lstrip("'"): line for line in lines}
    assert len(lines) == 52
    assert by_number["8.2.2"]["state"] == "failed"
    assert json.loads(by_number["8.2.2"]["findings"])
    assert "8.2.2" in exported(client, "json").decode()
    assert exported(client, "pdf").startswith(b"%PDF")
    kinds = Entry.objects.filter(kind="list.export", subject="pci-dss-4.0.1")
    assert sorted(entry.data["form"] for entry in kinds) == ["csv", "json", "pdf"]


def test_a_past_date_is_judged_by_a_worker(account: Account) -> None:
    client = signed_in(Role.AUDITOR)
    address = f"{PCI}?as-of=2026-02-01T09:00"
    assert "A worker judges the requirements" in text(client, address)
    summary = FrameworkSummary.objects.get(moment=datetime(2026, 2, 1, 9, 0, tzinfo=UTC))
    assert summary.updated_at is None
    assert results.judge_past_moments() == 1
    page = text(client, address)
    assert "8.2.2 Shared" in page
    assert "When passwords were last used isn’t known for a past date." in page
    poll = client.get(address, headers={"Gatehouse-Poll": "1", "HX-Request": "true"})
    assert poll.headers["HX-Refresh"] == "true"


def test_a_requirement_is_shown_as_of_a_past_date(account: Account) -> None:
    """With what each account added then, and only what people had decided by then."""
    administrator, client = signed_in(Role.ADMINISTRATOR), signed_in(Role.AUDITOR, name="Otto Audit")
    assert administrator.post(f"{ROW}decide/", filled("exception")).status_code == 302
    address = f"{ROW}?as-of=2026-02-01T09:00:00"
    assert "A worker judges the requirements" in text(client, address)
    results.judge_past_moments()
    page = text(client, address)
    assert "shared-ops" in page
    assert "<strong>Exception</strong>" not in page
    assert "<strong>Exception</strong>" in text(client, ROW)
    assert 'name="kind"' not in text(administrator, address)
    assert "2026-02-01T09:00:00" in text(client, f"{PCI}?as-of=2026-02-01T09:00:00&q=8.2.2")
    poll = client.get(address, headers={"Gatehouse-Poll": "1", "HX-Request": "true"})
    assert poll.headers["HX-Refresh"] == "true"
    assert (
        administrator.post(f"{ROW}decide/?as-of=2026-02-01T09:00:00", filled("exception")).status_code == 404
    )


def test_a_past_decision_is_shown_as_it_was_then(account: Account) -> None:
    ines, hana = signed_in(Role.ADMINISTRATOR), signed_in(Role.APPROVER, name="Hana Sato")
    ines.post(f"{ROW}decide/", filled("exception"))
    decision = RequirementDecision.objects.get()
    hana.post(f"/compliance/decisions/{decision.pk}/answer/", {"decision": "approve"})
    days = {"requested_at": 9, "decided_at": 6, "from_at": 6, "ended_at": 3}
    moments = {name: timezone.now() - timedelta(days=number) for name, number in days.items()}
    RequirementDecision.objects.update(state="ended", ended_name="Hana Sato", **moments)
    shown = {}
    for days_ago in (8, 5, 2):
        moment = timezone.now() - timedelta(days=days_ago)
        address = f"{ROW}?as-of={moment:%Y-%m-%dT%H:%M:%S}"
        text(hana, address)
        results.judge_past_moments()
        shown[days_ago] = text(hana, address)
    assert "Waiting for approval" in shown[8]
    assert "Approved by" not in shown[8]
    assert "In force" in shown[5]
    assert "Ended by" not in shown[5]
    assert "Ended by" in shown[2]
    assert not any('value="approve"' in page for page in shown.values())


def test_who_sees_some_accounts_sees_their_past(account: Account) -> None:
    other = factories.account("222222222222", name="staging")
    factories.synced(other)
    factories.user(other, "shared-staging", credentials={"mfa": "none"})
    calculate(other)
    operator = factories.operator(Role.AUDITOR, name="Otto Audit")
    operator.person.assignments.update(account_id=other.account_id)
    client = Client()
    client.force_login(operator)
    for address in (PCI, ROW):
        text(client, f"{address}?as-of=2026-02-01T09:00:00")
        results.judge_past_moments()
    page = text(client, f"{ROW}?as-of=2026-02-01T09:00:00")
    assert "shared-staging" in page
    assert "shared-ops" not in page
    assert "In the accounts that you see." in text(client, f"{PCI}?as-of=2026-02-01T09:00:00")


def test_past_dates_wait_for_each_other_and_are_dropped_in_time(account: Account) -> None:
    client = signed_in(Role.AUDITOR)
    for minute in range(MAX_WAITING + 5):
        text(client, f"{PCI}?as-of=2026-02-01T09:{minute:02d}")
    waiting = FrameworkSummary.objects.filter(moment__isnull=False)
    assert waiting.count() == MAX_WAITING
    waiting.update(updated_at=timezone.now(), requested_at=timezone.now() - timedelta(days=31))
    assert results.judge_past_moments() == 0
    assert not waiting.exists()
    assert FrameworkSummary.objects.exists()


def test_a_scope_is_created_and_judged(account: Account) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    bad = client.post("/compliance/scopes/new/", {"name": "Cards", "paths": "cards"})
    assert bad.status_code == 422
    assert "must start and end with a slash" in bad.content.decode()
    assert client.post("/compliance/scopes/new/", {"name": "Cards", "paths": "/cards/"}).status_code == 302
    assert ComplianceScope.objects.get().slug == "cards"
    assessment.assess_due()
    assert "Cards" in text(client, f"{PCI}?scope=cards")
    assert client.post("/compliance/scopes/cards/remove/").status_code == 302
    assert not ComplianceScope.objects.exists()


def test_pages_ask_the_same_for_one_account_and_for_many(
    account: Account, django_assert_max_num_queries: Any
) -> None:
    for number in range(2, 12):
        other = factories.account(account_id=f"{number:012d}", name=f"account-{number}")
        factories.synced(other)
        factories.user(other, f"shared-{number}", credentials={"mfa": "none"})
        calculate(other)
    assessment.assess_due()
    client = signed_in(Role.AUDITOR)
    for address in ("/compliance/", PCI, ROW, f"{PCI}8.5.1/"):
        text(client, address)
        with django_assert_max_num_queries(MOST_STATEMENTS):
            text(client, address)


def test_who_sees_some_accounts_gets_the_result_of_these(account: Account) -> None:
    other = factories.account(account_id="222222222222", name="data")
    factories.synced(other)
    factories.user(other, "nora", credentials={"mfa": "virtual"})
    calculate(other)
    assessment.assess_due()
    client = Client()
    operator = factories.operator(None, name="Only Data")
    factories.assign(operator.person, Role.AUDITOR, account_id="222222222222")
    client.force_login(operator)
    page = text(client, PCI)
    assert "In the accounts that you see." in page
    assert "shared-ops" not in text(client, ROW)
    assert "Shared user with a console password: 1 finding" not in page


def test_an_auditor_gets_from_a_framework_to_a_pack_about_it(account: Account) -> None:
    client = signed_in(Role.AUDITOR)
    link = 'href="/evidence/new/?about=framework:pci-dss-4.0.1"'
    assert link in text(client, PCI)
    assert '<option value="framework:pci-dss-4.0.1" selected' in text(
        client, "/evidence/new/?about=framework:pci-dss-4.0.1"
    )
