"""Determines which sample calls the sample policies allow, with the policy engine, once per group of users
with the same permissions.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from console.demo.organisation.documents import allow, document
from console.demo.organisation.specs import AccountSpec, Document, OrganizationSpec, PolicySpec, UserSpec
from console.demo.trail.calls import ABOUT_ONESELF, CALLS, PLACES, USUAL_PLACE, SampleCall, filled
from console.demo.trail.records import SampleCaller
from iam.activity.permissions import permission_name, service_prefix
from iam.activity.resources import resource_of
from iam.policy.compiled import PolicyKind, PolicySet, compile_set
from iam.policy.document import read
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.request import Principal, Request

AWS_MANAGED: Final[dict[str, tuple[str, ...]]] = {
    "AdministratorAccess": ("*",),
    "AWSBillingReadOnlyAccess": ("ce:GetCostAndUsage",),
    "AWSSupportAccess": ("support:*",),
    "AmazonSageMakerReadOnly": ("sagemaker:Describe*", "sagemaker:List*"),
    "CloudWatchReadOnlyAccess": ("cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*"),
    "SecurityAudit": (
        "ec2:Describe*",
        "iam:Get*",
        "iam:List*",
        "lambda:ListFunctions",
        "rds:Describe*",
        "s3:GetBucketPolicy",
        "s3:ListAllMyBuckets",
    ),
}
"""The parts of AWS managed policies that the trail's calls need; each really allows more."""
NEVER_USED: Final = {("production", "maya.okafor"): "AdministratorAccess"}
"""Policies that an access review should find unused."""
SCP: Final = "SERVICE_CONTROL_POLICY"
Calls = Mapping[str, tuple[SampleCall, ...]]


class OwnCalls(NamedTuple):
    """The calls that a user can make, by service, and the values for their placeholders. `about_oneself` are
    calls about the user's own user.
    """

    allowed: Calls
    about_oneself: Calls
    values: Mapping[str, str]

    def of_services(self, services: Iterable[str]) -> Calls:
        """Return the calls of some services; all calls if none of these services is allowed."""
        wanted = {service: self.allowed[service] for service in services if service in self.allowed}
        return wanted or self.allowed


class CallAsker(NamedTuple):
    """A caller with the policies that apply to it."""

    caller: SampleCaller
    principal: Principal
    policies: RequestPolicies
    values: Mapping[str, str]


class CallPermissions:
    """The calls that an account's users can make at a moment."""

    def __init__(self, organisation: OrganizationSpec, account: AccountSpec, moment: datetime) -> None:
        self._account, self._moment = account, moment
        self._is_management = account is organisation.management
        self._policies = {policy.name: _default_of(policy) for policy in account.policies}
        self._groups = {group.name: group for group in account.groups}
        self._scps = _scps(organisation, account)
        self._known: dict[Hashable, tuple[Calls, Calls]] = {}

    def of_user(self, user: UserSpec, caller: SampleCaller) -> OwnCalls:
        """Return the calls that the user can make with these credentials, with or without MFA."""
        values = USUAL_PLACE | PLACES[self._account.name]
        values |= {"account": self._account.id, "user": user.name, "path": user.path}
        inline = json.dumps(user.inline, sort_keys=True)
        unused = NEVER_USED.get((self._account.name, user.name), "")
        mfa = _mfa_of(caller)
        key = (user.path, user.groups, user.policies, inline, user.boundary, unused, mfa)
        known = self._known.get(key)
        if known is None:
            policies = self._policies_of(user, unused)
            asker = CallAsker(caller, self._principal_of(user, caller), policies, values)
            known = self._known[key] = (self._allowed(CALLS, asker), self._allowed(ABOUT_ONESELF, asker))
        return OwnCalls(*known, values)

    def _principal_of(self, user: UserSpec, caller: SampleCaller) -> Principal:
        return Principal(
            str(caller.identity["arn"]),
            tags=user.tags,
            is_management_account=self._is_management,
            unique_id=str(caller.identity["principalId"]),
        )

    def _policies_of(self, user: UserSpec, unused: str) -> RequestPolicies:
        documents = [*user.inline.values(), *self._named(user.policies, unused)]
        for name in user.groups:
            group = self._groups[name]
            documents += [*group.inline.values(), *self._named(group.policies)]
        policies = RequestPolicies(_set(PolicyKind.IDENTITY, documents), scps=self._scps)
        if user.boundary is not None:
            policies.boundary = _set(PolicyKind.BOUNDARY, self._named([user.boundary]))
        return policies

    def _named(self, names: Iterable[str], unused: str = "") -> Iterator[Document]:
        """Yield the policies with these names or ARNs. AWS managed policies are reduced to what the trail
        needs.
        """
        for name in names:
            short = name.rpartition("/")[2]
            if name in self._policies:
                yield self._policies[name]
            elif short in AWS_MANAGED and short != unused:
                yield document(allow("Needed", AWS_MANAGED[short]))

    def _allowed(self, calls: Calls, asker: CallAsker) -> Calls:
        allowed = {}
        for service, of_service in calls.items():
            those = [call for call in of_service if self._is_allowed(service, call, asker)]
            if those:
                allowed[service] = tuple(those)
        return allowed

    def _is_allowed(self, service: str, call: SampleCall, asker: CallAsker) -> bool:
        """Return True if the policies certainly allow the call, given what its event records."""
        record = asker.caller.makes(service, call, self._moment, asker.values)
        prefix, region = service_prefix(record["eventSource"]), record["awsRegion"]
        resource = filled(call.resource, asker.values)
        request = Request(
            f"{prefix}:{permission_name(prefix, call.name)}",
            resource or resource_of(prefix, record, self._account.id, region) or "*",
            asker.principal,
            context={
                "aws:RequestedRegion": region,
                "aws:SourceIp": asker.caller.address,
                "aws:MultiFactorAuthPresent": _mfa_of(asker.caller),
            },
            moment=self._moment,
        )
        return decide(request, asker.policies) is EvaluationDecision.ALLOWED


def _mfa_of(caller: SampleCaller) -> str | None:
    """Return whether the credentials were obtained with MFA ("true" or "false"); None for an access key, for
    which it is unknown.
    """
    session = caller.identity.get("sessionContext")
    return None if session is None else str(session["attributes"]["mfaAuthenticated"])


def _default_of(policy: PolicySpec) -> Document:
    number = policy.default or policy.first + len(policy.versions) - 1
    return policy.versions[number - policy.first][0]


def _scps(organisation: OrganizationSpec, account: AccountSpec) -> tuple[PolicySet, ...]:
    """Return the SCPs above an account, which only deny, together with one that allows everything."""
    places = {account.name, account.ou}
    place = account.ou
    while place := organisation.units.get(place, ""):
        places.add(place)
    above = [
        policy.document
        for policy in organisation.policies
        if policy.type == SCP and places.intersection(policy.targets)
    ]
    return (_set(PolicyKind.SCP, [document(allow("Everything", "*")), *above]),)


def _set(kind: PolicyKind, documents: Iterable[Document]) -> PolicySet:
    return compile_set([("", read(each)) for each in documents], kind=kind)
