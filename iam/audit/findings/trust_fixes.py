"""Fixes of trust policies: add a condition for one principal without widening access for others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from iam.audit.findings.fix_request import CHANGED, entities_of, subject_of
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.web_trust import names_guests
from iam.audit.findings.workload_roles import ROLES_ANYWHERE_SERVICE
from iam.changes.acts.options import state_of, trust_text
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.operations.principals import ReplaceTrustPolicy
from iam.mirror.models import Edge, EdgeKind, Entity, EntityState, Kind, valid_at
from iam.policy.letter_case import fold
from iam.policy.statements import as_list, statements_in
from iam.policy.trust_conditions import read_conditions
from iam.policy.trust_principals import TrustPrincipal, read_principals
from iam.policy.trust_web import COGNITO, GITHUB

Statement = dict[str, Any]
Edit = Callable[[Statement], list[Statement]]
SIGN_IN: Final = "https://signin.aws.amazon.com/saml"
BRANCH: Final = "ref:refs/heads/main"
AUDIENCE: Final = "sts.amazonaws.com"


def require_source_account(finding: AuditFinding) -> Sequence[Operation]:
    """Require that the service acts for this account."""
    condition = {"aws:SourceAccount": finding.account.account_id}
    return _limited(finding, lambda principal: principal.text == finding.evidence["principal"], condition)


def require_external_id(finding: AuditFinding) -> Sequence[Operation]:
    """Require a new external ID from the outside account."""
    evidence = finding.evidence

    def is_outside(principal: TrustPrincipal) -> bool:
        is_named_by_condition = principal.kind == "anybody" and evidence.get("principal") == "*"
        is_named = principal.account_id == evidence.get("account")
        return is_named or is_named_by_condition

    return _limited(finding, is_outside, {"sts:ExternalId": external_id(finding)})


def external_id(finding: AuditFinding) -> str:
    """The proposed external ID, the same each time the request is opened."""
    return f"gatehouse-{finding.key}"


def require_trust_anchors(finding: AuditFinding) -> Sequence[Operation]:
    """Require a certificate of one of the trust anchors that are enabled in the Regions of the roles'
    profiles.
    """
    operations: list[Operation] = []
    for role in entities_of(finding.account, Kind.ROLE, arns=finding.related):
        edit = _limiting(
            lambda principal: principal.text == ROLES_ANYWHERE_SERVICE,
            {"aws:SourceArn": _trust_anchors_of(role)},
            operator="ArnEquals",
        )
        operations += _written(role, edit)
    return operations


def _trust_anchors_of(role: Entity) -> str | list[str]:
    """Return the ARNs of these trust anchors in policy form. Raises RefusedError if there are none."""
    current = EntityState.objects.filter(valid_at(None), account=role.account, category="enabled")
    ties = Edge.objects.filter(valid_at(None), kind=EdgeKind.WORKLOAD_ROLE, target=role)
    profiles = current.filter(kind=Kind.ANYWHERE_PROFILE, entity__in=ties.values("source"))
    regions = set(profiles.values_list("attrs__Region", flat=True))
    anchors = current.filter(kind=Kind.TRUST_ANCHOR, attrs__Region__in=regions).order_by("arn")
    arns = list(anchors.values_list("arn", flat=True))
    if not arns:
        raise RefusedError(CHANGED)
    return arns[0] if len(arns) == 1 else arns


def require_organization(finding: AuditFinding) -> Sequence[Operation]:
    """Require a principal of the organization, or of this account if the organization is unknown."""
    organization = finding.evidence.get("organization")
    condition = {"aws:PrincipalOrgID": organization} if organization else None
    own = {"aws:PrincipalAccount": finding.account.account_id}
    return _limited(finding, lambda principal: principal.kind == "anybody", condition or own)


def require_sign_in_audience(finding: AuditFinding) -> Sequence[Operation]:
    """Require an assertion made for the AWS sign-in page."""
    return _limited(
        finding, lambda principal: principal.text == finding.evidence["principal"], {"SAML:aud": SIGN_IN}
    )


def require_audience(finding: AuditFinding) -> Sequence[Operation]:
    """Require a token for the provider's first client ID."""
    arn = finding.evidence["principal"]
    rows = Entity.objects.filter(account=finding.account, kind=Kind.OIDC_PROVIDER, arn=arn)
    provider = rows.filter(gone_at__isnull=True).first()
    state = state_of(provider) if provider else None
    clients = (state.attrs.get("ClientIDList") if state else None) or [AUDIENCE]
    issuer = arn.partition("oidc-provider/")[2]
    return _limited(finding, lambda principal: principal.text == arn, {f"{issuer}:aud": clients[0]})


def require_cognito_sign_in(finding: AuditFinding) -> Sequence[Operation]:
    """Require an identity that has signed in, in each statement that lets guests of Amazon Cognito in."""
    limit = _limiting(
        lambda principal: principal.text == finding.evidence["principal"],
        {f"{COGNITO}:amr": "authenticated"},
        operator="ForAnyValue:StringLike",
    )

    def edit(statement: Statement) -> list[Statement]:
        values: dict[str, list[str]] = {}
        for test in read_conditions(statement.get("Condition")):
            values.setdefault(test.name, []).extend(test.values)
        is_for_others = f"{COGNITO}:amr" in values and not names_guests(values)
        return [statement] if is_for_others else limit(statement)

    return _written(subject_of(finding), edit)


def require_branch(finding: AuditFinding) -> Sequence[Operation]:
    """Allow only the branch main instead of every branch."""
    repository = finding.evidence["repository"]

    def edit(statement: Statement) -> list[Statement]:
        condition = {}
        for operator, tests in (statement.get("Condition") or {}).items():
            condition[operator] = {key: _branch_of(key, values, repository) for key, values in tests.items()}
        return [{**statement, "Condition": condition} if condition else statement]

    return _written(subject_of(finding), edit)


def _branch_of(key: str, values: Any, repository: str) -> Any:
    if fold(key) != fold(f"{GITHUB}:sub"):
        return values
    subjects = []
    for value in as_list(values):
        is_open = str(value).startswith(f"repo:{repository}") and str(value).endswith("*")
        subject = f"repo:{repository}:{BRANCH}" if is_open else value
        subjects.append(subject)
    return subjects


def _limited(
    finding: AuditFinding, is_meant: Callable[[TrustPrincipal], bool], condition: Mapping[str, str]
) -> Sequence[Operation]:
    """The subject's trust policy with a StringEquals condition for the matching principals."""
    return _written(subject_of(finding), _limiting(is_meant, condition))


def _limiting(
    is_meant: Callable[[TrustPrincipal], bool],
    condition: Mapping[str, str | list[str]],
    *,
    operator: str = "StringEquals",
) -> Edit:
    """Add a condition for the matching principals; the others of a statement move to a statement of their
    own.
    """

    def edit(statement: Statement) -> list[Statement]:
        if "Principal" not in statement:
            return [statement]
        selected, others = _parted(statement["Principal"], is_meant)
        if not selected:
            return [statement]
        tests = dict(statement.get("Condition") or {})
        whole = {**statement, "Condition": _with_test(tests, condition, operator)}
        if not others:
            return [whole]
        limited = {**whole, "Principal": selected}
        sid = {"Sid": f"{statement['Sid']}Limited"} if statement.get("Sid") else {}
        return [{**statement, "Principal": others}, {**limited, **sid}]

    return edit


def _parted(element: Any, is_meant: Callable[[TrustPrincipal], bool]) -> tuple[Any, Any]:
    """Split a Principal element into matching principals and others."""
    if element == "*":
        return ("*", {}) if is_meant(TrustPrincipal("anybody", "*")) else ({}, "*")
    selected: dict[str, list[Any]] = {}
    others: dict[str, list[Any]] = {}
    for sort, named in element.items():
        for name in as_list(named):
            principal = next(read_principals({sort: name}))
            side = selected if is_meant(principal) else others
            side.setdefault(sort, []).append(name)
    return selected, others


def _with_test(
    tests: dict[str, Any], condition: Mapping[str, str | list[str]], operator: str
) -> dict[str, Any]:
    """Return the conditions with one more. It replaces existing tests of the same key."""
    keys = {fold(key) for key in condition}
    kept: dict[str, Any] = {}
    for known, values in tests.items():
        others = {key: value for key, value in values.items() if fold(key) not in keys}
        if others:
            kept[known] = others
    kept[operator] = {**kept.get(operator, {}), **condition}
    return kept


def _written(role: Entity, edit: Edit) -> Sequence[Operation]:
    body = json.loads(trust_text(role) or "{}")
    before = statements_in(body)
    statements: list[Statement] = []
    for statement in before:
        statements += edit(statement) if statement.get("Effect") == "Allow" else [statement]
    if statements == before:
        raise RefusedError(CHANGED)
    text = json.dumps({**body, "Statement": statements}, indent=2, ensure_ascii=False)
    return [ReplaceTrustPolicy.of(role, document=text)]
