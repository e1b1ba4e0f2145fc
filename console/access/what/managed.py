"""The tab of managed policies: search the visible ones, or enter the ARN of an AWS managed policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse

from console.access.what.state import WhatState
from console.web.access import ViewerRequest
from iam.access.grants.grant_content import POLICY
from iam.changes.operations.policy_version import default_text
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.visibility import visible_entities
from iam.policy.sentences import sentences_of
from iam.search_words import words_of

MAX_POLICIES: Final = 30
OWNERS: Final = (("", "All"), ("aws", "AWS"), ("own", "Ours"))

MAX_LINES: Final = 8


@dataclass(frozen=True, slots=True)
class PolicyHit:
    """A managed policy to choose."""

    arn: str
    name: str
    sub: str
    is_aws: bool
    is_chosen: bool
    url: str


def managed_view(request: ViewerRequest, state: WhatState, *, accounts: tuple[str, ...]) -> dict[str, Any]:
    """Return the context of the tab: search results with the chosen policy first."""
    rows = visible_entities(request.viewer).filter(kind=Kind.POLICY, gone_at__isnull=True)
    # AWS's policies for service-linked roles can't be attached.
    rows = rows.exclude(arn__contains=":policy/aws-service-role/")
    if accounts:
        rows = rows.filter(account__account_id__in=accounts)
    if state.kind == "aws":
        rows = rows.filter(arn__contains=":iam::aws:")
    elif state.kind == "own":
        rows = rows.exclude(arn__contains=":iam::aws:")
    chosen = list(rows.filter(arn=state.policy).select_related("account")[:1]) if state.policy else []
    wanted = Q()
    for word in words_of(state.find, most=8):
        wanted &= Q(search__contains=word)
    entities = list(
        rows.filter(wanted)
        .exclude(arn=state.policy)
        .select_related("account")
        .order_by("name", "pk")[: MAX_POLICIES * 4]
    )
    hits = {entity.arn: _hit(entity, state) for entity in [*chosen, *entities]}
    return {
        "hits": list(hits.values())[:MAX_POLICIES],
        "more_hits": len(hits) > MAX_POLICIES,
        "chosen_count": len(chosen),
        "by_name_count": MAX_POLICIES - len(chosen),
        "owners": [(value, label, value == state.kind) for value, label in OWNERS],
        "typed": state.policy if state.policy and not chosen else "",
        "typed_error": _typed_error(state, is_known=bool(chosen)),
        "said": _policy_sentence(chosen[0]) if chosen and request.viewer.sees_accounts else None,
    }


def _hit(entity: Entity, state: WhatState) -> PolicyHit:
    is_aws = ":iam::aws:" in entity.arn
    sub = "Managed by AWS" if is_aws else f"In {entity.account.name}"
    return PolicyHit(
        arn=entity.arn,
        name=entity.name,
        sub=sub,
        is_aws=is_aws,
        is_chosen=entity.arn == state.policy,
        url=reverse("identities:policy", args=[entity.pk]),
    )


def _typed_error(state: WhatState, *, is_known: bool) -> str:
    if not state.policy or is_known:
        return ""
    match = POLICY.fullmatch(state.policy)
    if match is None:
        return "Enter the ARN of a policy, such as arn:aws:iam::aws:policy/ReadOnlyAccess."
    if match[2] != "aws":
        return "This policy isn’t in the accounts that you chose, as of the last sync."
    return ""


def _policy_sentence(policy: Entity) -> dict[str, Any] | None:
    """Return a policy's effect in words, if the mirror has its text."""
    text = default_text(policy)
    if not text:
        return None
    lines = sentences_of(text, account_id=policy.account.account_id)
    return {"lines": lines[:MAX_LINES], "rest": len(lines[MAX_LINES:]), "text": text}
