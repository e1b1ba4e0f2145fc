"""What a worker keeps of escalation is what the graph says, whatever was written, killed or done twice in
between.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from iam.access import escalation_graph
from iam.access.certainty import Certainty
from iam.access.escalation_calculation import calculation, findings, service_uses, stored_calculation, writes
from iam.access.escalation_calculation.calculation import calculate_due
from iam.access.escalation_calculation.kept_paths import path_of
from iam.access.escalation_calculation.models import (
    EscalationCalculation,
    EscalationCertainty,
    EscalationFinding,
)
from iam.access.escalation_calculation.path_records import from_json, to_json
from iam.access.escalation_calculation.tasks import calculate_escalation
from iam.access.escalation_graph import escalation
from iam.changes import handlers
from iam.changes.models import Change, ChangeState
from iam.mirror import snapshot
from iam.mirror.models import Account, Entity
from iam.mirror.pull import revisions
from tests import factories as make
from tests.console.access.escalation.conftest import ONE, TWO, World, allow, body, trust

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _what_is_read_is_calculated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here nothing is calculated before a test says so, and then without a pause."""
    monkeypatch.setattr(calculation, "MAX_PAUSE", timedelta(0))


def write(world: World, name: str = "nobody") -> None:
    """Somebody may now give themselves everything."""
    make.inline(world.of[name], "own", body=body(allow("Own", "iam:PutUserPolicy")))
    revisions.note_written(world.of[name].account_id, [world.of[name].pk])


def kept() -> dict[str, tuple[Any, ...]]:
    """Everything that is kept of each principal, but for the state that it was told of."""
    fields = ("steps", "is_conditional", "certainty", "unread", "opener", "search", "path")
    return {arn: tuple(values) for arn, *values in EscalationFinding.objects.values_list("arn", *fields)}


def in_graph() -> dict[str, tuple[Any, ...]]:
    """The same of the graph."""
    in_graph = {}
    with escalation(None, is_anew=True) as known:
        reach = known.graph.to_administrator()
        for at in known.graph.everybody:
            path = known.explorer.path(at, reach)
            if path is not None:
                in_graph[path.who.arn] = (len(path.steps), not path.is_sure, path_of(path))
    return in_graph


def of_a_new_process() -> None:
    """Drop everything that a process has in memory."""
    snapshot.forget()
    escalation_graph.forget()
    findings.forget()


def a_random_write(dice: random.Random, users: list[Entity], roles: list[Entity]) -> None:
    """A principal gets a statement that may open a path."""
    who = dice.choice([*users, *roles])
    goal = dice.choice([*users, *roles]).arn
    action = dice.choice(
        [
            "iam:PutUserPolicy",
            "iam:AttachRolePolicy",
            "iam:UpdateAssumeRolePolicy",
            "iam:CreateAccessKey",
            "sts:AssumeRole",
            "*",
        ]
    )
    conditions = {"Bool": {"aws:MultiFactorAuthPresent": "true"}} if dice.random() < 0.3 else {}
    statement = allow("May", action, "*" if action == "*" else dice.choice(["*", goal]), **conditions)
    make.inline(who, f"p{dice.randrange(10**9)}", body=body(statement))
    revisions.note_written(who.account_id, [who.pk])


@pytest.mark.parametrize("seed", range(6))
def test_what_is_kept_is_what_the_graph_says_however_it_came_about(db: None, seed: int) -> None:
    dice = random.Random(seed)
    accounts: list[Account] = []
    users: list[Entity] = []
    roles: list[Entity] = []
    for number in (ONE, TWO, "333333333333"):
        account = make.account(number, name=number)
        make.synced(account)
        accounts.append(account)
        users += [make.user(account, f"user-{n}") for n in range(4)]
        named = dice.choice([ONE, TWO, "333333333333"])
        roles += [make.role(account, f"role-{n}", trust=trust({"AWS": named})) for n in range(3)]
    make.inline(roles[0], "all", body=body(allow("All", "*")))
    make.inline(users[0], "own", body=body(allow("Own", "iam:PutUserPolicy")))
    for _ in range(6):
        a_random_write(dice, users, roles)
        calculate_due()
        if dice.random() < 0.3:
            of_a_new_process()
        graph = in_graph()
        assert {row.arn for row in EscalationFinding.objects.all()} == graph.keys()
        for row in EscalationFinding.objects.all():
            assert (row.steps, row.is_conditional, from_json(row.path)) == graph[row.arn], row.arn
    kept_paths = kept()
    assert kept_paths
    EscalationCalculation.objects.all().delete()
    of_a_new_process()
    calculate_due()
    assert kept() == kept_paths, "from the beginning it is the same"


def test_a_path_survives_json(world: World) -> None:
    with escalation(None) as known:
        reach = known.graph.to_administrator()
        paths = [path_of(p) for at in known.graph.everybody if (p := known.explorer.path(at, reach))]
    assert len(paths) == 6
    assert [from_json(to_json(path)) for path in paths] == paths


def test_a_write_to_one_account_tells_only_paths_through_it_again(world: World) -> None:
    maker = make.user(world.staging, "own.maker")
    make.inline(maker, "own", body=body(allow("Own", "iam:PutUserPolicy", maker.arn)))
    calculate_due()
    stamps = dict(EscalationFinding.objects.values_list("arn", "stamp"))
    account_graphs = escalation_graph._private[None].account_graphs
    made = account_graphs.made
    write(world)
    calculate_due()
    assert escalation_graph._private[None].account_graphs is account_graphs
    assert account_graphs.made == made + 1, "of the other account the ways are as they were"
    again = dict(EscalationFinding.objects.values_list("arn", "stamp"))
    changed = {arn.rpartition("/")[2] for arn, stamp in again.items() if stamps.get(arn) != stamp}
    assert "own.maker" not in changed
    assert "tomas.lind" in changed, "the path crosses into the account"
    assert {"nobody", "dana.wirth"} <= changed


def test_nothing_is_done_where_nothing_was_written(world: World) -> None:
    assert calculate_due()
    before = EscalationCalculation.objects.values().get()
    assert calculate_escalation() == 0
    assert EscalationCalculation.objects.values().get() == before


def test_after_an_hour_it_is_calculated_again_since_dates_have_passed(world: World) -> None:
    calculate_due()
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(minutes=61)):
        assert calculate_due()


def test_of_two_processes_one_calculates(world: World) -> None:
    row = EscalationCalculation.objects.create(moment="")
    lease = calculation._claim(row)
    assert lease
    assert calculate_due() == 0, "another is at it"
    assert not EscalationFinding.objects.exists()
    with time_machine.travel(datetime.now(tz=UTC) + calculation.LEASE + timedelta(seconds=1)):
        assert calculate_due(), "it was killed"
    assert EscalationFinding.objects.exists()
    assert EscalationCalculation.objects.get(moment="").lease == ""


def test_a_worker_that_is_killed_leaves_what_was_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calculate_due()
    before, state = kept(), EscalationCalculation.objects.get(moment="").number
    write(world)

    def killed(*_: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(writes, "_keep_openings", killed)
        with pytest.raises(SystemExit):
            calculate_due()
    assert kept() == before, "findings and groups are written together"
    assert EscalationCalculation.objects.get(moment="").number == state
    of_a_new_process()
    assert calculate_due()
    assert kept().keys() > before.keys()


def test_an_older_calculation_never_replaces_a_newer(world: World) -> None:
    calculate_due()
    newer = datetime.now(tz=UTC) + timedelta(minutes=1)
    EscalationCalculation.objects.update(calculated_at=newer)
    write(world)
    calculation.calculate(None, is_forced=True)
    assert EscalationCalculation.objects.get(moment="").calculated_at == newer
    assert not EscalationFinding.objects.filter(arn__endswith="/nobody").exists()


def test_what_is_kept_in_another_format_is_calculated_again_and_not_shown(world: World) -> None:
    calculate_due()
    EscalationCalculation.objects.update(format=0)
    with pytest.raises(stored_calculation.BeingCalculatedError):
        stored_calculation.stored_at(None)
    assert calculate_due()
    stored_calculation.stored_at(None)


def test_after_an_upgrade_everything_is_calculated_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calculate_due()
    EscalationFinding.objects.update(path={})
    for module in (calculation, findings, service_uses):
        monkeypatch.setattr(module, "code_version", lambda: "another")
    assert calculate_due()
    assert not EscalationFinding.objects.filter(path={}).exists()
    assert calculate_due() == 0


def test_where_accounts_are_written_to_all_the_time_it_pauses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calculation, "MAX_PAUSE", timedelta(seconds=30))
    calculate_due()
    EscalationCalculation.objects.update(seconds=60)
    write(world)
    assert not calculation.calculate(None)
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(seconds=31)):
        assert calculation.calculate(None)


def test_certainties_are_sorted_as_they_are_ranked() -> None:
    assert [each.name for each in sorted(EscalationCertainty)] == [
        Certainty.CONFIRMED.name,
        Certainty.UNCONFIRMED.name,
        Certainty.CONDITIONAL.name,
    ]


@pytest.mark.parametrize(("state", "number"), [(ChangeState.APPLIED, 1), (ChangeState.REJECTED, 0)])
def test_a_worker_is_told_when_a_change_is_applied(
    monkeypatch: pytest.MonkeyPatch, state: ChangeState, number: int
) -> None:
    nudges: list[int] = []
    monkeypatch.setattr(stored_calculation, "nudge", lambda: nudges.append(1))
    for handler in handlers._on_end:
        if "escalation_calculation" in handler.__module__:
            handler(Change(state=state))
    assert len(nudges) == number
