"""Every operation against the AWS stand-in: first run, second run, undo, drift, and a worker lost after AWS
had carried it out.

The cases are in the files `cases_….py`; what AWS must show is read by boto3, never by Gatehouse.
"""

from __future__ import annotations

import pytest

from iam.aws import writes
from iam.aws.permissions import WRITE, write_policy
from iam.changes import services
from iam.changes.irreversible import losses
from iam.changes.models import Change, ChangeState
from iam.changes.operations import REGISTRY, Operation, class_of, restore
from iam.changes.operations.lifecycle import Create
from iam.mirror.models import Entity
from tests.iam.changes.conftest import wait_over
from tests.iam.changes.operations.rows import as_it_is, foretold
from tests.iam.changes.operations.stage import Stage, applied, ran
from tests.iam.changes.operations.table import Case, all_cases
from tests.iam.changes.test_lost_workers import KilledError, dying_after

CASES = all_cases()
NOTHING_BETWEEN = {
    "mfa_device.delete_spare": "a device without an owner is there or is not",
    "service_linked_role.create": "AWS names the role, and a service has one or has none",
}
"""Operations of which the matter cannot be otherwise than before or after, with the reason."""
HANDED_OUT = {
    action
    for statement in write_policy("aws", account_id="123456789012")["Statement"]
    if statement["Effect"] == "Allow"
    for action in statement["Action"]
}
"""What the writing role may call, by the policy that the setup page hands out."""


def lose_a_worker(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker die right after AWS has answered its first call, and its lease be over."""
    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", dying_after(writes.call))
        with pytest.raises(KilledError):
            ran(change)
    change.refresh_from_db()
    wait_over(change)


def refuses_other_types(operation: Operation) -> bool:
    """Whether a stored row with a parameter of another type, one too many or one too few is no operation
    at all."""
    params = operation.params
    wrong = [{**params, name: object()} for name in params] + [{**params, "strange": "x"}]
    wrong += [{key: value for key, value in params.items() if key != name} for name in params]
    for row in wrong:
        with pytest.raises((TypeError, ValueError)):
            restore(operation.slug, account=operation.account, params=row)
    return True


def shows_what_is(operation: Operation, stage: Stage) -> bool:
    """Whether the mirror shows of the matter what AWS does; of what is gone it has no image. What somebody
    else has made has a path of its own, and so another ARN than the one that was to be made: it is
    found by its name."""
    if isinstance(operation, Create):
        named = Entity.objects.filter(
            account=stage.account, kind=operation.subject_kind, name=operation.inputs.name
        )
        return named.filter(gone_at__isnull=True).exists()
    return operation.state_in_mirror() in (None, operation.observe(stage.scene.aws))


def of(*cases: Case) -> pytest.MarkDecorator:
    """One test for each case."""
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


@of(*CASES)
def test_it_is_applied_once_read_back_and_undone(
    stage: Stage, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker that undoes it is lost after AWS has answered, so that a lost worker is tried for the way
    back as well."""
    operation = case.make(stage)
    before, foretold_effect = case.shows(stage), foretold(operation)
    (change,) = stage.queue(operation)
    again = restore(change.operation, account=change.account, params=change.params)
    assert (type(again), again.slug, again.params, again.calls()) == (
        type(operation),
        operation.slug,
        operation.params,
        operation.calls(),
    )
    assert refuses_other_types(operation), "it takes parameters that are not its own"

    ran(change)
    if case.is_slow:
        assert change.state == ChangeState.CONFIRMING, change.error_message
        wait_over(change)
        ran(change)
    assert change.state == ChangeState.APPLIED, change.error_message
    assert stage.called() <= HANDED_OUT, "the writing role may not call it"
    assert (case.shows(stage), stage.written()) == (case.after(stage, before), case.calls)
    mirrored = again.state_in_mirror()
    assert mirrored is not None
    assert again.satisfied(mirrored), "the mirror does not show it"
    if foretold_effect is not None:
        assert as_it_is(foretold_effect, account=stage.account) == foretold_effect, (
            "its receipt foretold something else"
        )

    events = change.events.count()
    ran(change)
    assert (change.events.count(), stage.written()) == (events, case.calls), "the second run did something"

    if not case.is_reversible:
        assert again.irreversible, "it says nowhere that it cannot be undone"
        assert services.why_not_undo(change, viewer=stage.scene.requester) == again.irreversible
        return
    undoing = stage.ask_undo(change)
    lose_a_worker(undoing, monkeypatch)
    applied(undoing)
    assert case.shows(stage) == case.undone(stage, before)


@of(*(case for case in CASES if case.meddle))
def test_what_somebody_changed_meanwhile_is_left_alone(stage: Stage, case: Case) -> None:
    (change,) = stage.queue(case.make(stage))
    assert case.meddle is not None
    case.meddle(stage)
    meddled = case.shows(stage)
    stage.scene.standin.control("faults/clear", {})

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "drift"), change.error_message
    assert (case.shows(stage), stage.written()) == (meddled, 0)
    operation = restore(change.operation, account=change.account, params=change.params)
    if not operation.identity_error(stage.scene.aws):
        assert shows_what_is(operation, stage), "the mirror still shows what was"


@of(*(case for case in CASES if not case.is_reversible or not case.repeats))
def test_a_worker_lost_after_aws_has_answered_does_nothing_twice(
    stage: Stage, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what can be undone the way back tells the same: most are the way back of another."""
    operation = case.make(stage)
    before = case.shows(stage)
    (change,) = stage.queue(operation)
    lose_a_worker(change, monkeypatch)

    ran(change)

    if case.repeats:
        assert change.state == ChangeState.APPLIED, change.error_message
        assert (case.shows(stage), stage.written()) == (case.after(stage, before), case.calls)
    else:
        assert (change.state, stage.written()) == (ChangeState.UNKNOWN, 1), change.error_message


def test_every_operation_is_in_the_table() -> None:
    """A new operation comes with its case."""
    named = {case.name.partition(" ")[0] for case in CASES}
    assert set(REGISTRY) == named


def test_the_writing_role_is_asked_for_what_operations_call_and_nothing_else() -> None:
    """A role is passed to EC2 by no call of its own."""
    kinds = ("user", "group", "role")
    families = {
        operation_spec.family.format(holder_kind=kind)
        for operation_spec in REGISTRY.values()
        for kind in kinds
    }
    assert families | {"pass-role"} == set(WRITE)


def test_every_operation_is_tried_against_somebody_who_meddles() -> None:
    meddled = {case.name.partition(" ")[0] for case in CASES if case.meddle}
    assert set(REGISTRY) - set(NOTHING_BETWEEN) == meddled


def test_every_operation_that_cannot_be_undone_is_listed_with_what_can() -> None:
    lost = {case.name.partition(" ")[0] for case in CASES if not case.is_reversible}
    assert lost == {slug for slug, operation in REGISTRY.items() if operation.loss}
    assert all(loss.reason.endswith(".") and loss.alternative.endswith(".") for loss in losses())
    assert len({loss.deed for loss in losses()}) == len(lost)


SAID_BY = {
    "title": ("title",),
    "no_op": ("noop_message",),
    "notes": ("notes", "effect"),
    "weight": ("sensitivity",),
    "loss": ("loss", "irreversible"),
}
"""Field of a spec → the methods that answer with it."""
WEIGHED_FIRST = {"role_sessions.revoke": "a holder's methods ask the spec before they look at the policy"}


@pytest.mark.parametrize("slug", sorted(REGISTRY))
def test_what_a_spec_says_is_not_overridden_by_a_method(slug: str) -> None:
    """Else a reader of the spec is told what nobody is shown."""
    spec, made_by = REGISTRY[slug], class_of(slug)
    for field, methods in SAID_BY.items():
        if not getattr(spec, field) or (slug in WEIGHED_FIRST and field == "weight"):
            continue
        overridden = [name for name in methods if getattr(made_by, name) is not getattr(Operation, name)]
        assert not overridden, f"{field} of the spec has no effect"


@pytest.mark.parametrize("slug", sorted(REGISTRY))
def test_parameters_declare_nothing_that_an_operation_is_asked(slug: str) -> None:
    """What stands there is asked by nobody: a rule of the operation would be lost."""
    settings = {name for name, kind in vars(Operation)["__annotations__"].items() if "ClassVar" in str(kind)}
    assert {"excluded", "excluded_by", "initial"} <= settings
    for cls in class_of(slug).params_type.__mro__:
        assert not settings & vars(cls).keys(), cls
