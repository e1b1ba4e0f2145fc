"""AWS Organizations: the tree and its policies, visible only to the management account.

https://docs.aws.amazon.com/organizations/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.organizations.exceptions import OrganizationsClientError
from moto.organizations.models import organizations_backends
from moto.organizations.responses import OrganizationsResponse

from console.demo.standin.overlay import ResponseOverlay, read_marker, write_marker

FOR_MEMBERS = frozenset({"DescribeOrganization"})
USUAL_PAGE = 20


def management_backend() -> Any | None:
    """Return moto's backend with the organization, or None if there is none."""
    return next(
        (backend for _, _, backend in organizations_backends.iter_backends() if backend.org is not None), None
    )


def organisation_id() -> str | None:
    """Return the organization's ID, for aws:PrincipalOrgID."""
    backend = management_backend()
    return str(backend.org.id) if backend is not None else None


def policies_above(account: str, *, kind: str) -> list[list[str]]:
    """Return the documents of a policy type that apply to an account, by level from the root. Every level
    must allow an action.

    They don't apply to the management account.
    """
    backend = management_backend()
    if backend is None or account == backend.org.master_account_id:
        return []
    units = {unit.id: unit for unit in backend.ou}
    node = next((a for a in backend.accounts if a.id == account), None)
    levels: list[list[str]] = []
    while node is not None:
        levels.append([str(p.content) for p in node.attached_policies if p.type == kind])
        node = units.get(getattr(node, "parent_id", None))
    return levels[::-1]


class OrganizationsRequest(ResponseOverlay, OrganizationsResponse):  # type: ignore[misc]
    """An Organizations request."""

    @property
    def organizations_backend(self) -> Any:
        """Return the management account's backend. `call_action` restricts what members can do."""
        return management_backend() or organizations_backends[self.current_account][self.partition]

    def call_action(self) -> Any:
        """Refuse members every call except DescribeOrganization, as AWS does."""
        backend = management_backend()
        member = backend is not None and self.current_account != backend.org.master_account_id
        if member and self._get_action() not in FOR_MEMBERS:
            error = {
                "__type": "AccessDeniedException",
                "Message": "You don't have permissions to access this resource.",  # wording: keep
            }
            return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(error)
        return super().call_action()

    def _list(self, key: str, items: list[Any], shape: Callable[[Any], dict[str, Any]]) -> str:
        """Return one page sorted by ID, as `{key: [...], NextToken}`."""
        size = int(self._get_param("MaxResults") or USUAL_PAGE)
        after = read_marker(self._get_param("NextToken"))
        rest = sorted(items, key=lambda item: str(item.id))
        if after is not None:
            rest = [item for item in rest if item.id > after]
        answer: dict[str, Any] = {key: [shape(item) for item in rest[:size]]}
        if len(rest) > size:
            answer["NextToken"] = write_marker(rest[size - 1].id)
        return json.dumps(answer)

    def list_accounts(self) -> str:
        """List all accounts, including the management account."""
        return self._list("Accounts", self.organizations_backend.accounts, lambda a: dict(a.describe()))

    def list_accounts_for_parent(self) -> str:
        """List the accounts directly under a root or unit."""
        parent = self.organizations_backend.validate_parent_id(self._get_param("ParentId"))
        accounts = [a for a in self.organizations_backend.accounts if a.parent_id == parent]
        return self._list("Accounts", accounts, lambda a: dict(a.describe()))

    def list_organizational_units_for_parent(self) -> str:
        """List the units directly under a root or unit."""
        parent = self.organizations_backend.validate_parent_id(self._get_param("ParentId"))
        units = [u for u in self.organizations_backend.ou if u.parent_id == parent]
        return self._list("OrganizationalUnits", units, lambda u: {"Id": u.id, "Arn": u.arn, "Name": u.name})

    def list_policies(self) -> str:
        """List the policies of one type, including AWS's own, without their content."""
        policies = [p for p in self.organizations_backend.policies if p.type == self._get_param("Filter")]
        return self._list("Policies", policies, _summary)

    def describe_policy(self) -> str:
        """Return a policy with its content."""
        policy = self.organizations_backend.get_policy_by_id(self._get_param("PolicyId"))
        return json.dumps({"Policy": {"PolicySummary": _summary(policy), "Content": policy.content}})

    def list_policies_for_target(self) -> str:
        """List the policies of one type that are attached directly to a root, unit or account."""
        target = self._target(self._get_param("TargetId"))
        policies = [p for p in target.attached_policies if p.type == self._get_param("Filter")]
        return self._list("Policies", policies, _summary)

    def list_targets_for_policy(self) -> str:
        """List the roots, units and accounts to which a policy is attached."""
        policy = self.organizations_backend.get_policy_by_id(self._get_param("PolicyId"))
        return self._list("Targets", policy.attachments, _target_shape)

    def _target(self, wanted: str) -> Any:
        backend = self.organizations_backend
        for target in [*backend.ou, *backend.accounts]:
            if target.id == wanted:
                return target
        raise OrganizationsClientError(
            "TargetNotFoundException",
            "You specified a target that doesn't exist.",  # wording: keep
        )


def _summary(policy: Any) -> dict[str, Any]:
    arn = policy.arn
    if policy.aws_managed:
        arn = f"arn:aws:organizations::aws:policy/{policy.type.lower()}/{policy.id}"
    return {
        "Id": policy.id,
        "Arn": arn,
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.type,
        "AwsManaged": policy.aws_managed,
    }


def _target_shape(target: Any) -> dict[str, Any]:
    return {"TargetId": target.id, "Arn": target.arn, "Name": target.name, "Type": target.type}
