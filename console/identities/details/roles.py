"""The pages of a role: who can assume it, its permissions and history."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from console.identities.details import history, labels
from console.identities.details.frame import SECTIONS, ShownEntity, render_shown, shown_or_404
from console.identities.details.holdings import act_address, address, held_by, own_policies
from console.identities.details.owners import owner_facts
from console.identities.details.workloads import workload_facts
from console.web.access import ViewerRequest, require
from console.web.known_facts import none_or_unknown
from iam.guard import Right
from iam.mirror.display_names import trusted_by
from iam.mirror.models import EdgeKind, Kind, Usage
from iam.mirror.pull.sections import INSTANCE_PROFILES, INSTANCES
from iam.mirror.queries import entities
from iam.mirror.queries.trust import trust_of
from iam.policy.trust_sentence_parts import TrustSentence

TRUST_QUOTA = 2048
"""Characters without white space; the quota can be raised.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
ICONS = {
    "service": "zap",
    "account": "users",
    "user": "user-round",
    "role": "bot",
    "session": "bot",
    "saml": "log-in",
    "web": "globe",
    "anybody": "triangle-alert",
    "refusal": "ban",
    "deleted": "circle-x",
    "tags": "tag",
}


@require(Right.SEE_ACCOUNT)
def role(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show trust and policies, the first tab of a role."""
    shown = shown_or_404(request, pk, kinds=[Kind.ROLE])
    if shown.state is None:
        return render_shown(request, shown, "identities/role.html", {})
    head = role_head(shown, here="identities:role")
    trust = trust_of(shown.entity, shown.state, viewer=shown.viewer, at=shown.at)
    text = shown.state.document.text if shown.state.document else ""
    context = head | {
        "tab": "identities/role_trust.html",
        "trust": trust,
        "sentences": [
            {
                "said": sentence,
                "icon": "git-branch"
                if sentence.badge == "GitHub Actions"
                else ICONS.get(sentence.kind, "circle-help"),
                "url": _address(sentence, trust.known),
            }
            for sentence in trust.sentences
        ],
        "document": text,
        "characters": len("".join(text.split())),
        "quota": TRUST_QUOTA,
    }
    return render_shown(request, shown, "identities/role.html", context)


@require(Right.SEE_ACCOUNT)
def role_history(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what changed, when, and why."""
    shown = shown_or_404(request, pk, kinds=[Kind.ROLE])
    return history.render_history(
        request, shown, "identities/role.html", role_head, here="identities:role-history"
    )


def _address(sentence: TrustSentence, known: Any) -> str:
    entity = known.get(sentence.principal)
    return reverse(SECTIONS[entity.kind][2], args=[entity.pk]) if entity else ""


def role_head(shown: ShownEntity, *, here: str) -> dict[str, Any]:
    """Return the context above the tabs of a role; `here` is the URL name of the current page."""
    holding = held_by(shown)
    profiles = entities.sources(shown.entity, kinds=[EdgeKind.PROFILE_ROLE], at=shown.at)
    open_to = shown.openable([*holding.pks, *(tie.pk for tie in profiles)])
    state, unsynced = shown.state, shown.unsynced()
    assert state is not None
    is_linked = state.path.startswith("/aws-service-role/")
    return {
        "policies": own_policies(
            holding, entities.inline_policies(shown.entity, at=shown.at), open_to, edits=shown.edits_all
        ),
        "edit_trust": act_address("trust", shown.entity.pk) if shown.edits_all and not is_linked else "",
        "boundary": holding.boundary,
        "boundary_url": address("identities:policy", holding.boundary, open_to),
        "profiles": [(tie, address("identities:instance-profile", tie, open_to)) for tie in profiles],
        "no_profiles": none_or_unknown(
            "No instance profile contains this role.", needs=(INSTANCE_PROFILES,), unsynced=unsynced
        ),
        "no_instances": none_or_unknown("No instance uses it", needs=(INSTANCES,), unsynced=unsynced),
        "instances": entities.instance_counts([tie.pk for tie in profiles], at=shown.at),
        "usage": Usage.objects.filter(entity=shown.entity).first() if shown.at is None else None,
        "session": labels.session_words(state.attrs.get("MaxSessionDuration")),
        "sign_in": labels.sign_in_words(state.attrs),
        "description": str(state.attrs.get("Description") or ""),
        "trusted": trusted_by(state.category),
        "tags": entities.tags(shown.entity, at=shown.at),
        **workload_facts(shown, unsynced),
        **owner_facts(shown),
        "tabs": [
            shown.tab("Trust and policies", "identities:role", here=here),
            shown.tab("Effective access", "access:role", here=here),
            shown.tab("Grants", "access:role-grants", here=here),
            shown.tab("Activity", "activity:role", here=here),
            shown.tab("History", "identities:role-history", here=here),
        ],
    }
