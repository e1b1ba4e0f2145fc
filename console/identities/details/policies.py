"""The pages of a managed policy: document, versions side by side, holders and history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from console.identities.details import history, labels
from console.identities.details.frame import SECTIONS, ShownEntity, render_shown, shown_or_404
from console.identities.details.inner_pages import page_of
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice
from iam.access.last_uses import HeldUse
from iam.access.policy_use import policy_uses
from iam.guard import Right
from iam.mirror.display_names import names_by_number, trusted_by
from iam.mirror.models import Kind, PolicyVersion
from iam.mirror.queries import holders
from iam.mirror.queries.entities import group_contents, tags, versions

SIZE_QUOTA, VERSION_QUOTA = 6144, 5
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
PREVIEW_ROWS, MANY = 8, 50


@require(Right.SEE_ACCOUNT)
def policy(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the document of the default version, and who has the policy."""
    shown = shown_or_404(request, pk, kinds=[Kind.POLICY])
    if shown.state is None:
        return render_shown(request, shown, "identities/policy.html", {})
    head = _head(shown, here="identities:policy")
    first_rows = holders.some_holders(shown.entity, at=shown.at, limit=PREVIEW_ROWS)
    context = head | {
        "tab": "identities/policy_document.html",
        "holders": _holders(shown, first_rows, uses=_uses(shown, head["default"], first_rows)),
        "statements": _statements(head["default"]),
    }
    return render_shown(request, shown, "identities/policy.html", context)


@require(Right.SEE_ACCOUNT)
def policy_versions(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show all versions, and two of them side by side: `?a=v3&b=v4`.

    By default these are the default version and the one before it.
    """
    shown = shown_or_404(request, pk, kinds=[Kind.POLICY])
    if shown.state is None:
        return render_shown(request, shown, "identities/policy.html", {})
    head = _head(shown, here="identities:policy-versions")
    policy_versions: list[PolicyVersion] = head["versions"]
    ids = {version.version_id for version in policy_versions}
    left, right = _chosen(policy_versions, choice(request, "a", ids), choice(request, "b", ids))
    context = head | {"tab": "identities/policy_versions.html", "left": left, "right": right}
    return render_shown(request, shown, "identities/policy.html", context)


@require(Right.SEE_ACCOUNT)
def policy_holders(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the principals that have the policy attached or as boundary: `?as=user|group|role|boundary`."""
    shown = shown_or_404(request, pk, kinds=[Kind.POLICY])
    if shown.state is None:
        return render_shown(request, shown, "identities/policy.html", {})
    head = _head(shown, here="identities:policy-holders")
    counts = head["counts"]
    first = next((name for name, number in counts.items() if number), Kind.USER.value)
    sort = choice(request, "as", counts, default=first)
    rows = holders.holders_of(shown.entity, sort=sort, at=shown.at)
    page = page_of(request, rows, column="sort_name", tie="entity_id", size=MANY)
    uses = _uses(shown, head["default"], page.rows) if sort != holders.BOUNDARY else {}
    context = head | {
        "tab": "identities/policy_holders.html",
        "sort": sort,
        "page": page,
        "holders": _holders(shown, page.rows, uses=uses),
    }
    return render_shown(request, shown, "identities/policy.html", context)


@require(Right.SEE_ACCOUNT)
def policy_history(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what changed, when, and why."""
    shown = shown_or_404(request, pk, kinds=[Kind.POLICY])
    return history.render_history(
        request, shown, "identities/policy.html", _head, here="identities:policy-history"
    )


def _head(shown: ShownEntity, *, here: str) -> dict[str, Any]:
    state = shown.state
    assert state is not None
    policy_versions = versions(shown.entity, at=shown.at)
    default = next((version for version in policy_versions if version.is_default), None)
    counts = holders.holder_counts(shown.entity, at=shown.at)
    text = default.document.text if default else ""
    return {
        "versions": policy_versions,
        "default": default,
        "version_quota": VERSION_QUOTA,
        "characters": len("".join(text.split())),
        "size_quota": SIZE_QUOTA,
        "is_aws": state.category == "aws",
        "sort_words": labels.POLICY_TYPES.get(state.category, "Managed"),
        "description": str(state.attrs.get("Description") or ""),
        "edits": state.category != "aws"
        and bool(policy_versions)
        and shown.entity.pk in shown.requestable([shown.entity.pk]),
        "is_unread": bool(state.attrs.get("IsPlaceholder")),
        "counts": counts,
        "attached": sum(number for name, number in counts.items() if name != holders.BOUNDARY),
        "tags": tags(shown.entity, at=shown.at),
        "tabs": [
            shown.tab("Document", "identities:policy", here=here),
            shown.tab("Versions", "identities:policy-versions", here=here, count=len(policy_versions)),
            shown.tab("Attached to", "identities:policy-holders", here=here, count=sum(counts.values())),
            shown.tab("History", "identities:policy-history", here=here),
        ],
    }


def _uses(
    shown: ShownEntity, default: PolicyVersion | None, rows: list[dict[str, Any]]
) -> dict[int, HeldUse]:
    """Return when each holder last used the policy; unknown for a past moment."""
    if default is None or shown.at is not None:
        return {}
    numbers = [row["entity_id"] for row in rows]
    return policy_uses(default.document.text, numbers, now=timezone.now())


def _holders(
    shown: ShownEntity, rows: list[dict[str, Any]], *, uses: Mapping[int, HeldUse]
) -> list[dict[str, Any]]:
    groups = [row["entity_id"] for row in rows if row["kind"] == Kind.GROUP]
    contents = group_contents(groups, at=shown.at)
    names = names_by_number({row["entity_id"]: row["name"] for row in rows if row["kind"] == Kind.USER})
    return [
        row
        | {
            "label": names.get(row["entity_id"], row["name"]),
            "icon": labels.KIND_ICONS.get(row["kind"], "circle-help"),
            "url_name": SECTIONS[row["kind"]][2],
            "people": contents[row["entity_id"]].people if row["entity_id"] in contents else None,
            "trusted": trusted_by(row["category"]) if row["kind"] == Kind.ROLE else "",
            "use": uses.get(row["entity_id"]),
        }
        for row in rows
    ]


def _statements(default: PolicyVersion | None) -> int | None:
    if default is None:
        return None
    try:
        body = json.loads(default.document.text)
    except (ValueError, RecursionError):
        return None
    statements = body.get("Statement", []) if isinstance(body, dict) else []
    return len(statements) if isinstance(statements, list) else 1


def _chosen(
    policy_versions: list[PolicyVersion], left: str, right: str
) -> tuple[PolicyVersion | None, PolicyVersion | None]:
    """Return the requested versions; by default the default version on the right, and the next older one on
    the left.
    """
    by_id = {version.version_id: version for version in policy_versions}
    default = next((place for place, version in enumerate(policy_versions) if version.is_default), 0)
    new = by_id.get(right) or (policy_versions[default] if policy_versions else None)
    if new is None:
        return None, None
    older = policy_versions[policy_versions.index(new) + 1 :] or [
        version for version in policy_versions if version is not new
    ]
    return by_id.get(left) or (older[0] if older else None), new
