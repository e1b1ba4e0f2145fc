"""The pages of a group: members, policies and history."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from console.identities.details import history, labels
from console.identities.details.frame import ShownEntity, membership_address, render_shown, shown_or_404
from console.identities.details.holdings import held_by, own_policies
from console.identities.details.inner_pages import LinkedPage, page_of
from console.web.access import ViewerRequest, require
from iam.guard import Right
from iam.mirror.display_names import names_by_number
from iam.mirror.models import Kind
from iam.mirror.queries import entities

SEES = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
PEOPLE = 50
POLICY_QUOTA = 10
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


@require(*SEES)
def group(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the members of a group, and its policies."""
    shown = shown_or_404(request, pk, kinds=[Kind.GROUP])
    if shown.state is None:
        return render_shown(request, shown, "identities/group.html", {})
    head = group_head(shown, here="identities:group")
    search = request.GET.get("q", "").strip()
    rows = entities.members(shown.entity, viewer=shown.viewer, at=shown.at, search=search)
    page = page_of(request, rows, column="sort_name", tie="entity_id", size=PEOPLE)
    context = head | {
        "tab": "identities/group_people.html",
        "q": search,
        "page": page,
        "members": _members(shown, page),
    }
    return render_shown(request, shown, "identities/group.html", context)


@require(*SEES)
def group_history(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what changed, when, and why."""
    shown = shown_or_404(request, pk, kinds=[Kind.GROUP])
    return history.render_history(
        request, shown, "identities/group.html", group_head, here="identities:group-history"
    )


def group_head(shown: ShownEntity, *, here: str) -> dict[str, Any]:
    """Return the context above the tabs of a group; `here` is the URL name of the current page."""
    holding = held_by(shown)
    policies = own_policies(
        holding,
        entities.inline_policies(shown.entity, at=shown.at),
        shown.openable(holding.pks),
        edits=shown.edits_all,
    )
    people = entities.member_count(shown.entity, at=shown.at)
    return {
        "people": people,
        "without_mfa": entities.without_mfa(shown.entity, at=shown.at),
        "policies": policies,
        "managed": len(holding.policies),
        "quota": POLICY_QUOTA,
        "add": membership_address(group=shown.entity.pk, do="add")
        if shown.entity.pk in shown.requestable([shown.entity.pk])
        else "",
        "tabs": [
            shown.tab("IAM users", "identities:group", here=here, count=people),
            shown.tab("Grants", "access:group-grants", here=here),
            shown.tab("History", "identities:group-history", here=here),
        ],
    }


def _members(shown: ShownEntity, page: LinkedPage) -> list[dict[str, Any]]:
    pks = [row["entity_id"] for row in page.rows]
    credentials = entities.credentials_of(pks, at=shown.at)
    others = entities.other_groups(pks, but=shown.entity, at=shown.at)
    askable = shown.requestable([shown.entity.pk, *pks])
    names = names_by_number({row["entity_id"]: row["name"] for row in page.rows})
    may_change = shown.entity.pk in askable
    return [
        row
        | {
            "display_name": names[row["entity_id"]],
            "mfa": labels.mfa_mark(credentials.get(row["entity_id"])),
            "others": others.get(row["entity_id"], []),
            "remove": membership_address(user=row["entity_id"], group=shown.entity.pk, do="remove")
            if may_change and row["entity_id"] in askable
            else "",
        }
        for row in page.rows
    ]
