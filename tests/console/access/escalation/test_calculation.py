"""A worker calculates escalation and keeps it; pages only read, say that it is being calculated, then show
the last until there is a newer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.html import escape

from iam.access import escalation_graph
from iam.access.escalation_calculation import calculation, search
from iam.access.escalation_calculation.calculation import calculate_due
from iam.access.escalation_calculation.models import (
    EscalationCalculation,
    EscalationFinding,
    EscalationQuestion,
)
from iam.access.escalation_calculation.tasks import calculate_escalation
from iam.directory.models import Role
from iam.mirror.pull import revisions
from iam.policy.escalation.graph import EscalationGraph
from iam.policy.escalation.path_builder import PathBuilder
from tests import factories as make
from tests.console.access.escalation.conftest import SignIn, World, allow, body

pytestmark = pytest.mark.django_db
PAGES = ("/escalation/", "/escalation/?view=principals", "/escalation/?show=there")
REACH = "/access/who-can/reach/?action=s3:GetObject&resource=*"


@pytest.fixture(autouse=True)
def _what_is_read_is_calculated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here nothing is calculated before a test says so, and then without a pause."""
    monkeypatch.setattr(calculation, "MAX_PAUSE", timedelta(0))


def write(world: World, name: str = "nobody") -> None:
    """Somebody may now give themselves everything."""
    make.inline(world.of[name], "own", body=body(allow("Own", "iam:PutUserPolicy")))
    revisions.note_written(world.of[name].account_id, [world.of[name].pk])


@pytest.mark.parametrize("address", [*PAGES, REACH])
def test_a_page_says_that_it_is_calculated_and_asks_again(
    world: World, sign_in: SignIn, address: str
) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    page = auditor.get(address).content.decode()
    assert "Calculating who can become administrator" in page
    assert 'hx-get="/escalation/ready/' in page
    assert f'href="{escape(address)}"' in page, "the same page again"
    assert "No one can become" not in page
    assert "already administrators" not in page
    waiting = auditor.get("/escalation/ready/")
    assert (waiting.status_code, waiting.headers.get("HX-Refresh")) == (204, None)
    calculate_escalation()
    ready = auditor.get("/escalation/ready/")
    assert (ready.status_code, ready.headers.get("HX-Refresh")) == (204, "true")
    # What takes the graph to answer is asked for by the page, and answered next.
    auditor.get(address)
    calculate_escalation()
    assert "Calculating" not in auditor.get(address).content.decode()


def test_a_file_says_when_to_ask_again(world: World, sign_in: SignIn) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    answer = auditor.get("/escalation/export.csv")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    calculate_due()
    assert auditor.get("/escalation/export.csv").status_code == 200


def test_the_overview_says_unknown_and_neither_zero_nor_nothing(world: World, sign_in: SignIn) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    for address in ("/", "/overview/escalation/"):
        page = auditor.get(address).content.decode()
        line = page[page.index("Can become administrator") :][:600]
        assert "Unknown" in line
        assert "Not calculated yet." in line
    calculate_due()
    assert "can become administrator: 3 confirmed, 1 conditional" in auditor.get("/").content.decode()


def test_the_last_calculation_is_shown_with_its_time_until_there_is_a_newer(
    world: World, sign_in: SignIn
) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    then = (datetime.now(tz=UTC) - timedelta(minutes=17)).replace(microsecond=0)
    with time_machine.travel(then, tick=False):
        calculate_due()
    shown = then.isoformat().replace("+00:00", "Z")
    write(world)
    page = auditor.get("/escalation/?view=principals").content.decode()
    assert ">nobody<" not in page
    assert f'Calculated <time datetime="{shown}"' in page
    calculate_due()
    page = auditor.get("/escalation/?view=principals").content.decode()
    assert ">nobody<" in page
    assert shown not in page


def test_a_past_moment_is_calculated_when_somebody_asks_and_few_are_kept(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calculation, "PAST_KEPT", 2)
    auditor: Client = sign_in(Role.AUDITOR)
    calculate_due()
    for day in (1, 2, 3):
        address = f"/escalation/?view=principals&as-of=2026-01-0{day}T00:00:00"
        assert "Calculating" in auditor.get(address).content.decode()
        ready = f"/escalation/ready/?as-of=2026-01-0{day}T00:00:00"
        assert auditor.get(ready).headers.get("HX-Refresh") is None
        calculate_due()
        assert auditor.get(ready).headers.get("HX-Refresh") == "true"
        assert "Calculating" not in auditor.get(address).content.decode()
    assert EscalationCalculation.objects.exclude(moment="").count() == 2
    assert EscalationCalculation.objects.filter(moment="").exists()
    moments = EscalationFinding.objects.values_list("calculation", flat=True).distinct()
    assert set(moments) <= set(EscalationCalculation.objects.values_list("moment", flat=True))


def test_no_page_calculates(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    dana, role = world.of["dana.wirth"].pk, world.of["pay-admin"].pk
    calculate_due()
    pages = [
        *PAGES,
        REACH,
        "/",
        "/overview/escalation/",
        "/escalation/export.csv",
        "/escalation/export.json?to=pay-admin",
        "/escalation/?to=pay-admin",
        "/escalation/?from=dana.wirth&to=pay-admin",
        f"/escalation/{dana}/",
        f"/escalation/{dana}/closing/",
        f"/escalation/{world.of['nobody'].pk}/",
        *(
            f"/escalation/opening/{key}/"
            for key in set(EscalationFinding.objects.values_list("opener", flat=True))
            if key
        ),
        f"/people/{dana}/",
        f"/people/{dana}/access/",
        f"/roles/{role}/",
        "/services/",
        "/mfa/",
    ]

    def calculate(*_: object, **__: object) -> None:
        raise AssertionError("a page calculates")

    def look() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(EscalationGraph, "__init__", calculate)
            patched.setattr(PathBuilder, "build", calculate)
            patched.setattr(escalation_graph, "escalation_at", calculate)
            patched.setattr(calculation, "calculate_due", calculate)
            for page in pages:
                answer = auditor.get(page)
                assert answer.status_code in (200, 204, 503), (page, answer.status_code)

    look()
    asked = EscalationQuestion.objects.count()
    assert asked >= 5
    calculate_due()
    assert EscalationQuestion.objects.filter(number=0).count() == 0
    look()
    assert EscalationQuestion.objects.count() == asked, "what is answered is not asked again"
    page = unescape(auditor.get(f"/escalation/{dana}/").content.decode())
    assert "Without this statement, dana.wirth can’t become administrator" in page


def test_what_closes_every_path_is_looked_for_by_a_worker(world: World, sign_in: SignIn) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    dana = world.of["dana.wirth"].pk
    calculate_due()
    page = unescape(auditor.get(f"/escalation/{dana}/").content.decode())
    assert "Looking for what closes every path of dana.wirth" in page
    assert f'hx-get="/escalation/{dana}/closing/"' in page
    assert "Removing statements can’t close" not in page, "it is not known yet"
    assert auditor.get(f"/escalation/{dana}/closing/").status_code == 204
    calculate_due()
    part = unescape(auditor.get(f"/escalation/{dana}/closing/").content.decode())
    assert "Without this statement, dana.wirth can’t become administrator" in part


def test_what_else_a_group_needs_is_looked_for_by_a_worker(world: World, sign_in: SignIn) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    calculate_due()
    key = EscalationFinding.objects.get(arn__endswith="dana.wirth").opener
    page = unescape(auditor.get(f"/escalation/opening/{key}/").content.decode())
    assert "Looking for other paths of these principals" in page
    assert "no other path" not in page
    (question,) = EscalationQuestion.objects.all()
    ready = f"/escalation/ready/?question={question.key}"
    assert ready in page
    assert auditor.get(ready).headers.get("HX-Refresh") is None
    calculate_due()
    assert auditor.get(ready).headers.get("HX-Refresh") == "true"
    page = unescape(auditor.get(f"/escalation/opening/{key}/").content.decode())
    assert "It has no other path: after this, it can’t become administrator." in page


def test_an_answer_that_fails_stops_no_other_and_is_not_tried_without_end(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor: Client = sign_in(Role.AUDITOR)
    calculate_due()
    auditor.get(f"/escalation/{world.of['dana.wirth'].pk}/")
    auditor.get("/escalation/?to=pay-admin")
    answer = search.answer

    def fail(known: Any, at: Any, asks: Any) -> Any:
        if asks["question"] == "path":
            raise ValueError
        return answer(known, at, asks)

    with monkeypatch.context() as patched:
        patched.setattr(search, "answer", fail)
        assert calculate_due() == 2
        assert calculate_due() == 0
    assert EscalationQuestion.objects.filter(has_failed=True).count() == 1
    assert "can become pay-admin" in auditor.get("/escalation/?to=pay-admin").content.decode()
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(minutes=2)):
        auditor.get(f"/escalation/{world.of['dana.wirth'].pk}/")
        calculate_due()
    assert not EscalationQuestion.objects.filter(has_failed=True).exists()


def test_without_accounts_there_is_nothing_to_wait_for(db: None, sign_in: SignIn) -> None:
    page = sign_in(Role.AUDITOR).get("/escalation/").content.decode()
    assert "No account is connected" in page
    assert "Calculating" not in page
