"""In a large organization nobody waits for the graph: pages say that it is calculated, then show the last one until there is a newer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event

import pytest
from django.test import Client
from django.utils.html import escape

from iam.access import escalation_graph
from iam.access.escalation_graph import BeingCalculatedError, Escalation, escalation_at
from iam.directory.models import Role
from iam.mirror.pull import revisions
from tests import factories as make
from tests.access.escalation.conftest import SignIn, World, allow, body

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def may_go_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Every organization is a large one, and a graph is made as soon as the test allows it."""
    allowed = Event()
    make_it = escalation_graph._make

    def later(at: None) -> Escalation:
        allowed.wait(30)
        return make_it(at)

    monkeypatch.setattr(escalation_graph, "LARGE", 0)
    monkeypatch.setattr(escalation_graph, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(escalation_graph, "LONGEST_PAUSE", 0)
    monkeypatch.setattr(escalation_graph, "_make", later)
    escalation_graph.forget()
    yield allowed
    allowed.set()
    _end()
    escalation_graph.forget()


def _end() -> None:
    """Wait for the thread that makes a graph."""
    for making in list(escalation_graph._making.values()):
        making.join(30)


@pytest.mark.parametrize(
    "address",
    ["/escalation/", "/escalation/?view=principals", "/access/who-can/reach/?action=s3:GetObject&resource=*"],
)
def test_a_page_says_that_it_is_calculated_and_asks_again(
    world: World, sign_in: SignIn, may_go_on: Event, address: str
) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    page = auditor.get(address)
    assert page.status_code == 200
    assert "Calculating who can become administrator" in page.content.decode()
    assert 'hx-get="/escalation/ready/"' in page.content.decode()
    assert f'href="{escape(address)}"' in page.content.decode(), "the same page again"
    waiting = auditor.get("/escalation/ready/")
    assert (waiting.status_code, waiting.headers.get("HX-Refresh")) == (204, None)
    may_go_on.set()
    _end()
    ready = auditor.get("/escalation/ready/")
    assert (ready.status_code, ready.headers.get("HX-Refresh")) == (204, "true")
    assert "Calculating" not in auditor.get(address).content.decode()


def test_a_file_says_when_to_ask_again(world: World, sign_in: SignIn, may_go_on: Event) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    answer = auditor.get("/escalation/export.csv")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    may_go_on.set()
    _end()
    assert auditor.get("/escalation/export.csv").status_code == 200


def test_the_last_graph_is_shown_until_there_is_a_newer(world: World, may_go_on: Event) -> None:
    with pytest.raises(BeingCalculatedError):
        escalation_at(None)
    may_go_on.set()
    _end()
    first = escalation_at(None)
    may_go_on.clear()
    make.inline(world.of["nobody"], "own", body=body(allow("Own", "iam:PutUserPolicy")))
    revisions.note(world.production.pk, [world.of["nobody"].pk])
    assert escalation_at(None) is first
    may_go_on.set()
    deadline = time.monotonic() + 30
    while escalation_at(None) is first:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    node = escalation_at(None).graph.find(world.production.account_id, world.of["nobody"].pk)
    assert node in escalation_at(None).graph.to_administrator().any


def test_the_overview_does_not_read_the_organization_to_say_that_it_is_being_calculated(
    world: World, may_go_on: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("a page read the organization")

    with monkeypatch.context() as patched:
        patched.setattr(escalation_graph, "snapshot", read)
        patched.setattr(escalation_graph, "WAIT_SECONDS", 30)
        began = time.monotonic()
        assert escalation_graph.kept_escalation(None) is None
        assert time.monotonic() - began < 5, "nor did it wait"
    may_go_on.set()
    _end()
    first = escalation_graph.kept_escalation(None)
    assert first is not None
    make.inline(world.of["nobody"], "own", body=body(allow("Own", "iam:PutUserPolicy")))
    revisions.note(world.production.pk, [world.of["nobody"].pk])
    monkeypatch.setattr(escalation_graph, "LOOK_SECONDS", 0)
    deadline = time.monotonic() + 30
    while escalation_graph.kept_escalation(None) is first:
        assert time.monotonic() < deadline
        time.sleep(0.01)
