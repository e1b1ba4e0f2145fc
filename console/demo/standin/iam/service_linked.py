"""Service-linked roles: one for each service and suffix, deleted by a task that is done at the second request
for its status.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-service-linked-role.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import EntityAlreadyExists

from console.demo.standin import ids
from console.demo.standin.errors import AnswerError
from console.demo.standin.iam import shapes
from console.demo.standin.iam.extras import account_extras
from console.demo.standin.iam.gets import no_such
from console.demo.standin.overlay import ResponseOverlay

PATH = "/aws-service-role/"


class ServiceLinkedRoles(ResponseOverlay):
    """Calls about service-linked roles."""

    def create_service_linked_role(self) -> ActionResult:
        """Create the role of a service, with a name derived from it. Refuses a second role with the same
        suffix.
        """
        service, suffix = self._get_param("AWSServiceName"), self._get_param("CustomSuffix") or ""
        try:
            role = self.backend.create_service_linked_role(
                service, self._get_param("Description") or "", suffix
            )
        except EntityAlreadyExists as taken:
            raise AnswerError(
                "InvalidInput",
                "Service role name has been taken in this account, please try a different suffix.",
            ) from taken
        role.max_session_duration = 3600
        return ActionResult({"Role": shapes.role_full(role)})

    def delete_service_linked_role(self) -> ActionResult:
        """Start deleting a service-linked role. Refuses other roles."""
        role: Any = self.backend.get_role(self._get_param("RoleName"))
        if not role.path.startswith(PATH):
            raise AnswerError("InvalidInput", f"The role {role.name} is not a service-linked role.")
        service = role.path.removeprefix(PATH).strip("/")
        task = f"task{PATH}{service}/{role.name}/{ids.fresh('', self.backend.account_id, length=32).lower()}"
        account_extras(self.backend).jobs[task] = {"looks": 0}
        role.managed_policies.clear()
        del self.backend.roles[role.id]
        return ActionResult({"DeletionTaskId": task})

    def get_service_linked_role_deletion_status(self) -> ActionResult:
        """Return the status of a deletion: IN_PROGRESS at the first request, SUCCEEDED at the second."""
        task = self._get_param("DeletionTaskId")
        job = account_extras(self.backend).jobs.get(task)
        if job is None:
            raise no_such("deletion task", task)
        job["looks"] += 1
        return ActionResult({"Status": "IN_PROGRESS" if job["looks"] == 1 else "SUCCEEDED"})
