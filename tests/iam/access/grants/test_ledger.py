"""The ledger: what two grants justify goes with the last of them, and what was there by no grant stays."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam.access.grants import services
from iam.access.grants.ledger import ledger_of
from iam.access.grants.models import GrantState, PermissionSort
from iam.access.grants.proof import proof_of
from iam.access.grants.services.reconcile import change_ended
from iam.access.grants.terms import GrantContent, WhatKind
from iam.changes.models import Change
from iam.changes.services import undo
from iam.directory.models import Role
from iam.mirror.models import EdgeKind
from tests import factories
from tests.iam.access.grants.conftest import Office, allowing, statements
from tests.iam.changes.conftest import make_group, make_user

pytestmark = pytest.mark.on_postgresql


def _joining(office: Office) -> GrantContent:
    return GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)


def test_ending_one_of_two_grants_leaves_what_the_other_needs(office: Office) -> None:
    first, second = (
        office.granted(office.terms(_joining(office))),
        office.granted(office.terms(_joining(office))),
    )
    first = office.ended(first)
    assert first.state == GrantState.ENDED
    assert office.holds()[0] == {office.scene.group.name}
    assert all(entry.until for entry in office.entries(first))
    office.ended(second)
    assert office.holds()[0] == set()


def test_two_grants_of_the_same_that_wait_together_are_both_approved(office: Office) -> None:
    first, second = office.ask(office.terms(_joining(office))), office.ask(office.terms(_joining(office)))
    first, second = office.work(office.approve(first)), office.work(office.approve(second))
    assert (first.state, second.state) == (GrantState.ACTIVE, GrantState.ACTIVE)
    office.ended(second)
    assert office.holds()[0] == {office.scene.group.name}
    office.ended(first)
    assert office.holds()[0] == set()


def test_a_made_policy_that_two_grants_share_goes_with_the_last_one(office: Office) -> None:
    other = office.user("tomas")
    what = statements(
        allowing("sqs:SendMessage", resource=f"arn:aws:sqs:eu-west-1:111111111111:{office.suffix}")
    )
    first, second = office.granted(office.terms(what)), office.granted(office.terms(what, other))
    assert office.holds()[1] == office.holds(other)[1] != set()
    arn = next(entry.target for entry in office.entries(first) if entry.sort == PermissionSort.ATTACHED)
    assert office.ended(first).state == GrantState.ENDED
    assert office.holds()[1] == set()
    assert office.scene.aws.iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert office.ended(second).state == GrantState.ENDED
    assert arn not in {
        policy["Arn"] for policy in office.scene.aws.iam.list_policies(Scope="Local")["Policies"]
    }


def test_a_permission_that_was_there_by_hand_stays(office: Office) -> None:
    office.scene.by_hand("AddUserToGroup")
    factories.edge(EdgeKind.MEMBER, office.scene.user, office.scene.group)
    first, second = (
        office.granted(office.terms(_joining(office))),
        office.granted(office.terms(_joining(office))),
    )
    (entry,) = office.entries(first)
    assert entry.stood_before
    office.ended(first)
    office.ended(second)
    assert office.holds()[0] == {office.scene.group.name}


def test_what_the_mirror_did_not_know_yet_is_found_by_hand_too(office: Office) -> None:
    grant = office.approve(office.ask(office.terms(_joining(office))))
    office.scene.by_hand("AddUserToGroup")
    grant = office.work(grant)
    office.ended(grant)
    assert office.holds()[0] == {office.scene.group.name}


def test_undoing_a_change_of_a_grant_ends_the_reason_that_it_gave(office: Office) -> None:
    grant = office.granted(office.terms(_joining(office)))
    (change,) = office.changes(grant)
    undoing = undo(change, actor=office.asks, reason="By mistake", idempotency_key="u")
    office.scene.approve(undoing)
    office.work(grant)
    undoing.refresh_from_db()
    change_ended(undoing)
    (entry,) = office.entries(grant)
    assert entry.until is not None
    assert services.settle(grant).state == GrantState.ENDED
    proof = proof_of(grant.parts.get())
    assert proof.is_whole
    assert proof.kept == 0
    assert proof.sentence.startswith("Removed on ")


def test_the_ledger_names_every_reason_and_what_no_grant_explains(office: Office) -> None:
    policy = office.policy("by-hand", allowing("sns:Publish"))
    office.call("AttachUserPolicy", UserName=office.scene.user.name, PolicyArn=policy.arn)
    office.read(office.scene.user)
    first, second = (
        office.granted(office.terms(_joining(office))),
        office.granted(office.terms(_joining(office))),
    )
    by_name = {justified.name: justified for justified in ledger_of(office.scene.user, viewer=office.asks)}
    joined = by_name[office.scene.group.name]
    assert [entry.part.grant_id for entry in joined.reasons] == [first.pk, second.pk]
    assert not joined.is_by_hand
    assert by_name[policy.name].is_by_hand
    assert by_name[policy.name].reasons == ()


def test_the_ledger_counts_reasons_that_a_viewer_does_not_see(office: Office) -> None:
    office.granted(office.terms(_joining(office)))
    stranger = factories.viewer(Role.MEMBER, name="Stranger")
    (joined,) = ledger_of(office.scene.user, viewer=stranger)
    assert (joined.reasons, joined.hidden) == ((), 1)


EXAMPLES = int(os.environ.get("GATEHOUSE_LEDGER", "2"))
"""Few for every run; `tests.bench.ledger` asks for many."""
Step = tuple[str, int, tuple[int, ...]]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["grant", "grant", "end"]),
        st.integers(0, 2),
        st.lists(st.integers(0, 2), min_size=1, max_size=2, unique=True).map(tuple),
    ),
    min_size=3,
    max_size=5,
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_what_remains_in_aws_is_the_union_of_active_grants(office: Office, steps: list[Step]) -> None:
    tag = f"{datetime.now(tz=UTC):%H%M%S%f}"
    scene = office.scene
    users = [make_user(scene.aws, scene.account, f"u{place}-{tag}") for place in range(3)]
    groups = [make_group(scene.aws, scene.account, f"g{place}-{tag}") for place in range(3)]
    # One of them was there by hand, and is never to go.
    office.call("AddUserToGroup", UserName=users[0].name, GroupName=groups[0].name)
    factories.edge(EdgeKind.MEMBER, users[0], groups[0])
    active: list[tuple[Any, set[tuple[str, str]]]] = []
    for act, place, whom in steps:
        if act == "end" and active:
            grant, _ = active.pop(place % len(active))
            office.ended(grant)
        else:
            what = GrantContent(WhatKind.GROUP, group_arn=groups[place].arn)
            grant = office.granted(office.terms(what, *(users[number] for number in whom)))
            active.append((grant, {(users[number].name, groups[place].name) for number in whom}))
        wanted = {(users[0].name, groups[0].name)}.union(*(names for _, names in active))
        names = {(user.name, name) for user in users for name in office.holds(user)[0]}
        assert names == wanted


def test_two_grants_that_end_in_the_same_moment_do_not_take_each_other_for_a_reason(office: Office) -> None:
    terms = office.terms(_joining(office), lasts=3600)
    first, second = office.granted(terms), office.granted(terms)
    later = datetime.now(tz=UTC).replace(year=2030)
    assert services.end_due_grants(now=later) == 2
    office.work(first)
    assert services.settle(second).state == GrantState.ENDED
    assert office.holds()[0] == set()
    assert not Change.objects.filter(state__in=["failed", "unknown"]).exists()
