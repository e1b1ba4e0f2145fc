"""The doctor's page of an account: what was tested, what is missing, and a button to repeat it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.setup.pages import setup_page
from console.setup.progress import step_of
from console.web.access import ViewerRequest, account_or_404, require
from iam.guard import Right
from iam.mirror.accounts.texts import hub_text, trust_text
from iam.mirror.accounts.validation import SetupError
from iam.mirror.doctor.checks import BAD, StoredExamination
from iam.mirror.doctor.refused_calls import missing_of
from iam.mirror.doctor.services import request_examination
from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource
from iam.mirror.models.setup import DoctorRun
from iam.mirror.queries.account_facts import facts_of
from iam.mirror.queries.account_pages import last_examination
from iam.mirror.queries.freshness import FreshnessFacts

GROUPS = (
    ("way", "Access to the account"),
    ("read", "Reading"),
    ("write", "Changing"),
)
TONES = {
    "ok": ("ok", "circle-check", "Works"),
    "warning": ("warn", "triangle-alert", "Check this"),
    "denied": ("bad", "circle-x", "Denied"),
    "failed": ("bad", "circle-x", "Failed"),
    "untested": ("", "circle-dashed", "Not tested"),
    "skipped": ("", "circle-dashed", "Not needed"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.SEE_ACCOUNT)
def doctor(request: ViewerRequest, number: str) -> HttpResponse:
    """Show the newest examination and its progress (status 286 ends the polling); a POST requests one."""
    if request.method == "POST":
        return _examine(request, number)
    account = account_or_404(request.viewer, number, right=Right.SEE_ACCOUNT)
    run = last_examination(account)
    final = run is None or run.is_final
    status = 286 if final and request.GET.get("n") else 200
    context = _context(request, account, run)
    return setup_page(request, "doctor.html", context, partial="body", status=status)


def _examine(request: ViewerRequest, number: str) -> HttpResponse:
    account = account_or_404(request.viewer, number, right=Right.MANAGE_ACCOUNTS)
    try:
        request_examination(account, actor=request.viewer, pull_after=request.POST.get("then") == "read")
    except SetupError as error:
        messages.error(request, error.message)
        return redirect("setup:account", number=number)
    return redirect("setup:doctor", number=number)


def _context(request: ViewerRequest, account: Account, run: DoctorRun | None) -> dict[str, Any]:
    facts = facts_of([account.pk])[0]
    findings = StoredExamination(tuple(run.checks)) if run else StoredExamination()
    return {
        "account": account,
        "run": run,
        "facts": facts,
        "findings": findings,
        "groups": _grouped(findings),
        "summary": _summary(findings),
        "missing": missing_of(account, facts.sections.values(), run),
        "compare": _compare(request, account, findings),
        "is_export": account.source == AccountSource.EXPORT,
        "is_first": facts.observed_at is None and account.source != AccountSource.EXPORT,
        "setup_step": _setup_step(run, facts, findings),
        "step": step_of(request),
    }


def _grouped(findings: StoredExamination) -> list[tuple[str, list[dict[str, Any]]]]:
    groups = []
    for key, title in GROUPS:
        rows = []
        for check in findings.checks:
            if check["group"] == key:
                tone, icon, word = TONES[check["verdict"]]
                rows.append({**check, "tone": tone, "icon": icon, "word": word})
        if rows:
            groups.append((title, rows))
    return groups


def _summary(findings: StoredExamination) -> str:
    tried = [check for check in findings.checks if check["verdict"] not in {"skipped", "untested"}]
    works = [check for check in tried if check["verdict"] not in BAD]
    return f"{len(works)} of {len(tried)} work" if tried else ""


def _setup_step(run: DoctorRun | None, facts: FreshnessFacts, findings: StoredExamination) -> int:
    """Return the step of a new connection: 3 while it is checked, 4 once the account can be read."""
    return 4 if run and run.is_final and (facts.pull is not None or findings.is_reachable) else 3


def _compare(request: ViewerRequest, account: Account, findings: StoredExamination) -> dict[str, str]:
    """Return the expected trust and hub policies if a role could not be assumed, for viewers who manage the
    account.
    """
    refused = [check for check in findings.failed_checks if check["key"] in {"assume", "assume-write"}]
    hub = next((check["detail"] for check in findings.checks if check["key"] == "worker"), "")
    if not refused or not hub.startswith("arn:"):
        return {}
    if not request.viewer.may(Right.MANAGE_ACCOUNTS, account_id=account.account_id):
        return {}
    roles = [arn for arn in (account.role_arn, account.write_role_arn) if arn]
    return {
        "trust": trust_text(hub_arn=hub, external_id=account.external_id) if account.external_id else "",
        "hub": hub_text(roles),
    }
