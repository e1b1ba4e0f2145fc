"""Delegation requests of partners, and outbound federation.

https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html
"""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from console.demo.standin import calls, clock, ids
from console.demo.standin.errors import AnswerError
from console.demo.standin.iam.extras import StoredDelegation, account_extras
from console.demo.standin.iam.shapes import Shape
from console.demo.standin.overlay import ResponseOverlay

LIFETIME = timedelta(days=7)
UNASSIGNED, ASSIGNED, PENDING = "UNASSIGNED", "ASSIGNED", "PENDING_APPROVAL"
ACCEPTED, FINALIZED, REJECTED, EXPIRED = "ACCEPTED", "FINALIZED", "REJECTED", "EXPIRED"
BEFORE = {
    ASSIGNED: (UNASSIGNED,),
    PENDING: (ASSIGNED,),
    ACCEPTED: (ASSIGNED, PENDING),
    FINALIZED: (ACCEPTED,),
    REJECTED: (ASSIGNED, PENDING, ACCEPTED),
}
"""For each state, the states from which it can be reached."""
TEMPLATES = "arn:aws:iam::aws:delegation-template/"


class DelegationCalls(ResponseOverlay):
    """Calls about delegation requests. AWS renders the policy from a template of the partner; here, the
    parameter `policy` of the template is the policy.
    """

    def create_delegation_request(self) -> ActionResult:
        """Create a request without an owner."""
        wanted = self._get_param("Permissions") or {}
        parameters = {each["Name"]: each["Values"] for each in wanted.get("Parameters") or []}
        call = calls.current()
        assert call is not None
        now = clock.utcnow()
        delegation = StoredDelegation(
            id=str(uuid.UUID(bytes=calls.derive("delegation")[:16])),
            requestor=call.caller.account,
            requestor_name=f"account {call.caller.account}",
            description=self._get_param("Description") or "",
            template=wanted.get("PolicyTemplateArn") or f"{TEMPLATES}{ids.digest('template')}",
            policy=next(iter(parameters.get("policy", ())), _nothing()),
            created=now,
            updated=now,
            duration=int(self._get_param("SessionDuration") or 3600),
        )
        self._all[delegation.id] = delegation
        return ActionResult({"DelegationRequestId": delegation.id})

    def list_delegation_requests(self) -> ActionResult:
        """List the requests that have an owner, by ID."""
        owner = self._get_param("OwnerId")
        owned = [each for each in self._all.values() if each.owner and owner in (None, "", each.owner)]
        chosen, marker = self._cut(sorted(owned, key=lambda each: each.id), name=lambda each: each.id)
        more = {} if marker is None else {"Marker": marker}
        requests = [_shape(each, self.backend.account_id) for each in chosen]
        return ActionResult({"DelegationRequests": requests, "isTruncated": marker is not None, **more})

    def get_delegation_request(self) -> ActionResult:
        """Return a request."""
        return ActionResult({"DelegationRequest": _shape(self._asked(), self.backend.account_id)})

    def associate_delegation_request(self) -> ActionResult:
        """Make the caller the owner of a request."""
        call = calls.current()
        assert call is not None
        self._move(ASSIGNED).owner = call.caller.arn
        return EmptyResult()

    def update_delegation_request(self) -> ActionResult:
        """Forward a request to someone who can accept it."""
        self._move(PENDING)
        return EmptyResult()

    def accept_delegation_request(self) -> ActionResult:
        """Accept a request, with the caller as approver."""
        call = calls.current()
        assert call is not None
        self._move(ACCEPTED).approver = call.caller.arn
        return EmptyResult()

    def send_delegation_token(self) -> ActionResult:
        """Let the partner begin. The token itself is sent only to the partner."""
        self._move(FINALIZED)
        return EmptyResult()

    def reject_delegation_request(self) -> ActionResult:
        """Reject a request. An accepted request can be rejected until its token is sent."""
        self._move(REJECTED)
        return EmptyResult()

    def get_outbound_web_identity_federation_info(self) -> ActionResult:
        """Return the issuer of outbound federation. Raises FeatureDisabled if it is off."""
        if not account_extras(self.backend).issues_tokens:
            raise AnswerError("FeatureDisabled", "Outbound web identity federation is disabled.")
        return ActionResult({"IssuerIdentifier": issuer_of(self.backend), "JwtVendingEnabled": True})

    def enable_outbound_web_identity_federation(self) -> ActionResult:
        """Turn on outbound federation. Raises FeatureEnabled if it is on."""
        if account_extras(self.backend).issues_tokens:
            raise AnswerError("FeatureEnabled", "Outbound web identity federation is enabled.")
        account_extras(self.backend).issues_tokens = True
        return ActionResult({"IssuerIdentifier": issuer_of(self.backend)})

    def disable_outbound_web_identity_federation(self) -> ActionResult:
        """Turn off outbound federation. Raises FeatureDisabled if it is off."""
        if not account_extras(self.backend).issues_tokens:
            raise AnswerError("FeatureDisabled", "Outbound web identity federation is disabled.")
        account_extras(self.backend).issues_tokens = False
        return EmptyResult()

    @property
    def _all(self) -> dict[str, StoredDelegation]:
        return account_extras(self.backend).delegations

    def _asked(self) -> StoredDelegation:
        delegation = self._all.get(self._get_param("DelegationRequestId"))
        if delegation is None:
            raise AnswerError("NoSuchEntity", "The delegation request cannot be found.")
        return delegation

    def _move(self, state: str) -> StoredDelegation:
        delegation = self._asked()
        if delegation.state not in BEFORE[state]:
            raise AnswerError("InvalidInput", f"The delegation request is {delegation.state}.")
        delegation.state, delegation.updated = state, clock.utcnow()
        return delegation


def issuer_of(backend: Any) -> str:
    """Return the issuer of an account's tokens."""
    return f"https://{ids.digest('issuer', backend.account_id)[:32]}.tokens.sts.global.api.aws"


def _shape(delegation: StoredDelegation, account: str) -> Shape:
    ends = delegation.updated + LIFETIME
    return {
        "DelegationRequestId": delegation.id,
        "OwnerAccountId": account,
        "Description": delegation.description,
        "Permissions": {"PolicyTemplateArn": delegation.template},
        "PermissionPolicy": delegation.policy,
        "RolePermissionRestrictionArns": list(delegation.boundaries) or None,
        "OwnerId": delegation.owner,
        "ApproverId": delegation.approver,
        "State": delegation.state if ends > clock.utcnow() else EXPIRED,
        "ExpirationTime": ends,
        "RequestorId": delegation.requestor,
        "RequestorName": delegation.requestor_name,
        "CreateDate": delegation.created,
        "SessionDuration": delegation.duration,
        "UpdatedTime": delegation.updated,
    }


def _nothing() -> str:
    statement = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
