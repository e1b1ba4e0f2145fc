"""Writing and deleting inline policies of users, groups and roles, against the stand-in."""

from __future__ import annotations

import pytest

from iam.changes import services
from iam.changes.models import ChangeState
from iam.changes.operations import DeleteInlinePolicy, PutInlinePolicy
from iam.mirror.models import Entity, InlinePolicy, valid_at
from tests.changes.conftest import Scene
from tests.changes.operations.test_attachments import done, holder_of
from tests.changes.policies import READS, WRITES, ran


def in_aws(scene: Scene, holder: Entity) -> dict[str, str]:
    """The inline policies that AWS has of somebody, by name."""
    word, iam = holder.kind.title(), scene.aws.iam
    who = {f"{word}Name": holder.name}
    names = getattr(iam, f"list_{holder.kind}_policies")(**who)["PolicyNames"]
    get = getattr(iam, f"get_{holder.kind}_policy")
    return {name: get(**who, PolicyName=name)["PolicyDocument"] for name in names}


def in_mirror(holder: Entity) -> dict[str, str]:
    """The same, as the mirror has it."""
    rows = InlinePolicy.objects.filter(valid_at(None), owner=holder)
    return dict(rows.values_list("name", "document__text"))


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_an_inline_policy_is_written_changed_and_deleted_and_each_is_undone(scene: Scene, kind: str) -> None:
    holder = holder_of(scene, kind)
    scene.standin.control("faults/clear", {})

    (made,) = done(scene, PutInlinePolicy.of(holder, name="deploy", text=READS))
    assert made.state == ChangeState.APPLIED, made.error_message
    assert sum(scene.standin.control("stats")["by_action"].values()) == 4
    assert in_aws(scene, holder) == in_mirror(holder) == {"deploy": READS}

    (changed,) = done(scene, PutInlinePolicy.of(holder, name="deploy", text=WRITES))
    assert in_aws(scene, holder) == in_mirror(holder) == {"deploy": WRITES}
    (gone,) = done(scene, DeleteInlinePolicy.of(holder, name="deploy"))
    assert in_aws(scene, holder) == in_mirror(holder) == {}

    for change, left in ((gone, {"deploy": WRITES}), (changed, {"deploy": READS}), (made, {})):
        undo = services.undo(change, actor=scene.requester, reason="Over", idempotency_key=f"u-{change.pk}")
        scene.approve(undo)
        assert ran(undo).state == ChangeState.APPLIED, undo.error_message
        assert in_aws(scene, holder) == in_mirror(holder) == left
