"""What a move leaves to somebody: all that anything but the former blueprint is the reason of. As rows; no
AWS is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from iam.access.grants.models import Grant, GrantPart, GrantState, LedgerEntry, PermissionSort
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.directory.models import Person, Role, Team
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, EdgeKind, Entity
from iam.people.blueprints.body import FilledTemplate
from iam.people.blueprints.models import Blueprint, BlueprintVersion
from iam.people.moving import reconcile
from iam.people.moving.access_difference import MovePlan, MovingPerson, plan_move
from iam.people.moving.models import OF_MOVE, Move
from iam.people.moving.queries import visible_moves
from iam.people.moving.services import move_id_for, planned, request_move
from iam.people.moving.single_blueprint_accounts import left_id, parts_for, why_stays, write_left
from iam.people.offboarding.models import Leaver
from iam.people.onboarding.creation_plan import sites_of
from iam.people.runs.models import RunState
from tests import factories
from tests.console import offboarding, onboarding
from tests.console.access.grants import made

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
FILLED = FilledTemplate("read-one-bucket", 1, {"bucket": "ledger"})


@dataclass
class House:
    """An account with groups, a user of the team, and two blueprints: one gives `payments-dev` and `on-call`,
    the other `data` alone.
    """

    account: Account
    groups: dict[str, Entity]
    user: Entity
    former: BlueprintVersion
    version: BlueprintVersion
    admin: Viewer

    @property
    def mover(self) -> MovingPerson:
        return MovingPerson("Maya Okafor", None, [self.user])

    def member(self, *names: str) -> None:
        for name in names:
            factories.edge(EdgeKind.MEMBER, self.user, self.groups[name])

    def plan(self) -> MovePlan:
        return plan_move(
            self.mover,
            former=self.former,
            version=self.version,
            viewer=self.admin,
            move_id=move_id_for(self.admin, "form"),
        )

    def said(self, sign: str) -> list[str]:
        return sorted(step.text for step in self.plan().steps if step.sign == sign)

    def held(self, sort: PermissionSort, target: str, *, key: str = "by-hand", **fields: Any) -> Grant:
        """A grant that is a reason for it."""
        person = Person.objects.filter(name="Hana Sato").first() or factories.person("Hana Sato")
        grant = made.grant(self.account, self.user, asked_by=person, **fields)
        Grant.objects.filter(pk=grant.pk).update(idempotency_key=f"{key}-{grant.pk}")
        LedgerEntry.objects.filter(part__grant=grant).update(sort=sort, target=target)
        grant.refresh_from_db()
        return grant

    def given(self, target: str) -> Grant:
        """A policy of which the former blueprint is the reason."""
        terms = {"what": {"template": FILLED.slug, "version": 1, "parameters": dict(FILLED.parameters)}}
        grant = self.held(PermissionSort.INLINE, target, key="onboarding:1")
        Grant.objects.filter(pk=grant.pk).update(terms=terms)
        factories.inline(self.user, target)
        return grant


@pytest.fixture
def house() -> House:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    names = ("payments-dev", "on-call", "data", "choir")
    groups = {name: factories.group(account, name) for name in names}
    user = factories.user(account, "maya.okafor", path="/payments/")
    payments = Team.objects.create(slug="payments", name="Payments")
    data = Team.objects.create(slug="data", name="Data")
    former = onboarding.blueprint(account, payments, groups=("payments-dev", "on-call"), templates=(FILLED,))
    version = onboarding.blueprint(account, data, groups=("data",))
    return House(account, groups, user, former, version, factories.viewer(Role.ADMINISTRATOR))


def test_groups_go_that_the_former_blueprint_gave_and_nothing_else_needs(house: House) -> None:
    house.member("payments-dev", "on-call", "choir")
    grant = house.held(PermissionSort.MEMBER, house.groups["on-call"].arn)
    assert house.said("loses") == ["Member of payments-dev"]
    assert house.said("keeps") == ["Member of on-call"]
    assert house.said("gains") == ["Member of data"]
    GrantPart.objects.filter(grant=grant).update(state=GrantState.ENDED)
    assert house.said("loses") == ["Member of on-call", "Member of payments-dev"]


def test_a_policy_that_another_grant_needs_as_well_stays(house: House) -> None:
    house.given("ledger-reader")
    assert house.said("loses") == ["Policy ledger-reader"]
    other = house.held(PermissionSort.INLINE, "ledger-reader")
    assert house.said("loses") == []
    assert [(step.text, step.note) for step in house.plan().steps if step.sign == "keeps"] == [
        ("Policy ledger-reader", f"{other.reference} also needs it.")
    ]


@pytest.mark.parametrize(
    ("holds", "why"),
    [
        (lambda house: None, ""),
        (lambda house: house.member("on-call"), ""),
        (lambda house: house.given("ledger-reader"), ""),
        (lambda house: house.member("choir"), "The user is also in choir."),
        (lambda house: factories.inline(house.user, "own"), "The user also has the policy own."),
        (
            lambda house: factories.edge(EdgeKind.ATTACHED, house.user, factories.policy(house.account, "p")),
            "p is attached to the user.",
        ),
        (lambda house: house.held(PermissionSort.MEMBER, house.groups["on-call"].arn), "needs the user."),
        (lambda house: house.held(PermissionSort.MEMBER, "x", state=GrantState.ENDED), ""),
    ],
)
def test_a_user_stays_whom_anything_else_needs(house: House, holds: Callable[[House], Any], why: str) -> None:
    holds(house)
    why_kept = why_stays(house.user, house.former.body)
    assert why_kept.endswith(why)
    assert bool(why_kept) == bool(why)


def moved(house: House, *states: ChangeState) -> Move:
    """Asked for, its changes as they stand."""
    group = ChangeSet.objects.create(title="Move", cause_kind=OF_MOVE)
    offboarding.left(house.user, factories.person("Kofi Mensah"))
    first = Change.objects.first()
    assert first is not None
    for position, state in enumerate(states):
        first.pk, first._state.adding = uuid4(), True
        first.change_set, first.position, first.state = group, position, state
        first.idempotency_key = f"move-{position}"
        first.save()
    return Move.objects.create(
        name="Maya Okafor",
        users=[house.user.pk],
        former=house.former,
        version=house.version,
        reason="Joins Data",
        change_set=group,
        requested_by=house.admin.person_id,
    )


@pytest.mark.parametrize(
    ("states", "state", "ended"),
    [
        ([ChangeState.APPLIED, ChangeState.APPLIED], RunState.DONE, ["given"]),
        ([ChangeState.APPLIED, ChangeState.FAILED], RunState.PARTLY, ["given"]),
        ([ChangeState.FAILED], RunState.CLOSED, []),
        ([ChangeState.REJECTED], RunState.CLOSED, []),
        ([ChangeState.APPLIED, ChangeState.QUEUED], RunState.RUNNING, []),
        ([ChangeState.AWAITING], RunState.WAITING, []),
    ],
)
def test_the_ledger_follows_what_came_true_and_ends_no_reason_but_the_former_blueprint(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    states: list[ChangeState],
    state: RunState,
    ended: list[str],
) -> None:
    grants = {
        house.given("ledger-reader"): "given",
        house.held(PermissionSort.MEMBER, house.groups["data"].arn, key="onboarding:2"): "both give it",
        house.held(PermissionSort.MEMBER, house.groups["on-call"].arn): "somebody else's",
    }
    over: list[str] = []
    monkeypatch.setattr(reconcile, "end_for_leaver", lambda grant, reason: over.append(grants[grant]))
    move = moved(house, *states)
    reconcile.reconcile(move.pk)
    move.refresh_from_db()
    assert (move.state, over) == (state, ended)
    assert (move.settled_at is not None) == (state not in (RunState.RUNNING, RunState.WAITING))


def test_whoever_moves_is_not_shut_out_of_gatehouse_even_where_their_only_user_ends(house: House) -> None:
    move = moved(house, ChangeState.AWAITING)
    assert move.change_set is not None
    write_left(move, [(0, house.user)], email="maya@example.com", group=move.change_set)
    assert Leaver.objects.get(run=left_id(move.pk)).unseen == 1


def test_a_new_user_takes_no_name_that_is_there_and_is_made_for_nobody_who_left(house: House) -> None:
    site = sites_of(house.version.body, viewer=house.admin)
    person = factories.person("Maya Okafor")
    body, move_id = house.version.body, move_id_for(house.admin, "form")
    (part,) = parts_for(person, [house.user], site, body=body, move_id=move_id)
    assert part.newcomer.user_name == "maya.okafor2"
    elsewhere = factories.user(factories.account("222222222222", name="data"), "maya.okafor")
    for is_active, made_there in ((True, 1), (False, 0)):
        Person.objects.filter(pk=person.pk).update(is_active=is_active)
        plan = plan_move(
            MovingPerson("Maya Okafor", person.pk, [elsewhere]),
            former=house.former,
            version=house.version,
            viewer=house.admin,
            move_id=move_id,
        )
        assert len(plan.made) == made_there


def test_who_looks_and_who_leads_another_team_asks_for_no_move_and_sees_none(house: House) -> None:
    house.member("payments-dev")
    stranger = factories.person("Sam Stone")
    factories.assign(stranger, Role.TEAM_LEAD, team=Team.objects.create(slug="x", name="X"))
    ask: dict[str, Any] = {"mover": house.mover, "former": house.former, "version": house.version}
    with pytest.raises(RefusedError, match="can view this"):
        planned(factories.viewer(Role.AUDITOR, name="Otto Audit"), **ask, key="form")
    with pytest.raises(RefusedError, match="of your teams"):
        request_move(viewer_for(stranger), **ask, reason="Joins Data", key="form")
    with pytest.raises(RefusedError, match="Enter a reason"):
        request_move(house.admin, **ask, reason=" ", key="form")
    assert not Change.objects.exists()
    move = moved(house, ChangeState.APPLIED)
    assert list(visible_moves(viewer_for(stranger))) == []
    assert list(visible_moves(house.admin)) == [move]


def test_a_lead_reads_of_a_move_which_of_their_people_moved_and_of_nobody_else(house: House) -> None:
    elsewhere = factories.user(factories.account("222222222222", name="secret-lab"), "m.okafor")
    move = moved(house, ChangeState.APPLIED)
    Move.objects.update(users=[house.user.pk, elsewhere.pk])
    client = Client()
    client.force_login(factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=house.former.blueprint.team))
    page = client.get(reverse("moving:move", args=[move.pk]))
    assert page.status_code == 200
    assert "secret-lab" not in page.content.decode()


def test_the_page_says_that_a_reason_is_missing_at_its_field(house: House) -> None:
    house.member("payments-dev")
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Zoe Adler"))
    address = f"{reverse('moving:begin')}?user={house.user.pk}"
    chosen = {"from": str(house.former.blueprint_id), "to": str(house.version.blueprint_id), "key": "k"}
    answer = client.post(address, chosen | {"reason": " "})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="id_reason-error"' in page
    assert "The request was not submitted" not in page
    for version in (house.former, house.version):
        assert f'value="{version.blueprint_id}" selected' in page


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({"from": "former", "to": ""}, "to"),
        ({"from": "nonsense", "to": "next"}, "from"),
        ({"from": "former", "to": "former"}, "to"),
    ],
)
@pytest.mark.parametrize("sends", [False, True])
def test_a_blueprint_that_is_missing_or_the_same_is_named_at_its_field_alone(
    house: House, chosen: dict[str, str], field: str, sends: bool
) -> None:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Zoe Adler"))
    blueprints = {"former": str(house.former.blueprint_id), "next": str(house.version.blueprint_id)}
    answers = {name: blueprints.get(value, value) for name, value in chosen.items()}
    address = f"{reverse('moving:begin')}?user={house.user.pk}"
    if sends:
        answer = client.post(address, answers | {"reason": "Joins Data", "key": "k"})
    else:
        answer = client.get(reverse("moving:begin"), {"user": house.user.pk} | answers)
    page = answer.content.decode()
    assert f'id="{field}-error"' in page
    assert page.count('aria-invalid="true"') == 1
    assert "data-form-error" not in page
    assert not Move.objects.exists()


def test_the_page_of_a_move_lists_the_user_that_it_made(house: House) -> None:
    new = factories.user(factories.account("222222222222", name="data"), "maya.okafor2")
    person = factories.person("Maya Okafor", arns=(house.user.arn, new.arn))
    move = Move.objects.create(
        name="Maya Okafor",
        person_id=person.pk,
        users=[house.user.pk],
        former=house.former,
        version=house.version,
        reason="Joins Data",
        change_set=ChangeSet.objects.create(title="Change team"),
        requested_by=house.admin.person_id,
        state=RunState.DONE,
    )
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Zoe Adler"))
    page = client.get(reverse("moving:move", args=[move.pk])).content.decode()
    for user in (house.user, new):
        assert reverse("identities:person", args=[user.pk]) in page


def test_the_tab_and_the_page_of_a_move_have_one_title(house: House) -> None:
    move = Move.objects.create(
        name="Maya Okafor",
        users=[house.user.pk],
        former=house.former,
        version=house.version,
        reason="Joins Data",
        change_set=ChangeSet.objects.create(title="Change team"),
        requested_by=house.admin.person_id,
        state=RunState.RUNNING,
    )
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Zoe Adler"))
    page = client.get(reverse("moving:move", args=[move.pk])).content.decode()
    heading = f"Change team of Maya Okafor to {house.version.blueprint.team.name}"
    assert heading in page.partition("</title>")[0]
    assert f"<h1>{heading}</h1>" in page


def test_what_and_where_stands_above_the_lines_of_each_account(house: House) -> None:
    house.member("payments-dev")
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Zoe Adler"))
    chosen = {"from": str(house.former.blueprint_id), "to": str(house.version.blueprint_id)}
    page = client.get(reverse("moving:begin"), {"user": house.user.pk} | chosen).content.decode()
    block = " ".join(page.partition('id="wt-h"')[2].partition("</ul>")[0].split())
    assert f"Remove {house.user.name} from payments-dev" in block
    assert f"in {house.user.account.name}" in block
    assert page.index('id="wt-h"') < page.index('id="mv-1"')


def test_a_typed_reason_outlives_another_look_at_what_changes(house: House) -> None:
    house.member("payments-dev")
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Zoe Adler"))
    address = f"{reverse('moving:begin')}?user={house.user.pk}"
    chosen = {"from": str(house.former.blueprint_id), "to": str(house.version.blueprint_id), "key": "k"}
    page = client.get(address, {"user": house.user.pk} | chosen).content.decode()
    assert page.count('form="move"') == 2, "reason and button belong to the form of the blueprints"
    looked = client.post(address, chosen | {"reason": "Joins Data", "show": "1"})
    assert looked.status_code == 200
    assert "Joins Data" in looked.content.decode()
    shown = f"{house.version.blueprint_id} {house.former.blueprint_id}"
    refused = client.post(address, chosen | {"reason": "Joins Data", "shown": shown})
    assert refused.status_code == 422
    assert "You chose another blueprint" in refused.content.decode()
    assert not Move.objects.exists()


def test_who_can_choose_from_one_blueprint_only_learns_whom_to_ask(house: House) -> None:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Zoe Adler"))
    address = f"{reverse('moving:begin')}?user={house.user.pk}"
    assert "You can’t choose another blueprint" not in client.get(address).content.decode()
    Blueprint.objects.filter(pk=house.version.blueprint_id).update(retired_at=datetime.now(tz=UTC))
    page = " ".join(client.get(address).content.decode().split())
    assert "You can’t choose another blueprint" in page
    assert f"only {house.former.blueprint.name}. Ask an administrator" in page
