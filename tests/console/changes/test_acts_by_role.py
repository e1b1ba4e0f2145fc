"""Every act on a change or a difference × everybody who could come upon it: by the service, and by the
browser.

The columns are CAST. Of the service: `+` done, `-` refused. Of the browser: `+` done, `-` the page says why
not, `.` answered as though there were nothing there, `!` sent to the sign-in. What the browser refuses, the
service refuses as well.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from iam.changes import services
from iam.changes.approval.models import BreakGlass
from iam.changes.approval.rules import APPROVERS, LEAD, SHIPPED, ApprovalRule, ApprovalStage, ApproverSpec
from iam.changes.causes import KINDS, CauseEnds, CauseKind, register
from iam.changes.drift import services as drifts
from iam.changes.drift.models import Drift, DriftWatch
from iam.changes.drift.queries import visible_drifts
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.changes.operations.one_time_credential import CreateAccessKey
from iam.changes.operations.params import Recipient
from iam.changes.operations.sealed_secret import READABLE_FOR
from iam.changes.queries import visible_changes
from iam.changes.services.secrets import read_secret
from iam.directory.models import Person, Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, EdgeKind, Entity
from iam.sealed import services as sealed
from tests import factories
from tests.iam.changes.approval.conftest import in_force
from tests.iam.changes.conftest import Nudges

CAST = (
    "requester",
    "approver",
    "approver elsewhere",
    "lead",
    "lead elsewhere",
    "member",
    "another member",
    "auditor",
    "administrator",
    "deactivated",
)
BY_SERVICE = {
    # requester, approver, approver elsewhere, lead, lead elsewhere, member, another member, auditor,
    # administrator, deactivated
    "see": "+ + - + - + - + + -",
    "ask": "+ + - + - - - - + -",
    "approve": "- + - - - - - - - -",
    "approve where a lead is asked": "- + - + - - - - - -",
    "reject": "- + - - - - - - - -",
    "comment": "+ + - + - + - - + -",
    "withdraw": "+ - - - - - - - - -",
    "shorten": "+ + - + - - - - - -",
    "break the glass": "+ - - - - - - - - -",
    "review break-glass": "- + - - - - - - + -",
    "undo": "+ + - + - - - - + -",
    "read the secret": "+ - - - - - - - - -",
    "see drift": "+ + - + - + - + + -",
    "adopt drift": "+ + - - - - - - + -",
    "undo drift": "+ + - + - - - - + -",
}
BY_BROWSER = {
    # requester, approver, approver elsewhere, lead, lead elsewhere, member, another member, auditor,
    # administrator, deactivated
    "see": "+ + . + . + . + + !",
    "ask": "+ + . + . . . . + !",
    "approve": ". + . . . . . . . !",
    "approve where a lead is asked": ". + . + . . . . . !",
    "reject": ". + . . . . . . . !",
    "comment": "+ + . + . + . . + !",
    "withdraw": "+ - . - . - . - - !",
    "shorten": "+ + . + . . . . - !",
    "break the glass": "+ . . . . . . . . !",
    "review break-glass": "- + . . . . . . + !",
    "undo": "+ + . + . . . . + !",
    "read the secret": "+ . . . . . . . . !",
    "see drift": "+ + . + . . . + + !",
    "adopt drift": "+ + - - - . . - + !",
    "undo drift": "+ + . + . . . . + !",
}
SOON = datetime.now(tz=UTC) + timedelta(days=2)


@dataclass
class World:
    """A waiting request, one that a lead is asked about, one that ends, an applied one, a secret,
    break-glass, a drift; and everybody.
    """

    account: Account
    user: Entity
    group: Entity
    operators: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    drift: Any = None

    def viewer(self, who: str) -> Viewer:
        """With the rights of this moment."""
        return viewer_for(Person.objects.get(pk=self.operators[who].person_id))

    def change(self, name: str) -> Change:
        """As it stands."""
        return Change.objects.select_related("account", "change_set", "entity").get(pk=self.changes[name].pk)

    def ask(self, name: str, group: str, do: Any = "add") -> Change:
        """The requester asks for a membership of the user."""
        made = factories.group(self.account, group) if group else self.group
        self.changes[name] = services.request_membership(
            self.viewer("requester"), user=self.user, group=made, do=do, reason="r", idempotency_key=name
        )
        return self.changes[name]


def _cast(account: Account, user: Entity) -> dict[str, Any]:
    team = Team.objects.create(slug="payments", name="Payments")
    for value in (
        "payments-dev",
        "deployers",
        "joined-by-hand",
        "waits",
        "for-the-lead",
        "ends",
        "emergency",
    ):
        TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=value)
    other = Team.objects.create(slug="search", name="Search")
    TeamRule.objects.create(team=other, kind=RuleKind.GROUP, value="search-dev")
    made = {
        "requester": factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"),
        "approver": factories.operator(Role.APPROVER, name="Hana Sato"),
        "approver elsewhere": factories.operator(None, name="Ben Okri"),
        "lead": factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team),
        "lead elsewhere": factories.operator(Role.TEAM_LEAD, name="Maya Okafor", team=other),
        "member": factories.operator(Role.MEMBER, name="Kwame Boateng", arns=(user.arn,)),
        "another member": factories.operator(Role.MEMBER, name="Tomas Lind"),
        "auditor": factories.operator(Role.AUDITOR, name="Amara Diallo"),
        "administrator": factories.operator(Role.ADMINISTRATOR, name="Ada Lund"),
        "deactivated": factories.operator(Role.APPROVER, name="Jonas Berg"),
    }
    factories.assign(made["approver elsewhere"].person, Role.APPROVER, account_id="222222222222")
    Person.objects.filter(pk=made["deactivated"].person_id).update(is_active=False)
    return made


@pytest.fixture
def world(db: None, nudges: Nudges) -> Iterator[World]:
    """See World."""
    account = factories.account(name="prod-core", write_role_arn="arn:aws:iam::111111111111:role/writer")
    user, group = factories.user(account, "kwame.boateng"), factories.group(account, "deployers")
    factories.edge(EdgeKind.MEMBER, user, factories.group(account, "payments-dev"))
    made = World(account, user, group, _cast(account, user))
    made.ask("waiting", "waits")
    in_force(
        ApprovalRule(
            key="l",
            name="Lead",
            stages=(ApprovalStage((ApproverSpec(LEAD), APPROVERS)),),
            break_glass=SHIPPED[-1].break_glass,
        )
    )
    made.ask("for the lead", "for-the-lead")
    ending = made.ask("ending", "ends")
    ChangeSet.objects.filter(pk=ending.change_set_id).update(cause_kind="test", cause_id=uuid.uuid4())
    _applied(made)
    _secret(made)
    _drift(made)
    register("test", CauseKind(ends=CauseEnds(lambda _: SOON, lambda *_: None, lambda *_: {})))
    yield made
    del KINDS["test"]


def _applied(world: World) -> None:
    applied = world.ask("applied", "")
    glass = world.ask("glass", "emergency")
    seen = glass.change_set.receipt_digest
    services.break_glass(glass, actor=world.viewer("requester"), reason="Now", seen_digest=seen)
    Change.objects.filter(pk__in=[applied.pk, glass.pk]).update(state=ChangeState.APPLIED)
    factories.edge(EdgeKind.MEMBER, world.user, world.group)


def _secret(world: World) -> None:
    viewer = world.viewer("requester")
    recipient = Recipient(viewer.person_id, viewer.name)
    operation = CreateAccessKey.of(world.user, recipient=recipient, sealed_id=uuid.uuid4())
    planned = services.plan(operation, viewer=viewer)
    made = services.request_change(planned, actor=viewer, reason="r", idempotency_key="secret")
    sealed.seal(
        "wJalr",
        for_person=viewer.person_id,
        purpose="access_key.secret",
        label="AKIA",
        ttl=READABLE_FOR,
        secret_id=uuid.UUID(made.params["sealed_id"]),
    )
    Change.objects.filter(pk=made.pk).update(state=ChangeState.APPLIED)
    world.changes["secret"] = made


def _drift(world: World) -> None:
    by_hand = factories.group(world.account, "joined-by-hand")
    moment = factories.FIRST_READ + factories.BETWEEN_READINGS
    factories.seen_after(factories.edge(EdgeKind.MEMBER, world.user, by_hand, since=moment))
    DriftWatch.objects.create(account=world.account, since=factories.FIRST_READ)
    world.drift = Drift.objects.create(account=world.account, entity=world.user, kind="user", seen_at=moment)


def _must(is_true: bool) -> None:
    if not is_true:
        raise RefusedError("It is not there.")


SERVICES: dict[str, Callable[[World, Viewer], object]] = {
    "see": lambda w, v: _must(visible_changes(v).filter(pk=w.changes["waiting"].pk).exists()),
    "ask": lambda w, v: services.request_membership(
        v, user=w.user, group=w.group, do="remove", reason="r", idempotency_key="new"
    ),
    "approve": lambda w, v: _approve(w, v, "waiting"),
    "approve where a lead is asked": lambda w, v: _approve(w, v, "for the lead"),
    "reject": lambda w, v: services.reject(w.change("waiting"), actor=v, comment="No"),
    "comment": lambda w, v: services.comment(w.change("waiting"), actor=v, text="?"),
    "withdraw": lambda w, v: services.withdraw(w.change("waiting"), actor=v),
    "shorten": lambda w, v: services.shorten(w.change("ending"), actor=v, until=SOON - timedelta(hours=4)),
    "break the glass": lambda w, v: services.break_glass(
        w.change("waiting"), actor=v, reason="Now", seen_digest=w.change("waiting").change_set.receipt_digest
    ),
    "review break-glass": lambda w, v: services.review(
        BreakGlass.objects.get(), actor=v, verdict="accept", comment="Right", key="k"
    ),
    "undo": lambda w, v: services.undo(w.change("applied"), actor=v, reason="r", idempotency_key="undo"),
    "read the secret": lambda w, v: read_secret(w.change("secret"), actor=v),
    "see drift": lambda w, v: _must(visible_drifts(v).exists()),
    "adopt drift": lambda w, v: drifts.adopt(list(visible_drifts(v)), actor=v, reason="r"),
    "undo drift": lambda w, v: drifts.undo(w.drift, actor=v, reason="r", idempotency_key="drift"),
}


def _approve(world: World, viewer: Viewer, name: str) -> None:
    change = world.change(name)
    services.approve(change, actor=viewer, seen_digest=change.change_set.receipt_digest)


def _post(name: str, of: str, **form: str) -> Callable[[World, Client], Any]:
    def post(world: World, client: Client) -> Any:
        change = world.change(of)
        seen = change.change_set.receipt_digest
        post = {"seen": seen, "key": str(uuid.uuid4()), "reason": "r"} | form
        return client.post(reverse(f"changes:{name}", args=[change.pk]), post)

    return post


def _ask(world: World, client: Client) -> Any:
    address = f"{reverse('changes:membership')}?user={world.user.pk}&group={world.group.pk}&do=remove"
    return client.post(address, {"reason": "r", "key": str(uuid.uuid4())})


BROWSER: dict[str, Callable[[World, Client], Any]] = {
    "see": lambda w, c: c.get(reverse("changes:change", args=[w.changes["waiting"].pk])),
    "ask": _ask,
    "approve": _post("decide", "waiting", decision="approve"),
    "approve where a lead is asked": _post("decide", "for the lead", decision="approve"),
    "reject": _post("decide", "waiting", decision="reject", comment="No"),
    "comment": _post("comment", "waiting", text="?"),
    "withdraw": _post("withdraw", "waiting"),
    "shorten": _post("shorten", "ending", until=f"{SOON - timedelta(hours=4):%Y-%m-%dT%H:%M}"),
    "break the glass": _post("break-glass", "waiting"),
    "review break-glass": _post("review", "glass", verdict="accept", comment="Right"),
    "undo": _post("undo", "applied"),
    "read the secret": _post("secret", "secret"),
    "see drift": lambda w, c: c.get(reverse("changes:drift-detail", args=[w.drift.pk])),
    "adopt drift": lambda w, c: c.post(reverse("changes:drift-adopt"), {"drift": w.drift.pk, "reason": "r"}),
    "undo drift": lambda w, c: c.post(
        reverse("changes:drift-undo", args=[w.drift.pk]), {"reason": "r", "key": str(uuid.uuid4())}
    ),
}


def _by_service(world: World, act: str, who: str) -> str:
    try:
        with transaction.atomic():
            SERVICES[act](world, world.viewer(who))
            transaction.set_rollback(True)
    except RefusedError:
        return "-"
    return "+"


def _by_browser(world: World, act: str, who: str) -> str:
    client = Client()
    client.force_login(world.operators[who])
    with transaction.atomic():
        answer = BROWSER[act](world, client)
        transaction.set_rollback(True)
    if answer.status_code == 302 and "/sign-in/" in answer["Location"]:
        return "!"
    return {200: "+", 302: "+", 404: ".", 422: "-"}[answer.status_code]


@pytest.mark.parametrize(
    ("table", "answer"), [(BY_SERVICE, _by_service), (BY_BROWSER, _by_browser)], ids=["service", "browser"]
)
def test_everybody_does_what_the_table_says_and_no_more(
    world: World, table: dict[str, str], answer: Callable[[World, str, str], str]
) -> None:
    answers_by_act = {act: " ".join(answer(world, act, who) for who in CAST) for act in SERVICES}
    assert answers_by_act == table


def test_what_the_browser_does_the_service_allows_and_hides_only_the_pages_of_drift() -> None:
    differs = {
        (act, who)
        for act, line in BY_BROWSER.items()
        for who, browser, service in zip(CAST, line.split(), BY_SERVICE[act].split(), strict=True)
        if (browser == "+") != (service == "+")
    }
    assert differs == {("see drift", "member")}, (
        "a member has no page of drift, and their own history instead"
    )
