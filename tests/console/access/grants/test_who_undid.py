"""The timeline of a grant names who requested, and who decided, each undo of what was done for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import reverse

from iam.access.grants.models import Grant, GrantState
from iam.changes.models import Approval, Change, ChangeEvent, ChangeState, Decision
from tests.console.access.grants import made
from tests.console.access.grants.conftest import Office

pytestmark = pytest.mark.on_postgresql

KINDS = {"grant": "what was set up", "grant-end": "its end", "grant-cut": "a change of it"}
"""The cause of a change of a grant, and what undoing that change undoes."""


def decided(change: Change, office: Office, decision: str = Decision.APPROVE) -> None:
    """The approver decided about the request of a change."""
    person = office.people["approver"].person
    Approval.objects.create(
        change_set=change.change_set,
        approver_id=person.pk,
        approver_label=person.name,
        decision=decision,
        comment="Looked at it",
        receipt_digest="0" * 64,
    )


def ended(office: Office) -> Grant:
    """A grant that the lead requested, for the user of the member, which is over."""
    return made.grant(
        office.account,
        office.of["maya.okafor"],
        asked_by=office.people["lead"].person,
        state=GrantState.ENDED,
    )


def undo_of(change: Change, grant: Grant, office: Office, **fields: Any) -> Change:
    """An undo that the administrator requested."""
    person, maya = office.people["asker"].person, office.of["maya.okafor"]
    return made.change(
        grant,
        maya,
        **{"reverts": change, "entity": maya, "requested_by": person.pk, "requested_label": person.name}
        | fields,
    )


def done(grant: Grant, office: Office, kind: str) -> Change:
    """A change that was made for the grant."""
    maya = office.of["maya.okafor"]
    return made.change(grant, maya, cause_kind=kind, state=ChangeState.APPLIED, entity=maya)


def timeline(page: Any) -> list[str]:
    """The lines of the timeline."""
    return [event.text for event in page.context["events"]]


@pytest.mark.parametrize(("kind", "what"), KINDS.items())
@pytest.mark.parametrize("who", ["asker", "auditor", "lead", "member"])
def test_who_requested_and_who_approved_an_undo_is_named(
    office: Office, kind: str, what: str, who: str
) -> None:
    grant = ended(office)
    undone = done(grant, office, kind)
    undoing = undo_of(undone, grant, office, state=ChangeState.APPLIED, reason="By mistake")
    decided(undoing, office)
    page = getattr(office, who).get(reverse("access:grant", args=[grant.pk]))
    lines = timeline(page)
    assert f"Ines Duarte requested to undo {what}" in lines
    assert f"Hana Sato approved the undo of {what}" in lines
    assert "By mistake" in page.content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_approved_a_request_of_the_grant_is_named(office: Office, kind: str) -> None:
    grant = ended(office)
    decided(done(grant, office, kind), office)
    assert "Hana Sato approved" in timeline(office.asker.get(reverse("access:grant", args=[grant.pk])))


def test_an_undo_that_nobody_approved_says_how_it_ended(office: Office) -> None:
    grant = ended(office)
    taken = done(grant, office, "grant-end")
    rejected = undo_of(taken, grant, office, state=ChangeState.REJECTED)
    decided(rejected, office, Decision.REJECT)
    for kind, state in (("withdrawn", ChangeState.CANCELLED), ("expired", ChangeState.EXPIRED)):
        undoing = undo_of(taken, grant, office, state=state)
        ChangeEvent.objects.create(
            change=undoing, at=datetime.now(tz=UTC), kind=kind, actor_label="Ines Duarte"
        )
    lines = timeline(office.asker.get(reverse("access:grant", args=[grant.pk])))
    assert lines.count("Ines Duarte requested to undo its end") == 3
    assert "Hana Sato rejected the undo of its end" in lines
    assert "Ines Duarte withdrew the undo of its end" in lines
    assert "The undo of its end expired" in lines


def test_an_undo_of_an_undo_is_named_as_well(office: Office) -> None:
    grant = ended(office)
    taken = done(grant, office, "grant-end")
    undoing = undo_of(taken, grant, office, state=ChangeState.APPLIED)
    undo_of(undoing, grant, office)
    lines = timeline(office.asker.get(reverse("access:grant", args=[grant.pk])))
    assert "Ines Duarte requested to undo its end" in lines
    assert "Ines Duarte requested to undo an undo of it" in lines
