"""The journal page: who sees it, what it filters, what it exports, and what it says of the chain."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.audit import entry_sentences, sentences
from console.web.models import Heartbeat
from iam.audit.siem.models import ExportPosition
from iam.audit.siem.receivers import configured_receivers
from iam.directory.models import Role, Team
from iam.journal import triggers
from iam.journal.chain import chain_pending
from iam.journal.models import Entry, JournalVerification
from iam.journal.services import record
from iam.journal.tasks import verify_journal, verify_regularly
from iam.journal.verify import ask_for_verification
from tests import factories
from tests.console.audit.journal_kinds import journal_kinds

pytestmark = pytest.mark.django_db
ONE, TWO = "111111111111", "222222222222"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 3, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def auditor(client: Client) -> Client:
    """A browser of an auditor of all accounts."""
    client.force_login(factories.operator(Role.AUDITOR, name="Otto Audit"))
    return client


def _text(response: Any) -> str:
    return str(response.content.decode())


def _numbers(page: str) -> list[int]:
    return [int(n.replace(",", "")) for n in re.findall(r'class="shrink mono">([\d,]+)<', page)]


def test_an_entry_says_who_did_what_and_when(auditor: Client) -> None:
    someone = factories.person("Ines Duarte")
    with time_machine.travel(NOON, tick=False):
        entry = record(
            kind="role.assign",
            actor=someone,
            subject="x@example.com",
            data={"role": "approver", "name": "Hana Sato"},
        )
    page = _text(auditor.get("/audit/journal/"))
    assert "Ines Duarte gave Hana Sato the approver role" in page
    assert "24 Nov 2026, 12:00" in page
    assert "Pending" in page
    chain_pending()
    page = _text(auditor.get("/audit/journal/"))
    entry = Entry.objects.select_related("link").get(pk=entry.pk)
    assert f"{entry.link.hash[:4]}…{entry.link.hash[-4:]}" in page


@pytest.mark.parametrize("role", [Role.APPROVER, Role.TEAM_LEAD, Role.MEMBER, None])
def test_for_everybody_else_there_is_no_journal(client: Client, role: Role | None) -> None:
    team = Team.objects.create(slug="payments", name="Payments") if role is Role.TEAM_LEAD else None
    client.force_login(factories.operator(role, team=team))
    assert client.get("/audit/journal/").status_code == 404
    assert client.get("/audit/journal/chain/").status_code == 404
    assert client.post("/audit/journal/check/").status_code == 404
    assert client.get("/audit/journal/?format=csv").status_code == 404


def test_an_auditor_of_one_account_sees_that_account_only(client: Client) -> None:
    someone = factories.operator(None, name="Otto Audit")
    factories.assign(someone.person, Role.AUDITOR, account_id=ONE)
    client.force_login(someone)
    seen = record(kind="account.connect", actor=None, subject="one", account_id=ONE)
    record(kind="account.connect", actor=None, subject="two", account_id=TWO)
    record(kind="role.assign", actor=None, subject="global")
    for query in ("", "?q=two", f"?account={TWO}", "?q=3"):
        assert set(_numbers(_text(client.get(f"/audit/journal/{query}")))) <= {seen.id}
    assert _numbers(_text(client.get("/audit/journal/"))) == [seen.id]
    exported = json.loads(b"".join(client.get("/audit/journal/?format=json").streaming_content))
    assert [row["entry"] for row in exported] == [seen.id]


@pytest.fixture
def five() -> list[Entry]:
    """Five entries of different people, kinds, accounts and days."""
    hana, jonas = factories.person("Hana Sato"), factories.person("Jonas Berg")
    rows = [
        (hana, "change.approve", "arn:aws:iam::111111111111:user/maya", ONE),
        (jonas, "role.assign", "hana.sato@example.com", ""),
        (hana, "role.remove", "jonas.berg@example.com", ""),
        (None, "account.connect", "staging", TWO),
        (jonas, "sign_in.succeeded", "jonas.berg@example.com", ""),
    ]
    made = []
    for i, (actor, kind, subject, account) in enumerate(rows):
        with time_machine.travel(LONG_AGO + timedelta(days=i), tick=False):
            made.append(record(kind=kind, actor=actor, subject=subject, account_id=account))
    with time_machine.travel(LONG_AGO + timedelta(days=5), tick=False):
        chain_pending()
    return made


FILTERS: list[tuple[str, set[int]]] = [
    ("q=hana", {0, 1, 2}),
    ("q=HANA.SATO@", {0, 1, 2}),
    ("q=user/maya", {0}),
    ("kind=role", {1, 2}),
    ("kind=role.remove", {2}),
    ("kind=rol", set()),
    (f"account={ONE}", {0}),
    ("from=2026-03-25&to=2026-03-26", {1, 2}),
    ("from=2026-03-27", {3, 4}),
    ("to=2026-03-24", {0}),
    ("kind=role&q=hana&from=2026-03-26", {2}),
    ("from=yesterday&to=9999-12-31&before=x&who=nobody&kind=%3Bdrop", {0, 1, 2, 3, 4}),
]


@pytest.mark.parametrize(("query", "shown"), FILTERS)
def test_entries_are_filtered(auditor: Client, five: list[Entry], query: str, shown: set[int]) -> None:
    response = auditor.get(f"/audit/journal/?{query}", headers={"HX-Request": "true"})
    assert _numbers(_text(response)) == sorted((five[i].id for i in shown), reverse=True)
    assert "<html" not in _text(response)


def test_entries_are_found_by_person_number_and_hash(auditor: Client, five: list[Entry]) -> None:
    by = five[0].actor_id
    page = _text(auditor.get(f"/audit/journal/?who={by}"))
    assert _numbers(page) == [five[2].id, five[0].id]
    assert "By: <b>Hana Sato</b>" in page
    assert _numbers(_text(auditor.get(f"/audit/journal/?q=%23{five[3].id}"))) == [five[3].id]
    link = Entry.objects.select_related("link").get(pk=five[1].pk).link
    assert _numbers(_text(auditor.get(f"/audit/journal/?q={link.hash[:12]}"))) == [five[1].id]
    for sign in ("…", "..."):
        shown = f"{link.hash[:4]}{sign}{link.hash[-4:]}"
        assert _numbers(_text(auditor.get(f"/audit/journal/?q={shown}"))) == [five[1].id]


def test_nothing_found_offers_the_way_out(auditor: Client, five: list[Entry]) -> None:
    page = _text(auditor.get("/audit/journal/?q=nobody-of-that-name"))
    assert "No entry matches" in page
    assert "Show every entry" in page


def test_pages_go_on_by_key(auditor: Client) -> None:
    made = [record(kind="role.assign", actor=None).id for _ in range(120)]
    seen: list[int] = []
    address = "/audit/journal/?kind=role"
    while True:
        page = _text(auditor.get(address))
        seen += _numbers(page)
        following = re.search(r'href="(\?[^"]*before=[^"]*)" rel="next"', page)
        if not following:
            break
        address = "/audit/journal/" + following[1].replace("&amp;", "&")
    assert seen == made[::-1]


def test_a_page_costs_the_same_whatever_the_length(auditor: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            auditor.get("/audit/journal/")
        return len(captured)

    record(kind="role.assign", actor=None)
    chain_pending()
    queries()
    before = queries()
    for i in range(60):
        record(kind="role.assign", actor=None, subject=str(i))
    chain_pending()
    assert queries() == before
    assert before <= 16


def test_the_export_is_what_is_filtered_and_is_recorded(auditor: Client, five: list[Entry]) -> None:
    response = auditor.get("/audit/journal/?kind=role&format=csv")
    assert response["Content-Disposition"].startswith('attachment; filename="journal-')
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert [int(row["entry"]) for row in rows] == [five[2].id, five[1].id]
    assert rows[0]["by"] == "Hana Sato"
    note = Entry.objects.latest("id")
    assert (note.kind, note.actor_label) == ("journal.export", "Otto Audit")
    assert note.data["filter"] == "kind=role&format=csv"


def test_a_spreadsheet_takes_nothing_for_a_formula(auditor: Client) -> None:
    record(kind="role.assign", actor=None, subject="=HYPERLINK(1)")
    response = auditor.get("/audit/journal/?kind=role&format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert rows[0]["subject"] == "'=HYPERLINK(1)"
    assert rows[0]["account"] == "", "and nothing stays nothing"


def test_a_reason_with_a_semicolon_begins_no_formula(auditor: Client) -> None:
    record(kind="role.assign", actor=None, subject="x", data={"reason": "on call;=HYPERLINK(1)"})
    response = auditor.get("/audit/journal/?kind=role&format=csv")
    text = b"".join(response.streaming_content).decode()
    assert ";'=HYPERLINK" in text
    assert not [cell for line in text.splitlines() for cell in line.split(";") if cell.startswith("=")]


def test_the_json_export_proves_itself(auditor: Client, five: list[Entry]) -> None:
    rows = json.loads(b"".join(auditor.get("/audit/journal/?format=json").streaming_content))
    assert len(rows) == 5
    for row in rows:
        assert hashlib.sha256(row["canonical"].encode()).hexdigest() == row["hash"]
        assert row["block"] == 1


def test_an_empty_export_is_an_empty_list(auditor: Client) -> None:
    response = auditor.get("/audit/journal/?q=nothing-of-that-name&format=json")
    assert json.loads(b"".join(response.streaming_content)) == []


def test_the_page_says_when_the_chain_was_recomputed(auditor: Client, five: list[Entry]) -> None:
    assert "not verified yet" in _text(auditor.get("/audit/journal/"))
    verify_regularly()
    page = _text(auditor.get("/audit/journal/"))
    assert "Unbroken, 5 entries" in page
    assert "Verified up to block 1 with 5 entries" in page


def test_the_page_claims_nothing_of_entries_that_came_after_the_verification(
    auditor: Client, five: list[Entry]
) -> None:
    verify_regularly()
    record(kind="role.assign", actor=factories.person("Ines Duarte"), subject="a")
    page = _text(auditor.get("/audit/journal/"))
    assert "Unbroken when verified: 5 of 6 entries" in page
    assert "Unbroken, " not in page


def test_the_page_says_when_the_scheduler_last_ran(auditor: Client, five: list[Entry]) -> None:
    def words() -> str:
        return " ".join(re.sub(r"<[^>]+>", " ", _text(auditor.get("/audit/journal/"))).split())

    assert "Scheduler last ran Not yet" in words()
    assert "might be down" not in words()
    Heartbeat.objects.create(pk=1, at=LONG_AGO)
    assert re.search(r"Scheduler last ran .+ The scheduler or the workers might be down", words())


def test_the_page_says_that_the_chain_is_broken_and_where(auditor: Client, five: list[Entry]) -> None:
    triggers.drop(connection)
    Entry.objects.filter(pk=five[2].pk).update(subject="somebody else")
    verify_regularly()
    page = _text(auditor.get("/audit/journal/"))
    assert "The chain is broken" in page
    assert f"Entry {five[2].id} was changed." in page


def test_check_now_asks_a_worker_and_the_page_follows(
    auditor: Client, five: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(verify_journal, "delay", asked.append)
    assert auditor.post("/audit/journal/check/")["Location"] == "/audit/journal/"
    assert asked == [JournalVerification.objects.get().pk]
    assert 'hx-trigger="every 2s"' in _text(auditor.get("/audit/journal/"))
    following = auditor.get("/audit/journal/chain/", headers={"HX-Request": "true"})
    assert following.status_code == 200
    verify_journal(asked[0])
    done = auditor.get("/audit/journal/chain/", headers={"HX-Request": "true"})
    assert done.status_code == 286
    assert "Unbroken" in _text(done)
    assert "every 2s" not in _text(done)


def test_without_a_broker_the_page_says_that_nobody_checks(auditor: Client) -> None:
    page = _text(auditor.post("/audit/journal/check/", follow=True))
    assert "task queue doesn’t answer" in page
    assert "Check now" in page, "nobody waits for what no worker was told of"


def test_a_check_that_was_lost_is_not_waited_for_for_ever(auditor: Client) -> None:
    asked = ask_for_verification()
    assert "Checking" in _text(auditor.get("/audit/journal/"))
    JournalVerification.objects.filter(pk=asked.pk).update(asked_at=datetime.now(tz=UTC) - timedelta(hours=2))
    assert "Check now" in _text(auditor.get("/audit/journal/"))


def test_words_from_outside_are_shown_as_text(auditor: Client) -> None:
    record(kind="account.connect", actor=None, subject="<script>alert(1)</script>", data={"<b>": "<i>"})
    page = _text(auditor.get("/audit/journal/"))
    assert "<script>alert" not in page
    assert "<i>" not in page


def test_every_kind_of_ours_has_its_sentence() -> None:
    """Anyone who adds a kind, in whatever way its slug is put together, adds words for it."""
    kinds, untold = journal_kinds()
    assert untold == set()
    of_changes = {f"change.{act}" for act in (*sentences.OF_REQUESTS, *sentences.OF_CHANGES)}
    assert len(kinds) > 200
    assert kinds - set(sentences.SENTENCES) - of_changes == set()
    groups = {group for group, _ in sentences.GROUPS}
    assert {k.partition(".")[0] for k in kinds} <= groups


def test_entries_of_audits_name_findings_and_requirements_as_pages_do() -> None:
    finding = record(
        kind="finding.requested",
        actor=None,
        subject="tomas",
        data={"finding": "password-without-mfa", "reason": "On its way"},
    )
    words = "Gatehouse requested to accept the finding “Console password without MFA” of tomas: On its way"
    assert entry_sentences.words_of(finding) == words
    decided = record(
        kind="requirement.attested",
        actor=None,
        subject="pci-dss-4.0.1 8.4.2",
        data={"decision": "not-met", "reason": "No device yet"},
    )
    words = "Gatehouse decided about PCI DSS v4.0.1 8.4.2 (attested as not met): No device yet"
    assert entry_sentences.words_of(decided) == words
    assessed = record(kind="framework.assessed", actor=None, subject="pci-dss-4.0.1", data={"scope": ""})
    assert entry_sentences.words_of(assessed) == "Gatehouse recorded an assessment of PCI DSS v4.0.1"
    asked = record(kind="assertion.requested", actor=None, subject="Vault", data={"act": "retire"})
    assert entry_sentences.words_of(asked) == "Gatehouse requested to retire the assertion Vault"


def test_decisions_of_reviews_say_what_was_decided_and_count_what_they_are_about() -> None:
    data = {"review": "REV-1", "access": "admins", "decision": "revoke", "reason": "Left"}
    decided = record(kind="review.decide", actor=None, subject="tomas", data=data)
    words = "Gatehouse decided to revoke access of tomas to admins, in the review REV-1"
    assert entry_sentences.words_of(decided) == words
    asked = record(kind="review.request", actor=None, subject="REV-1", data={"rows": 1})
    words = "Gatehouse requested changes for 1 decision of the access review REV-1"
    assert entry_sentences.words_of(asked) == words


def test_moments_among_the_details_are_written_as_everywhere() -> None:
    entry = record(
        kind="review.request",
        actor=None,
        subject="REV-1",
        data={"at": "2026-12-05T13:26:07.285023+00:00", "rows": 1, "until": "2026-12-05"},
    )
    assert entry_sentences.details_of(entry) == [
        ("At", "5 Dec 2026, 13:26:07 UTC"),
        ("Rows", "1"),
        ("Until", "2026-12-05"),
    ]


def test_a_change_is_told_by_its_title_and_an_unknown_kind_is_spelled_out() -> None:
    change = record(kind="change.approve", actor=None, data={"title": "Add maya to deployers"})
    other = record(kind="grant.expire_soon", actor=None, subject="x")
    assert entry_sentences.words_of(change) == "Approve: “Add maya to deployers”"
    assert entry_sentences.words_of(other) == "Grant: expire soon, x"


def test_a_change_has_one_line_with_its_earlier_entries_inside(auditor: Client) -> None:
    change = "8d7b0c1e-0000-4000-8000-000000000001"
    for act in ("request", "approve", "applied"):
        record(kind=f"change.{act}", actor=None, data={"change": change, "title": "Add maya to deployers"})
    record(kind="sign_in.succeeded", actor=None, subject="maya")
    page = auditor.get("/audit/journal/").content.decode()
    assert page.count("<summary") - page.count("Verify without this page") == 2
    assert page.count("Before that") == 1
    assert page.index("Before that") < page.index("Approve") < page.index("Request:")


def _words(client: Client) -> str:
    """The words of the page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", _text(client.get("/audit/journal/"))).split())


def test_it_says_how_far_each_receiver_of_the_journal_is(auditor: Client, settings: Any) -> None:
    words = _words(auditor)
    assert "SIEM Not set up" in words
    settings.SIEM_URL, settings.SIEM_SYSLOG = (
        "https://siem.example.com/secret-path",
        "tls://logs.example.com:6514",
    )
    for _ in range(3):
        record(kind="role.assign", actor=None)
    chain_pending()
    https, syslog = configured_receivers()
    ExportPosition.objects.create(
        receiver=https.key,
        block=1,
        position=0,
        entry=1234,
        sent=2,
        sent_at=NOON,
        error="The SIEM answered 503.",
    )
    words = _words(auditor)
    assert "HTTPS to siem.example.com: sent up to entry 1,234, " in words
    assert "1 entry behind" in words
    assert "The SIEM answered 503." in words
    assert "Syslog (TLS) to logs.example.com:6514: nothing sent yet" in words
    assert "secret-path" not in words
    ExportPosition.objects.create(receiver=syslog.key)
    assert "3 entries behind" in _words(auditor)


def test_the_select_names_an_account_that_is_not_connected(auditor: Client, five: list[Entry]) -> None:
    page = _text(auditor.get(f"/audit/journal/?account={TWO}"))
    assert _numbers(page) == [five[3].id]
    assert f'<option value="{TWO}" selected>{TWO}</option>' in page
    assert "It was left out" not in page
