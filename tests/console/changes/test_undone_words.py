"""A request says what of it was undone, whichever of its changes that was, wherever a page names it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from console.audit.requests import references_of
from console.search.references import reference_results
from iam.changes import services
from iam.changes.models import Change, ChangeState
from iam.changes.undone import NOTHING_UNDONE, undone_parts_of
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.mirror.models import Edge, EdgeKind, Entity
from tests import factories
from tests.iam.changes.site import Site

pytestmark = pytest.mark.on_postgresql

ALL = (0, 1, 2)
AWAITING, APPLIED, FAILED = ChangeState.AWAITING, ChangeState.APPLIED, ChangeState.FAILED
CASES = [
    ((0,), APPLIED, "Undone in part: 1 of 3 changes"),
    ((1,), APPLIED, "Undone in part: 1 of 3 changes"),
    ((2,), APPLIED, "Undone in part: 1 of 3 changes"),
    ((1, 2), APPLIED, "Undone in part: 2 of 3 changes"),
    (ALL, APPLIED, "Undone"),
    ((2,), AWAITING, "Undo requested in part: 1 of 3 changes"),
    (ALL, AWAITING, "Undo requested"),
    ((2,), FAILED, ""),
    ((), APPLIED, ""),
]
"""Which of three changes are undone, the state of the undo, and what is said of their request."""


@pytest.fixture
def applied(site: Site) -> list[Change]:
    """The user joined three groups by one request, which the approver approved."""
    viewer = viewer_for(site.asks.person)
    groups = [factories.group(site.account, f"team-{number}") for number in range(3)]
    planned = [services.plan_membership(viewer, user=site.user, group=entity, do="add") for entity in groups]
    made = services.request_changes(
        planned, actor=viewer, reason="r", idempotency_key="set", title="Three teams"
    )
    site.decide(site.approver, made[0], "approve")
    Change.objects.update(state=APPLIED)
    for group in groups:
        factories.edge(EdgeKind.MEMBER, site.user, group)
    return [Change.objects.get(pk=change.pk) for change in made]


def undo(site: Site, parts: list[Change], *, key: str = "undo", state: str = APPLIED) -> list[Change]:
    """Undo some changes of a request, together."""
    made = services.undo_several(parts, actor=viewer_for(site.asks.person), reason="r", idempotency_key=key)
    Change.objects.filter(pk__in=[change.pk for change in made]).update(state=state)
    for change in made:
        change.refresh_from_db()
    return made


def text(page: Any) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def listed(site: Site, change: Change) -> str:
    return text(site.asker.get(reverse("changes:list"), {"q": "Three teams"}))


def in_file(site: Site, change: Change) -> str:
    answer: Any = site.asker.get(reverse("changes:export", args=["csv"]), {"q": "Three teams"})
    return b"".join(answer.streaming_content).decode()


def on_page(site: Site, change: Change) -> str:
    head = site.asker.get(reverse("changes:request", args=[change.pk]))
    return text(head).partition("requested by")[0]


def decided(site: Site, change: Change) -> str:
    return text(site.approver.get(reverse("changes:approvals"), {"tab": "decided"}))


def searched(site: Site, change: Change) -> str:
    (result,) = reference_results(viewer_for(site.asks.person), change.reference)
    return result.detail.replace("undo", "Undo", 1)


def journal_link(site: Site, change: Change) -> str:
    entry = Entry.objects.filter(kind="change.requested").earliest("id")
    return references_of([entry], viewer_for(site.asks.person))[entry.id].undone


PLACES: list[Callable[[Site, Change], str]] = [listed, in_file, on_page, decided, searched, journal_link]


@pytest.mark.parametrize(("numbers", "state", "words"), CASES)
def test_what_of_a_request_was_undone_is_said_wherever_it_is_named(
    site: Site,
    applied: list[Change],
    numbers: tuple[int, ...],
    state: str,
    words: str,
) -> None:
    if numbers:
        undo(site, [applied[number] for number in numbers], state=state)
    for place in PLACES:
        answer = place(site, applied[0])
        assert words in answer, place.__name__
        if "in part" not in words:
            assert "Undone in part" not in answer, place.__name__
            assert "requested in part" not in answer, place.__name__
        if not words:
            assert "Undone" not in answer, place.__name__
            assert "Undo requested" not in answer, place.__name__


@pytest.mark.parametrize("number", ALL)
def test_the_page_leads_to_the_undo_of_any_part(site: Site, applied: list[Change], number: int) -> None:
    (undoing,) = undo(site, [applied[number]])
    page = site.asker.get(reverse("changes:request", args=[applied[0].pk])).content.decode()
    facts = page.partition("<dt>Undone in part by</dt>")[2].partition("</dd>")[0]
    assert undoing.reference in facts
    assert "1 of 3 changes" in facts
    parts = page.partition('id="do-h"')[2]
    for part in applied:
        summary = parts.partition(f'id="part-{part.reference}"')[2].partition("</summary>")[0]
        assert ("Undone" in summary) == (part == applied[number])
    alone = text(site.asker.get(reverse("changes:change", args=[applied[number].pk])))
    assert f"Undone by {undoing.reference}" in alone


def test_several_undos_are_all_named_and_add_up(site: Site, applied: list[Change]) -> None:
    undoings = [undo(site, [part], key=part.reference)[0] for part in applied[1:]]
    page = site.asker.get(reverse("changes:request", args=[applied[0].pk])).content.decode()
    assert "Undone in part: 2 of 3 changes" in page
    for undoing in undoings:
        assert undoing.reference in page
    assert reverse("changes:undo-set", args=[applied[0].pk]) in page, "the first can still be undone"
    undo(site, applied[:1], key="last")
    page = site.asker.get(reverse("changes:request", args=[applied[0].pk])).content.decode()
    assert reverse("changes:undo-set", args=[applied[0].pk]) not in page


def test_a_request_whose_first_change_failed_can_be_undone(site: Site, applied: list[Change]) -> None:
    Change.objects.filter(pk=applied[0].pk).update(state=FAILED)
    page = site.asker.get(reverse("changes:request", args=[applied[0].pk])).content.decode()
    assert reverse("changes:undo-set", args=[applied[0].pk]) in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ChangeState.REJECTED, "Undo rejected"),
        (ChangeState.CANCELLED, "Undo withdrawn"),
        (ChangeState.EXPIRED, "Undo expired"),
        (ChangeState.FAILED, "Undo failed"),
        (ChangeState.UNKNOWN, "Undo with unknown outcome"),
        (ChangeState.QUEUED, "Undo in progress"),
    ],
)
def test_an_undo_that_came_to_nothing_says_so(
    site: Site, applied: list[Change], state: str, words: str
) -> None:
    undo(site, applied[2:], state=state)
    page = site.asker.get(reverse("changes:request", args=[applied[0].pk])).content.decode()
    assert f"<dt>{words}</dt>" in page


def test_what_was_undone_and_applied_again_is_not_called_undone(site: Site, applied: list[Change]) -> None:
    (undoing,) = undo(site, applied[2:])
    viewer = viewer_for(site.asks.person)
    change_set = applied[0].change_set_id
    group = Entity.objects.get(name=applied[2].params["group_name"])
    for number, is_undone in enumerate((False, True, False)):
        Edge.objects.filter(target=group).delete()
        if is_undone:
            factories.edge(EdgeKind.MEMBER, site.user, group)
        undoing = services.undo(undoing, actor=viewer, reason="r", idempotency_key=f"again-{number}")
        Change.objects.filter(pk=undoing.pk).update(state=APPLIED)
        undoing.refresh_from_db()
        undone = undone_parts_of([change_set], viewer=viewer).get(change_set, NOTHING_UNDONE)
        assert bool(undone.words) == is_undone
