"""The list, one grant and what one does with it; the tab of people, roles and groups; what a viewer of a part
is not told.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.access.grants.models import Grant, GrantAct, GrantState, LedgerEntry, PermissionSort
from iam.access.grants.services.requests import record_act
from iam.mirror.models import EdgeKind, Entity, Kind
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import HTMX, Office

pytestmark = pytest.mark.django_db
LIST = "/grants/"


def give(office: Office, *names: str, state: GrantState = GrantState.ACTIVE, hours: float = 8) -> Grant:
    holders = [office.of[name] for name in names or ("tomas.lind",)]
    return made.grant(
        office.account,
        *holders,
        asked_by=office.people["asker"].person,
        state=state,
        ends_in=timedelta(hours=hours),
    )


def page_of(grant: Grant) -> str:
    return reverse("access:grant", args=[grant.pk])


def test_tabs_show_what_is_active_waits_ends_soon_and_is_over(office: Office) -> None:
    grants = {
        "active": give(office),
        "waiting": give(office, state=GrantState.WAITING),
        "ended": give(office, state=GrantState.ENDED),
        "failed": give(office, state=GrantState.FAILED),
    }
    late = give(office, hours=24 * 30)
    for tab, expected in grants.items():
        page = office.asker.get(LIST, {"tab": tab}).content.decode()
        assert expected.reference in page
        assert all(other.reference not in page for name, other in grants.items() if name != tab)
    soon = office.asker.get(LIST, {"tab": "soon"}).content.decode()
    assert grants["active"].reference in soon
    assert late.reference not in soon


def test_a_grant_that_a_blueprint_gave_was_recorded_and_requested_by_nobody(office: Office) -> None:
    grant = give(office)
    record_act(grant, act=GrantAct.ASKED, actor=None, reason="Onboarded into Analysts", number=2)
    page = office.asker.get(page_of(grant)).content.decode()
    assert "Recorded as a grant" in page
    assert "Gatehouse requested it" not in page


def test_the_list_is_found_by_text_and_account_and_pages(office: Office) -> None:
    for _ in range(51):
        give(office, "tomas.lind")
    mine = give(office, "kwame.boateng")
    page = office.asker.get(LIST, {"q": "kwame"}).content.decode()
    assert page.count('class="id ref">GRT-') == page.count(mine.reference) == 1
    assert office.asker.get(LIST, {"q": mine.reference}).content.decode().count(mine.reference) > 0
    assert "No grants match" in office.asker.get(LIST, {"q": "nobody"}).content.decode()
    first = office.asker.get(LIST)
    assert "Next" in first.content.decode()
    after = first.context["following"]
    second = office.asker.get(LIST, {"after": str(after)}).content.decode()
    assert second.count('class="id ref">GRT-') == 2
    assert office.asker.get(LIST, {"after": "nonsense"}).status_code == 200


def test_the_list_costs_as_many_queries_at_one_as_at_fifty(office: Office) -> None:
    for client in (office.asker, office.lead):
        Grant.objects.update(state=GrantState.ACTIVE)
        give(office, "maya.okafor")
        with CaptureQueriesContext(connection) as few:
            client.get(LIST, headers=HTMX)
        for _ in range(25):
            give(office, "maya.okafor", "tomas.lind")
        with CaptureQueriesContext(connection) as many:
            client.get(LIST, headers=HTMX)
        assert len(many) == len(few)


def test_each_sees_what_is_theirs(office: Office) -> None:
    mine, other = give(office, "maya.okafor"), give(office, "tomas.lind")
    for client in (office.asker, office.approver, office.auditor):
        assert client.get(page_of(other)).status_code == 200
    for client in (office.lead, office.member):
        assert client.get(page_of(mine)).status_code == 200
        assert client.get(page_of(other)).status_code == 404
        assert other.reference not in client.get(LIST).content.decode()


def test_who_sees_one_of_several_learns_how_many_the_others_are(office: Office) -> None:
    grant = give(office, "maya.okafor", "tomas.lind", "kwame.boateng")
    Grant.objects.update(title="ReadOnlyAccess for 3 people")
    for client in (office.member, office.lead):
        page = client.get(page_of(grant)).content.decode()
        assert "maya.okafor" in page
        assert "and 2 outside your teams" in page
        assert "tomas" not in page.lower()
        assert "kwame" not in page.lower()
    assert "tomas.lind" in office.auditor.get(page_of(grant)).content.decode()


def test_an_auditor_gets_no_button_that_changes_something(office: Office) -> None:
    page = office.auditor.get(page_of(give(office))).content.decode()
    for words in ("End now", "Extend", "Shorten", "Withdraw"):
        assert words not in page


def test_the_page_stops_to_ask_when_nothing_more_comes(office: Office) -> None:
    ended = office.asker.get(page_of(give(office, state=GrantState.ENDED)), headers=HTMX)
    assert ended.status_code == 286
    waiting = give(office, state=GrantState.WAITING)
    page = office.asker.get(page_of(waiting))
    version = page.context["version"]
    assert 'hx-trigger="every 5s"' in page.content.decode()
    assert office.asker.get(page_of(waiting), {"seen": version}, headers=HTMX).status_code == 204
    Grant.objects.filter(pk=waiting.pk).update(state=GrantState.APPLYING)
    assert office.asker.get(page_of(waiting), {"seen": version}, headers=HTMX).status_code == 200


def test_ending_names_what_goes_and_needs_a_reason(office: Office) -> None:
    grant = give(office)
    address = reverse("access:grant-end", args=[grant.pk])
    page = office.asker.get(address).content.decode()
    assert "tomas.lind" in page
    assert "ReadOnlyAccess" in page
    answer = office.asker.post(address, {"why": " "})
    assert answer.status_code == 422
    assert "Enter a reason." in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    grant.refresh_from_db()
    assert grant.state == GrantState.ACTIVE


@pytest.mark.parametrize(
    ("name", "form", "words"),
    [
        ("extend", {"ends": "1d", "why": ""}, "Enter a reason."),
        ("extend", {"ends": "date", "until": "2020-01-01T00:00", "why": "x"}, "already. Choose a later"),
        ("extend", {"ends": "", "why": "x"}, "Choose a duration"),
        ("shorten", {"ends": "30d", "why": "x"}, "A later end needs a new approval"),
        ("shorten", {"ends": "1h", "why": ""}, "Enter a reason."),
        ("extend", {"ends": "date", "until": "2126-01-01T00:00", "why": "x"}, "The longest duration"),
        ("shorten", {"ends": "date", "until": "2020-01-01T00:00", "why": "x"}, "This moment has passed."),
    ],
)
def test_another_end_that_makes_no_sense_is_said_and_nothing_changed(
    office: Office, name: str, form: dict[str, str], words: str
) -> None:
    grant = give(office)
    answer = office.asker.post(reverse(f"access:grant-{name}", args=[grant.pk]), form)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert "data-form-error" not in page
    after = Grant.objects.get()
    assert (after.ends_at, after.state) == (grant.ends_at, GrantState.ACTIVE)


def test_only_ends_before_the_present_one_are_offered_to_shorten(office: Office) -> None:
    grant = give(office)
    page = office.asker.get(reverse("access:grant-shorten", args=[grant.pk])).content.decode()
    assert grant.ends_at is not None
    lasts = {"1h": 1, "8h": 8, "1d": 24, "7d": 168, "30d": 720, "90d": 2160}
    left = (grant.ends_at - datetime.now(tz=UTC)).total_seconds() / 3600
    offered = set(re.findall(r'name="ends"\s+value="(\w+)"', page)) - {"date"}
    assert offered == {name for name, hours in lasts.items() if hours < left}
    assert offered


def test_acts_are_not_there_for_who_may_not(office: Office) -> None:
    grant = give(office)
    for name in ("extend", "shorten", "end"):
        address = reverse(f"access:grant-{name}", args=[grant.pk])
        for client in (office.auditor, office.lead, office.member):
            assert client.get(address).status_code == 404
            assert client.post(address, {"why": "x", "ends": "1h"}).status_code == 404
    assert Grant.objects.get().state == GrantState.ACTIVE


@pytest.mark.parametrize("name", ["extend", "shorten", "end", "retry"])
def test_a_link_to_what_can_no_longer_be_done_leads_to_the_grant(office: Office, name: str) -> None:
    grant = give(office, state=GrantState.ENDED)
    address = reverse(f"access:grant-{name}", args=[grant.pk])
    if name != "retry":
        assert office.asker.get(address).headers["Location"] == page_of(grant)
    answer = office.asker.post(address, {"why": "x", "ends": "1h"})
    assert answer.status_code == 422
    assert "data-form-error" in answer.content.decode()
    assert office.auditor.post(address, {"why": "x", "ends": "1h"}).status_code == 404


def test_who_cannot_extend_what_is_theirs_is_led_to_request_it_again(office: Office) -> None:
    grant = give(office, "maya.okafor")
    extend, again = (reverse(f"access:grant-{name}", args=[grant.pk]) for name in ("extend", "again"))
    page = office.member.get(page_of(grant)).content.decode()
    assert extend in page
    assert again not in page
    LedgerEntry.objects.filter(part__grant=grant).update(sort=PermissionSort.POLICY)
    for client, extends in ((office.member, False), (office.asker, True)):
        page = client.get(page_of(grant)).content.decode()
        assert (extend in page, again in page) == (extends, not extends)
        assert client.get(extend).status_code == (200 if extends else 302)
    assert extend not in office.member.get("/").content.decode()
    draft = office.member.post(again)
    assert draft.status_code == 302
    assert office.member.get(draft["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("lasts", "until", "step"),
    [(8 * 3600, None, "preview"), (14 * 86400, None, "what"), (0, -1, "what"), (0, 48, "preview")],
)
def test_who_requests_again_chooses_an_end_only_where_the_former_one_cannot_be(
    office: Office, lasts: int, until: int | None, step: str
) -> None:
    grant = give(office, state=GrantState.ENDED)
    at = datetime.now(tz=UTC) + timedelta(hours=until) if until else None
    grant.terms |= {"lasts": lasts, "until": at.isoformat() if at else None}
    grant.save()
    answer = office.asker.post(reverse("access:grant-again", args=[grant.pk]))
    assert answer.headers["Location"].endswith(f"/{step}/")
    page = office.asker.get(answer.headers["Location"])
    assert page.status_code == 200
    assert "The audit of the quarter" in page.content.decode()


def test_an_extension_that_waits_is_on_the_page_and_no_other_is_offered(office: Office) -> None:
    grant = give(office)
    later = datetime.now(tz=UTC) + timedelta(days=3)
    Grant.objects.filter(pk=grant.pk).update(extends_to=later)
    address = reverse("access:grant-extend", args=[grant.pk])
    page = office.asker.get(page_of(grant)).content.decode()
    assert re.search(r"Extension until\s+<time", page)
    assert address not in page
    assert office.asker.get(address).status_code == 302


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        (GrantState.WAITING, "What tomas.lind will be able to do"),
        (GrantState.ACTIVE, "What tomas.lind should be able to do"),
        (GrantState.ENDED, "What tomas.lind could do"),
        (GrantState.REJECTED, "What was requested"),
        (GrantState.WITHDRAWN, "What was requested"),
        (GrantState.EXPIRED, "What was requested"),
        (GrantState.REFUSED, "What was requested"),
    ],
)
def test_what_is_over_or_never_was_claims_no_access(office: Office, state: GrantState, heading: str) -> None:
    grant = give(office, state=state)
    page = office.asker.get(page_of(grant)).content.decode()
    (card,) = re.findall(r'id="ef-h">\s*(.*?)\s*</h2>', page, re.DOTALL)
    assert card == heading
    listed = office.asker.get(LIST).content.decode()
    assert ("Never started" in listed) is (heading == "What was requested")


def test_the_ledger_of_a_person_tells_by_hand_from_by_grant(office: Office) -> None:
    grant = give(office, "tomas.lind")
    policy = make.policy(office.account, "ByHand")
    aws = make.policy(office.account, "ReadOnlyAccess", arn=made.READ_ONLY)
    for entity in (policy, aws):
        make.edge(EdgeKind.ATTACHED, office.of["tomas.lind"], entity)
    page = office.asker.get(reverse("access:person-grants", args=[office.of["tomas.lind"].pk]))
    text = page.content.decode()
    assert grant.title in text
    assert "Not through a grant" in text
    assert f"?for={office.of['tomas.lind'].pk}" in text
    assert "?for=" not in office.auditor.get(page.wsgi_request.path).content.decode()
    assert office.lead.get(page.wsgi_request.path).status_code == 404


def test_my_access_tells_what_was_given_and_lets_me_ask_for_longer(office: Office) -> None:
    grant = give(office, "maya.okafor")
    phone = make.entity(office.account, Kind.MFA_DEVICE, "maya-phone", arn="", category="virtual")
    Entity.objects.filter(pk=phone.pk).update(owner=office.of["maya.okafor"])
    page = office.member.get("/my-access/").content.decode()
    assert grant.title in page
    assert "maya-phone" in page
    assert reverse("access:grant-extend", args=[grant.pk]) in page
    assert "Given to me" not in office.asker.get("/my-access/").content.decode()
    can = office.member.get(
        reverse("access:my-permissions", args=[office.of["maya.okafor"].pk]), headers=HTMX
    )
    assert "Nothing yet." in can.content.decode()
