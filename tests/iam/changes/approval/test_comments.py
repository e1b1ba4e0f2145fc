"""Comments on a waiting request, and an end that is brought forward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from iam.changes import services
from iam.changes.causes import KINDS, CauseEnds, CauseKind, register
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.directory.models import Role
from iam.guard import Viewer
from iam.journal.models import Entry
from tests.iam.changes.approval.conftest import Desk

pytestmark = pytest.mark.on_postgresql

SOON = datetime.now(tz=UTC).replace(microsecond=0) + timedelta(hours=8)


@pytest.mark.parametrize("name", ["Ines Duarte", "Hana Sato", "Elif Kaya"])
def test_whoever_sees_a_waiting_request_may_say_something(desk: Desk, name: str) -> None:
    change = desk.ask()
    services.comment(change, actor=desk.again(name), text="Until when?")
    line = change.events.get(kind="commented")
    assert (line.actor_label, line.note) == (name, "Until when?")
    assert Entry.objects.get(kind="change.commented").data["note"] == "Until when?"


@pytest.mark.parametrize("name", ["Tomas Lind", "Amara Diallo"])
def test_who_does_not_see_it_or_only_audits_says_nothing(desk: Desk, name: str) -> None:
    with pytest.raises(RefusedError):
        services.comment(desk.ask(), actor=desk.again(name), text="Hm")


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001])
def test_a_comment_says_something_and_not_too_much(desk: Desk, text: str) -> None:
    change = desk.ask()
    with pytest.raises(RefusedError):
        services.comment(change, actor=desk.again("Hana Sato"), text=text)
    assert not change.events.filter(kind="commented").exists()


def test_of_what_is_decided_nothing_more_is_said(desk: Desk) -> None:
    change = desk.approve(desk.ask(), "Hana Sato")
    with pytest.raises(RefusedError, match="no longer waiting"):
        services.comment(change, actor=desk.again("Hana Sato"), text="Good")


@dataclass
class Given:
    """Something of a higher layer that ends."""

    until: datetime | None

    def end_of(self, _: UUID) -> datetime | None:
        """When."""
        return self.until

    def shorten(self, _: UUID, until: datetime, actor: Viewer) -> None:
        """Then."""
        self.until = until


@pytest.fixture
def lease() -> Iterator[Given]:
    """Of the kind "test", until SOON."""
    made = Given(SOON)
    test_ends = CauseEnds(made.end_of, made.shorten, lambda change, at: {})
    register("test", CauseKind(ends=test_ends))
    yield made
    del KINDS["test"]


def ending(desk: Desk) -> Change:
    """A request for something that ends."""
    change = desk.ask()
    ChangeSet.objects.filter(pk=change.change_set_id).update(cause_kind="test", cause_id=uuid4())
    return Change.objects.select_related("change_set").get(pk=change.pk)


@pytest.mark.parametrize("name", ["Hana Sato", "Ines Duarte"])
def test_who_decides_and_who_asked_bring_the_end_forward(desk: Desk, lease: Given, name: str) -> None:
    change, sooner = ending(desk), SOON - timedelta(hours=4)
    services.shorten(change, actor=desk.again(name), until=sooner)
    assert lease.until == sooner
    assert change.events.get(kind="shortened").note.startswith("Ends on")


def test_the_end_is_brought_forward_only(desk: Desk, lease: Given) -> None:
    change, hana = ending(desk), desk.again("Hana Sato")
    for until, sentence in (
        (SOON, "Choose an earlier moment"),
        (SOON + timedelta(hours=1), "For a later one, submit a new request"),
        (datetime.now(tz=UTC) - timedelta(minutes=1), "has passed"),
    ):
        with pytest.raises(RefusedError, match=sentence):
            services.shorten(change, actor=hana, until=until)
    assert lease.until == SOON


@pytest.mark.parametrize("name", ["Elif Kaya", "Tomas Lind", "Amara Diallo"])
def test_nobody_else_shortens_it(desk: Desk, lease: Given, name: str) -> None:
    with pytest.raises(RefusedError):
        services.shorten(ending(desk), actor=desk.again(name), until=SOON - timedelta(hours=1))
    assert lease.until == SOON


def test_a_permanent_grant_is_not_shortened(desk: Desk) -> None:
    desk.person("Ada Lund", Role.APPROVER)
    with pytest.raises(RefusedError, match="is permanent"):
        services.shorten(desk.ask(), actor=desk.again("Ada Lund"), until=SOON)
