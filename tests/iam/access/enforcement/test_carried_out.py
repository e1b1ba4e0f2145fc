"""What is asked for is carried out: in AWS the policy is there, says what was shown, and the group has it."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest

from iam.access.enforcement.policy import document
from iam.access.enforcement.scope import scope_of
from iam.access.enforcement.services import request_enforcement, situations_in_scope
from iam.changes.models import Change, ChangeState
from iam.changes.runner import run
from iam.mirror.models import EdgeKind
from tests import factories
from tests.iam.changes.conftest import Scene, nudges, scene, standin, standin_process, wait_over

__all__ = ["nudges", "scene", "standin", "standin_process"]
pytestmark = pytest.mark.django_db


def worked(change: Change) -> Change:
    """The change after a worker took it, and looked again where AWS was slow to show it."""
    for _ in range(3):
        run(change.pk)
        change.refresh_from_db()
        if change.state in (ChangeState.APPLIED, ChangeState.FAILED):
            break
        wait_over(change)
    return change


def test_a_group_gets_in_aws_what_was_shown(scene: Scene) -> None:
    factories.edge(EdgeKind.MEMBER, scene.user, scene.group)
    seen = situations_in_scope(
        scene.requester, scope=scope_of(scene.account, group=scene.group.name), denies_keys=True
    )
    assert [standing.gets_out for standing in seen.standings] == [True]
    first = request_enforcement(scene.requester, seen=seen, reason="PCI 8.4.2", idempotency_key="k")
    scene.approve(first)
    for change in first.change_set.changes.order_by("position"):
        assert worked(change).state == ChangeState.APPLIED, change.error_message
    (attached,) = scene.aws.iam.list_attached_group_policies(GroupName=scene.group.name)["AttachedPolicies"]
    assert attached["PolicyName"] == "gatehouse-require-mfa"
    version = scene.aws.iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId="v1")[
        "PolicyVersion"
    ]
    text = version["Document"]
    content = json.loads(unquote(text)) if isinstance(text, str) else text
    assert content == document(seen.variant)
