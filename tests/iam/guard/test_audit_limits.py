"""An auditor who is limited to frameworks, packs or a period reaches these, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.evidence.models import EvidencePack, PackKind, PackState
from iam.audit.evidence.pack_builder import run_pack
from iam.audit.evidence.packs import PackOrder, PackRefusedError, draw_sample, request_pack, visible_packs
from iam.audit.findings.calculation import calculate
from iam.audit.frameworks import assessment, results
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.queries import parts_of_requirement, results_at, results_now
from iam.directory.audit_scopes import AuditTerms, set_audit_scope
from iam.directory.models import AuditScope, Person, Role
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right, Viewer, evidence_viewer, viewer_for
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE, record
from tests import factories

pytestmark = pytest.mark.django_db
PCI, CIS = "pci-dss-4.0.1", "cis-aws-7.0"
NOW = datetime.now(tz=UTC)
PERIOD = AuditTerms(since=NOW - timedelta(days=90), until=NOW - timedelta(days=30))


@pytest.fixture
def auditor() -> Any:
    account = factories.account()
    factories.synced(account)
    factories.user(account, "shared-ops", credentials={"mfa": "none"})
    calculate(account)
    assessment.assess_due()
    return factories.operator(Role.AUDITOR, name="Otto Audit")


def limited(operator: Any, **terms: Any) -> Client:
    set_audit_scope(operator.person, AuditTerms(**terms), actor=COMMAND_LINE)
    # The scope ended the sessions that there were.
    operator.refresh_from_db()
    client = Client()
    client.force_login(operator)
    return client


def pack_of(person: Person, *, kind: str = PackKind.PERIOD, subject: str = "", **fields: Any) -> EvidencePack:
    values = {
        "since": NOW - timedelta(days=60),
        "until": NOW - timedelta(days=40),
        "requested_at": datetime.now(tz=UTC) + timedelta(minutes=1),
        "state": PackState.DONE,
    }
    return EvidencePack.objects.create(
        kind=kind,
        subject=subject,
        title="A pack",
        seed="s",
        sample_size=1,
        requested_by=person.pk,
        requested_name=person.name,
        **values | fields,
    )


def status(client: Client, name: str, *args: object, query: str = "") -> int:
    return client.get(reverse(name, args=args) + query).status_code


def test_a_framework_is_seen_with_its_rows_and_files_and_no_other(auditor: Any) -> None:
    client = limited(auditor, frameworks=[PCI])
    page = client.get("/").content.decode()
    assert "You see: PCI DSS v4.0.1" in page
    assert "CIS AWS" not in page
    for name, code in ((PCI, 200), (CIS, 404)):
        assert status(client, "compliance:framework", name) == code
        assert status(client, "compliance:export", name, "csv") == code
        assert status(client, "compliance:export", name, "pdf") == code
    assert status(client, "compliance:requirement", PCI, "8.2.2") == 200
    assert status(client, "compliance:requirement", CIS, "2.4") == 404
    listed = client.get(reverse("compliance:frameworks")).content.decode()
    assert "PCI DSS v4.0.1" in listed
    assert "CIS AWS" not in listed


def test_findings_are_named_and_not_linked(auditor: Any) -> None:
    client = limited(auditor, frameworks=[PCI])
    page = client.get(reverse("compliance:requirement", args=[PCI, "8.2.2"])).content.decode()
    assert "shared-ops" in page
    assert "/findings/" not in page


def test_the_navigation_leads_only_where_they_may_go(auditor: Any) -> None:
    client = limited(auditor, frameworks=[PCI])
    for address in ("/", reverse("compliance:frameworks"), reverse("evidence:packs")):
        page = client.get(address).content.decode()
        for name in ("identities:people", "findings:list", "audit:journal", "operators", "changes:list"):
            assert f'href="{reverse(name)}"' not in page, (address, name)


def test_packs_alone_are_seen_and_no_framework(auditor: Any) -> None:
    ines = factories.operator(Role.ADMINISTRATOR).person
    given, other = pack_of(ines), pack_of(ines)
    client = limited(auditor, packs=[str(given.pk)])
    assert status(client, "evidence:pack", given.pk) == 200
    assert status(client, "evidence:pack", other.pk) == 404
    assert status(client, "evidence:pack-export", other.pk) == 404
    for name in ("evidence:new", "evidence:sample", "compliance:frameworks"):
        assert status(client, name) == 404, name
    assert status(client, "compliance:framework", PCI) == 404
    assert [pack.pk for pack in visible_packs(evidence_viewer(viewer_for(auditor.person)))] == [given.pk]


def test_packs_of_before_the_limit_and_beyond_it_are_gone(auditor: Any) -> None:
    framework = {"kind": PackKind.FRAMEWORK, "subject": PCI}
    before = pack_of(auditor.person, **framework, requested_at=NOW - timedelta(days=9))
    client = limited(auditor, frameworks=[PCI], since=PERIOD.since)
    own = pack_of(auditor.person, kind=PackKind.FRAMEWORK, subject=PCI)
    wide = pack_of(auditor.person, kind=PackKind.FRAMEWORK, subject=PCI, since=NOW - timedelta(days=200))
    strange = pack_of(auditor.person, kind=PackKind.FRAMEWORK, subject=CIS)
    period = pack_of(auditor.person)
    codes = [status(client, "evidence:pack", pack.pk) for pack in (own, before, wide, strange, period)]
    assert codes == [200, 404, 404, 404, 404]


def test_a_period_shows_its_moments_its_journal_and_nothing_of_today(auditor: Any) -> None:
    client = limited(auditor, since=PERIOD.since, until=PERIOD.until)
    answer = client.get(reverse("compliance:framework", args=[PCI]))
    assert answer.status_code == 302
    assert "as-of=" in answer["Location"]
    inside = f"?as-of={NOW - timedelta(days=60):%Y-%m-%dT%H:%M:%S}"
    after = f"?as-of={NOW - timedelta(days=10):%Y-%m-%dT%H:%M:%S}"
    earlier = f"?as-of={NOW - timedelta(days=120):%Y-%m-%dT%H:%M:%S}"
    for name, args in (("compliance:framework", [PCI]), ("compliance:requirement", [PCI, "8.2.2"])):
        assert status(client, name, *args, query=inside) == 200
        assert status(client, name, *args, query=after) == 404
        assert status(client, name, *args, query=earlier) == 404
    assert client.get(reverse("compliance:requirement", args=[PCI, "8.2.2"])).status_code == 302
    assert client.get(reverse("compliance:export", args=[PCI, "csv"])).status_code == 302
    assert status(client, "compliance:export", PCI, "csv", query=after) == 404


def test_the_journal_and_its_files_are_those_of_the_period(auditor: Any) -> None:
    client = limited(auditor, since=PERIOD.since, until=PERIOD.until)
    for days in (100, 60, 10):
        entry = record(kind="role.assign", actor=None, subject=f"{days} days ago")
        Entry.objects.filter(pk=entry.pk)
        _dated(entry, NOW - timedelta(days=days))
    for query in ("", "?from=2000-01-01&to=2100-01-01", "?q=days+ago"):
        page = client.get(reverse("audit:journal") + query).content.decode()
        assert ("60 days ago" in page, "100 days ago" in page, "10 days ago" in page.replace("100", "")) == (
            True,
            False,
            False,
        )
    file = b"".join(client.get(reverse("audit:journal") + "?format=csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "60 days ago" in file
    assert "10 days ago" not in file.replace("100 days", "")
    assert "100 days ago" not in file


def _dated(entry: Entry, at: datetime) -> None:
    from django.db import connection

    from iam.journal import triggers

    triggers.drop(connection)
    Entry.objects.filter(pk=entry.pk).update(at=at)
    triggers.create(connection)


@pytest.mark.parametrize(
    ("terms", "order"),
    [
        ({"frameworks": [PCI]}, {"kind": PackKind.FRAMEWORK, "subject": CIS}),
        ({"frameworks": [PCI]}, {"kind": PackKind.PERIOD}),
        ({"since": PERIOD.since}, {"kind": PackKind.PERIOD, "since": NOW - timedelta(days=100)}),
        ({"until": PERIOD.until}, {"kind": PackKind.PERIOD, "until": NOW}),
        ({"until": PERIOD.until}, {"kind": PackKind.FRAMEWORK, "subject": PCI, "until": NOW}),
        ({"packs": ["0" * 32]}, {"kind": PackKind.FRAMEWORK, "subject": PCI}),
    ],
)
def test_no_service_builds_beyond_the_limits(auditor: Any, terms: Any, order: Any) -> None:
    limited(auditor, **terms)
    viewer = evidence_viewer(viewer_for(auditor.person))
    wanted = PackOrder(**{"since": NOW - timedelta(days=60), "until": NOW - timedelta(days=40)} | order)
    with pytest.raises(PackRefusedError):
        request_pack(wanted, actor=viewer, now=NOW)
    if order["kind"] is PackKind.PERIOD:
        with pytest.raises(PackRefusedError):
            draw_sample(wanted, actor=viewer, now=NOW)


def test_a_pack_within_the_limits_is_built(auditor: Any, settings: Any, tmp_path: Any) -> None:
    settings.VAR = tmp_path
    limited(auditor, frameworks=[PCI])
    viewer = evidence_viewer(viewer_for(auditor.person))
    order = PackOrder(kind=PackKind.FRAMEWORK, subject=PCI, since=NOW - timedelta(days=9), until=NOW)
    pack = request_pack(order, actor=viewer, now=datetime.now(tz=UTC))
    run_pack(pack.pk)
    pack.refresh_from_db()
    assert (pack.state, "operators" in pack.counts) == (PackState.DONE, False)


def test_a_pack_whose_limits_shrink_before_it_is_built_fails(auditor: Any) -> None:
    limited(auditor, frameworks=[PCI])
    viewer = evidence_viewer(viewer_for(auditor.person))
    order = PackOrder(kind=PackKind.FRAMEWORK, subject=PCI, since=NOW - timedelta(days=9), until=NOW)
    pack = request_pack(order, actor=viewer, now=datetime.now(tz=UTC))
    limited(auditor, frameworks=[CIS])
    run_pack(pack.pk)
    pack.refresh_from_db()
    assert pack.state == PackState.FAILED


def test_queries_show_nothing_beyond_the_limits_whoever_asks(auditor: Any) -> None:
    limited(auditor, frameworks=[PCI], until=PERIOD.until)
    viewer = evidence_viewer(viewer_for(auditor.person))
    pci, cis = (all_frameworks()[name] for name in (PCI, CIS))
    assert results_now(viewer, pci, None).results == {}
    assert results_at(viewer, cis, None, at=NOW - timedelta(days=60)).results == {}
    assert parts_of_requirement(viewer, pci, None, "8.2.2") == []


def test_accounts_of_the_role_limit_it_too(auditor: Any) -> None:
    other = factories.account("222222222222", name="staging")
    factories.synced(other)
    factories.user(other, "shared-staging", credentials={"mfa": "none"})
    calculate(other)
    assessment.assess_due()
    auditor.person.assignments.update(account_id=other.account_id)
    client = limited(auditor, frameworks=[PCI])
    page = client.get(reverse("compliance:requirement", args=[PCI, "8.2.2"])).content.decode()
    assert "shared-staging" in page
    assert "shared-ops" not in page
    assert "staging" in client.get("/").content.decode()


def test_another_role_keeps_what_it_gives_and_gets_no_more(auditor: Any) -> None:
    """An approver of one account who audits another is not limited in the first, nor freed in the second."""
    other = factories.account("222222222222", name="staging")
    factories.synced(other)
    factories.user(other, "shared-staging", credentials={"mfa": "none"})
    calculate(other)
    assessment.assess_due()
    factories.assign(auditor.person, Role.APPROVER, account_id="111111111111")
    auditor.person.assignments.filter(role=Role.AUDITOR).update(account_id=other.account_id)
    client = limited(auditor, frameworks=[CIS])
    page = client.get(reverse("compliance:requirement", args=[PCI, "8.2.2"])).content.decode()
    assert "shared-ops" in page
    assert "shared-staging" not in page
    assert status(client, "identities:people") == 200


@pytest.mark.parametrize(
    "terms", [{"frameworks": [PCI]}, {"packs": ["0" * 32]}, {"since": PERIOD.since}, {"until": PERIOD.until}]
)
def test_rights_and_scope_are_those_of_evidence_alone(auditor: Any, terms: Any) -> None:
    limited(auditor, **terms)
    viewer: Viewer = viewer_for(auditor.person)
    rights = {right for right, _ in viewer.grants}
    assert rights <= {Right.SEE_EVIDENCE, Right.SEE_JOURNAL}
    assert viewer.scope.accounts == frozenset()
    assert (Right.SEE_JOURNAL in rights) is not ("frameworks" in terms or "packs" in terms)


def test_the_form_limits_and_lifts_and_says_it_in_the_journal(auditor: Any) -> None:
    administrator = Client()
    administrator.force_login(factories.operator(Role.ADMINISTRATOR))
    address = reverse("operator-audit-scope", args=[auditor.person_id])
    bad = administrator.post(address, {"since": "2026-02-02", "until": "2026-02-01", "frameworks": ["x"]})
    assert bad.status_code == 422
    text = bad.content.decode()
    assert "The last day must not be before the first." in text
    assert "Choose frameworks from the list." in text
    assert administrator.post(address, {"frameworks": [PCI], "since": "2026-01-01"}).status_code == 302
    scope = AuditScope.objects.get()
    assert (scope.frameworks, scope.since) == ([PCI], datetime(2026, 1, 1, tzinfo=UTC))
    page = administrator.get(reverse("operator", args=[auditor.person_id])).content.decode()
    assert "Sees only: PCI DSS v4.0.1, all accounts, from 1 Jan 2026" in page
    assert administrator.post(address, {}).status_code == 302
    assert not AuditScope.objects.exists()
    assert Entry.objects.filter(kind="role.limit").count() == 2


def test_only_administrators_of_everything_limit_and_nobody_themselves(auditor: Any) -> None:
    terms = AuditTerms(frameworks=[PCI])
    approver = factories.operator(Role.APPROVER, name="Hana Sato").person
    with pytest.raises(DirectoryRuleError):
        set_audit_scope(auditor.person, terms, actor=viewer_for(approver))
    factories.assign(auditor.person, Role.ADMINISTRATOR)
    with pytest.raises(DirectoryRuleError):
        set_audit_scope(auditor.person, terms, actor=viewer_for(auditor.person))
    with pytest.raises(DirectoryRuleError):
        set_audit_scope(approver, terms, actor=COMMAND_LINE)


def test_past_moments_of_the_period_are_judged(auditor: Any) -> None:
    client = limited(auditor, frameworks=[PCI], since=PERIOD.since, until=PERIOD.until)
    address = client.get(reverse("compliance:framework", args=[PCI]))["Location"]
    client.get(address)
    assert results.judge_past_moments() == 1
    assert "8.2.2" in client.get(address).content.decode()
