"""One of everything that an address of the console can name, and a browser for each role."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

from django.test import Client
from django.urls import reverse

from iam.activity.sources.models import TrailUpload
from iam.changes.drift.models import Drift
from iam.directory.models import AuditScope, Person, Role, RuleKind, Team, TeamRule
from iam.linking.models import ExcludedMatch
from iam.mirror import snapshot
from iam.mirror.models import Account, ConnectionDraft, EdgeKind, Entity, Kind, SetupJob
from iam.notify.models import OutgoingMessage
from tests import factories
from tests.console import moving, offboarding, onboarding
from tests.console.access.grants import made
from tests.console.mfa import rows as mfa_rows
from tests.console.reviews.url_rows import review_arguments
from tests.console.rotation import rows as rotation_rows
from tests.iam.activity.events import event_arguments
from tests.iam.activity.sources.aws import source
from tests.url_rows import (
    appointment_row,
    assertion_row,
    compliance_rows,
    device_row,
    ended_part_row,
    finding_row,
    grant_draft_row,
    link_row,
    pack_row,
    proposed_row,
    source_request_row,
    waiting_grant_row,
)

ROLES = ("anonymous", "nobody", "member", "team-lead", "auditor", "approver", "administrator")
AUDITORS = ("audits a framework", "audits a pack", "audits a period", "has audited")
"""Auditors with limits, and one whose last day is over; see `AUDITS`."""
NUMBER = "111111111111"


def _drift(entity: Entity) -> Drift:
    """Something became different of it by nothing that Gatehouse did."""
    factories.seen_after(
        factories.edge(EdgeKind.MEMBER, entity, factories.group(entity.account, f"of {entity.name}"))
    )
    made: Drift = Drift.objects.create(
        account=entity.account, entity=entity, kind=entity.kind, seen_at=factories.FIRST_READ
    )
    return made


@dataclass
class World:
    """One of everything that an address can name, and a browser per role."""

    arguments: dict[str, dict[str, Any]]
    clients: dict[str, Client]
    operators: dict[str, Any]
    queries: dict[tuple[str, str], str]
    cookies: dict[str, SimpleCookie] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Who is signed in stays so."""
        self.cookies = {role: copy.copy(client.cookies) for role, client in self.clients.items()}


def _browsers(account: Account, team: Team, arn: str) -> tuple[dict[str, Client], dict[str, Any]]:
    operators = {
        "nobody": factories.operator(None, name="Nina Nobody"),
        "member": factories.operator(Role.MEMBER, name="Kwame Boateng", arns=(arn,)),
        "team-lead": factories.operator(Role.TEAM_LEAD, name="Maya Okafor", team=team),
        "auditor": factories.operator(Role.AUDITOR, name="Otto Audit"),
        "approver": factories.operator(Role.APPROVER, name="Hana Sato"),
        "administrator": factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"),
    }
    operators |= {name: factories.operator(Role.AUDITOR, name=name.title()) for name in AUDITORS}
    clients = {name: Client() for name in (*ROLES, *AUDITORS)}
    for name, operator in operators.items():
        clients[name].force_login(operator)
    return clients, operators


def made_world() -> World:
    """Kwame is a member with an IAM user in the team of Maya; Tomas is in no team."""
    account = factories.account(NUMBER, write_role_arn=f"arn:aws:iam::{NUMBER}:role/gatehouse-writer")
    own = factories.user(account, "kwame.boateng")
    other = factories.user(account, "tomas.lind")
    led = factories.group(account, "payments-dev")
    group = factories.group(account, "deployers")
    factories.edge(EdgeKind.MEMBER, own, led)
    team = Team.objects.create(slug="payments", name="Payments")
    rule = TeamRule.objects.create(team=team, kind=RuleKind.GROUP, account_id=NUMBER, value="payments-dev")
    clients, operators = _browsers(account, team, own.arn)
    runs = _runs(account, team, operators["administrator"].person)
    asked = clients["administrator"].post(
        f"{reverse('changes:membership')}?user={other.pk}&group={group.pk}&do=add",
        {"reason": "On call", "key": str(uuid.uuid4())},
    )
    change = asked["Location"].rstrip("/").rpartition("/")[2]
    draft = ConnectionDraft.objects.create(
        account_id="339011276654", name="b", external_id="gh-1", hub_arn=f"arn:aws:iam::{NUMBER}:role/hub"
    )
    job = SetupJob.objects.create(kind="discover")
    upload = SetupJob.objects.create(kind="import")
    person = operators["member"].person
    identity = person.identities.get()
    trail_source = source(account)
    entities = {
        "own": own,
        "other": other,
        "led": led,
        "group": group,
        "role": factories.role(account),
        "policy": factories.policy(account),
        "profile": factories.entity(account, Kind.INSTANCE_PROFILE, "web"),
        "provider": factories.entity(account, Kind.SAML_PROVIDER, "corporate"),
    }
    # The receipt of the request above was worked out before these rows were made, which have no revision.
    snapshot.forget()
    return World(
        clients=clients,
        operators=operators,
        arguments={name: {"pk": entity.pk} for name, entity in entities.items()}
        | {f"{name} s3": {"pk": entities[name].pk, "prefix": "s3"} for name in ("own", "other", "role")}
        | {f"{name} csv": {"pk": entities[name].pk, "form": "csv"} for name in ("own", "other", "role")}
        | {
            "": {},
            "word": {"word": "x"},
            "opening": {"key": "0" * 16},
            "session": {"digest": "0" * 64},
            **runs,
            **mfa_rows.campaigns(account, team, operators["administrator"].person),
            **rotation_rows.arguments(own, other, person),
            **offboarding.arguments(own, other, operators["administrator"].person),
            "trail source": {"pk": trail_source.pk},
            "source request": {"pk": source_request_row().pk},
            "trail upload": {"pk": TrailUpload.objects.create(names=["a.json"]).pk},
            "trail source test": {"pk": trail_source.pk, "what": "test"},
            "event": event_arguments(other),
            "own event": event_arguments(own),
            "assertion": {"pk": assertion_row().pk},
            **review_arguments(own, other, operators),
            "pack": {"pk": pack_row(operators["administrator"].person).pk},
            **compliance_rows(),
            "own finding": {"pk": finding_row(own).pk},
            "other finding": {"pk": finding_row(other).pk},
            "csv": {"form": "csv"},
            "s3": {"prefix": "s3"},
            "s3 csv": {"prefix": "s3", "form": "csv"},
            "account": {"number": NUMBER},
            "unknown account": {"number": "999999999999"},
            "draft": {"draft": draft.pk},
            "download": {"draft": draft.pk, "purpose": "read", "what": "terraform"},
            "job": {"job": job.pk},
            "upload": {"job": upload.pk},
            "change": {"pk": change},
            "attach to own": {"slug": "attach"},
            "attach to other": {"slug": "attach"},
            "make a user": {"slug": "create-user"},
            "template": {"slug": "read-bucket"},
            "template version": {"slug": "read-bucket", "number": 1},
            "mark": {"number": ExcludedMatch.objects.create(user=own, person=operators["auditor"].person).pk},
            "other mark": {"number": ExcludedMatch.objects.create(user=other, person=person).pk},
            "own drift": {"pk": _drift(own).pk},
            "other drift": {"pk": _drift(other).pk},
            "own grant": {"pk": made.grant(account, own, asked_by=operators["approver"].person).pk},
            "other grant": {"pk": made.grant(account, other, asked_by=operators["approver"].person).pk},
            "failed grant": {"pk": made.failed(account, own, asked_by=operators["approver"].person).pk},
            "waiting grant": {"pk": waiting_grant_row(account, own, operators["approver"].person).pk},
            "ended part": ended_part_row(account, own, operators["approver"].person),
            "grant draft": {"pk": grant_draft_row(operators["administrator"].person, other).pk},
            "message": {"pk": OutgoingMessage.objects.latest("created_at").pk},
            "damaged": {"word": "no-such-link"},
            "place": {"place": 1},
            "unknown change": {"pk": uuid.uuid4()},
            "rule of approval": {"key": "rest"},
            "proposal": {"pk": proposed_row(operators["administrator"].person).pk},
            "appointment": {"pk": appointment_row(operators, person).pk},
            "person": {"pk": person.pk},
            "unknown person": {"pk": uuid.uuid4()},
            "assignment": {"pk": person.pk, "number": person.assignments.get().pk},
            "identity": {"pk": person.pk, "number": identity.pk},
            "team": {"slug": "payments"},
            "rule": {"slug": "payments", "number": rule.pk},
            "link": {"uidb36": "1", "key": "no-such-key"},
            "key": {"pk": 1},
            "own device": {"pk": device_row(own).pk},
            "other device": {"pk": device_row(other).pk},
            "replacement": {"pk": mfa_rows.replacement(own, person, operators["administrator"].person).pk},
            "one-time link": {"pk": link_row(person, own).pk},
        },
        queries={
            ("changes:membership", "other"): f"?user={other.pk}&group={group.pk}&do=add",
            ("changes:credential", "other"): f"?user={other.pk}&do=access_key.create",
            ("changes:credential", "own"): f"?user={own.pk}&do=access_key.create",
            ("changes:membership", "own"): f"?user={own.pk}&group={led.pk}&do=remove",
            ("changes:acts", "own"): f"?on={own.pk}",
            ("changes:acts", "other"): f"?on={other.pk}",
            ("changes:act", "attach to own"): f"?on={own.pk}",
            ("changes:act", "attach to other"): f"?on={other.pk}",
            ("changes:act", "make a user"): f"?account={NUMBER}",
            ("offboarding:begin", "own"): f"?user={own.pk}",
            ("offboarding:suspend", "own"): f"?user={own.pk}",
            ("offboarding:suspend", "other"): f"?user={other.pk}",
            ("moving:begin", "own"): f"?user={own.pk}",
            ("moving:begin", "other"): f"?user={other.pk}",
            ("offboarding:begin", "other"): f"?user={other.pk}",
            ("identities:compare", ""): f"?account={NUMBER}",
            ("access:person-why", "own"): "?action=s3:GetObject",
            ("access:person-why", "other"): "?action=s3:GetObject",
            ("access:role-why", "role"): "?action=s3:GetObject",
            ("access:who-can-why", "other"): "?action=s3:GetObject",
            ("access:who-can-export", "csv"): "?action=s3:GetObject",
            ("access:who-can-reach", ""): "?action=s3:GetObject",
            ("access:compare-export", "csv"): f"?a={other.pk}",
        },
    )


def limit_auditors(world: World) -> None:
    """To PCI DSS, to one pack, and to a past period; and the end of a last day."""
    now = datetime.now(tz=UTC)
    terms = {
        "audits a framework": {"frameworks": [world.arguments["pci"]["name"]]},
        "audits a pack": {"packs": [str(world.arguments["pack"]["pk"])]},
        "audits a period": {"since": now - timedelta(days=90), "until": now - timedelta(days=30)},
    }
    for name, values in terms.items():
        AuditScope.objects.create(person=world.operators[name].person, set_by="x", set_at=now, **values)
    world.operators["has audited"].person.assignments.update(until=now - timedelta(days=1))


def _runs(account: Account, team: Team, author: Person) -> dict[str, dict[str, Any]]:
    """A blueprint and a run of the team that is led, and of one that is not; and a draft of the
    administrator.
    """
    led = onboarding.blueprint(account, team)
    other = onboarding.blueprint(account, Team.objects.create(slug="data", name="Data"))
    run, strange = onboarding.asked(led, author, account), onboarding.asked(other, author, account)
    return {
        "blueprint": {"pk": led.blueprint_id},
        "blueprint version": {"pk": led.blueprint_id, "number": 1},
        "other blueprint": {"pk": other.blueprint_id},
        "run": {"pk": run.pk},
        "move": {"pk": moving.moved(led, other, author).pk},
        "run csv": {"pk": run.pk, "form": "csv"},
        "newcomer": {"pk": run.pk, "number": run.people.get().pk},
        "other newcomer": {"pk": strange.pk, "number": strange.people.get().pk},
        "other run": {"pk": strange.pk},
        "own run draft": {"pk": onboarding.draft(led, author).pk},
    }
