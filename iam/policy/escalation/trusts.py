"""Tests which principals, services and identity providers the trust policies of roles admit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from iam.policy.compiled import PolicyKind, PolicySet
from iam.policy.escalation.methods import COGNITO
from iam.policy.escalation.targets import TargetSubject
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.index.documents import IndexedDocument
from iam.policy.letter_case import is_digits
from iam.policy.logic import NO, OPEN, YES
from iam.policy.request import Principal, Request

NO_POLICIES: Final = PolicySet(PolicyKind.IDENTITY, ())
MARKS: Final = {EvaluationDecision.ALLOWED: YES, EvaluationDecision.CONDITIONAL: OPEN}


def admits_people(trust: IndexedDocument | None) -> bool:
    """Return True if the trust policy names principals of accounts, and not only services and identity
    providers.
    """
    return any(True for _ in _names(trust))


def admits_strangers(trust: IndexedDocument | None, account: str) -> bool:
    """Return True if the trust policy may admit principals of other accounts."""
    return any(name == "*" or _account(name) != account for name in _names(trust))


def accounts_named(trust: IndexedDocument | None) -> frozenset[str] | None:
    """Return the accounts that the trust policy names, or None if it may admit any account."""
    accounts = {_account(name) for name in _names(trust)}
    return None if "" in accounts else frozenset(accounts)


def _names(trust: IndexedDocument | None) -> Iterator[str]:
    for clause in () if trust is None else trust.clauses:
        source = clause.source
        if clause.allows:
            yield from ("*",) if source.is_not_principal else (source.principals or {}).get("AWS", ())


def _account(name: str) -> str:
    """Return the account of a name under AWS. It is empty for `*` and for a unique ID, which doesn't show its
    account.
    """
    if is_digits(name):
        return name
    parts = name.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def service_request(service: str, role: str, account: str, *, moment: datetime | None) -> Request:
    """Return the request by which a service assumes a role on behalf of its account, at a time (None for
    now).
    """
    action = "sts:AssumeRoleWithWebIdentity" if service == COGNITO else "sts:AssumeRole"
    context = {"aws:SourceAccount": account}
    return Request(action, role, Principal(service), resource_account=account, context=context, moment=moment)


SAML_AUDIENCE: Final = "https://signin.aws.amazon.com/saml"
"""The audience that IAM's sign-in requires in an assertion. Source: "Creating a role for SAML 2.0 federation
(console)".
"""


def providers_in(trust: IndexedDocument | None, kind: str) -> Iterator[str]:
    """Yield ARNs of the identity providers of a kind (saml-provider, oidc-provider) that a trust policy
    names.
    """
    for clause in () if trust is None else trust.clauses:
        if clause.allows and not clause.shape.plain.is_not_principal:
            for name in (clause.shape.plain.principals or {}).get("Federated", ()):
                if f":{kind}/" in name:
                    yield name


def provider_request(provider: str, role: str, account: str, *, moment: datetime | None) -> Request:
    """Return the request by which a user signs in to a role with an identity provider. The provider's claims
    are open, except SAML's audience.
    """
    is_saml = ":saml-provider/" in provider
    action = "sts:AssumeRoleWithSAML" if is_saml else "sts:AssumeRoleWithWebIdentity"
    context: dict[str, Any] = {"SAML:aud": SAML_AUDIENCE} if is_saml else {}
    return Request(
        action, role, Principal(provider), resource_account=account, context=context, moment=moment
    )


def provider_mark(
    trust: IndexedDocument, provider: str, role: str, account: str, *, moment: datetime | None
) -> int:
    """Return NO, OPEN or YES for whether a trust policy admits users of an identity provider."""
    request = provider_request(provider, role, account, moment=moment)
    policies = RequestPolicies(NO_POLICIES, resource=trust_set(trust, "trust policy"))
    return MARKS.get(decide(request, policies), NO)


def trust_set(trust: IndexedDocument, name: str) -> PolicySet:
    """Return a trust policy as a policy set with a name."""
    return PolicySet(PolicyKind.RESOURCE, trust.statements_of(name, PolicyKind.RESOURCE, of_pattern=False))


class ServiceTrusts:
    """Tells which services the roles of an account trust. Each trust policy is evaluated once."""

    def __init__(self, account: str, *, moment: datetime | None) -> None:
        self._account, self._moment = account, moment
        self._known: dict[tuple[IndexedDocument, str], int] = {}

    def trusting(self, roles: Iterable[TargetSubject], service: str) -> list[tuple[TargetSubject, int]]:
        """Return the roles that trust a service, each with the mark of its trust policy."""
        trusting = []
        for role in roles:
            mark = self.mark(role.target.trust, service, role.target.arn)
            if mark != NO:
                trusting.append((role, mark))
        return trusting

    def mark(self, trust: IndexedDocument | None, service: str, role: str) -> int:
        """Return NO, OPEN or YES for whether the role trusts the service."""
        if trust is None:
            return NO
        mark = self._known.get((trust, service))
        if mark is None:
            request = service_request(service, role, self._account, moment=self._moment)
            policies = RequestPolicies(NO_POLICIES, resource=trust_set(trust, "trust policy"))
            mark = self._known[trust, service] = MARKS.get(decide(request, policies), NO)
        return mark


Context = Mapping[str, Any]
