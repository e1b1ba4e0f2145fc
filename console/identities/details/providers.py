"""The pages of an identity provider: its facts, and the roles that trust it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse

from console.identities.details import history, labels
from console.identities.details.frame import ShownEntity, render_shown, shown_or_404
from console.identities.details.inner_pages import page_of
from console.web.access import ViewerRequest, require
from iam.guard import Right
from iam.mirror.models import Kind
from iam.mirror.queries import entities
from iam.mirror.queries.trust import lets_in, roles_trusting

KINDS = (Kind.SAML_PROVIDER, Kind.OIDC_PROVIDER)
ROLES = 50
SOON_DAYS = 30


@require(Right.SEE_ACCOUNT)
def provider(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show a provider's facts, and the roles that trust it."""
    shown = shown_or_404(request, pk, kinds=KINDS)
    if shown.state is None:
        return render_shown(request, shown, "identities/provider.html", {})
    rows = roles_trusting(shown.entity, viewer=shown.viewer, at=shown.at)
    page = page_of(
        request,
        rows.values("entity_id", "sort_name", "name", "document__text"),
        column="sort_name",
        tie="entity_id",
        size=ROLES,
    )
    context = _head(shown, here="identities:provider") | {
        "tab": "identities/provider_roles.html",
        "page": page,
        "roles": [_role(shown, row) for row in page.rows],
    }
    return render_shown(request, shown, "identities/provider.html", context)


@require(Right.SEE_ACCOUNT)
def provider_history(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what changed, when, and why."""
    shown = shown_or_404(request, pk, kinds=KINDS)
    return history.render_history(
        request, shown, "identities/provider.html", _head, here="identities:provider-history"
    )


def _role(shown: ShownEntity, row: dict[str, Any]) -> dict[str, Any]:
    """Return a role, who can assume it through the provider, and the worst tone of these."""
    sentences = lets_in(row["document__text"], provider=shown.entity, at=shown.at)
    tones = {sentence.tone for sentence in sentences}
    return row | {"lets_in": sentences, "tone": next((tone for tone in ("bad", "warn") if tone in tones), "")}


def _head(shown: ShownEntity, *, here: str) -> dict[str, Any]:
    state = shown.state
    assert state is not None
    valid_until = labels.moment_from(state.attrs.get("ValidUntil"))
    left = (valid_until - (shown.at or datetime.now(tz=UTC))).days if valid_until else None
    tone = ""
    if left is not None and left < 0:
        tone = "bad"
    elif left is not None and left < SOON_DAYS:
        tone = "warn"
    return {
        "is_saml": shown.entity.kind == Kind.SAML_PROVIDER,
        "valid_until": valid_until,
        "days_left": left,
        "tone": tone,
        "metadata_digest": state.attrs.get("MetadataDigest", ""),
        "audiences": state.attrs.get("ClientIDList", []),
        "thumbprints": state.attrs.get("ThumbprintList", []),
        "tags": entities.tags(shown.entity, at=shown.at),
        "tabs": [
            shown.tab("Roles that trust it", "identities:provider", here=here),
            shown.tab("History", "identities:provider-history", here=here),
        ],
    }
