"""Files of an answer: exactly the question, every row, and a note in the journal."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from console.audit.entry_sentences import words_of
from iam.directory.models import Role
from iam.journal.models import Entry
from tests.console.access.who_can.conftest import ASK, LEDGER, SignIn, World, crowd

FILES = "/access/who-can/export"


def table(client: Client, **query: str) -> list[dict[str, str]]:
    """The rows of the CSV."""
    response: Any = client.get(f"{FILES}.csv?{urlencode(ASK | query)}")
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def test_every_row_has_its_decision_its_conditions_and_its_policies(world: World, auditor: Client) -> None:
    rows = table(auditor)
    assert [(row["name"], row["decision"]) for row in rows] == [
        ("pay-settle", "allowed"),
        ("hana.sato", "allowed"),
        ("ines.duarte", "allowed"),
        ("maya.okafor", "allowed"),
        ("tomas.lind", "allowed"),
        ("priya.nair", "conditional"),
    ]
    maya, priya = rows[3], rows[5]
    assert maya["policies"] == "OncallRead, statement 1 of group platform-oncall"
    assert (maya["display_name"], maya["kind"], maya["conditions"]) == ("maya.okafor", "user", "")
    assert priya["conditions"] == "WithMfa, statement 1, allows it only when MFA is present"


def test_the_json_says_what_was_asked(world: World, auditor: Client) -> None:
    query = ASK | {"mfa": "yes", "account": "222222222222", "time": "any"}
    response: Any = auditor.get(f"{FILES}.json?{urlencode(query)}")
    body = json.loads(response.getvalue())
    assert (body["question"], body["resource"], body["account"], body["as_of"]) == (
        "s3:GetObject", LEDGER, "222222222222", None,
    )  # fmt: skip
    assert body["context"] == {"aws:MultiFactorAuthPresent": "true"}, "no other assumption than was asked"
    assert [row["arn"] for row in body["rows"]] == [world.of["tomas.lind"].arn]


def test_a_file_is_not_cut_where_pages_are(auditor: Client) -> None:
    crowd(620)
    assert [row["name"] for row in table(auditor)] == [f"user-{number:03d}" for number in range(620)]


def test_an_export_is_noted_in_the_journal_and_a_question_is_not(world: World, auditor: Client) -> None:
    auditor.get(f"/access/who-can/?{urlencode(ASK)}")
    assert not Entry.objects.filter(kind__startswith="who_can").exists()
    table(auditor, account="111111111111")
    entry = Entry.objects.get(kind="who_can.export")
    assert (entry.subject, entry.account_id) == (f"s3:GetObject on {LEDGER}", "111111111111")
    assert entry.data == {"form": "csv", "query": f"?{urlencode(ASK)}&account=111111111111"}
    assert words_of(entry) == f"{entry.actor_label} exported who can s3:GetObject on {LEDGER} as CSV"


def test_a_file_holds_only_what_the_asker_sees(world: World, sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR, account_id="222222222222")
    assert [row["name"] for row in table(client)] == ["tomas.lind"]
    assert client.get(f"{FILES}.csv?{urlencode(ASK)}&account=111111111111").status_code == 404


def test_what_is_no_question_is_no_file(world: World, auditor: Client) -> None:
    assert auditor.get(f"{FILES}.csv").status_code == 404
    assert auditor.get(f"{FILES}.csv?action=nonsense").status_code == 404
    assert auditor.get(f"{FILES}.xml?{urlencode(ASK)}").status_code == 404
