"""Everything that is wrong with a form is said in one answer, each at its field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from iam.access.drafts.models import GrantDraft
from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding
from iam.audit.frameworks import assessment
from iam.changes.models import Change
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import Account, EdgeKind, Entity, Kind
from iam.people.campaigns.models import Campaign, Participant
from iam.people.offboarding.models import OffboardingRun
from iam.people.onboarding.models import OnboardingRun
from iam.people.replacing.models import DeviceReplacement
from tests import factories
from tests.console import onboarding
from tests.console.rotation.rows import key

pytestmark = pytest.mark.django_db
NUMBER = "111111111111"
PARTICIPANT = "00000000-0000-4000-8000-000000000001"
LEDGER = "arn:aws:s3:::pay-ledger/2026.csv"
YESTERDAY = f"{datetime.now(tz=UTC) - timedelta(days=2):%Y-%m-%dT%H:%M}"
VOID = {"input", "br", "hr", "img", "meta", "link", "use", "source", "wbr", "path"}


class WrongFields(HTMLParser):
    """The fields that a page marks as wrong, each with the text of the elements that describe it."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.described: dict[str, list[str]] = {}
        self.errors: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if values.get("aria-invalid") == "true" and "name" in values:
            self.described[values["name"]] = values.get("aria-describedby", "").split()
        if self._open and tag not in VOID:
            self._open.append(self._open[-1])
        elif tag not in VOID and values.get("class") == "error" and "id" in values:
            self._open.append(values["id"])

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self.errors[self._open[-1]] = self.errors.get(self._open[-1], "") + data

    def messages(self) -> dict[str, str]:
        """The message of each wrong field, by its name."""
        messages = {}
        for name, ids in self.described.items():
            texts = [self.errors[each].strip() for each in ids if each in self.errors]
            messages[name] = " ".join(texts)
        return messages


class Desk:
    """An account, its people, and the browser of an administrator."""

    def __init__(self) -> None:
        self.account: Account = factories.account(NUMBER, write_role_arn=f"arn:aws:iam::{NUMBER}:role/w")
        self.user: Entity = factories.user(
            self.account, "maya.okafor", credentials={"has_password": True, "mfa": "none"}
        )
        self.group = factories.group(self.account, "payments-dev")
        factories.edge(EdgeKind.MEMBER, self.user, self.group)
        self.team = Team.objects.create(slug="payments", name="Payments")
        TeamRule.objects.create(team=self.team, kind=RuleKind.GROUP, value="payments-dev")
        self.person = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte", arns=(self.user.arn,))
        self.client = Client()
        self.client.force_login(self.person)

    def draft(self, **body: Any) -> GrantDraft:
        """A draft of a grant for the user."""
        who = {"users": {"arns": [self.user.arn]}}
        return GrantDraft.objects.create(
            person_id=self.person.person_id, body={"kind": "users", "who": who} | body
        )

    def upload(self, address: str, name: str, data: bytes) -> None:
        """Send a file."""
        file = BytesIO(data)
        file.name = name
        assert self.client.post(address, {"file": file}).status_code == 302


@pytest.fixture
def desk() -> Desk:
    return Desk()


def rotation(desk: Desk) -> str:
    """Of a user that nobody is linked to."""
    return reverse("keys:rotate", args=[key(factories.user(desk.account, "ci-bot")).pk])


def rotations(desk: Desk) -> str:
    key(desk.user)
    return reverse("keys:rotate-many")


def offboarding(desk: Desk) -> str:
    return f"{reverse('offboarding:begin')}?user={desk.user.pk}"


def offboarding_list(desk: Desk) -> str:
    desk.upload(reverse("offboarding:file"), "leavers.csv", b"E-mail;User name\n;maya.okafor\n;nobody\n")
    return reverse("offboarding:run-request", args=[OffboardingRun.objects.get().pk])


def onboarding_list(desk: Desk) -> str:
    version = onboarding.blueprint(desk.account, desk.team)
    address = reverse("onboarding:people", args=[version.blueprint_id])
    desk.upload(address, "joiners.csv", b"Name;E-mail\nZoe Adler;zoe@example.com\nBo;nowhere\n")
    return reverse("onboarding:run-request", args=[OnboardingRun.objects.get().pk])


def evidence(desk: Desk) -> str:
    return reverse("evidence:new")


def access_request(desk: Desk) -> str:
    return reverse("access:ask")


def grant_receivers(desk: Desk) -> str:
    return reverse("access:grant-who", args=[uuid4()])


def grant_content(desk: Desk) -> str:
    return reverse("access:grant-what", args=[desk.draft().pk])


def campaign(desk: Desk) -> str:
    return reverse("mfa:campaign-begin")


def hardware_token(desk: Desk) -> str:
    return reverse("mfa:add-hardware-device", args=[desk.user.pk])


def finding(desk: Desk) -> str:
    factories.synced(desk.account)
    calculate(desk.account)
    return reverse("findings:accept", args=[AuditFinding.objects.earliest("pk").pk])


def requirement(desk: Desk) -> str:
    factories.synced(desk.account)
    assessment.assess_due()
    return "/compliance/pci-dss-4.0.1/8.2.2/decide/"


def scope(desk: Desk) -> str:
    return reverse("compliance:scope-new")


def trail_source(desk: Desk) -> str:
    return reverse("activity:add-source")


def team_change(desk: Desk) -> str:
    onboarding.blueprint(desk.account, desk.team)
    return f"{reverse('moving:begin')}?user={desk.user.pk}"


def assertion(desk: Desk) -> str:
    return reverse("findings:assertion-new")


def duties(desk: Desk) -> str:
    return reverse("reviews:rule-new")


def lost_device(desk: Desk) -> str:
    user = factories.user(desk.account, "bo")
    factories.person("Bo Hansen", arns=(user.arn,))
    device = factories.entity(desk.account, Kind.MFA_DEVICE, "bo-phone", arn="", category="virtual")
    Entity.objects.filter(pk=device.pk).update(owner=user)
    factories.assign(factories.person("Jonas Berg"), Role.APPROVER)
    return reverse("mfa:report-lost-device", args=[device.pk])


def reported_device(desk: Desk) -> str:
    address = lost_device(desk)
    assert desk.client.post(address, {"over": "chat", "reason": "Stolen"}).status_code == 302
    desk.client.force_login(factories.operator(Role.ADMINISTRATOR, name="Hana Sato"))
    return reverse("mfa:replacement", args=[DeviceReplacement.objects.get().pk])


def exemption(desk: Desk) -> str:
    terms = {"due": datetime.now(tz=UTC).date(), "ending": "notify", "reason": "PCI"}
    begun = {"begun_by_id": desk.person.person_id, "begun_at": datetime.now(tz=UTC)}
    running = Campaign.objects.create(name="By December", **terms, **begun)
    Participant.objects.create(
        pk=UUID(PARTICIPANT), campaign=running, user=desk.user, joined_at=datetime.now(tz=UTC)
    )
    return reverse("mfa:campaign-act", args=[running.pk])


def new_blueprint(desk: Desk) -> str:
    return reverse("onboarding:blueprint-new")


def blueprint(desk: Desk) -> str:
    version = onboarding.blueprint(desk.account, desk.team)
    return reverse("onboarding:blueprint-edit", args=[version.blueprint_id])


def new_template(desk: Desk) -> str:
    return reverse("access:template-new")


DAYS = {"quiet": "soon", "keep": "0", "reason": " "}
FORMS: list[tuple[Callable[[Desk], str], dict[str, Any], set[str]]] = [
    (rotation, DAYS, {"quiet", "keep", "reason", "for_me"}),
    (rotations, DAYS | {"count": "1"}, {"quiet", "keep", "reason"}),
    (offboarding, {"when": "later", "at": "x", "grace": "y", "reason": ""}, {"at", "grace", "reason"}),
    (offboarding, {"when": "later", "at": YESTERDAY, "grace": "999"}, {"at", "grace", "reason"}),
    (
        offboarding_list,
        {"when": "later", "at": "x", "grace": "y", "reason": ""},
        {"at", "grace", "reason", "skip"},
    ),
    (onboarding_list, {"reason": " "}, {"reason", "skip"}),
    (
        evidence,
        {"about": "x", "since": "2026-10-02", "until": "2026-10-01", "sample_size": "999", "seed": "a b"},
        {"about", "until", "sample_size", "seed"},
    ),
    (
        evidence,
        {"about": "period", "since": "9999-12-30", "until": "x", "sample_size": "", "seed": "a b"},
        {"since", "until", "sample_size", "seed"},
    ),
    (
        access_request,
        {
            "do": "ask",
            "action": "s3:GetObject",
            "resource": LEDGER,
            "ends": "date",
            "until": YESTERDAY,
            "why": " ",
        },
        {"until", "why"},
    ),
    (
        grant_receivers,
        {"kind": "partner", "account_id": "12", "principal": "*", "accounts-shown": "1", "do": "next"},
        {"label", "account_id", "principal", "accounts"},
    ),
    (
        grant_receivers,
        {"kind": "account", "account_id": "", "principal": "x", "accounts-shown": "1", "do": "next"},
        {"account_id", "principal", "accounts"},
    ),
    (grant_content, {"ends": "date", "until": YESTERDAY, "why": "", "do": "next"}, {"until", "why"}),
    (
        campaign,
        {"place": "x", "due": "soon", "remind": "often", "ending": "x"},
        {"name", "place", "due", "remind", "ending", "reason"},
    ),
    (
        campaign,
        {"place": "all", "due": "2020-01-01", "people": "nobody"},
        {"due", "people", "name", "reason"},
    ),
    (
        hardware_token,
        {"serial": "x", "first": "1", "second": "", "key": "k"},
        {"serial", "first", "second"},
    ),
    (finding, {"until": "2020-01-01", "reason": " "}, {"until", "reason"}),
    (finding, {"until": "tomorrow", "reason": "x" * 1001}, {"until", "reason"}),
    (requirement, {"kind": "x", "reason": "", "until": "never"}, {"kind", "reason", "until"}),
    (
        scope,
        {"name": "!", "accounts": "1", "paths": "x", "tags": "=", "resources": "y"},
        {"name", "accounts", "paths", "tags", "resources"},
    ),
    (
        trail_source,
        {
            "kind": "bucket",
            "account": NUMBER,
            "bucket": "A",
            "key_prefix": "AWSLogs",
            "region": "x",
            "queue_url": "y",
            "since": "2999-01-01",
            "reason": "New trail",
        },
        {"bucket", "key_prefix", "region", "queue_url", "since"},
    ),
    (team_change, {"reason": ""}, {"from", "to", "reason"}),
    (
        assertion,
        {"actions": "x", "resources": "y", "allowed_role": "*", "allowed_tag": "z"},
        {"name", "actions", "resources", "allowed_role", "allowed_tag", "reason"},
    ),
    (duties, {"first": "x", "second": "y"}, {"name", "first", "second", "reason"}),
    (
        new_blueprint,
        {
            "team": "payments",
            "name": " ",
            "path": "x",
            "groups": "a b",
            "boundary": "a b",
            "tags": "x",
            "naming": "x",
            "stay": "x",
        },
        {"name", "accounts", "path", "groups", "boundary", "tags", "naming", "stay"},
    ),
    (
        blueprint,
        {"accounts": "12", "path": "/x", "tags": "Email = x", "stay": "9999", "t0": "read-bucket"},
        {"accounts", "path", "tags", "stay"},
    ),
    (
        blueprint,
        {"accounts": NUMBER, "path": "/other/", "t0": "read-bucket", "naming": "x"},
        {"path", "t0-bucket", "naming"},
    ),
    (
        new_template,
        {
            "do": "save",
            "slug": "No!",
            "hours": "x",
            "parameters": "2",
            "q1-name": "No",
            "q1-kind": "bucket",
            "statements": "{",
        },
        {"title", "slug", "description", "category", "risk", "hours", "q1-name", "statements"},
    ),
    (
        new_template,
        {
            "do": "save",
            "title": "Read",
            "description": "Read",
            "category": "storage",
            "risk": "low",
            "slug": "No!",
            "parameters": "2",
            "q0-name": "one",
            "q0-kind": "shoe",
            "q1-name": "two",
            "q1-kind": "bucket",
            "q1-example": "*",
            "statements": "[1]",
        },
        {"slug", "q0-kind", "q1-example", "statements"},
    ),
    (lost_device, {"over": "x", "reason": " "}, {"over", "reason"}),
    (reported_device, {"do": "check", "over": "chat", "how": " "}, {"over", "how"}),
    (reported_device, {"do": "refuse", "how": " "}, {"how"}),
    (exemption, {"do": "excuse", "who": PARTICIPANT, "until": "soon", "why": " "}, {"until", "why"}),
]


@pytest.mark.parametrize(
    ("prepare", "answers", "wrong"),
    [pytest.param(*row, id=f"{row[0].__name__}-{number}") for number, row in enumerate(FORMS)],
)
def test_every_wrong_field_has_its_message_in_one_answer(
    desk: Desk, prepare: Callable[[Desk], str], answers: dict[str, Any], wrong: set[str]
) -> None:
    answer = desk.client.post(prepare(desk), answers)
    assert answer.status_code == 422
    messages = WrongFields(answer.content.decode()).messages()
    assert wrong <= messages.keys(), messages
    assert all(messages[name] for name in wrong), messages
    assert not Change.objects.exists()


def test_the_address_of_a_sample_is_checked_as_a_whole(desk: Desk) -> None:
    query = {"since": "2026-10-02", "until": "2026-10-01", "sample_size": "-1", "seed": "a b"}
    answer = desk.client.get(reverse("evidence:sample"), query)
    assert answer.status_code == 422
    messages = WrongFields(answer.content.decode()).messages()
    assert {name for name, text in messages.items() if text} == {"until", "sample_size", "seed"}


def test_rows_that_cannot_be_used_lead_to_the_row(desk: Desk) -> None:
    page = desk.client.post(onboarding_list(desk), {"reason": "They begin"}).content.decode()
    row = OnboardingRun.objects.get().people.get(standing="bad")
    assert WrongFields(page).messages()["skip"].startswith("1 of 2 rows can’t be used.")
    assert f'<a class="small" href="#row-{row.pk}">Go to line 3</a>' in page
    assert f'<tr id="row-{row.pk}"' in page
    assert "Open the blueprint" not in page
    assert ">They begin</textarea>" in page.replace("\n", "")
