"""The first step of the wizard: whom one finds, chooses, pastes and drops, and what is kept."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.access.drafts.models import GrantDraft
from iam.access.grants.models import Grant
from iam.linking.models import UserMatch
from tests import factories as make
from tests.console.access.grants.conftest import HTMX, NUMBER, Office, at

pytestmark = pytest.mark.django_db


def body() -> dict[str, object]:
    return GrantDraft.objects.get().body


def test_a_new_grant_gets_a_link_of_its_own_and_writes_nothing(office: Office) -> None:
    answer = office.asker.get(reverse("access:grant-new"), {"for": office.of["maya.okafor"].pk})
    assert answer.status_code == 302
    page = office.asker.get(answer["Location"])
    assert page.status_code == 200
    assert f'name="keep" value="{office.arn("maya.okafor")}"' in page.content.decode()
    assert not GrantDraft.objects.exists()


def test_ticking_keeps_who_was_chosen_on_other_pages_of_the_list(office: Office) -> None:
    pk = uuid4()
    maya, tomas, kwame = (office.arn(n) for n in ("maya.okafor", "tomas.lind", "kwame.boateng"))
    office.asker.post(at("who", pk), {"kind": "users", "pick": [maya, tomas], "shown": [maya, tomas]})
    assert body()["who"] == {"users": {"arns": [maya, tomas]}}
    form = {"kind": "users", "keep": [maya, tomas], "shown": [tomas, kwame], "pick": [kwame], "q": "x"}
    answer = office.asker.post(at("who", pk), form)
    assert answer["Location"].endswith("?kind=users&q=x")
    assert body()["who"] == {"users": {"arns": [maya, kwame]}}
    office.asker.post(at("who", pk), {"kind": "users", "keep": [maya, kwame], "drop": kwame})
    assert body()["who"] == {"users": {"arns": [maya]}}


def test_each_kind_keeps_what_was_chosen_in_it(office: Office) -> None:
    pk = uuid4()
    office.asker.post(at("who", pk), {"kind": "users", "pick": office.arn("maya.okafor")})
    office.asker.post(at("who", pk), {"kind": "role", "pick": office.arn("app")})
    page = office.asker.get(at("who", pk), {"kind": "users"}).content.decode()
    assert f'name="keep" value="{office.arn("maya.okafor")}"' in page
    assert body()["kind"] == "role"


def test_of_a_pasted_list_the_unknown_are_named_and_the_others_chosen(office: Office) -> None:
    pk = uuid4()
    form = {"kind": "users", "names": "Maya Okafor\nghost\nkwame.boateng", "do": "paste"}
    answer = office.asker.post(at("who", pk), form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "No one matches ghost." in page
    assert ">ghost</textarea>" in page
    chosen = {"users": {"arns": [office.arn("maya.okafor"), office.arn("kwame.boateng")]}}
    assert body()["who"] == chosen

    # The wrong name stays in the box, and stands in nobody's way: they were told of it.
    kept = {"kind": "users", "keep": chosen["users"]["arns"], "names": "ghost", "told": "ghost", "do": "next"}
    answer = office.asker.post(at("who", pk), kept, follow=True)
    assert answer.redirect_chain[-1][0] == at("what", pk)
    assert "Left out: ghost." in answer.content.decode()
    assert body()["who"] == chosen


def test_a_wrong_name_of_which_nobody_was_told_is_shown_first(office: Office) -> None:
    pk = uuid4()
    form = {"kind": "users", "names": "maya.okafor\nghost", "told": "other", "do": "next"}
    answer = office.asker.post(at("who", pk), form)
    assert answer.status_code == 422
    assert 'name="told" value="ghost"' in answer.content.decode()


def test_whoever_an_email_tag_names_is_shown_with_what_that_rests_on_and_selected_by_hand(
    office: Office,
) -> None:
    pk, maya = uuid4(), office.of["maya.okafor"]
    UserMatch.objects.create(
        user=maya,
        account=maya.account,
        login="maya.okafor",
        address="mo@example.com",
        words="tag email: mo@example.com",
        how="tag",
    )
    form = {"kind": "users", "names": "MO@example.com", "do": "paste"}
    page = office.asker.post(at("who", pk), form).content.decode()
    assert "Tag email: mo@example.com" in page
    assert "Select who is meant by this name: MO@example.com" in page
    assert "MO@example.com matches only by a tag in AWS or by a name rule. Check it" in page
    assert body()["who"] == {"users": {"arns": []}}
    answer = office.asker.post(at("who", pk), form | {"pick": maya.arn, "shown": maya.arn, "do": "next"})
    assert answer["Location"] == at("what", pk)
    assert body()["who"] == {"users": {"arns": [maya.arn]}}


def test_three_hundred_names_are_taken_and_a_longer_list_says_what_is_left(office: Office) -> None:
    account = office.of["maya.okafor"].account
    logins = [f"joiner{number:04}" for number in range(1_050)]
    arns = [make.user(account, login).arn for login in logins[:300]]
    pk = uuid4()
    answer = office.asker.post(
        at("who", pk), {"kind": "users", "names": "\t".join(logins[:300]), "do": "paste"}
    )
    assert answer.status_code == 302 or answer.status_code == 200
    assert body()["who"] == {"users": {"arns": arns}}
    answer = office.asker.post(at("who", pk), {"kind": "users", "names": "\n".join(logins), "do": "paste"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The list has more than 1,000 names. The last 50 are still in the box: add them next." in page
    assert "joiner1049" in page


def test_a_list_that_is_not_taken_yet_is_kept_while_one_searches(office: Office) -> None:
    form = {"kind": "users", "names": "Maya Ok", "q": "kwame"}
    for answer in (
        office.asker.post(at("who"), form | {"do": "find"}),
        office.asker.post(at("who"), form, headers=HTMX),
    ):
        assert answer.status_code == 200
        assert ">Maya Ok</textarea>" in answer.content.decode()


def test_going_on_needs_somebody(office: Office) -> None:
    answer = office.asker.post(at("who"), {"kind": "users", "do": "next"})
    assert answer.status_code == 422
    assert "Choose who gets access." in answer.content.decode()
    pk = uuid4()
    answer = office.asker.post(
        at("who", pk), {"kind": "users", "pick": office.arn("maya.okafor"), "do": "next"}
    )
    assert answer["Location"] == at("what", pk)


def test_a_partner_gets_an_external_id_that_nobody_chooses(office: Office) -> None:
    pk = uuid4()
    form = {
        "kind": "partner",
        "label": "Brightwater Audit",
        "account_id": "3390-1127 6654",
        "principal": "role/reader",
        "external_id": "mine",
        "accounts-shown": "1",
        "accounts": [NUMBER, "999999999999"],
    }
    answer = office.asker.post(at("who", pk), form | {"do": "next"})
    assert answer["Location"] == at("what", pk)
    partner = body()["who"]["partner"]  # type: ignore[index]
    assert partner["external_id"].startswith("gh-brightwater-audit-")
    assert partner["principal"] == "arn:aws:iam::339011276654:role/reader"
    assert body()["accounts"] == [NUMBER]
    first = partner["external_id"]
    office.asker.post(at("who", pk), form)
    assert body()["who"]["partner"]["external_id"] == first  # type: ignore[index]
    page = office.asker.get(at("who", pk)).content.decode()
    assert f'data-copy="{first}"' in page


def test_a_partner_keeps_the_external_id_of_an_earlier_grant(office: Office) -> None:
    form = {"kind": "partner", "label": "Brightwater", "account_id": "339011276654"}
    terms = {"who": {"kind": "partner", "external_id": "gh-brightwater-1", **form}}
    Grant.objects.create(
        title="x",
        who_kind="partner",
        what_kind="managed",
        terms=terms,
        idempotency_key="x",
        requested_by=office.people["asker"].person_id,
    )
    office.asker.post(at("who"), form)
    assert body()["who"]["partner"]["external_id"] == "gh-brightwater-1"  # type: ignore[index]
    GrantDraft.objects.all().delete()
    office.asker.post(at("who"), form | {"account_id": "339011276655"})
    assert body()["who"]["partner"]["external_id"] != "gh-brightwater-1"  # type: ignore[index]


def test_one_press_chooses_a_person_in_every_account_or_all_accounts(office: Office) -> None:
    for number in ("222222222222", "333333333333"):
        there = make.account(number, name=number, write_role_arn=f"arn:aws:iam::{number}:role/w")
        make.user(there, "maya.okafor")
    pk = uuid4()
    office.asker.post(at("who", pk), {"kind": "users", "keep": office.arn("maya.okafor"), "do": "everywhere"})
    arns = body()["who"]["users"]["arns"]  # type: ignore[index]
    assert [arn.split(":")[4] for arn in arns] == [NUMBER, "222222222222", "333333333333"]
    office.asker.post(at("who", pk), {"kind": "team", "accounts-shown": "1", "do": "all-accounts"})
    assert sorted(body()["accounts"]) == [NUMBER, "222222222222", "333333333333"]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"kind": "account", "account_id": "12"}, "Enter the 12-digit account ID"),
        ({"kind": "account", "account_id": NUMBER, "principal": "*"}, "without wildcards"),
        ({"kind": "partner", "account_id": "339011276654"}, "external ID"),
        ({"kind": "federated", "subject": "*"}, "Choose the identity provider"),
        ({"kind": "team"}, "Choose the team"),
        ({"kind": "account", "account_id": "339011276654"}, "Select at least one account"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_lost(
    office: Office, form: dict[str, str], words: str
) -> None:
    answer = office.asker.post(at("who"), form | {"do": "next"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert form.get("account_id", "") in page


def test_a_lead_finds_and_chooses_people_of_the_team_only(office: Office) -> None:
    page = office.lead.get(at("who")).content.decode()
    assert "maya.okafor" in page
    assert "tomas.lind" not in page
    assert "A partner" not in page
    office.lead.post(at("who"), {"kind": "users", "pick": office.arn("tomas.lind")})
    assert body()["who"] == {"users": {"arns": []}}


def test_the_draft_of_somebody_else_is_not_there(office: Office) -> None:
    pk = office.draft(kind="users")
    for client in (office.approver, office.lead, office.member, office.auditor, Client()):
        answer = client.get(at("who", pk))
        assert answer.status_code in (302, 404)
        assert client.post(at("who", pk), {"kind": "role"}).status_code in (302, 404)
    assert body() == {"kind": "users"}


def test_typing_answers_the_choice_alone(office: Office) -> None:
    answer = office.asker.post(at("who"), {"kind": "users", "q": "maya"}, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert "maya.okafor" in page
    assert "kwame.boateng" not in page


def test_the_list_costs_as_many_queries_at_one_as_at_fifty(office: Office) -> None:
    address = at("who")
    with CaptureQueriesContext(connection) as few:
        office.asker.get(address, {"q": "maya"})
    for number in range(50):
        make.user(office.account, f"n{number:02d}")
    with CaptureQueriesContext(connection) as many:
        office.asker.get(address)
    assert len(many) == len(few)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "'; --", "%", "\u202e", "x" * 3000])
def test_hostile_words_are_shown_as_words(office: Office, text: str) -> None:
    answer = office.asker.post(at("who"), {"kind": text, "q": text, "names": text, "keep": text})
    assert answer.status_code in (200, 422)
    assert "<script>alert" not in answer.content.decode()


def test_discarding_forgets_the_draft(office: Office) -> None:
    pk = office.draft(kind="users")
    assert office.approver.post(at("discard", pk)).status_code == 404
    answer = office.asker.post(at("discard", pk))
    assert answer["Location"] == reverse("access:grants")
    assert not GrantDraft.objects.exists()


def test_whatever_asks_for_the_list_takes_the_place_of_what_asked_before(office: Office) -> None:
    """Else a search that answers late brings the list back as it was before somebody was ticked."""
    page = office.asker.get(at("who")).content.decode()
    asking = re.findall(r"<[^>]*hx-target=\"#choice\"[^>]*>", page)
    assert len(asking) >= 2
    assert all('hx-sync="closest form:replace"' in url for url in asking)
