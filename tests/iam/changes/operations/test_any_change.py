"""A random change of a random account: what its receipt foretells is so afterwards, and undone it is as
before.

Every operation is drawn but those of `LEFT_OUT`. What AWS shows is read by boto3. `GATEHOUSE_CHANGES` is how
many accounts are tried, each with every operation twice; without it a part of the operations is drawn on one
account.
"""

from __future__ import annotations

import itertools
import os
from random import Random

import pytest

from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.impact import numbers_of, texts_of
from iam.changes.models import Change
from iam.changes.operations import REGISTRY, CreatePolicyVersion, Operation
from iam.changes.services.deletion import request_deletion
from iam.changes.world import ChangeWorld
from iam.mirror.models import Entity, Kind
from iam.mirror.snapshot import snapshot
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.index import PolicyIndex
from iam.policy.index.scenario import ScenarioEdits, what_if
from tests.iam.changes.operations.draws import DRAWS, LEFT_OUT
from tests.iam.changes.operations.land import Land, Shown
from tests.iam.changes.operations.rows import Told, as_it_is, foretold, key_of
from tests.iam.changes.operations.stage import Stage, applied, ran

ACCOUNTS = int(os.environ.get("GATEHOUSE_CHANGES", "0"))
PART = 8
"""So many operations are tried where no number of accounts is given."""
TRIES = 25
"""So often an operation is drawn again that makes no sense as things stand."""
Can = tuple[frozenset[str], ...]


def test_every_operation_is_drawn_or_left_out_for_a_reason() -> None:
    assert set(DRAWS) | set(LEFT_OUT) == set(REGISTRY)
    assert not set(DRAWS) & set(LEFT_OUT)


@pytest.mark.parametrize("seed", range(ACCOUNTS or 1))
def test_what_its_receipt_foretells_is_so_and_undone_it_is_as_before(stage: Stage, seed: int) -> None:
    rng = Random(seed)
    land, slugs = Land(stage, rng), rng.sample(sorted(DRAWS), len(DRAWS))
    slugs.sort(key=lambda slug: REGISTRY[slug].loss is not None)  # What is lost for good is lost last.
    wanted = itertools.chain(slugs, slugs) if ACCOUNTS else slugs[:PART]
    before, done = land.shown(), []
    for slug in wanted:
        shown = carried_out(land, slug, before)
        before = shown or before
        done += [slug] if shown else []
    assert len(done) > PART / 2, "hardly anything was changed"


def test_what_is_deleted_with_all_that_hangs_on_it_comes_back_with_all_of_it(stage: Stage) -> None:
    land, viewer = Land(stage, Random(7)), stage.scene.requester
    before = land.shown()
    for kind, place in (
        (Kind.GROUP, 0), (Kind.ROLE, 0), (Kind.POLICY, 1), (Kind.INSTANCE_PROFILE, 1), (Kind.USER, 0),
    ):  # fmt: skip
        entity = land.all(kind)[place]
        asked_for = request_deletion(viewer, entity=entity, reason="Over", idempotency_key=entity.name)
        lost = [change for change in asked_for if change.receipt.get("irreversible")]
        for change in asked_for:
            applied(stage.agreed(change))
        assert entity.arn not in land.shown()

        changes = [change for change in asked_for if change not in lost]
        back = services.undo_several(changes, actor=viewer, reason="No", idempotency_key=f"no{entity.pk}")
        for change in back:
            applied(stage.agreed(change))

        assert without(land.shown(), lost) == without(before, lost), entity
        before = land.shown()


def without(shown: Shown, lost: list[Change]) -> Shown:
    """But for what does not come back: passwords, keys and devices."""
    if not lost:
        return shown
    return {
        arn: {key: part for key, part in shown_entity.items() if key not in ("password", "credentials")}
        for arn, shown_entity in shown.items()
        if ":" in arn and isinstance(shown_entity, dict)
    }


def carried_out(land: Land, slug: str, before: Shown) -> Shown | None:
    """Draw, ask for, carry out and compare: what is shown afterwards. None where nothing that was drawn made
    sense. Raises AssertionError for what was not as foretold.
    """
    drawn = asked(land, slug)
    if drawn is None:
        return None
    operation, change = drawn
    foretold_effect, can = everybody_after(land, operation), allowed(land.stage, operation)
    land.stage.scene.standin.control("faults/clear", {})

    applied(change)

    about, written = (slug, change.title, change.params), land.stage.written()
    if foretold_effect is not None:
        assert as_it_is(foretold_effect, account=land.stage.account) == foretold_effect, about
    if subject := Entity.objects.filter(pk=getattr(operation.subject(), "pk", None)).first():
        pulled(land, subject)
    if foretold_effect is not None:
        assert as_it_is(foretold_effect, account=land.stage.account) == foretold_effect, about
    after = allowed(land.stage)
    if foretold_effect is None:  # What it makes is AWS's to fill, such as the role of a service.
        after = {arn: row for arn, row in after.items() if arn in can}
    assert after == can, about
    ran(change)
    assert land.stage.written() == written, about
    shown = taken_back(land, operation, change, before)
    for user in land.all(Kind.USER) if operation.created_arns() or slug == "user.delete" else ():
        land.know(user)  # Of who was just made the mirror has read no credentials.
    return shown


def everybody_after(land: Land, operation: Operation) -> Told | None:
    """The rows of everybody, as the receipt has them: who is not spoken of stays as they are. A renamed group
    is another in the rows of its members.
    """
    effect = foretold(operation)
    if effect is None or operation.slug == "group.update":
        return effect
    ours = [entity for kind in (Kind.USER, Kind.ROLE, Kind.GROUP) for entity in land.all(kind)]
    return as_it_is({key_of(entity.arn) for entity in ours}, account=land.stage.account) | effect


def asked(land: Land, slug: str) -> tuple[Operation, Change] | None:
    """An operation that makes sense, asked for and queued."""
    for _ in range(TRIES):
        try:
            operation = DRAWS[slug](land)
        except (IndexError, ValueError):
            continue
        now = operation.state_in_mirror()
        if operation.slug != slug or now is None or operation.satisfied(now):
            continue
        try:
            return operation, land.stage.queue(operation)[0]
        except RefusedError:
            continue
    return None


def pulled(land: Land, subject: Entity) -> None:
    """What it was about is read anew, as a pull reads it."""
    if subject.kind in (Kind.USER, Kind.GROUP, Kind.ROLE, Kind.POLICY):
        land.stage.read(Kind(subject.kind), subject.name, arn=subject.arn)


def taken_back(land: Land, operation: Operation, change: Change, before: Shown) -> Shown:
    """Mostly it is undone, and sometimes left, so that the account is another for the next: what is shown
    then.
    """
    why = services.why_not_undo(change, viewer=land.stage.scene.requester)
    if operation.irreversible or why:
        assert why == operation.irreversible, change.title
        return land.shown()
    if land.rng.random() < 0.3:
        return land.shown()
    land.stage.undo(change)
    shown = land.shown()
    assert shown == as_before(before, operation), (change.title, change.params)
    return shown


def as_before(before: Shown, operation: Operation) -> Shown:
    """All that was shown, and a text that was taken back: AWS keeps it as a version that does not hold."""
    if not isinstance(operation, CreatePolicyVersion) or operation.dropped_version:
        return before
    arn = operation.policy.policy_arn
    return before | {
        arn: {**before[arn], "said": sorted([*before[arn]["said"], operation.text])},
    }


def allowed(stage: Stage, *operations: Operation) -> dict[str, Can]:
    """By ARN, what each user and role can do; with an operation, what they can do after it, as its receipt
    has it.
    """
    number, known = stage.account.account_id, numbers_of(operations) if operations else {}
    with snapshot(accounts={number}) as index:
        shard = index.accounts[number]
        world = ChangeWorld(shard, numbers=known, texts=texts_of(known))
        for operation in operations:
            operation.simulate(world)
        changes = world.changes
        arns = {member.id: member.arn for member in shard.members.values()} | {
            row.id: row.arn for row in changes.principals
        }
        effective_by_pk = {
            pk: index.effective().for_member(shard.members[pk]) for pk in arns if pk in shard.members
        }
        for shift, members in what_if(
            index, {number: ScenarioEdits(changes)}, texts=world.texts
        ).shifts.items():
            effective_by_pk |= {member.id: shift.after for member in members}
        gone = set(changes.gone)
        can = {arns[pk]: _named(index, row) for pk, row in effective_by_pk.items() if pk not in gone}
        return {arn: row for arn, row in can.items() if any(row)}


def _named(index: PolicyIndex, effective: AllowedActionSets) -> Can:
    return tuple(frozenset(index.documents.space.actions.names(mask)) for mask in effective)
