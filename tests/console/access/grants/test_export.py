"""The files of the lists of grants and of changes: the rows of all pages, for those who may export, noted in
the journal.
"""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from console.audit.entry_sentences import words_of
from iam.access.grants.models import Grant, GrantState
from iam.access.grants.queries import PAGE
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.journal.models import Entry
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import HTMX, Office

pytestmark = pytest.mark.django_db
LISTS = ("/grants/", "/changes/")
COUNT = PAGE + 3
REFERENCE = re.compile(r"\b(?:CHG|GRT)-[0-9A-F]{8}\b")


@pytest.fixture
def many(office: Office) -> Office:
    """More than a page of each: an active grant and a request that waits, and one of each that is over, in
    another account.
    """
    asker = office.people["asker"].person
    tomas, receipt = office.of["tomas.lind"], None
    for _ in range(COUNT):
        receipt = made.change(
            made.grant(office.account, tomas, asked_by=asker), tomas, receipt=receipt
        ).receipt
    other = make.account("222222222222", name="staging")
    make.group(other, "ops")
    user = make.user(other, "sean.obrien")
    made.change(
        made.grant(other, user, asked_by=asker, state=GrantState.ENDED), user, state=ChangeState.APPLIED
    )
    return office


def text_of(client: Client, address: str) -> str:
    answer: Any = client.get(address)
    assert answer.status_code == 200
    return str(answer.getvalue().decode() if answer.streaming else answer.content.decode())


def rows(client: Client, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(client, address))))


def shown(client: Client, address: str) -> list[str]:
    """The references that the list shows, on all its pages, in their order."""
    shown: list[str] = []
    while address:
        page = text_of(client, address).partition("<main")[2]
        shown += dict.fromkeys(REFERENCE.findall(page))
        following = re.search(r'<a href="([^"]*)"[^>]*rel="next"', page)
        address = unescape(following[1]) if following else ""
        address = f"{LISTS[0] if 'GRT' in shown[0] else LISTS[1]}{address}" if address[:1] == "?" else address
    return shown


@pytest.mark.parametrize(
    ("address", "query"),
    [
        *((address, query) for address in LISTS for query in ("", "?account=222222222222", "?q=tomas")),
        ("/grants/", "?tab=ended"),
        ("/grants/", "?tab=soon"),
        ("/changes/", "?tab=waiting"),
    ],
)
def test_a_file_has_what_the_list_has_on_all_its_pages(many: Office, address: str, query: str) -> None:
    in_file = [row["reference"] for row in rows(many.auditor, f"{address}export.csv{query}")]
    assert in_file == shown(many.auditor, f"{address}{query}")
    assert len(in_file) in (1, COUNT, COUNT + 1)
    body = json.loads(text_of(many.auditor, f"{address}export.json{query}"))
    assert [row["reference"] for row in body["rows"]] == in_file


@pytest.mark.parametrize("address", LISTS)
def test_the_page_leads_to_the_file_with_its_own_filter(many: Office, address: str) -> None:
    query = "?q=sean&account=222222222222"
    for headers in ({}, HTMX):
        page = many.auditor.get(f"{address}{query}", headers=headers).content.decode()
        links = [unescape(link) for link in re.findall(rf'href="({address}export[^"]*)"', page)]
        assert links == [f"{address}export.{form}{query}" for form in ("csv", "json")]
        for link in links:
            assert many.auditor.get(link).status_code == 200
    assert "/export." not in text_of(many.auditor, f"{address}?q=nobody-of-this-name")


@pytest.mark.parametrize("address", LISTS)
def test_who_may_not_export_is_offered_nothing_and_gets_404(many: Office, address: str) -> None:
    for form in ("csv", "json"):
        assert many.member.get(f"{address}export.{form}").status_code == 404
        assert many.lead.get(f"{address}export.{form}").status_code == 200
    assert "/export." not in text_of(many.member, address)
    assert many.auditor.get(f"{address}export.xml").status_code == 404


@pytest.mark.parametrize("address", LISTS)
def test_a_file_tells_a_lead_of_their_people_only(many: Office, address: str) -> None:
    asker = many.people["asker"].person
    own = made.grant(many.account, many.of["maya.okafor"], asked_by=asker)
    made.change(own, many.of["maya.okafor"], entity=many.of["maya.okafor"])
    exported = rows(many.lead, f"{address}export.csv")
    assert [row["reference"] for row in exported] == shown(many.lead, address)
    assert len(exported) == 1
    assert "tomas" not in str(exported)


def test_the_files_name_things_by_their_ids(many: Office) -> None:
    grant = Grant.objects.get(state=GrantState.ENDED)
    (row,) = rows(many.auditor, "/grants/export.csv?tab=ended")
    assert row["grant_id"] == str(grant.pk)
    assert (row["title"], row["status"], row["end"]) == (grant.title, "Ended", "Ended")
    assert (row["accounts"], row["account_ids"]) == ("staging", "222222222222")
    assert row["requested_by_id"] == str(grant.requested_by)
    assert row["ends_at"].endswith("Z")
    change = Change.objects.get(state=ChangeState.APPLIED)
    (row,) = rows(many.auditor, "/changes/export.csv?tab=applied")
    assert (row["change_id"], row["request_id"]) == (str(change.pk), str(change.change_set_id))
    assert (row["status"], row["account_ids"], row["risk"]) == ("Done", "222222222222", "Normal risk")
    assert row["requested_by"] == change.requested_label


def test_the_file_says_who_is_affected_as_the_list_does(office: Office) -> None:
    grant = made.grant(office.account, office.of["tomas.lind"], asked_by=office.people["asker"].person)
    change = made.change(grant, office.of["tomas.lind"])
    impact = {"totals": {"gained": 4}, "affected": 3, "gains": []}
    ChangeSet.objects.filter(pk=change.change_set_id).update(receipt={"impact": impact})
    (row,) = rows(office.auditor, "/changes/export.csv")
    assert row["affected"]
    assert f">{row['affected']} affected<" in text_of(office.auditor, "/changes/")


@pytest.mark.parametrize("address", LISTS)
def test_the_journal_notes_each_file(many: Office, address: str) -> None:
    text_of(many.auditor, f"{address}export.csv?account=222222222222&q=sean")
    entry = Entry.objects.get(kind="list.export")
    assert words_of(entry) == f"Amara Diallo exported the list of {address.strip('/')} as CSV"
    assert entry.account_id == "222222222222"
    assert entry.data["query"] == "account=222222222222&q=sean"


@pytest.mark.parametrize("address", LISTS)
def test_a_cell_is_no_formula(office: Office, address: str) -> None:
    asker = office.people["asker"].person
    grant = made.grant(office.account, office.of["tomas.lind"], asked_by=asker, title="=cmd|' /C calc'!A0")
    made.change(grant, office.of["tomas.lind"], title="=cmd|' /C calc'!A0")
    (row,) = rows(office.auditor, f"{address}export.csv")
    assert row["title"].startswith("'=cmd")
