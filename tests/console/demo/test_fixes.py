"""Each kind of finding that the sample organization has: its fix, applied in the stand-in through the runner,
closes it, and nothing critical or high is new.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import pytest
from django.db.models import QuerySet

from console.changes.act_text import lint_of
from console.demo.assertions import write_assertions
from iam.access.escalation_calculation import calculation as escalation
from iam.audit.findings.models import AuditFinding, FindingSeverity, FindingStatus
from iam.audit.findings.report import rows_now
from iam.audit.findings.rules import all_rules
from iam.changes import services
from iam.changes.acts import ACTS
from iam.changes.acts.options import trust_text
from iam.changes.errors import RefusedError
from iam.changes.operations import ADD_TO_GROUP, Membership, Operation
from iam.changes.services import decisions
from iam.directory.models import Role
from iam.guard import Viewer
from iam.mirror.models import Account, Entity, Kind
from tests import factories
from tests.iam.changes.operations.stage import applied

pytestmark = pytest.mark.django_db
BAD = (FindingSeverity.CRITICAL, FindingSeverity.HIGH)
ELSEWHERE = {
    "api-key-without-expiry": "the sample has none",
    "cognito-without-sign-in": "the sample has none",
    "oidc-without-audience": "the sample has none",
    "stop-logging-on-everything": "the sample has none",
    "unknown-action": "the only policy has an ARN that AWS doesn’t take either",
    "saml-metadata-expiring": "only the identity provider gives new metadata",
}
"""Kinds with a request that this test can’t make; `test_made_fixes.py` makes what they are about."""


def act(slug: str, **answers: str) -> Callable[[AuditFinding], Sequence[Operation]]:
    """The form of an act on the subject, filled in."""
    return lambda finding: ACTS[slug].build(finding.entity or finding.account, answers)


def detach(finding: AuditFinding) -> Sequence[Operation]:
    return act("detach", policy=finding.fix["policy"])(finding)


def any_profile(finding: AuditFinding) -> Sequence[Operation]:
    row = Entity.objects.filter(account=finding.account, kind=Kind.INSTANCE_PROFILE, gone_at__isnull=True)
    return act("give-profile", profile=row.order_by("name")[0].name)(finding)


def join(finding: AuditFinding) -> Sequence[Operation]:
    assert finding.entity
    groups = Entity.objects.filter(account=finding.account, kind=Kind.GROUP, gone_at__isnull=True)
    harmless = groups.select_related("account").filter(name="support-readers").first()
    group = harmless or groups.select_related("account").order_by("name")[0]
    return [Membership.of(ADD_TO_GROUP, finding.entity, group=group)]


def name_subject(finding: AuditFinding) -> Sequence[Operation]:
    assert finding.entity
    body = json.loads(trust_text(finding.entity))
    issuer = finding.evidence["principal"].partition("oidc-provider/")[2]
    for statement in body["Statement"]:
        tests = statement.setdefault("Condition", {}).setdefault("StringEquals", {})
        tests[f"{issuer}:sub"] = "repo:northline/app:ref:refs/heads/main"
    return act("trust", document=json.dumps(body))(finding)


FIRST = frozenset({"services-unused-90-days"})
"""Kinds about subjects that have other findings too, which other fixes would close."""
FORMS: dict[str, Callable[[AuditFinding], Sequence[Operation]]] = {
    "deprecated-managed-policy": detach,
    "full-administrator-aws-managed": detach,
    "group-without-users": act("delete"),
    "instance-without-profile": any_profile,
    "oidc-without-subject": name_subject,
    "role-unused-90-days": act("delete"),
    "server-certificate-expired": act("delete-certificate"),
    "unattached-administrator-policy": act("delete"),
    "user-in-no-group": join,
}
"""Kinds whose request is the form of an act."""


def fix_of(kind: str) -> Callable[[AuditFinding], Sequence[Operation]] | None:
    ready = all_rules()[kind].fix_request
    return ready.build if ready else FORMS.get(kind)


def findings_open(kind: str = "") -> QuerySet[AuditFinding]:
    rows = AuditFinding.objects.filter(status=FindingStatus.OPEN).order_by("place", "id")
    return (rows.filter(kind=kind) if kind else rows).select_related("account", "entity__account")


def worst() -> dict[str, AuditFinding]:
    return {row.key: row for row in findings_open().filter(severity__in=BAD)}


def is_next_path(row: AuditFinding, chosen: dict[str, AuditFinding]) -> bool:
    """Of each principal one path is a finding: when it is closed, the next one of the same people is."""
    kind = "privilege-escalation"
    return row.kind == kind and set(chosen[kind].related) & set(row.related) != set()


def carry_out(operations: Sequence[Operation], *, requester: Viewer, approver: Viewer, key: str) -> None:
    if lint_of(operations).get("is_faulty"):
        raise RefusedError("The page doesn’t take it either.")
    plans = services.plan_set(operations, viewer=requester)
    changes = services.request_changes(
        plans, actor=requester, reason="Closes a finding", idempotency_key=key, title="Close a finding"
    )
    for change in changes:
        decisions.queue(change, actor=approver, kind="approved", note="")
    for change in changes:
        applied(change)


def candidates(kind: str, chosen: dict[str, AuditFinding]) -> Iterator[AuditFinding]:
    """Findings about something that no other fix has changed yet."""
    changed = {finding.subject for finding in chosen.values()}
    yield from (finding for finding in findings_open(kind) if finding.subject not in changed)
    yield from (finding for finding in findings_open(kind) if finding.subject in changed)


def test_each_fix_closes_its_finding(accounts: list[Account]) -> None:
    write_assertions()
    list(rows_now(accounts))
    before = worst()
    requester = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    approver = factories.viewer(Role.APPROVER, name="Hana Sato")
    chosen: dict[str, AuditFinding] = {}
    refused: dict[str, list[str]] = {}
    scarce_first = sorted(all_rules(), key=lambda kind: (kind not in FIRST, findings_open(kind).count()))
    for kind in scarce_first:
        build = None if kind in ELSEWHERE else fix_of(kind)
        for finding in candidates(kind, chosen) if build else ():
            try:
                assert build
                key = f"{kind} {finding.pk}"
                carry_out(build(finding), requester=requester, approver=approver, key=key)
            except RefusedError as error:
                refused.setdefault(kind, []).append(f"{finding.subject}: {error}")
                continue
            chosen[kind] = finding
            break

    escalation.calculate_due(is_forced=True)
    list(rows_now(accounts))
    left = AuditFinding.objects.filter(pk__in=[finding.pk for finding in chosen.values()])
    still = [f"{row.kind} {row.subject}" for row in left.exclude(status=FindingStatus.FIXED)]
    assert not still, "\n".join(still)
    new = [row for key, row in worst().items() if key not in before and not is_next_path(row, chosen)]
    assert not new, "\n".join(f"{row.kind} {row.subject}" for row in new)
    requestable = {kind for kind in all_rules() if fix_of(kind)}
    assert {kind: refused.get(kind) for kind in requestable - set(chosen) - set(ELSEWHERE)} == {}


def test_every_kind_has_a_request_or_says_why_not() -> None:
    """`pytest -s` prints how many."""
    reasons = {kind: rule.no_request for kind, rule in all_rules().items() if rule.no_request}
    requestable = {kind for kind in all_rules() if fix_of(kind)} | {"saml-metadata-expiring"}
    print(f"{len(requestable)} of {len(all_rules())} kinds have a request")
    print(f"{len(reasons)} say why they have none")
    assert requestable.isdisjoint(reasons)
    assert requestable | set(reasons) == set(all_rules())
