"""Several who ask at once, and questions that fail half-way: the next answer is right all the same."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import EdgeKind, Entity, Kind
from iam.mirror.pull import revisions
from iam.mirror.snapshot import _moments, moment, snapshot
from iam.policy.catalogue import ActionSpace
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.elements import ActionElement
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.question import AccessQuestion
from tests import factories as make
from tests.attacks.conftest import HUB, World
from tests.console.access.who_can.conftest import SignIn, say
from tests.iam.mirror.snapshot.test_snapshot import organization

pytestmark = pytest.mark.on_both


def test_names_that_two_meet_at_once_have_bits_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    space, whole = ActionNumbering(), ActionSpace.extended
    actions, other, third = (
        ActionElement((f"{name}:Invented",), is_not=False) for name in ("one", "other", "third")
    )
    places: list[int] = []

    def ask_the_other() -> None:
        space.register_names(other)
        places.append(space.mask(other))

    thread = Thread(target=ask_the_other)

    def in_the_middle(self: ActionSpace, names: Any) -> ActionSpace:
        grown = whole(self, set(names))
        if thread.ident is None:
            thread.start()
            thread.join(timeout=0.3)
        return grown

    monkeypatch.setattr(ActionSpace, "extended", in_the_middle)
    space.register_names(actions)
    mine = space.mask(actions)
    thread.join()
    space.register_names(third)
    masks = [mine, places[0], space.mask(third)]
    assert [mask.bit_count() for mask in masks] == [1, 1, 1]
    assert len(set(masks)) == 3
    assert [space.mask(actions), space.mask(other)] == masks[:2]


@pytest.mark.django_db
def test_a_query_that_fails_while_the_index_is_brought_up_leaves_nothing_half_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account, hub = make.account(), make.account(HUB, name="hub")
    maya = make.user(account, "maya")
    make.inline(maya, body=say("Allow", "s3:*"))
    organization(hub, account, scp=say("Allow", "*"))
    assert _who() == ["maya"]
    scp = make.entity(hub, Kind.SCP, "Closed", arn="", document=make.document(say("Deny", "s3:*")))
    place = Entity.objects.get(kind=Kind.ORG_ACCOUNT, aws_id=account.account_id)
    make.edge(EdgeKind.TARGET, scp, place)
    revisions.note_written(hub.pk, [scp.pk, place.pk])

    def fail(at: Any) -> None:
        raise OperationalError("the connection is gone")

    with monkeypatch.context() as broken:
        broken.setattr(moment, "OrganizationStandings", fail)
        with pytest.raises(OperationalError):
            _who()
    assert _who() == []


def _who() -> list[str]:
    with snapshot() as index:
        answer = index.who_can(AccessQuestion("s3:GetObject", "arn:aws:s3:::b/k"))
        return [member.name for member in answer.members(EvaluationDecision.ALLOWED)]


@pytest.mark.django_db
def test_an_error_of_whoever_holds_the_index_frees_it_for_others(world: World, sign_in: SignIn) -> None:
    with pytest.raises(ZeroDivisionError), snapshot():
        raise ZeroDivisionError
    answers: list[bool] = []

    def look() -> None:
        kept = _moments[None]
        with kept.gate.changing(2) as is_alone:
            answers.append(is_alone)

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert answers == [True]
    client: Client = sign_in(Role.AUDITOR)
    assert client.get("/access/who-can/?action=s3:GetObject&resource=*").status_code == 200
