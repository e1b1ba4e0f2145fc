"""What is special about the roles of AWS services: a deletion that AWS refuses later on, and what names they
may have.
"""

from __future__ import annotations

import pytest

from iam.aws.reads import service_linked
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import ChangeState
from iam.changes.operations.service_linked_role import CreateServiceLinkedRole, DeleteServiceLinkedRole
from iam.mirror.models import Kind
from tests.iam.changes.conftest import wait_over
from tests.iam.changes.operations.stage import Stage, ran


def test_a_deletion_that_the_service_refuses_says_why(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stage.iam.create_service_linked_role(
        AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="used"
    )
    role = stage.read(Kind.ROLE, made["Role"]["RoleName"])
    (change,) = stage.queue(DeleteServiceLinkedRole.of(role))
    ran(change)
    assert change.state == ChangeState.CONFIRMING
    reason = service_linked.RoleDeletion(
        "FAILED", "It is used by arn:aws:autoscaling:group/web in eu-west-1."
    )
    monkeypatch.setattr(service_linked, "deletion", lambda aws, *, task_id: reason)
    wait_over(change)

    ran(change)

    assert change.state == ChangeState.UNKNOWN
    assert "wasn’t deleted. It is used by arn:aws:autoscaling:group/web" in change.error_message
    assert change.results["deletion_task"].startswith("task/aws-service-role/autoscaling.amazonaws.com/")


@pytest.mark.parametrize(
    ("name", "service", "suffix"),
    [
        ("AWSServiceRoleForSupport", "support.amazonaws.com", ""),
        ("AWSServiceRoleForAutoScaling_blue", "autoscaling.amazonaws.com", "blue"),
        (
            "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
            "dynamodb.application-autoscaling.amazonaws.com",
            "",
        ),
    ],
)
def test_the_way_back_knows_a_suffix_from_a_name(stage: Stage, name: str, service: str, suffix: str) -> None:
    role = stage.role()
    role.name, role.arn = (
        name,
        f"arn:aws:iam::{stage.account.account_id}:role/aws-service-role/{service}/{name}",
    )

    back = DeleteServiceLinkedRole.of(role).inverse({"exists": True, "description": ""})

    assert isinstance(back, CreateServiceLinkedRole)
    assert (back.inputs.service, back.inputs.suffix) == (service, suffix)


def test_another_role_is_not_deleted_so(stage: Stage) -> None:
    with pytest.raises(RefusedError, match="isn’t a service-linked role"):
        services.plan(DeleteServiceLinkedRole.of(stage.role()), viewer=stage.scene.requester)
