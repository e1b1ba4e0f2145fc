"""Roles of an account that trust an identity provider which someone can change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iam.policy.escalation.account_graph import ActingPrincipal, StepOption
from iam.policy.escalation.found_paths import FoundPaths
from iam.policy.escalation.method_types import EdgeVerb
from iam.policy.escalation.methods import of_sort
from iam.policy.escalation.permission_checks import HOME, PermissionAsker
from iam.policy.escalation.targets import TargetSubject
from iam.policy.escalation.trusts import provider_mark, providers_in
from iam.policy.logic import NO, YES
from iam.policy.request import account_of


def find_federation(
    reachable: FoundPaths,
    act: ActingPrincipal,
    *,
    asker: PermissionAsker,
    roles: Sequence[TargetSubject],
    nodes: Mapping[int, int],
    account: str,
) -> None:
    """Add the roles that trust an identity provider which an acting principal can change."""
    for method in of_sort(EdgeVerb.FEDERATE):
        (need,) = method.needs
        for aim in roles:
            for provider in dict.fromkeys(providers_in(aim.target.trust, need.on)):
                assert aim.target.trust is not None
                bits = asker.ask(need.action, provider, {"aws:RequestedRegion": HOME})
                mark = provider_mark(
                    aim.target.trust,
                    provider,
                    aim.target.arn,
                    account,
                    moment=asker.moment,
                )
                if mark == NO or account_of(provider) != account:
                    continue
                if mark != YES or method.assumes:
                    bits = bits.as_unsure
                able = act.of(bits).limited_to(~aim.target.mask)
                node = nodes.get(aim.subject.number)
                if able.any and node is not None:
                    reachable.become[node].append(StepOption(method, aim.subject, able, (provider,)))
