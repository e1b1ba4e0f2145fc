"""The page "Compare access" and its files: what they show, whom they are for, and hostile input."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import EdgeKind
from iam.mirror.snapshot import forget
from tests import factories as make
from tests.console.access.compare.conftest import BEFORE, LATER, NUMBER, World, as_text
from tests.console.access.simulate.conftest import say
from tests.console.access.who_can.conftest import SignIn

pytestmark = pytest.mark.django_db
URL = "/access/compare/"
THEN = {"a-at": as_text(BEFORE)}


def get(client: Client, status: int = 200, **query: Any) -> str:
    response = client.get(f"{URL}?{urlencode(query)}")
    assert response.status_code == status, response.status_code
    return response.content.decode()


def facts(page: str) -> dict[str, str]:
    matches = re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", page, re.DOTALL)
    return {name: " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split()) for name, text in matches}


def services(page: str) -> list[tuple[str, str]]:
    """(service, what differs) of each row of the table."""
    rows = re.findall(
        r"<tr><td><strong>(.*?)</strong>.*?<td><span class=\"row tight\">(.*?)</span></td>", page, re.DOTALL
    )
    plain = [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in rows]
    return [(row[0], row[1]) for row in plain]


def errors(page: str) -> list[str]:
    matches = re.findall(r'<span class="error" id="[^"]*">.*?</svg>(.*?)</span>', page, re.DOTALL)
    return [unescape(text) for text in matches]


def test_two_moments_of_one_are_held_against_each_other(world: World, auditor: Client) -> None:
    page = get(auditor, a=world.of["kwame"].pk, **THEN)
    assert facts(page) == {
        "Only on the right": "+3 actions",
        "Only on the left": "−1 action",
        "On both sides": "1 action",
        "Wider on the right": "1",
        "Risky actions": "0 left, 1 right",
    }
    assert services(page) == [
        ("Amazon S3", "−1 1 wider"),
        ("AWS Identity and Access Management (IAM)", "+1"),
        ("AWS Lambda", "+2"),
    ]
    assert f'href="/policies/{world.of["Deploy"].pk}/">Deploy of deployers</a> allows on the right' in page
    assert "kwame-tools allows on the left" in page
    assert "Only on the right, risky, some resources; on role/pay-*" in page


def test_on_a_phone_each_bar_says_whose_it_is(world: World, auditor: Client) -> None:
    kwame, tomas = world.of["kwame"], world.of["tomas"]
    sides = {kwame.name: get(auditor, a=kwame.pk, b=tomas.pk), "Now": get(auditor, a=kwame.pk, **THEN)}
    for name, page in sides.items():
        table = page.partition('id="by-h"')[2].partition("</table>")[0]
        blocks = table.split('<div class="p2-only')[1:]
        assert len(blocks) == len(services(page))
        for block in blocks:
            labels = block.partition("</td>")[0]
            assert labels.count('class="xs muted"') == labels.count('class="lvl') == 2
            assert name in labels


def test_the_comparison_of_facts_and_this_one_lead_to_each_other(world: World, auditor: Client) -> None:
    kwame = world.of["kwame"].pk
    page = get(auditor, a=kwame, **THEN)
    there = f"/compare/?entity={kwame}&from={urlencode({'': as_text(BEFORE)})[1:]}"
    assert there in unescape(page)
    back = auditor.get(there).content.decode()
    assert f"{URL}?a={kwame}&a-at={urlencode({'': as_text(BEFORE)})[1:]}" in unescape(back)


def test_two_identities_are_compared_by_number_name_or_arn(world: World, auditor: Client) -> None:
    kwame, tomas = world.of["kwame"], world.of["tomas"]
    for left, two in ((kwame.pk, tomas.pk), (kwame.name, tomas.name), (kwame.arn, tomas.arn)):
        page = get(auditor, a=left, b=two)
        assert facts(page)["Only on the left"] == "−3 actions"
        assert facts(page)["Narrower on the right"] == "1"
        assert f'value="{tomas.arn}"' in page


def test_a_name_means_somebody_of_the_same_account_or_of_the_chosen_one(
    world: World, auditor: Client
) -> None:
    other = make.account("222222222222", name="other")
    elsewhere = make.user(other, "tomas.lind")
    page = get(auditor, a=world.of["kwame"].pk, b="tomas.lind")
    assert f'value="{world.of["tomas"].arn}"' in page
    assert errors(get(auditor, 422, a="tomas.lind"))[0].startswith("“tomas.lind” matches several")
    assert f'value="{elsewhere.arn}"' in get(auditor, a="tomas.lind", account="222222222222")


def test_of_each_side_its_own_moment_counts(world: World, auditor: Client) -> None:
    page = get(auditor, a=world.of["kwame"].pk, b=world.of["tomas"].pk, **THEN)
    assert facts(page)["Only on the left"] == "−1 action"
    late = get(auditor, a=world.of["kwame"].pk, b=world.of["tomas"].pk, **{"a-at": as_text(LATER)})
    assert facts(late)["Only on the left"] == "−3 actions"


def test_a_single_principal_is_compared_with_itself_at_an_earlier_moment(
    world: World, auditor: Client
) -> None:
    page = get(auditor, a=world.of["kwame"].pk)
    assert re.search(r'id="l-at" name="a-at" type="datetime-local" step="1" value="20\d\d-', page)
    assert "No difference: AWS allows the same requests on both sides." in page


def test_a_past_page_compares_up_to_then(world: World, auditor: Client) -> None:
    query = {"a": world.of["kwame"].pk, "b": world.of["tomas"].pk, "as-of": as_text(BEFORE)}
    assert facts(get(auditor, **query))["Only on the left"] == "−1 action"


def test_who_was_not_there_is_said_to_have_been_absent(world: World, auditor: Client) -> None:
    late = make.user(world.account, "late", since=LATER)
    make.seen_after(late.states.get())
    page = get(auditor, a=late.pk, **THEN)
    assert "late didn’t exist at the time on the left." in page


def test_of_many_services_one_is_chosen_and_the_table_goes_on(world: World, auditor: Client) -> None:
    ines = make.user(world.account, "ines")
    make.inline(ines, "all", body=say("Allow", "*"))
    first = get(auditor, a=world.of["tomas"].pk, b=ines.pk)
    assert len(services(first)) == 40
    assert "Choose a service above to see its actions." in first
    more = re.search(r'<a class="btn sm" href="(\?[^"]*after=[^"]*)">More', first)
    assert more
    second = auditor.get(URL + unescape(more.group(1))).content.decode()
    assert len(services(second)) == 40
    assert not {name for name, _ in services(first)} & {name for name, _ in services(second)}
    chosen = get(auditor, a=world.of["tomas"].pk, b=ines.pk, service="sqs")
    assert "<code>sqs:SendMessage</code>" in chosen or "<code>SendMessage</code>" in chosen
    assert len(first) < 150_000


def test_all_services_show_what_is_the_same_too(world: World, auditor: Client) -> None:
    make.inline(world.of["tomas"], "same", body=say("Allow", "lambda:GetFunction"))
    page = get(auditor, a=world.of["kwame"].pk, b=world.of["tomas"].pk, show="all")
    assert ("AWS Lambda", "−1") in services(page)
    alike = get(auditor, a=world.of["kwame"].pk, show="all")
    assert [difference for _, difference in services(alike)] == ["None"] * 3


def test_htmx_gets_the_part(world: World, auditor: Client) -> None:
    page = auditor.get(f"{URL}?a={world.of['kwame'].pk}", headers={"hx-request": "true"}).content.decode()
    assert page.startswith('<div class="stack lg" id="comparison"')


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"b": "kwame.boateng"}, "Enter a principal for the left side."),
        ({"a": "nobody"}, "“nobody” matches no user or role."),
        ({"a": "kwame.boateng", "b": "<b>"}, "“<b>” matches no user or role."),
        ({"a": "kwame.boateng", "a-at": "noon"}, (
            "“noon” isn’t a time. Enter a time such as 2026-11-24T14:05"
        )),
        ({"a": "kwame.boateng", "b-at": "x" * 5000}, "“xxx"),
        ({"a": "x" * 5000}, "isn’t a principal."),
    ],
)  # fmt: skip
def test_an_invalid_side_is_an_error_at_its_field(
    world: World, auditor: Client, query: dict[str, str], sentence: str
) -> None:
    page = get(auditor, 422, **query)
    assert sentence in errors(page)[0]
    assert "“<b>”" not in page


@pytest.mark.parametrize("service", ["nonsense", "<script>", "s3" * 400])
def test_a_service_that_does_not_differ_shows_no_actions(world: World, auditor: Client, service: str) -> None:
    page = get(auditor, a=world.of["kwame"].pk, service=service, **THEN)
    assert '<ul class="diff">' not in page


def test_the_files_hold_every_action_that_differs(world: World, auditor: Client) -> None:
    query = urlencode({"a": world.of["kwame"].pk} | THEN)
    text = auditor.get(f"{URL}export.csv?{query}").getvalue().decode()
    rows = {row["action"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["iam:PassRole"]["example"].endswith(": denied → allowed")
    assert rows["s3:DeleteObject"]["example"].endswith(": allowed → denied")
    assert set(rows) == {
        "iam:PassRole", "lambda:GetFunction", "lambda:UpdateFunctionCode", "s3:DeleteObject", "s3:GetObject",
    }  # fmt: skip
    assert rows["iam:PassRole"] == {
        "service": "iam",
        "service_name": "AWS Identity and Access Management (IAM)",
        "action": "iam:PassRole",
        "access_level": "Write",
        "difference": "only-right",
        "left": "no",
        "right": "limited",
        "because": "Deploy of deployers allows on the right",
        "example": rows["iam:PassRole"]["example"],
        "risky": "yes",
    }
    body = json.loads(auditor.get(f"{URL}export.json?{query}").getvalue())
    assert len(body["rows"]) == len(rows)
    assert body["left"] == {"principal": world.of["kwame"].arn, "as_of": "2026-01-10T09:00:00Z"}
    kinds = list(Entry.objects.values_list("kind", flat=True))
    assert kinds == ["access_comparison.export", "access_comparison.export"]


def test_no_file_of_what_is_no_comparison(world: World, auditor: Client) -> None:
    assert auditor.get(f"{URL}export.csv").status_code == 404
    assert auditor.get(f"{URL}export.csv?a=nobody").status_code == 404
    assert auditor.get(f"{URL}export.pdf?a={world.of['kwame'].pk}").status_code == 404


def test_who_sees_one_account_compares_nobody_elsewhere(world: World, sign_in: SignIn) -> None:
    make.account("222222222222", name="other")
    client = sign_in(Role.AUDITOR, account_id="222222222222")
    kwame = world.of["kwame"]
    assert client.get(f"{URL}?a={kwame.pk}").status_code == 404
    assert client.get(f"{URL}export.csv?a={kwame.pk}").status_code == 404
    assert errors(get(client, 422, a=kwame.arn))[0].startswith("No synced user or role has the ARN")
    assert errors(get(client, 422, a=f"arn:aws:iam::{NUMBER}:root"))[0].endswith("isn’t connected.")


@pytest.mark.parametrize("role", [Role.TEAM_LEAD, Role.MEMBER])
def test_compare_is_for_those_who_see_accounts(world: World, sign_in: SignIn, role: Role) -> None:
    client = sign_in(role)
    assert client.get(URL).status_code == 404
    assert client.get(f"{URL}?a={world.of['kwame'].pk}").status_code == 404
    assert client.get(f"{URL}export.csv?a={world.of['kwame'].pk}").status_code == 404


def test_somebody_unknown_is_asked_to_sign_in(world: World, client: Client) -> None:
    assert client.get(URL).status_code == 302


def test_compare_costs_the_same_few_queries_however_much_differs(world: World, auditor: Client) -> None:
    query = {"a": world.of["kwame"].pk} | THEN
    get(auditor, **query)
    with CaptureQueriesContext(connection) as few:
        get(auditor, **query)
    for number in range(40):
        group = make.group(world.account, f"group-{number}", since=LATER)
        make.inline(group, "more", body=say("Allow", f"sqs:Send{'*' * number}"), since=LATER)
        make.edge(EdgeKind.MEMBER, world.of["kwame"], group, since=LATER)
    forget()
    assert "Amazon SQS" in get(auditor, **query)
    with CaptureQueriesContext(connection) as many:
        get(auditor, **query)
    assert len(many) == len(few) <= 15


def test_each_line_shows_the_request_that_proves_it(world: World, auditor: Client) -> None:
    page = " ".join(re.sub(r"<[^>]+>", "", get(auditor, a=world.of["kwame"].pk, **THEN)).split())
    assert page.count("Example") == 5
    assert re.search(
        r"iam:PassRole on arn:aws:iam::\d{12}:role/pay-\S*: denied on the left, allowed on the right", page
    )
