"""Gatehouse does not alter a policy by which it works itself, however far around."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iam.aws.permissions import trust_policy
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.operations import ADD_TO_GROUP, DETACH_POLICY, Attachment, Membership, PutInlinePolicy
from iam.directory.models import Role
from iam.mirror.models import Account, ConnectionDraft, EdgeKind, Entity, SetupJob
from tests import factories
from tests.iam.changes.conftest import Scene
from tests.iam.changes.policies import WRITES, PolicyScene, make_policy, ran

pytestmark = pytest.mark.django_db
NUMBER = "111111111111"


@pytest.fixture
def account() -> Account:
    """An account that can be written to."""
    return factories.account(NUMBER, write_role_arn=f"arn:aws:iam::{NUMBER}:role/gatehouse-writer")


@pytest.fixture
def policy(account: Account) -> Entity:
    """A policy that nobody holds."""
    return factories.policy(account, "Shared")


def is_refused(policy: Entity) -> bool:
    """Whether it is refused because Gatehouse works by it."""
    asker = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    try:
        services.plan_policy_text(asker, policy=policy, text=WRITES)
    except RefusedError as refused:
        return "Gatehouse itself needs this" in refused.message
    return False


def held_by_the_writer(account: Account, policy: Entity) -> None:
    factories.edge(EdgeKind.ATTACHED, factories.role(account, "gatehouse-writer"), policy)


def boundary_of_the_reader(account: Account, policy: Entity) -> None:
    factories.edge(EdgeKind.BOUNDARY, factories.role(account, "gatehouse-reader"), policy)


def held_by_whom_the_reader_trusts(account: Account, policy: Entity) -> None:
    hub = factories.role(account, "hub")
    trust = trust_policy(hub_role_arn=hub.arn, external_id="e")
    factories.role(account, "gatehouse-reader", trust=trust)
    factories.edge(EdgeKind.ATTACHED, hub, policy)


def held_by_a_group_of_the_workers_user(account: Account, policy: Entity) -> None:
    user, group = factories.user(account, "gatehouse"), factories.group(account, "machines")
    SetupJob.objects.create(kind="identity", result={"principal": user.arn})
    factories.edge(EdgeKind.MEMBER, user, group)
    factories.edge(EdgeKind.ATTACHED, group, policy)


def held_by_the_hub_of_a_draft(account: Account, policy: Entity) -> None:
    hub = factories.role(account, "hub-to-be")
    ConnectionDraft.objects.create(account_id="222222222222", name="b", external_id="gh-1", hub_arn=hub.arn)
    factories.edge(EdgeKind.ATTACHED, hub, policy)


def reader_of_another_account_trusts_the_holder(account: Account, policy: Entity) -> None:
    hub = factories.role(account, "hub")
    other = factories.account("222222222222", name="other")
    trust = trust_policy(hub_role_arn=hub.arn, external_id="e")
    factories.role(other, "gatehouse-reader", trust=trust)
    factories.edge(EdgeKind.ATTACHED, hub, policy)


@pytest.mark.parametrize(
    "arrange",
    [
        held_by_the_writer,
        boundary_of_the_reader,
        held_by_whom_the_reader_trusts,
        held_by_a_group_of_the_workers_user,
        held_by_the_hub_of_a_draft,
        reader_of_another_account_trusts_the_holder,
    ],
)
def test_a_policy_by_which_gatehouse_works_is_not_changed(
    account: Account, policy: Entity, arrange: Callable[[Account, Entity], None]
) -> None:
    arrange(account, policy)
    assert is_refused(policy)


def test_a_policy_of_others_is(account: Account, policy: Entity) -> None:
    factories.role(account, "gatehouse-writer")
    group = factories.group(account, "deployers")
    factories.edge(EdgeKind.MEMBER, factories.user(account, "ada"), group)
    factories.edge(EdgeKind.ATTACHED, group, policy)
    factories.edge(EdgeKind.ATTACHED, factories.role(account, "app"), policy)
    assert not is_refused(policy)


def test_what_a_group_holds_that_gatehouse_is_in_is_not_changed(account: Account, policy: Entity) -> None:
    held_by_a_group_of_the_workers_user(account, policy)
    asker = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    group, ada = Entity.objects.get(name="machines"), factories.user(account, "ada")
    for operation in (
        Attachment.of(DETACH_POLICY, group, policy=policy),
        PutInlinePolicy.of(group, name="x", text=WRITES),
    ):
        with pytest.raises(RefusedError, match="Gatehouse itself needs this"):
            services.plan_set([operation], viewer=asker)
    services.plan_set([Membership.of(ADD_TO_GROUP, ada, group=group)], viewer=asker)


def test_the_worker_looks_once_more(scene: Scene) -> None:
    made: PolicyScene = make_policy(scene)
    change = made.queued()
    writer = factories.role(scene.account, "gatehouse-writer")
    Account.objects.filter(pk=scene.account.pk).update(write_role_arn=writer.arn)
    factories.edge(EdgeKind.ATTACHED, writer, made.policy)

    ran(change)

    assert (change.state, change.error_kind) == ("failed", "refused")
    assert scene.standin.calls("iam:CreatePolicyVersion") == 0
