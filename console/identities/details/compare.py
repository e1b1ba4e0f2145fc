"""Compares an entity or an account at two moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from console.identities.details import difference_texts, history
from console.identities.details.frame import SECTIONS, ShownEntity
from console.setup.own_settings import setting_changes
from console.web.access import ViewerRequest, account_or_404, entity_or_404, layout_for, require
from console.web.address_choices import choice
from console.web.middleware import moment_in
from console.web.render import render_page
from iam.guard import Right
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.pull.sections import LABELS
from iam.mirror.queries import differences, entities
from iam.mirror.queries.accounts import visible_accounts
from iam.mirror.queries.differences import CAME, CHANGED, WENT, MomentPair
from iam.mirror.queries.history import difference, two_documents
from iam.mirror.queries.lists.freshness import first_syncs, known_since, was_unknown
from iam.mirror.queries.moments import account_moments, just_after

PREVIEW_ROWS, MANY = 6, 100
WEEK = timedelta(days=7)
FACTS = {
    "password_policy": "Password policy",
    "alias": "Account alias",
    "organization": "Organization",
    "summary": "Account summary",
    "root_credentials": "Credentials of the root user",
}


@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def compare(request: ViewerRequest) -> HttpResponse:
    """Show the differences of `entity` or `account` between `from` and `to`; the form without one.

    By default `from` is a week ago and `to` is now.
    """
    span = _span(request)
    context: dict[str, Any] = {
        "section": "compare",
        "layout": layout_for(request.viewer),
        "left": span.left,
        "right": span.right,
        "accounts": _offered(request),
    }
    if asked := request.GET.get("entity"):
        return _entity(request, asked, span, context)
    if number := request.GET.get("account"):
        return _account(request, number, span, context)
    return render_page(request, "identities/compare.html", context)


def _span(request: HttpRequest) -> MomentPair:
    """Return the moments in the address, the earlier one on the left; None means now."""
    now = datetime.now(tz=UTC)
    left = moment_in(request, "from")
    right = moment_in(request, "to")
    left = left if left and left < now else None
    right = right if right and right < now else None
    if left and right and right < left:
        left, right = right, left
    if left is None:
        left = ((right or now) - WEEK).replace(microsecond=0)
    return MomentPair(left, right)


def _since_first(request: HttpRequest, span: MomentPair, earliest: datetime | None) -> MomentPair:
    """Move a default left moment forward to the first moment with known data."""
    if request.GET.get("from") or earliest is None or (span.right and span.right <= earliest):
        return span
    return MomentPair(max(span.left, earliest), span.right)


def _offered(request: ViewerRequest) -> list[Account]:
    """Return the accounts that the viewer can compare as a whole."""
    rows = visible_accounts(request.viewer).order_by("name", "id")
    return [row for row in rows if request.viewer.scope.sees_account(row.account_id)]


def _entity(request: ViewerRequest, asked: str, span: MomentPair, context: dict[str, Any]) -> HttpResponse:
    entity = _found_entities(request, asked)
    known = known_since(entity.account, kind=entity.kind)
    earliest = just_after(known) if known else just_after(entity.first_seen)
    span = _since_first(request, span, earliest)
    shown = ShownEntity(entity, entities.state_at(entity, at=span.right), span.right, request.viewer)
    timeline = difference(entity, left=span.left, right=span.right)
    others = chain.from_iterable(event.others for event in timeline.events)
    open_to = shown.openable({named.pk for named in others})
    section, title, name = SECTIONS[entity.kind]
    context |= {
        "entity": entity,
        "account": entity.account,
        "section": section,
        "section_title": title,
        "section_url": reverse(f"identities:{section}"),
        "lists": context["layout"] == "base.html",
        "entity_url": reverse(name, args=[entity.pk]),
        "history_url": reverse(f"{name}-history", args=[entity.pk]),
        "lines": history.lines_of(timeline.events, shown=shown, open_to=open_to),
        "is_cut": timeline.is_cut,
        "was_there": entities.state_at(entity, at=span.left) is not None,
        "is_there": shown.state is not None,
        "left_unknown": was_unknown(entity, at=span.left),
        "right_unknown": span.right is not None and was_unknown(entity, at=span.right),
        "earliest": earliest,
        "left": span.left,
        "access_url": _access_url(shown, span),
        "documents": two_documents(entity, token=request.GET.get("diff", "")),
    }
    return render_page(request, "identities/compare.html", context)


def _access_url(shown: ShownEntity, span: MomentPair) -> str:
    """Return the address that compares access at the two moments.

    Returns "" for anything but users and roles, and for viewers who don’t see the account.
    """
    if shown.entity.kind not in {Kind.USER, Kind.ROLE} or not shown.viewer.scope.sees_account(
        shown.account_id
    ):
        return ""
    query = {"a": str(shown.entity.pk), "a-at": f"{span.left:%Y-%m-%dT%H:%M:%S}"}
    query |= {"b-at": f"{span.right:%Y-%m-%dT%H:%M:%S}"} if span.right else {}
    return f"{reverse('access:compare')}?{urlencode(query)}"


def _found_entities(request: ViewerRequest, asked: str) -> Entity:
    number = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
    return entity_or_404(request.viewer, number, kinds=SECTIONS.keys())


def _account(request: ViewerRequest, number: str, span: MomentPair, context: dict[str, Any]) -> HttpResponse:
    account = account_or_404(request.viewer, number, right=Right.SEE_ACCOUNT)
    earliest = account_moments(account, at=None).earliest
    span = _since_first(request, span, earliest)
    context |= {
        "account": account,
        "earliest": earliest,
        "left": span.left,
        "first_syncs": [(LABELS[name], moment) for name, moment in first_syncs(account, after=span.left)],
    }
    sort = choice(request, "sort", difference_texts.TITLES)
    sign = choice(request, "sign", difference_texts.SIGNS)
    if sort and sign:
        after = request.GET.get("after", "")
        after_number = int(after) if after.isdecimal() and len(after) < 19 else 0
        rows, more = differences.section_page(
            account,
            span,
            sort=sort,
            sign=sign,
            after=after_number,
            size=MANY,
        )
        context |= {
            "only": difference_texts.TITLES[sort],
            "spoken": difference_texts.SIGNS[sign][2],
            "rows": difference_texts.differences(rows, viewer=request.viewer, whole=True),
            "after": rows[-1].pk if more else "",
        }
        return render_page(request, "identities/compare.html", context)
    sections = differences.sections(account, span, few=PREVIEW_ROWS)
    rows = list(chain.from_iterable(section.rows for section in sections))
    sentences = iter(difference_texts.differences(rows, viewer=request.viewer, whole=True))
    context |= {
        "sections": [
            {
                "sort": section.sort,
                "title": difference_texts.TITLES.get(section.sort, section.sort),
                "counts": [
                    (
                        difference_texts.SIGNS[sign][1],
                        section.counts[sign],
                        difference_texts.SIGNS[sign][2],
                        tone,
                    )
                    for sign, tone in ((CAME, "ok"), (WENT, "bad"), (CHANGED, ""))
                    if sign in section.counts
                ],
                "rows": list(islice(sentences, len(section.rows))),
                "more": [
                    (sign, count, difference_texts.SIGNS[sign][2].lower())
                    for sign, count in section.counts.items()
                    if count > PREVIEW_ROWS
                ],
            }
            for section in sections
        ],
        "came": sum(section.counts.get(CAME, 0) for section in sections),
        "went": sum(section.counts.get(WENT, 0) for section in sections),
        "changed": sum(section.counts.get(CHANGED, 0) for section in sections),
        "facts": [
            (FACTS.get(fact.name, fact.name), setting_changes(fact.name, fact.left, fact.right), fact)
            for fact in differences.fact_changes(account, span)
        ],
    }
    return render_page(request, "identities/compare.html", context)
