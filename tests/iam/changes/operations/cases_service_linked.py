"""Roles of AWS services, which the services name and AWS deletes in its own time."""

from __future__ import annotations

from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.service_linked_role import CreateServiceLinkedRole, DeleteServiceLinkedRole
from iam.mirror.models import Kind
from tests.iam.changes.operations.stage import Stage
from tests.iam.changes.operations.table import Case

SERVICE = "autoscaling.amazonaws.com"


def suffix(stage: Stage) -> str:
    """A suffix that no other test has."""
    stage.keep["suffix"] = stage.name("x").replace("-", "")
    return str(stage.keep["suffix"])


def make_new(stage: Stage) -> Operation:
    """The role of a service, with a suffix."""
    return CreateServiceLinkedRole.of(
        stage.account, service=SERVICE, suffix=suffix(stage), description="For the shop"
    )


def make_doomed(stage: Stage) -> Operation:
    """The role of a service, which does not use it."""
    made = stage.iam.create_service_linked_role(
        AWSServiceName=SERVICE, CustomSuffix=suffix(stage), Description="For the shop"
    )
    return DeleteServiceLinkedRole.of(stage.read(Kind.ROLE, made["Role"]["RoleName"]))


def shows(stage: Stage) -> Any:
    """The roles of the service with this suffix."""
    roles = stage.iam.list_roles(PathPrefix=f"/aws-service-role/{SERVICE}/")["Roles"]
    return [
        (role["Path"], role["Description"])
        for role in roles
        if role["RoleName"].endswith(f"_{stage.keep['suffix']}")
    ]


def created(stage: Stage, before: Any) -> Any:
    """What was asked for."""
    return [(f"/aws-service-role/{SERVICE}/", "For the shop")]


def describe_by_hand(stage: Stage) -> None:
    """Somebody gives the role another description."""
    roles = stage.iam.list_roles(PathPrefix=f"/aws-service-role/{SERVICE}/")["Roles"]
    name = next(
        statement["RoleName"] for statement in roles if statement["RoleName"].endswith(stage.keep["suffix"])
    )
    stage.iam.update_role(RoleName=name, Description="Mine now")


CASES = (
    Case("service_linked_role.create", make_new, shows, after=created),
    Case(
        "service_linked_role.delete",
        make_doomed,
        shows,
        after=lambda *_: [],
        meddle=describe_by_hand,
        is_slow=True,
    ),
)
