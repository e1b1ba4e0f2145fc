"""Create the service-linked role of an AWS service, or request its deletion, which AWS completes when the
service no longer uses it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html

The service chooses the role's name, so only its path is known beforehand. A service has one role, or several
with a suffix each. Deleting is idempotent: during a deletion, another request returns the same task.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self
from uuid import UUID

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import service_linked
from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.lifecycle import Delete, arn_of
from iam.changes.operations.params import Blank
from iam.changes.operations.spec import HIGH, OperationSpec
from iam.changes.operations.subject import OnSubject, SubjectParams
from iam.mirror.models import Account, Entity, EntityState, Kind, valid_at
from iam.mirror.refresh import reread_entity

PATH: Final = "/aws-service-role/"
TASK: Final = "deletion_task"
"""The key under which the ID of a deletion task is kept among the results of a change."""
_WITHOUT_SUFFIX: Final = ".application-autoscaling.amazonaws.com"
"""Services whose role names have an underscore that does not start a suffix."""


class ServiceParams(SubjectParams):
    """The service principal (autoscaling.amazonaws.com), the custom suffix (blank: none), and the
    description.
    """

    service: str
    suffix: Blank
    description: Blank


class CreateServiceLinkedRole(OnSubject):
    spec = OperationSpec(
        slug="service_linked_role.create",
        subject_kind=Kind.ROLE.value,
        title="Create service-linked role for {service}",
        no_op="{service} already has a service-linked role.",
        counted=("Create", "service-linked role"),
        state={"exists": True},
        call="CreateServiceLinkedRole",
        parameters={"AWSServiceName": "service", "CustomSuffix": "suffix?", "Description": "description?"},
        sentence="Creates the service-linked role of {service}, with permissions that AWS manages",
        notes=("Only {service} can assume the role, and only AWS can change its permissions.",),
        is_idempotent=False,
    )

    has_identity = False
    inputs: ServiceParams
    _name = ""

    @classmethod
    def of(cls, account: Account, *, service: str, suffix: str = "", description: str = "") -> Self:
        arn = arn_of(account, kind=Kind.ROLE.value, name=suffix, path=f"{PATH}{service}/")
        params = ServiceParams(
            name=service,
            subject_arn=arn,
            subject_id="",
            service=service,
            suffix=suffix,
            description=description,
        )
        return cls(account, params)

    def modified_arns(self) -> tuple[str, ...]:
        return ()

    def created_arns(self) -> tuple[str, ...]:
        """The ARN of the path, since the service chooses the name."""
        return (self.inputs.subject_arn,)

    def subject(self) -> Entity | None:
        """The role of the service, whatever its name."""
        path = f"{PATH}{self.inputs.service}/"
        states = EntityState.objects.filter(
            valid_at(None), account=self.account, kind=Kind.ROLE, path=path
        ).select_related("entity")
        return next((state.entity for state in states if self._is_it(state.name)), None)

    def _is_it(self, name: str) -> bool:
        return name.endswith(f"_{self.inputs.suffix}") if self.inputs.suffix else True

    def state_in_mirror(self) -> Image:
        return {"exists": self.subject() is not None}

    def observe(self, aws: Aws) -> Image:
        names = service_linked.roles_of_service(aws, service=self.inputs.service)
        self._name = next((name for name in names if self._is_it(name)), "")
        return {"exists": bool(self._name)}

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        """Return the unique ID, under the ARN that the service chose."""
        role = response.get("Role", {})
        return {"ids": {str(role["Arn"]): str(role["RoleId"])}} if {"Arn", "RoleId"} <= set(role) else {}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Five calls or more."""
        if self._name:
            kind = Kind.ROLE.value
            reread_entity(self.account, aws, kind=kind, name=self._name, cause_id=cause_id)

    def restoration(self, before: Image) -> Operation | None:
        subject = self.subject()
        return None if subject is None else DeleteServiceLinkedRole.of(subject)


class DeleteServiceLinkedRole(Delete):
    spec = OperationSpec(
        slug="service_linked_role.delete",
        subject_kind=Kind.ROLE.value,
        title="Delete service-linked role {name}",
        no_op="The service-linked role {name} is already deleted.",
        counted=("Delete", "service-linked role"),
        notes=(
            "AWS refuses while {service} has resources that need the role, and says which.",
            "{service} can no longer use this role in the account.",
        ),
        state={"description": "description"},
        call="DeleteServiceLinkedRole",
        parameters={"RoleName": "name"},
        sentence="AWS deletes {name}, unless {service} still uses it",
        weight=HIGH,
        undo_caveat="It is recreated, with a new unique ID.",
    )

    noun = "service-linked role"
    _task = ""

    @property
    def service(self) -> str:
        return self.inputs.subject_arn.partition(f":role{PATH}")[2].partition("/")[0]

    def refusal(self) -> str:
        if not self.service:
            return f"{self.inputs.name} isn’t a service-linked role. Delete it as any other role."
        return super().refusal()

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        """Return the deletion task, whose status can be read."""
        self._task = str(response.get("DeletionTaskId", ""))
        return {TASK: self._task} if self._task else {}

    def load_results(self, results: Mapping[str, Any]) -> None:
        self._task = str(results.get(TASK, ""))

    def observe(self, aws: Aws) -> Image:
        """One call, two during a deletion. Raises AwsError with AWS's reason if the deletion has failed."""
        if self._task:
            deletion = service_linked.deletion(aws, task_id=self._task)
            if deletion.status == service_linked.FAILED:
                raise AwsError(
                    f"{self.inputs.name} wasn’t deleted. {deletion.reason}".strip(),
                    kind=ErrorKind.CONFLICT,
                    action="iam:DeleteServiceLinkedRole",
                    code="DeletionFailed",
                )
            if deletion.status != service_linked.SUCCEEDED:
                return {"exists": True}
        return super().observe(aws)

    def restoration(self, before: Image) -> Operation | None:
        """Have the service create the role again; it gets a new unique ID."""
        has_suffix = "_" in self.inputs.name and not self.service.endswith(_WITHOUT_SUFFIX)
        suffix = self.inputs.name.rpartition("_")[2] if has_suffix else ""
        return CreateServiceLinkedRole.of(
            self.account,
            service=self.service,
            suffix=suffix,
            description=str(before.get("description", "")),
        )
