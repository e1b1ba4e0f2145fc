"""Undo of what was approved together: whole, or what of it still can be; what cannot is named with its reason."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import reverse

from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.guard import viewer_for
from iam.mirror.models import Edge, EdgeKind
from tests import factories
from tests.changes.site import Site

MOVED = "has changed this in AWS since"


@pytest.fixture
def applied(site: Site) -> list[Change]:
    """The user joined three groups by one set."""
    viewer = viewer_for(site.asks.person)
    groups = [factories.group(site.account, f"team-{number}") for number in range(3)]
    planned = [services.plan_membership(viewer, user=site.user, group=one, do="add") for one in groups]
    made = services.request_changes(
        planned, actor=viewer, reason="r", idempotency_key="set", title="Three teams"
    )
    Change.objects.update(state=ChangeState.APPLIED)
    for group in groups:
        factories.edge(EdgeKind.MEMBER, site.user, group)
    return [Change.objects.get(pk=one.pk) for one in made]


def moves_on(change: Change) -> None:
    """Somebody takes the user out of the group by hand."""
    Edge.objects.filter(target__name=change.params["group_name"]).delete()


def ask(site: Site, change: Change, *parts: Change, key: str = "") -> Any:
    """Send the form of the page."""
    form = {"part": [one.pk for one in parts], "reason": "Over", "key": key or str(uuid.uuid4())}
    return site.asker.post(reverse("changes:undo-set", args=[change.pk]), form)


def test_all_of_it_is_undone_as_one_set_the_last_first(site: Site, applied: list[Change]) -> None:
    assert ask(site, applied[0]).status_code == 302
    undoing = list(Change.objects.filter(reverts__isnull=False).order_by("position"))
    assert [one.reverts for one in undoing] == applied[::-1]
    assert len({one.change_set_id for one in undoing}) == 1
    assert undoing[0].change_set.title == "Undo: Three teams"
    with pytest.raises(RefusedError, match="is being undone"):
        services.plan_undo_of(applied, viewer=viewer_for(site.asks.person))


def test_what_somebody_changed_since_is_named_and_the_rest_is_undone(
    site: Site, applied: list[Change]
) -> None:
    moves_on(applied[1])
    page = site.asker.get(reverse("changes:undo-set", args=[applied[0].pk]))
    shown = {part.pk: (can, chosen, why) for part, _, can, chosen, why in page.context["parts"]}
    assert shown[applied[0].pk] == shown[applied[2].pk] == (True, True, "")
    assert shown[applied[1].pk][:2] == (False, False)
    assert MOVED in shown[applied[1].pk][2]
    assert "Not all of it can be undone" in page.content.decode()

    refused = ask(site, applied[0], *applied)
    assert refused.status_code == 422, "nothing else is undone than what was shown"
    assert not Change.objects.filter(reverts__isnull=False).exists()
    assert refused.context["chosen"] == [applied[0], applied[2]]
    assert ask(site, applied[0], applied[0], applied[2]).status_code == 302
    undoing = Change.objects.filter(reverts__isnull=False).order_by("position")
    assert [one.reverts for one in undoing] == [applied[2], applied[0]]
    assert undoing[0].change_set.title == "Undo in part: Three teams"


def test_the_same_form_twice_is_one_undoing(site: Site, applied: list[Change]) -> None:
    key = str(uuid.uuid4())
    first, second = (ask(site, applied[0], *applied, key=key) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert Change.objects.filter(reverts__isnull=False).count() == 3


def test_where_nothing_can_be_undone_any_more_there_is_no_form(site: Site, applied: list[Change]) -> None:
    for one in applied:
        moves_on(one)
    page = site.asker.get(reverse("changes:undo-set", args=[applied[0].pk])).content.decode()
    assert page.count(MOVED) == 3
    assert "Ask to undo" not in page
    assert ask(site, applied[0]).status_code == 422
    assert not Change.objects.filter(reverts__isnull=False).exists()
