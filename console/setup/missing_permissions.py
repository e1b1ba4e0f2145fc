"""The permissions that an account's roles lack, as a statement to copy."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.setup.pages import setup_page
from console.web.access import ViewerRequest, account_or_404, require
from iam.guard import Right
from iam.mirror.doctor.refused_calls import missing_of
from iam.mirror.queries.account_facts import facts_of
from iam.mirror.queries.account_pages import last_examination
from iam.mirror.queries.freshness import account_state


@require_safe
@require(Right.SEE_ACCOUNT)
def missing_permissions_page(request: ViewerRequest, number: str) -> HttpResponse:
    """Show the missing permissions of an account, as a drawer or a page."""
    account = account_or_404(request.viewer, number, right=Right.SEE_ACCOUNT)
    facts = facts_of([account.pk])[0]
    missing = missing_of(account, facts.sections.values(), last_examination(account))
    context = {
        "account": account,
        "missing": missing,
        "no_access": "" if missing else account_state(facts).note,
    }
    return setup_page(request, "fix.html", context, partial="drawer")
