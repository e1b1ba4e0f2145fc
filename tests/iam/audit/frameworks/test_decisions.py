"""What people decide: who can, with what, until when; no one approves their own request."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from iam.audit.findings.calculation import calculate
from iam.audit.frameworks import assessment, decisions, summaries
from iam.audit.frameworks.decisions import DecisionDraft, DecisionRefusedError
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.judgement import DecisionKind
from iam.audit.frameworks.models import (
    ComplianceScope,
    FrameworkSummary,
    RequirementChange,
    RequirementDecision,
)
from iam.audit.frameworks.scopes import remove_scope, save_scope
from iam.audit.frameworks.summaries import key_of, summarize
from iam.audit.frameworks.terms import ScopeTerms
from iam.directory.models import Role
from iam.guard import Viewer
from iam.journal.models import Entry
from iam.mirror.models import Account
from tests import factories

pytestmark = pytest.mark.django_db
PCI = all_frameworks()["pci-dss-4.0.1"]
REASON = "Looked at the device policy."


def viewer(role: Role, name: str, **fields: Any) -> Viewer:
    made: Viewer = factories.viewer(role, name=name, **fields)
    return made


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    factories.user(account, "shared-ops", credentials={"mfa": "none"})
    calculate(account)
    assessment.assess_due()
    return account


@pytest.fixture
def ines() -> Viewer:
    return viewer(Role.ADMINISTRATOR, "Ines Duarte")


@pytest.fixture
def hana() -> Viewer:
    return viewer(Role.APPROVER, "Hana Sato")


def decide(
    number: str,
    kind: DecisionKind,
    actor: Viewer,
    *,
    days: float = 30,
    reason: str = REASON,
    scope: ComplianceScope | None = None,
) -> RequirementDecision:
    now = timezone.now()
    requirement = PCI.requirement(number)
    assert requirement is not None
    draft = DecisionDraft(kind, reason, now + timedelta(days=days))
    return decisions.decide(PCI, requirement, scope, draft, actor=actor, now=now)


def answer(decision: RequirementDecision, actor: Viewer, *, is_approved: bool = True) -> None:
    decisions.answer(decision, PCI, is_approved=is_approved, actor=actor, now=timezone.now())


def state_of(number: str, *, at: datetime | None = None) -> str:
    return summarize(PCI, None, now=at or timezone.now())[number].state.value


def test_an_attestation_counts_until_its_date(account: Account, ines: Viewer) -> None:
    assert state_of("8.2.8") == "needs a person"
    decide("8.2.8", DecisionKind.MET, ines)
    assert state_of("8.2.8") == "passed"
    assert state_of("8.2.8", at=timezone.now() + timedelta(days=31)) == "needs a person"
    entry = Entry.objects.get(kind="requirement.attested")
    assert (entry.actor_label, entry.subject) == ("Ines Duarte", "pci-dss-4.0.1 8.2.8")


def test_a_worker_that_began_before_a_decision_does_not_write_the_results_without_it(
    account: Account, ines: Viewer
) -> None:
    before = timezone.now()
    decide("8.2.8", DecisionKind.MET, ines)
    assert state_of("8.2.8", at=before) == "passed"
    summary = FrameworkSummary.objects.get(key=key_of(PCI.name, None, ""))
    assert summary.results["8.2.8"]["state"] == "passed"


def test_decisions_are_read_when_the_results_are_locked(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    FrameworkSummary.objects.all().delete()
    judged = summaries.judged

    def after_the_lock(*arguments: Any, **fields: Any) -> Any:
        assert FrameworkSummary.objects.filter(key=key_of(PCI.name, None, "")).exists()
        return judged(*arguments, **fields)

    monkeypatch.setattr(summaries, "judged", after_the_lock)
    assert state_of("8.2.8") == "needs a person"


def test_an_attestation_covers_no_failure(account: Account, ines: Viewer) -> None:
    assert state_of("8.3.11") == "failed"
    decide("8.3.11", DecisionKind.MET, ines)
    assert state_of("8.3.11") == "failed"


def test_an_exception_needs_a_second_person_and_covers_what_failed_then(
    account: Account, ines: Viewer, hana: Viewer
) -> None:
    assert state_of("8.2.2") == "failed"
    decision = decide("8.2.2", DecisionKind.EXCEPTION, ines)
    assert state_of("8.2.2") == "failed"
    with pytest.raises(DecisionRefusedError, match="Another approver or administrator of all its accounts"):
        answer(decision, ines)
    answer(decision, hana)
    assert state_of("8.2.2") == "passed"
    factories.user(account, "shared-more", credentials={"mfa": "none"})
    account.writes += 1
    account.save(update_fields=["writes"])
    calculate(account)
    assessment.assess_due()
    summary = FrameworkSummary.objects.get(key=key_of(PCI.name, None, ""))
    assert summary.results["8.2.2"]["state"] == "failed"
    assert "doesn’t cover 1 problem" in summary.results["8.2.2"]["reason"]


@pytest.mark.parametrize("kind", [DecisionKind.COMPENSATING, DecisionKind.NOT_APPLICABLE])
def test_nothing_covers_a_failure_without_a_second_person(
    account: Account, ines: Viewer, hana: Viewer, kind: DecisionKind
) -> None:
    decision = decide("8.4.2", kind, ines)
    assert state_of("8.4.2") == "failed"
    answer(decision, hana)
    expected = "passed" if kind == DecisionKind.COMPENSATING else "not applicable"
    assert state_of("8.4.2") == expected
    decision.refresh_from_db()
    decisions.end(decision, PCI, actor=ines, now=timezone.now())
    assert state_of("8.4.2") == "failed"


def test_a_declined_request_changes_nothing(account: Account, ines: Viewer, hana: Viewer) -> None:
    decision = decide("8.2.2", DecisionKind.EXCEPTION, ines)
    answer(decision, hana, is_approved=False)
    assert state_of("8.2.2") == "failed"
    with pytest.raises(DecisionRefusedError, match="already"):
        answer(decision, hana)


REFUSED: list[tuple[str, DecisionKind | str, dict[str, Any], str]] = [
    ("8.4.2", DecisionKind.EXCEPTION, {}, "kind"),
    ("8.2.2", "nonsense", {}, "kind"),
    ("8.2.2", DecisionKind.APPLIES, {}, "kind"),
    ("8.2.8", DecisionKind.MET, {"reason": "ok"}, "reason"),
    ("8.2.8", DecisionKind.MET, {"reason": "x" * 1001}, "reason"),
    ("8.2.8", DecisionKind.MET, {"days": -1}, "until"),
    ("8.2.8", DecisionKind.MET, {"days": 400}, "until"),
    ("8.5.1", DecisionKind.EXCEPTION, {"reason": ""}, "reason"),
]


@pytest.mark.parametrize(("number", "kind", "fields", "field"), REFUSED)
def test_what_is_wrong_is_refused_at_its_field(
    account: Account, ines: Viewer, number: str, kind: Any, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(DecisionRefusedError) as raised:
        decide(number, kind, ines, **fields)
    assert raised.value.field == field
    assert not RequirementDecision.objects.exists()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MEMBER])
def test_who_only_reads_decides_nothing(account: Account, ines: Viewer, role: Role) -> None:
    reader = viewer(role, "Amara Diallo")
    with pytest.raises(DecisionRefusedError, match="Only approvers"):
        decide("8.2.8", DecisionKind.MET, reader)
    decision = decide("8.2.2", DecisionKind.EXCEPTION, ines)
    with pytest.raises(DecisionRefusedError):
        answer(decision, reader)
    with pytest.raises(DecisionRefusedError):
        decisions.end(decision, PCI, actor=reader, now=timezone.now())
    with pytest.raises(DecisionRefusedError):
        save_scope(None, name="Cards", terms=ScopeTerms(paths=("/a/",)), actor=reader, now=timezone.now())


def test_the_same_is_requested_once(account: Account, ines: Viewer) -> None:
    decide("8.2.2", DecisionKind.EXCEPTION, ines)
    with pytest.raises(DecisionRefusedError, match="requested already"):
        decide("8.2.2", DecisionKind.EXCEPTION, ines)


def test_a_scope_is_judged_on_its_own_and_stays_while_it_is_evidence(account: Account, ines: Viewer) -> None:
    factories.user(account, "payments-ops", path="/payments/", credentials={"mfa": "virtual"})
    calculate(account)
    scope = save_scope(
        None, name="Payments", terms=ScopeTerms(paths=("/payments/",)), actor=ines, now=timezone.now()
    )
    assessment.assess_due()
    everything = FrameworkSummary.objects.get(key=key_of(PCI.name, None, ""))
    of_scope = FrameworkSummary.objects.get(key=key_of(PCI.name, scope, ""))
    assert everything.results["8.2.1"]["state"] == "failed"
    assert of_scope.results["8.2.1"]["state"] != "failed"
    decide("8.2.8", DecisionKind.MET, ines, scope=scope)
    assert state_of("8.2.8") == "needs a person"
    with pytest.raises(DecisionRefusedError, match="evidence"):
        remove_scope(scope, actor=ines)


WRONG_SCOPES = {
    "accounts": ScopeTerms(accounts=("999999999999",)),
    "paths": ScopeTerms(paths=("payments",)),
    "tags": ScopeTerms(tags=(("environment", ""),)),
    "resources": ScopeTerms(resources=("bucket",)),
}


@pytest.mark.parametrize("field", WRONG_SCOPES)
def test_a_wrong_scope_is_refused_at_its_field(account: Account, ines: Viewer, field: str) -> None:
    with pytest.raises(DecisionRefusedError) as raised:
        save_scope(None, name="Cards", terms=WRONG_SCOPES[field], actor=ines, now=timezone.now())
    assert raised.value.field == field


def test_history_has_a_line_for_each_change_of_state_and_none_for_the_same(
    account: Account, ines: Viewer
) -> None:
    def lines() -> list[str]:
        rows = RequirementChange.objects.filter(framework=PCI.name, requirement="8.2.8", scope=None)
        return list(rows.order_by("at", "pk").values_list("state", flat=True))

    assert lines() == ["needs a person"]
    assessment.assess_due()
    assert lines() == ["needs a person"]
    decide("8.2.8", DecisionKind.MET, ines)
    assert lines() == ["needs a person", "passed"]
