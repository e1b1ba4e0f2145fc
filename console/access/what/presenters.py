"""Context of the step: the choice of a tab, its effect in words, its size and its problems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from console.access.what.builder import PartView, part_views, service_offers
from console.access.what.managed import managed_view
from console.access.what.result import documents_of, place_of, problems_of
from console.access.what.state import BUILD, MANAGED, TABS, TEMPLATE, WhatState
from console.access.what.templates import chosen_view, tiles
from console.changes.findings import finding_rows
from console.web.access import ViewerRequest
from iam.policy.lint import MANAGED as QUOTA
from iam.policy.lint import LintFinding, LintKind, lint
from iam.policy.sentences import PolicySentence, sentences_of


@dataclass(frozen=True, slots=True)
class PolicyPreview:
    """The resulting policies. `size` is counted as AWS counts it; `documents` is the number of policies."""

    lines: Sequence[PolicySentence]
    text: str
    size: int
    limit: int
    documents: int
    findings: Sequence[LintFinding]


def step_context(
    request: ViewerRequest,
    state: WhatState,
    *,
    accounts: tuple[str, ...],
    url: str,
    strict: bool = False,
    who: str = "",
) -> dict[str, Any]:
    """Return the context of `access/what/_what.html`, under `what`.

    `url` is where htmx posts the whole form to update this part. `strict` also reports what is missing, after
    an attempt to continue. `who` is the subject of the sentences.
    """
    result = _result(state, accounts)
    findings = result.findings if result else ()
    context: dict[str, Any] = {
        "state": state.text,
        "tab": state.tab,
        "tabs": [
            (value, label, value == state.tab)
            for value, label in TABS
            if request.viewer.sees_accounts or value in (TEMPLATE, state.tab)
        ],
        "url": url,
        "find": state.find,
        "who": who or "they",
        "is_plain": not request.viewer.sees_accounts,
        "result": result,
        "notes": state.notes,
        "sees_text": request.viewer.sees_accounts,
        **finding_rows(findings),
    }
    if state.tab == TEMPLATE:
        context |= {
            "tiles": tiles(state),
            "template": chosen_view(request, state, accounts=accounts, strict=strict),
        }
    elif state.tab == MANAGED:
        context |= managed_view(request, state, accounts=accounts)
    else:
        context |= _building(request, state, accounts=accounts)
    context["so_far"] = context["finding_count"] + len(context.get("troubles", ()))
    return context


def _building(request: ViewerRequest, state: WhatState, *, accounts: tuple[str, ...]) -> dict[str, Any]:
    problems = problems_of(state, accounts=accounts)
    parts: list[PartView] = part_views(request, state, accounts=accounts, troubles=problems)
    return {
        "parts": parts,
        "troubles": problems,
        "services": service_offers(state.find),
        "paste": state.paste,
        "chosen_actions": sum(len(part.actions) for part in state.chosen),
    }


MAX_SHOWN_LENGTH: Final = 12_000


def _result(state: WhatState, accounts: tuple[str, ...]) -> PolicyPreview | None:
    documents = documents_of(state, accounts=accounts)
    if not documents:
        return None
    document = documents[0]
    text = json.dumps(document, indent=2, ensure_ascii=False)
    size = QUOTA.size(text)
    account_id = accounts[0] if accounts else ""
    shown_text = text if len(text) <= MAX_SHOWN_LENGTH else ""
    return PolicyPreview(
        lines=sentences_of(text, account_id=account_id),
        text=shown_text,
        size=size,
        limit=QUOTA.limit,
        documents=-(-size // QUOTA.limit),
        findings=lint(text, kind=LintKind.IDENTITY, quota=None),
    )


__all__ = ["BUILD", "PolicyPreview", "place_of", "step_context"]
