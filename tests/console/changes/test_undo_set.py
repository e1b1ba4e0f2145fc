"""Undo of what was approved together: whole, or what of it still can be; what cannot is named with its
reason.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.mirror.models import Edge, EdgeKind
from tests import factories
from tests.iam.changes.site import Site

pytestmark = pytest.mark.on_postgresql

MOVED = "has changed this in AWS since"


@pytest.fixture
def applied(site: Site) -> list[Change]:
    """The user joined three groups by one set."""
    viewer = viewer_for(site.asks.person)
    groups = [factories.group(site.account, f"team-{number}") for number in range(3)]
    planned = [services.plan_membership(viewer, user=site.user, group=entity, do="add") for entity in groups]
    made = services.request_changes(
        planned, actor=viewer, reason="r", idempotency_key="set", title="Three teams"
    )
    Change.objects.update(state=ChangeState.APPLIED)
    for group in groups:
        factories.edge(EdgeKind.MEMBER, site.user, group)
    return [Change.objects.get(pk=change.pk) for change in made]


def moves_on(change: Change) -> None:
    """Somebody takes the user out of the group by hand."""
    Edge.objects.filter(target__name=change.params["group_name"]).delete()


def ask(site: Site, change: Change, *parts: Change, key: str = "") -> Any:
    """Send the form of the page."""
    form = {"part": [change.pk for change in parts], "reason": "Over", "key": key or str(uuid.uuid4())}
    return site.asker.post(reverse("changes:undo-set", args=[change.pk]), form)


def test_the_preview_says_what_is_undone_and_where_as_the_request_does(
    site: Site, applied: list[Change]
) -> None:
    def top(answer: Any) -> str:
        card = answer.content.decode().partition('aria-labelledby="wt-h"')[2].partition("</section>")[0]
        return " ".join(re.sub(r"<[^>]+>", " ", card).split())

    several = top(site.asker.get(reverse("changes:undo-set", args=[applied[0].pk])))
    assert f"Remove {site.user.name} from team-2" in several
    assert f"in {site.account.name}" in several
    single = top(site.asker.get(reverse("changes:undo", args=[applied[1].pk])))
    assert f"Remove {site.user.name} from team-1" in single
    assert f"in {site.account.name}" in single

    ask(site, applied[0], *applied)
    undoing = Change.objects.filter(reverts__isnull=False).first()
    assert undoing is not None
    assert several == top(site.asker.get(reverse("changes:request", args=[undoing.pk])))


def test_what_a_user_got_that_the_same_set_created_can_be_undone(site: Site, applied: list[Change]) -> None:
    """Its unique ID wasn't known when it was requested."""
    for change in applied:
        change.params["user_id"] = ""
        change.save(update_fields=["params"])

    page = site.asker.get(reverse("changes:undo-set", args=[applied[0].pk])).content.decode()
    assert "can’t be undone" not in page
    assert f"{applied[0].reference}</span>, in {site.account.name}" in page
    assert ask(site, applied[0], *applied).status_code == 302
    assert Change.objects.filter(reverts__in=applied).count() == len(applied)


def test_all_of_it_is_undone_as_one_set_the_last_first(site: Site, applied: list[Change]) -> None:
    assert ask(site, applied[0]).status_code == 302
    undoing = list(Change.objects.filter(reverts__isnull=False).order_by("position"))
    assert [change.reverts for change in undoing] == applied[::-1]
    assert len({change.change_set_id for change in undoing}) == 1
    assert undoing[0].change_set.title == "Undo: Three teams"
    facts = site.asker.get(reverse("changes:request", args=[undoing[0].pk])).content.decode()
    undone = facts.partition("<dt>Undoes</dt>")[2].partition("</dd>")[0]
    assert applied[0].reference in undone, "the request that is undone, not the last of its changes"
    facts = site.asker.get(reverse("changes:request", args=[applied[0].pk])).content.decode()
    undone_by = facts.partition("<dt>Undo requested</dt>")[2].partition("</dd>")[0]
    assert undoing[0].reference in undone_by, "the request that undoes it, not one of its changes"
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
    assert [change.reverts for change in undoing] == [applied[2], applied[0]]
    assert undoing[0].change_set.title == "Undo in part: Three teams"


def test_the_same_form_twice_is_one_undoing(site: Site, applied: list[Change]) -> None:
    key = str(uuid.uuid4())
    first, second = (ask(site, applied[0], *applied, key=key) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert Change.objects.filter(reverts__isnull=False).count() == 3


def test_where_nothing_can_be_undone_any_more_there_is_no_form(site: Site, applied: list[Change]) -> None:
    for change in applied:
        moves_on(change)
    page = site.asker.get(reverse("changes:undo-set", args=[applied[0].pk])).content.decode()
    assert page.count(MOVED) == 3
    assert "Ask to undo" not in page
    assert ask(site, applied[0]).status_code == 422
    assert not Change.objects.filter(reverts__isnull=False).exists()


def test_who_sees_a_part_of_the_set_undoes_that_part_on_its_own_page(
    site: Site, applied: list[Change]
) -> None:
    whole = reverse("changes:undo-set", args=[applied[0].pk])
    request = reverse("changes:request", args=[applied[0].pk])
    assert whole in site.asker.get(request).content.decode()
    other = factories.account("999999999999")
    Change.objects.filter(pk=applied[2].pk).update(account=other, entity=factories.user(other, "kwame"))
    someone = factories.operator(None, name="Petra Part")
    factories.assign(someone.person, Role.ADMINISTRATOR, account_id=site.account.account_id)
    client = Client()
    client.force_login(someone)
    assert whole not in client.get(request).content.decode()
    assert client.get(whole).status_code == 404
    part = client.get(reverse("changes:change", args=[applied[0].pk])).content.decode()
    assert reverse("changes:undo", args=[applied[0].pk]) in part


def test_the_way_back_leads_to_approvals_only_for_who_decides(site: Site) -> None:
    plan = services.plan_membership(viewer_for(site.asks.person), user=site.user, group=site.group, do="add")
    (change,) = services.request_changes(
        [plan], actor=viewer_for(site.asks.person), reason="r", idempotency_key="one", title="One"
    )
    auditor = Client()
    auditor.force_login(factories.operator(Role.AUDITOR, name="Amara Diallo"))
    for client, opens in ((auditor, 404), (site.approver, 200)):
        approvals = reverse("changes:approvals")
        page = client.get(reverse("changes:change", args=[change.pk])).content.decode()
        assert client.get(approvals).status_code == opens
        assert (f'<li><a href="{approvals}">' in page) == (opens == 200)
