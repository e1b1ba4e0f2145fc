"""Checks whether workloads with a certificate (Roles Anywhere) or in a pod really get a role with all its
permissions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.statements import allows, is_full
from iam.audit.findings.trust import admits
from iam.mirror.models import Kind
from iam.policy.compiled import PolicyKind, PolicySet
from iam.policy.escalation.administrators import DECISIVE
from iam.policy.escalation.states import ADMINISTRATOR_ACCESS
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.index.question import AccessQuestion
from iam.policy.letter_case import fold
from iam.policy.request import Principal, Request
from iam.policy.statements import statements_of

ROLES_ANYWHERE_SERVICE: Final = "rolesanywhere.amazonaws.com"
ANYWHERE_ACTIONS: Final = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
"""The actions that the trust policy must allow.
https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
"""
PODS_SERVICE: Final = "pods.eks.amazonaws.com"
CERTIFICATE_TAG: Final = "aws:principaltag/x509"
"""The prefix, in lower case, of the keys that Roles Anywhere fills from a certificate: x509Subject,
x509Issuer and x509SAN.
"""
UNLISTED: Final = "gatehouse-unlisted"
"""A value that no trust policy names. If it is accepted, any other value is accepted too."""
EVERYTHING: Final = ":iam::aws:policy/AdministratorAccess"
UNLISTED_ANCHOR: Final = "trust-anchor/00000000-0000-0000-0000-000000000000"
OUTCOMES: Final = {EvaluationDecision.ALLOWED: True, EvaluationDecision.CONDITIONAL: False}


def roles_by_arn(facts: AccountFacts) -> dict[str, EntityFact]:
    """All roles of the account, including those of Gatehouse and AWS."""
    return {role.arn: role for role in facts.of_kind(Kind.ROLE)}


def has_limited_sessions(profile: EntityFact, facts: AccountFacts) -> bool:
    """True if a profile's session policies allow less than everything; an unknown policy counts as less."""
    texts = [facts.documents.get(profile.document, "")] if profile.document else []
    managed = profile.attrs.get("ManagedPolicyArns") or ()
    known = {policy.arn: policy.id for policy in facts.of_kind(Kind.POLICY)}
    for arn in managed:
        if arn.endswith(EVERYTHING):
            return False
        texts.append(facts.documents.get(facts.defaults.get(known.get(arn, 0), ""), ""))
    return bool(texts) and not any(_leaves_everything(text) for text in texts)


def _leaves_everything(text: str) -> bool:
    """True if it allows every action on every resource, without conditions or denies."""
    if any(statement.get("Effect") == "Deny" for statement in statements_of(text)):
        return False
    return any(is_full(statement) and not statement.has_condition for statement in allows(text))


def admits_any_certificate(role: EntityFact, profile: EntityFact, facts: AccountFacts) -> bool | None:
    """Whether the role's trust policy accepts certificates of any holder and trust anchor: True for certain,
    False under other conditions, None if not.
    """
    answers = [
        _admits_all(role, facts, ROLES_ANYWHERE_SERVICE, ANYWHERE_ACTIONS, context)
        for context in _certificates(role, profile, facts)
    ]
    return True if True in answers else next((answer for answer in answers if answer is not None), None)


def _certificates(role: EntityFact, profile: EntityFact, facts: AccountFacts) -> Iterator[Mapping[str, Any]]:
    """The values of requests with unknown certificates: one with other attribute values, and one without
    attributes.
    """
    region = profile.attrs.get("Region")
    prefix = f"arn:{facts.partition}:rolesanywhere:{region}:{facts.number}:"
    base = {
        "aws:SourceAccount": facts.number,
        "aws:SourceArn": prefix + UNLISTED_ANCHOR,
        "sts:SourceIdentity": UNLISTED,
        "sts:ExternalId": None,
    }
    mappings = profile.attrs.get("AttributeMappings") or {}
    keys = _certificate_keys(facts.documents.get(role.document or "", ""))
    mapped = [key for key in keys if _is_mapped(key, mappings)]
    yield base | dict.fromkeys(keys) | dict.fromkeys(mapped, UNLISTED)
    if keys:
        yield base | dict.fromkeys(keys)


def _certificate_keys(text: str) -> frozenset[str]:
    """The keys about certificates in the trust policy's conditions, in lower case."""
    keys: set[str] = set()
    for statement in statements_of(text):
        block = statement.get("Condition")
        for tests in block.values() if isinstance(block, dict) else ():
            if isinstance(tests, dict):
                keys.update(fold(str(key)) for key in tests)
    return frozenset(key for key in keys if key.startswith(CERTIFICATE_TAG))


def _is_mapped(key: str, mappings: Mapping[str, Iterable[str]]) -> bool:
    """True if a profile maps this attribute to a tag; without mappings, all are mapped.

    https://docs.aws.amazon.com/rolesanywhere/latest/userguide/attribute-mapping.html
    """
    if not mappings:
        return True
    field, _, attribute = key.partition("/")[2].partition("/")
    for name, specifiers in mappings.items():
        if fold(name) == field:
            return any(
                fold(specifier) == attribute or attribute.startswith(fold(specifier).removesuffix("*"))
                for specifier in specifiers
                if specifier.endswith("*") or fold(specifier) == attribute
            )
    return False


def admits_pods(role: EntityFact, association: EntityFact, facts: AccountFacts) -> bool | None:
    """Whether the role's trust policy accepts the pods of an association; results as in
    `admits_any_certificate`.

    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
    """
    attrs = association.attrs
    cluster = (
        f"arn:{facts.partition}:eks:{attrs.get('Region')}:{facts.number}:cluster/{attrs.get('ClusterName')}"
    )
    tags = {
        "eks-cluster-arn": cluster,
        "eks-cluster-name": attrs.get("ClusterName"),
        "kubernetes-namespace": attrs.get("Namespace"),
        "kubernetes-service-account": attrs.get("ServiceAccount"),
    }
    is_tagged = not attrs.get("DisableSessionTags")
    context: dict[str, Any] = {
        "aws:SourceAccount": facts.number,
        "aws:SourceArn": cluster,
        "sts:ExternalId": None,
    }
    for key, value in tags.items():
        context[f"aws:RequestTag/{key}"] = value if is_tagged else None
    actions = ("sts:AssumeRole", "sts:TagSession") if is_tagged else ("sts:AssumeRole",)
    return _admits_all(role, facts, PODS_SERVICE, actions, context)


def _admits_all(
    role: EntityFact,
    facts: AccountFacts,
    principal: str,
    actions: Iterable[str],
    context: Mapping[str, Any],
) -> bool | None:
    """Return the weakest result of several actions."""
    answers = [admits(role, facts, principal, action=action, context=context) for action in actions]
    return None if None in answers else all(answers)


def can_assume(role: EntityFact, target: str, facts: AccountFacts, *, external_id: str) -> bool | None:
    """Return whether a role can assume another role of any synced account, judged by its own policies and the
    other role's trust policy. Results as in `admits_any_certificate`.
    """
    if facts.index is None:
        return None
    question = AccessQuestion(
        "sts:AssumeRole",
        target,
        context={"sts:ExternalId": external_id or None},
        accounts=frozenset({facts.number}),
    )
    answer = facts.index.who_can(question)
    for decision, is_sure in OUTCOMES.items():
        if any(member.id == role.id for member in answer.members(decision)):
            return is_sure
    return None


def leaves_administration(association: EntityFact, facts: AccountFacts) -> bool | None:
    """Whether an association's session policy keeps an administrator's permissions: True for certain, False
    under conditions, None if not.

    Without a policy nothing is limited.
    """
    digest = association.document
    if digest is None:
        return True
    if facts.index is None or digest not in facts.documents:
        return None
    doc = facts.index.documents.add(digest, facts.documents[digest])
    policies = RequestPolicies(
        identity=PolicySet(
            PolicyKind.IDENTITY, doc.statements_of("session", PolicyKind.IDENTITY, of_pattern=False)
        )
    )
    answers: list[bool | None] = []
    for action, kind in DECISIVE:
        request = Request(
            action,
            f"{facts.prefix}{kind}/{UNLISTED}",
            Principal(f"{facts.prefix}role/{UNLISTED}", tags=None),
            resource_account=facts.number,
            context={"iam:PolicyARN": ADMINISTRATOR_ACCESS, "iam:PermissionsBoundary": None},
            moment=facts.index.moment,
        )
        answers.append(OUTCOMES.get(decide(request, policies)))
    return None if None in answers else all(answers)
