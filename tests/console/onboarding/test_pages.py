"""The pages of onboarding: a file and a form are checked row by row, the live page costs the same for one and
for many, exports are safe.
"""

from __future__ import annotations

import html
import re
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.changes.models import Change
from iam.changes.services import approve
from iam.changes.states import RUN_CHANGE
from iam.directory.models import Person, Role, RuleKind, Team, TeamRule
from iam.journal.models import Entry
from iam.mirror.models import AccountFact
from iam.people.blueprints.models import Blueprint, BlueprintVersion
from iam.people.onboarding import services
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun
from iam.people.onboarding.queries import sets_of
from iam.people.runs.models import RunState
from tests import factories
from tests.console import onboarding
from tests.queue import catch

pytestmark = pytest.mark.django_db
NUMBER = "111111111111"


@pytest.fixture
def version() -> BlueprintVersion:
    """Of the team payments, which is found by a path."""
    account = factories.account(NUMBER, write_role_arn=f"arn:aws:iam::{NUMBER}:role/w")
    factories.group(account, "payments-dev")
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.PATH, value="/payments/")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    return onboarding.blueprint(account, team)


@pytest.fixture
def lead(version: BlueprintVersion) -> Client:
    """The browser of who leads it."""
    client = Client()
    client.force_login(factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=version.blueprint.team))
    return client


def headings(page: str) -> set[str]:
    """The title of the page, which is that of the browser tab too."""
    heading, tab = re.search(r"<h1>(.*?)</h1>", page, re.S), re.search(r"<title>(.*?) · ", page, re.S)
    assert heading is not None
    assert tab is not None
    return {heading[1].strip(), tab[1].strip()}


def what_above(page: str) -> str:
    """What, where and until when, as the block above a receipt says it."""
    block = page.partition('id="wt-h"')[2].partition("</ul>")[0]
    assert block, page
    return " ".join(block.split())


def upload(client: Client, version: BlueprintVersion, data: bytes) -> Any:
    file = BytesIO(data)
    file.name = "joiners.csv"
    return client.post(reverse("onboarding:people", args=[version.blueprint_id]), {"file": file})


def test_a_file_becomes_a_draft_with_its_receipt_and_every_bad_row_named(
    lead: Client, version: BlueprintVersion
) -> None:
    answer = upload(lead, version, "Name;E-mail\nZoë Adler;zoe@example.com\nBo;nowhere\n".encode("utf-16"))
    assert answer.status_code == 302
    page = lead.get(answer["Location"]).content.decode()
    assert headings(page) == {"Onboard 1 person to Payments"}, "a row that needs fixing is not counted"
    assert "zoe.adler" in page
    assert "“nowhere” isn’t a valid email address." in page
    assert "iam:CreateUser" in page

    run = OnboardingRun.objects.get()
    refused = lead.post(reverse("onboarding:run-request", args=[run.pk]), {"reason": "They begin"})
    assert refused.status_code == 422
    assert "1 of 2 rows can’t be used" in refused.content.decode()
    lead.post(reverse("onboarding:run-request", args=[run.pk]), {"reason": "They begin", "skip": "1"})
    live = lead.get(reverse("onboarding:run", args=[run.pk])).content.decode()
    assert headings(live) == headings(page)
    [listed] = lead.get(reverse("onboarding:runs")).context["runs"]
    assert {listed[1]} == headings(page) == {Change.objects.get(position=0).change_set.title}
    assert "0 of 3 changes done" in live
    assert "Waiting for approval" in live
    address = reverse("changes:request", args=[Change.objects.get(position=0).pk])
    assert f'href="{address}"' in live
    change = lead.get(address).content.decode()
    assert reverse("onboarding:run", args=[run.pk]) in change
    assert what_above(page) == what_above(change)
    assert page.index('id="wt-h"') < page.index("What this changes")


def test_while_a_request_is_being_written_nothing_of_it_counts_as_done_or_as_not_needed(
    lead: Client, version: BlueprintVersion
) -> None:
    upload(lead, version, b"Name,E-mail\nZoe Adler,zoe@example.com\n")
    OnboardingRun.objects.update(state=RunState.SUBMITTING)
    page = lead.get(reverse("onboarding:run", args=[OnboardingRun.objects.get().pk])).content.decode()
    assert "0 changes requested so far" in page
    assert "Not requested yet" in page
    for claim in ("0 of 0", "No changes needed"):
        assert claim not in page


def test_of_more_than_a_run_takes_it_says_how_many_they_are(
    lead: Client, version: BlueprintVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_PEOPLE", 2)
    rows = "".join(f"Zoë Adler {number},zoe{number}@example.com\n" for number in "abcd")
    draft = upload(lead, version, f"Name,E-mail\n{rows}".encode())["Location"]
    page = lead.get(draft).content.decode()
    assert "These are 4 people, and one run takes up to 2." in page


@pytest.mark.parametrize(
    ("more", "names"),
    [
        (("Letzter Tag",), "the column “Letzter Tag”"),
        (("Manager", "Exit"), "the columns “Manager” and “Exit”"),
        (("A", "B", "C", "D", "E"), "the columns “A”, “B”, “C” and 2 more"),
        (("Last day",), ""),
        (("", " "), ""),
    ],
)
@pytest.mark.parametrize("is_pasted", [False, True])
def test_columns_that_are_not_used_are_named(
    lead: Client, version: BlueprintVersion, more: tuple[str, ...], names: str, is_pasted: bool
) -> None:
    """A last day under an unknown name would otherwise be lost, and access would have no end."""
    head, row = ("Name", "Email", *more), ("Ada Adler", "ada@example.com", *("" for _ in more))
    sheet = "\n".join(("\t".join(head), "\t".join(row), ""))
    if is_pasted:
        address = reverse("onboarding:people", args=[version.blueprint_id])
        draft = lead.post(address, {"pasted": sheet})["Location"]
    else:
        draft = upload(lead, version, sheet.encode())["Location"]
    page = " ".join(lead.get(draft).content.decode().split())
    later = " ".join(lead.get(draft).content.decode().split())
    assert ("It doesn’t use" in page) is bool(names)
    assert (f"without {names}." in later) is bool(names), "it is there later as well"


def test_rows_of_the_form_are_checked_alike_and_more_can_be_had(
    lead: Client, version: BlueprintVersion
) -> None:
    address = reverse("onboarding:people", args=[version.blueprint_id])
    more = lead.post(address, {"rows": "5", "r0-name": "Ada Adler", "do": "more"}).content.decode()
    assert 'name="r9-name"' in more
    assert 'value="Ada Adler"' in more
    assert lead.post(address, {"rows": "5"}).status_code == 422
    lead.post(address, {"rows": "5", "r3-name": "Ada Adler", "r3-email": "ada@example.com"})
    assert OnboardedPerson.objects.get().user_name == "ada.adler"


def test_a_file_that_is_none_or_too_large_is_refused_in_words(
    lead: Client, version: BlueprintVersion
) -> None:
    refused = upload(lead, version, b"PK\x03\x04").content.decode()
    assert "workbook" in refused
    assert 'name="r4-name"' in refused, "the rows to be typed stand there all the same"
    address = reverse("onboarding:people", args=[version.blueprint_id])
    huge = lead.generic(
        "POST", address, b"x", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="1073741824"
    )
    assert huge.status_code == 413
    assert huge["Connection"] == "close"
    assert not OnboardingRun.objects.exists()


def test_the_live_page_costs_the_same_for_one_and_for_many_and_stops_to_ask(
    lead: Client, version: BlueprintVersion
) -> None:
    account, author = factories.Account.objects.get(), factories.person("Ines Duarte")
    counts = []
    for count in (1, 25):
        run = onboarding.asked(version, author, account, count=count)
        address = reverse("onboarding:run", args=[run.pk])
        lead.get(address)
        with CaptureQueriesContext(connection) as queries:
            page = lead.get(address).content.decode()
        assert page.count("<summary>") >= count
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert "Waiting for the person" in page
    asked = lead.get(f"{address}?n=61", headers={"HX-Request": "true"})
    assert asked.status_code == 286


def test_an_export_holds_no_formula_and_is_in_the_journal(lead: Client, version: BlueprintVersion) -> None:
    run = onboarding.asked(version, factories.person("Ines Duarte"), factories.Account.objects.get())
    run.people.update(name="=HYPERLINK(1)")
    answer = lead.get(reverse("onboarding:run-export", args=[run.pk, "csv"]))
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=HYPERLINK(1)" in text
    assert "\n=" not in text
    assert Entry.objects.filter(kind="onboarding.export").exists()


def test_a_blueprint_is_written_in_the_form_and_its_next_version_says_what_differs(
    lead: Client, version: BlueprintVersion
) -> None:
    form_data = {
        "team": "payments",
        "name": "Contractors",
        "accounts": NUMBER,
        "path": "/payments/",
        "groups": "payments-dev",
    }
    form_data |= {"naming": "flast", "stay": "90", "password": "1", "mfa": "1", "tags": "Kind = contractor"}
    made = lead.post(reverse("onboarding:blueprint-new"), form_data)
    assert made.status_code == 302
    blueprint = Blueprint.objects.get(name="Contractors")
    edit = reverse("onboarding:blueprint-edit", args=[blueprint.pk])
    seen = lead.post(edit, form_data | {"stay": "30", "base": "1", "do": "refresh"}).content.decode()
    assert "At most 90 days" in seen
    assert "At most 30 days" in seen
    assert lead.post(edit, form_data | {"stay": "30", "base": "1"}).status_code == 302
    blueprint.refresh_from_db()
    assert blueprint.current == 2
    assert (
        "as things are" not in lead.get(reverse("onboarding:blueprint", args=[blueprint.pk])).content.decode()
    )
    lead.post(edit, form_data | {"groups": "payments-dev, nonesuch", "stay": "30", "base": "2"})
    page = lead.get(reverse("onboarding:blueprint", args=[blueprint.pk])).content.decode()
    assert "has no group “nonesuch” of your teams, as of the last sync" in page
    wrong = lead.post(edit, form_data | {"tags": "no sign", "base": "3"})
    assert "key = value" in wrong.content.decode()


def test_among_hundreds_one_is_found_by_name_and_those_of_whom_something_failed(
    lead: Client, version: BlueprintVersion
) -> None:
    account = factories.Account.objects.get()
    run = onboarding.asked(version, factories.person("Ines Duarte"), account, count=30)
    Change.objects.filter(lane=28, branch=2).update(state="failed", error_message="AWS said no.")
    address = reverse("onboarding:run", args=[run.pk])
    assert "Yuki Tanaka 28" not in lead.get(address).content.decode()

    page = lead.get(address, {"q": "yuki.tanaka27"}).content.decode()
    assert ("Yuki Tanaka 27" in page, "Yuki Tanaka 3<" in page) == (True, False)
    failed = lead.get(address, {"show": "failed"}).content.decode()
    assert ("Yuki Tanaka 28" in failed, "Yuki Tanaka 27" in failed) == (True, False)
    assert "AWS said no." in failed
    assert "No one in this run matches" in lead.get(address, {"q": "nobody"}).content.decode()


def test_asking_and_agreeing_ask_the_database_as_often_for_a_few_as_for_many(
    version: BlueprintVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch(monkeypatch, RUN_CHANGE, lambda *_, **__: True)
    monkeypatch.setattr(services, "MAX_PLANNED_AT_ONCE", 100)
    asker = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    approvers = [factories.viewer(Role.APPROVER, name=name) for name in ("Hana Sato", "Jonas Berg")]

    def cost(count: int) -> int:
        run = onboarding.draft(version, Person.objects.get(pk=asker.person_id), count=count)
        for newcomer in run.people.all():
            OnboardedPerson.objects.filter(pk=newcomer.pk).update(
                user_name=f"{newcomer.user_name}-of-{count}"
            )
        with CaptureQueriesContext(connection) as queries:
            services.request_run(asker, run=run, reason="They begin")
            (group,) = sets_of(run)
            first = group.changes.order_by("position")[0]
            for person in approvers:
                approve(first, actor=person, seen_digest=group.receipt_digest)
                first.refresh_from_db()
        assert set(group.changes.values_list("state", flat=True)) == {"queued"}
        return len(queries)

    cost(2)
    # SQLite takes so many values at once, and the rows of many are some more statements.
    assert cost(30) - cost(3) < 20


def test_bad_rows_are_corrected_in_the_table_and_nothing_else_is_lost(
    lead: Client, version: BlueprintVersion
) -> None:
    text = (
        "Name,Email,User name,Last day\nZoë "
        "Adler,zoe@example.com,,\nBo,nowhere,bö,31/12/26\nMia,mia@example.com,,\n"
    )
    lead.post(upload(lead, version, text.encode())["Location"])
    run = OnboardingRun.objects.get()
    address = reverse("onboarding:run", args=[run.pk])
    bad = run.people.get(position=1)
    page = lead.get(address).content.decode()
    for name, value in (("name", "Bo"), ("email", "nowhere"), ("user_name", "bö"), ("until", "31/12/26")):
        assert f'name="p{bad.pk}-{name}"' in page
        assert f'value="{value}"' in page
    for name in ("email", "user_name", "until"):
        assert f'aria-describedby="p{bad.pk}-{name}-e"' in page, "each error is at its cell"
    assert f'id="p{bad.pk}-name-e"' not in page
    # A phone leaves out the cells of this class.
    assert not re.search(rf'<td class="p2">\s*<div class="field">\s*<input[^>]*name="p{bad.pk}-', page)

    rows = reverse("onboarding:run-rows", args=[run.pk])
    fields = {"reason": "They begin on Monday", "skip": "1"}
    first = fields | {
        f"p{bad.pk}-{name}": text
        for name, text in (
            ("name", "Bo Berg"),
            ("email", "bo@example.com"),
            ("user_name", "bö"),
            ("until", ""),
        )
    }
    page = lead.post(rows, first).content.decode()
    assert "They begin on Monday" in page
    bad = run.people.get(position=1)
    assert (bad.standing, bad.name, bad.typed_name, list(bad.wrong)) == (
        "bad",
        "Bo Berg",
        "bö",
        ["user_name"],
    )
    lead.post(
        rows, {f"p{bad.pk}-name": "Bo Berg", f"p{bad.pk}-email": "bo@example.com", f"p{bad.pk}-user_name": ""}
    )
    assert list(run.people.values_list("name", "user_name", "standing")) == [
        ("Zoë Adler", "zoe.adler", "ready"),
        ("Bo Berg", "bo.berg", "ready"),
        ("Mia", "mia", "ready"),
    ]
    ready = run.people.get(position=2)
    assert f'name="p{ready.pk}-name"' not in lead.get(address).content.decode()
    assert f'name="p{ready.pk}-name"' in lead.get(f"{address}?edit={ready.pk}").content.decode()
    lead.post(rows, {f"p{ready.pk}-name": "", f"p{ready.pk}-email": ""})
    assert run.people.count() == 2, "a row that was emptied is removed"
    assert lead.get(rows)["Location"] == address


def test_a_table_of_three_hundred_people_is_pasted_and_back_keeps_it(
    lead: Client, version: BlueprintVersion
) -> None:
    address = reverse("onboarding:people", args=[version.blueprint_id])
    table = "\n".join(f"Person {at}\tp{at}@example.com" for at in range(300))
    answer = lead.post(
        address, {"pasted": table, "rows": "5", "r0-name": "Ada Adler", "r0-email": "ada@example.com"}
    )
    run = OnboardingRun.objects.get()
    assert answer["Location"] == reverse("onboarding:run", args=[run.pk])
    assert run.people.count() == 301, "the rows above the table count as well"
    page = lead.get(answer["Location"]).content.decode()
    assert "Onboard 301 people to Payments" in page
    back = f"{address}?draft={run.pk}"
    assert back in page
    kept = lead.get(back).content.decode()
    assert "Person 299\tp299@example.com" in kept
    assert "Ada Adler\tada@example.com" in kept
    lead.post(
        address, {"draft": str(run.pk), "rows": "5", "r1-name": "Bo Berg", "r1-email": "bo@example.com"}
    )
    assert list(run.people.values_list("name", flat=True)) == ["Bo Berg"], "the same draft"
    assert 'value="Bo Berg"' in lead.get(back).content.decode()


def test_what_cannot_be_read_is_told_at_its_field_and_everything_typed_stays(
    lead: Client, version: BlueprintVersion
) -> None:
    address = reverse("onboarding:people", args=[version.blueprint_id])
    file = BytesIO(b"PK\x03\x04")
    file.name = "joiners.xlsx"
    sent = {"file": file, "pasted": "Bo Berg\tbo@example.com", "rows": "5", "r0-name": "Ada Adler"}
    page = lead.post(address, sent)
    assert page.status_code == 422
    text = page.content.decode()
    assert 'id="file-error"' in text
    assert "Bo Berg\tbo@example.com" in text
    assert 'value="Ada Adler"' in text
    assert not OnboardingRun.objects.exists()


def test_the_sample_file_can_be_uploaded_as_it_is(lead: Client, version: BlueprintVersion) -> None:
    address = reverse("onboarding:people", args=[version.blueprint_id])
    sample = reverse("onboarding:sample-file")
    assert sample in lead.get(address).content.decode()
    data = lead.get(sample)
    assert "attachment" in data["Content-Disposition"]
    upload(lead, version, data.content)
    assert set(OnboardingRun.objects.get().people.values_list("standing", flat=True)) == {"ready"}


def test_a_blueprint_that_locks_people_out_offers_the_fix(lead: Client, version: BlueprintVersion) -> None:
    AccountFact.objects.filter(name="password_policy").update(value=None)
    address = reverse("onboarding:blueprint", args=[version.blueprint_id])
    page = lead.get(address).content.decode()
    assert "New people can’t change their first password" in page
    draft = upload(lead, version, b"Name,Email\nZoe Adler,zoe@example.com\n")["Location"]
    assert "can’t change their first password" in html.unescape(lead.get(draft).content.decode())
    refused = lead.post(f"{draft}ask/", {"reason": "They begin"})
    assert refused.status_code == 422
    assert address in refused.content.decode()

    assert (
        lead.post(reverse("onboarding:blueprint-own-password", args=[version.blueprint_id]))["Location"]
        == address
    )
    assert "New people can’t change their first password" not in lead.get(address).content.decode()
    assert Blueprint.objects.get().current == 2


def test_a_missing_reason_is_told_at_its_field(lead: Client, version: BlueprintVersion) -> None:
    draft = upload(lead, version, b"Name,Email\nZoe Adler,zoe@example.com\n")["Location"]
    refused = lead.post(f"{draft}ask/", {"reason": " "})
    assert refused.status_code == 422
    assert 'id="reason-error"' in refused.content.decode()
