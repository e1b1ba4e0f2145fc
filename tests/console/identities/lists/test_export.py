"""Files of a list: exactly what is filtered, in its order, safe to open; and noted in the journal."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import NEVER, EdgeKind, Entity, Kind
from tests import factories
from tests.console.identities.lists.conftest import SignIn, link, shown

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

NOW = datetime.now(tz=UTC)


def table(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def crowd(size: int) -> None:
    accounts = [factories.account(), factories.account("222222222222", name="staging")]
    with factories.at_once():
        for number in range(size):
            factories.user(
                accounts[number % 2],
                f"user-{number:04d}",
                created_at=NOW - timedelta(days=number % 5),
                credentials={"mfa": ["none", "virtual", "hardware"][number % 3], "oldest_key_at": NEVER},
            )


QUERIES = [
    "",
    "sort=-name",
    "mfa=none&sort=-created",
    "account=222222222222&q=1",
    "view=no-mfa",
    "q=user-00&sort=mfa",
    pytest.param(f"as-of={NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}&mfa=virtual", id="an-hour-ago"),
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_file_holds_what_the_pages_hold_in_the_same_order(auditor: Client, query: str) -> None:
    crowd(130)
    on_pages: list[str] = []
    address = f"/people/?{query}"
    while address:
        response = auditor.get(address)
        on_pages += shown(response)
        following = link(response, "next")
        address = f"/people/{following}" if following else ""
    assert on_pages
    assert [row["login"] for row in table(auditor.get(f"/people/export.csv?{query}"))] == on_pages
    body = json.loads(auditor.get(f"/people/export.json?{query}").getvalue())
    assert [row["login"] for row in body["rows"]] == on_pages


def test_a_file_has_more_rows_than_one_chunk(auditor: Client) -> None:
    crowd(1203)
    assert len({row["login"] for row in table(auditor.get("/people/export.csv"))}) == 1203


def test_chosen_rows_make_a_file_of_themselves(auditor: Client) -> None:
    crowd(10)
    from iam.mirror.models import Entity

    two = list(Entity.objects.filter(kind=Kind.USER).order_by("name").values_list("pk", flat=True))[2:4]
    response = auditor.get("/people/export.csv", {"id": [*two, "nonsense", "9" * 30]})
    assert [row["login"] for row in table(response)] == ["user-0002", "user-0003"]
    assert table(auditor.get("/people/export.csv?id=nonsense")) == []


def test_the_rows_of_people_hold_every_fact(auditor: Client) -> None:
    user = factories.user(
        factories.account(),
        "maya.okafor",
        since=NOW - timedelta(days=9),
        credentials={
            "mfa": "virtual",
            "oldest_key_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "keys": 2,
            "active_keys": 1,
        },
    )
    for name in ("sre", "analysts"):
        factories.edge(EdgeKind.MEMBER, user, factories.group(user.account, name))
    factories.inline(user)
    [row] = table(auditor.get("/people/export.csv"))
    assert row | {"created": ""} == {
        "account_id": "111111111111",
        "account": "production",
        "login": "maya.okafor",
        "display_name": "maya.okafor",
        "arn": user.arn,
        "unique_id": user.aws_id,
        "path": "/",
        "created": "",
        "mfa": "virtual",
        "console_password": "yes",
        "password_changed": "",
        "access_keys": "2",
        "active_access_keys": "1",
        "oldest_active_key": "2026-01-02T03:04:05Z",
        "last_activity": "never",
        "groups": "analysts; sre",
        "owning_team": "",
        "list_actions": "0",
        "read_actions": "1",
        "write_actions": "0",
        "permissions_actions": "0",
        "tagging_actions": "0",
    }
    body = json.loads(auditor.get("/people/export.json?mfa=virtual&account=111111111111").getvalue())
    assert body["rows"][0]["groups"] == ["analysts", "sre"]
    assert body["rows"][0]["last_activity"] == "never"
    assert (body["list"], body["account"], body["filters"], body["as_of"]) == (
        "people",
        "111111111111",
        {"mfa": ["virtual"]},
        None,
    )


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "=,\"'\n"])
def test_a_name_never_becomes_a_formula(auditor: Client, name: str) -> None:
    factories.user(factories.account(name="=account"), name)
    [row] = table(auditor.get("/people/export.csv"))
    assert row["login"] == f"'{name}"
    assert row["account"] == "'=account"
    assert json.loads(auditor.get("/people/export.json").getvalue())["rows"][0]["login"] == name


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "name",
    [
        "x;=1+1",
        "x; =1+1",
        'x;"=1+1',
        "x\t@SUM(A1)",
        "x\r\n=1+1",
        "x;＝1+1",
        " =1+1",
        "＋1",
        ";-1+cmd|' /C calc'!A0",
    ],
)
def test_no_separator_within_a_name_begins_a_formula(auditor: Client, name: str, separator: str) -> None:
    """Where the system's language separates lists by semicolons, spreadsheets end cells there, whatever
    separates the columns.
    """
    factories.user(factories.account(), name)
    text = b"".join(auditor.get("/people/export.csv").streaming_content).decode()
    cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]
    cells += [cell for line in text.splitlines() for cell in line.split(separator)]
    assert not [cell for cell in cells if cell.strip('" \r\n').startswith(tuple("=+-@＝＋－＠"))]


@pytest.mark.parametrize("name", ["a;b", "x - y", "a=b", "mail@example.com", "first; second", "1;2-3"])
def test_other_text_is_exported_as_it_is(auditor: Client, name: str) -> None:
    factories.user(factories.account(), name)
    [row] = table(auditor.get("/people/export.csv"))
    assert row["login"] == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("groups", Kind.GROUP),
        ("roles", Kind.ROLE),
        ("policies", Kind.POLICY),
        ("instance-profiles", Kind.INSTANCE_PROFILE),
        ("providers", Kind.OIDC_PROVIDER),
    ],
)
def test_every_list_has_its_files(auditor: Client, name: str, kind: Kind) -> None:
    made = factories.entity(factories.account(), kind, "thing")
    response = auditor.get(f"/{name}/export.csv")
    [row] = table(response)
    assert (row["name"], row["arn"]) == ("thing", made.arn)
    assert response["Content-Disposition"].startswith(f'attachment; filename="gatehouse-{name}-all-accounts-')
    assert response["Cache-Control"] == "no-store"
    assert json.loads(auditor.get(f"/{name}/export.json").getvalue())["rows"][0]["name"] == "thing"


def test_an_empty_list_is_a_file_with_a_head(auditor: Client) -> None:
    factories.account()
    assert auditor.get("/roles/export.csv").getvalue().decode().startswith("account_id,account,name,arn")
    assert json.loads(auditor.get("/roles/export.json").getvalue())["rows"] == []


def test_an_export_is_noted_in_the_journal(sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR)
    client.get("/people/")
    factories.account()
    client.get("/people/export.json?account=111111111111&mfa=none")
    entry = Entry.objects.get(kind="list.export")
    assert (entry.subject, entry.account_id) == ("people", "111111111111")
    assert entry.data == {"form": "json", "query": "?mfa=none&account=111111111111", "chosen": 0}


def test_a_page_offers_files_and_a_choice_of_rows_to_who_may_export(auditor: Client) -> None:
    factories.user(factories.account())
    page = auditor.get("/people/").content.decode()
    for words in ('href="/people/export.csv?"', 'form="chosen" name="id"', 'formaction="/people/export.csv"'):
        assert words in page, words


@pytest.mark.parametrize("number", [501, 900])
def test_every_selected_row_is_exported(auditor: Client, number: int) -> None:
    crowd(number + 1)
    chosen = [str(pk) for pk in Entity.objects.order_by("pk").values_list("pk", flat=True)[:number]]
    assert len(table(auditor.get("/people/export.csv", {"id": chosen}))) == number


def test_an_address_that_is_not_wholly_understood_exports_nothing(auditor: Client) -> None:
    factories.user(factories.account(), "maya")
    asked = {"q": "a b c d e f"}
    answer = auditor.get("/people/export.csv", asked)
    assert answer.status_code == 302
    page = auditor.get(answer["Location"]).content.decode()
    assert "Only the first 5 words of the search are used." in page
