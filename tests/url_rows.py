"""Rows that the table of addresses names: one of each kind of thing."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from iam.access.drafts.models import GrantDraft
from iam.access.grants.models import Grant, GrantState
from iam.audit.assertions.models import StandingAssertion
from iam.audit.evidence.models import EvidencePack, PackKind, PackState
from iam.audit.findings.models import AuditFinding
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.models import ComplianceScope, RequirementDecision
from iam.audit.frameworks.summaries import summarize
from iam.audit.source_requests.models import SourceRequest
from iam.changes.approval.models import RuleSet, RulesState
from iam.changes.approval.rules import SHIPPED, as_json
from iam.directory.models import Appointment, Person, Role
from iam.mirror.models import Account, Entity, Kind
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link
from tests import factories
from tests.console.access.grants import made


def device_row(user: Entity) -> Entity:
    """An MFA device of the member."""
    made = factories.entity(user.account, Kind.MFA_DEVICE, f"{user.name}-phone", category="virtual")
    Entity.objects.filter(pk=made.pk).update(owner=user, aws_id=made.arn)
    return made


def link_row(person: Person, user: Entity) -> OneTimeLink:
    """A link by which the member may add an MFA device."""
    return make_link(LinkPurpose.MFA, person=person, user_arn=user.arn, actor=None)


def proposed_row(author: Person) -> RuleSet:
    """Other rules that wait, and a draft of the same administrator."""
    RuleSet.objects.create(author_id=author.pk, author_label=author.name, body=as_json(SHIPPED))
    return RuleSet.objects.create(
        state=RulesState.PROPOSED, author_id=author.pk, author_label=author.name, body=as_json(SHIPPED)
    )


def waiting_grant_row(account: Account, receiver: Entity, asker: Person) -> Grant:
    return made.grant(account, receiver, asked_by=asker, state=GrantState.WAITING)


def ended_part_row(account: Account, receiver: Entity, asker: Person) -> dict[str, Any]:
    ended = made.grant(account, receiver, asked_by=asker, state=GrantState.ENDED)
    return {"pk": ended.pk, "number": ended.parts.get().pk}


def grant_draft_row(author: Person, receiver: Entity) -> GrantDraft:
    """A grant that is written to its end, and not asked for."""
    body = {
        "kind": "users",
        "who": {"users": {"arns": [receiver.arn]}},
        "what": {"kind": "statements", "documents": [json.dumps(factories.ALLOW_S3)]},
        "ends": "8h",
        "why": "On call",
    }
    made: GrantDraft = GrantDraft.objects.create(person_id=author.pk, body=body)
    return made


def appointment_row(operators: dict[str, Any], person: Person) -> Appointment:
    asker = operators["administrator"].person
    return Appointment.objects.create(
        person=person, role=Role.APPROVER, asked_by=asker.pk, asked_label=asker.name
    )


def compliance_rows() -> dict[str, dict[str, Any]]:
    """A framework that is judged, one of its requirements, a scope, and a decision that waits."""
    framework = all_frameworks()["pci-dss-4.0.1"]
    now = timezone.now()
    summarize(framework, None, now=now)
    scope = ComplianceScope.objects.create(
        slug="cards", name="Cards", terms={"paths": ["/cards/"]}, changed_by="Ines Duarte", changed_at=now
    )
    decision = RequirementDecision.objects.create(
        framework=framework.name,
        requirement="8.2.2",
        kind="exception",
        state="requested",
        reason="Until the terminals are replaced",
        until=now + timedelta(days=30),
        requested_by=uuid.uuid4(),
        requested_name="Jonas Berg",
        requested_at=now,
    )
    return {
        "pci": {"name": framework.name},
        "pci csv": {"name": framework.name, "form": "csv"},
        "pci row": {"name": framework.name, "number": "8.4.2"},
        "compliance scope": {"slug": scope.slug},
        "compliance decision": {"pk": decision.pk},
    }


def source_request_row() -> SourceRequest:
    """A request to add a CloudTrail source, which waits."""
    return SourceRequest.objects.create(
        act="add",
        name="s3://trails/",
        terms={"kind": "bucket", "bucket": "trails", "account": "111111111111", "since": "2026-01-01"},
        reason="The new organization trail",
        requested_by=uuid.uuid4(),
        requested_name="Ada Admin",
        requested_at=factories.FIRST_READ,
    )


def assertion_row() -> StandingAssertion:
    """An assertion about all accounts, which is checked."""
    return StandingAssertion.objects.create(
        name="Only BreakGlass creates users",
        reason="Audit",
        status="active",
        terms={
            "actions": ["iam:CreateUser"],
            "resources": ["*"],
            "allowed": [{"kind": "role", "value": "BreakGlass"}],
            "accounts": [],
            "counts_conditional": True,
        },
        created_at=factories.FIRST_READ,
    )


def finding_row(user: Entity) -> AuditFinding:
    """A finding about a user."""
    return AuditFinding.objects.create(
        key=f"finding of {user.pk}",
        kind="password-without-mfa",
        account=user.account,
        entity=user,
        subject=user.arn,
        name=user.name,
        severity=1,
        certainty="confirmed",
        place=f"1 password-without-mfa {user.name}",
        first_seen=factories.FIRST_READ,
        last_seen=factories.FIRST_READ,
        changed_at=factories.FIRST_READ,
    )


def pack_row(author: Person) -> EvidencePack:
    """A pack that is built."""
    moment = factories.FIRST_READ
    pack = EvidencePack.objects.create(
        kind=PackKind.PERIOD,
        title="Changes and journal",
        since=moment,
        until=moment,
        seed="1",
        sample_size=1,
        requested_by=author.pk,
        requested_name=author.name,
        requested_at=moment,
        state=PackState.DONE,
    )
    pack.path.parent.mkdir(parents=True, exist_ok=True)
    pack.path.write_bytes(b"PK")
    return pack
