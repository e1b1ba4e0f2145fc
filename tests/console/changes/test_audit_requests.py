"""Requests about the audit in the inbox, in its mark, and on the overview."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.dashboard import waiting_counts
from console.web import context
from iam.audit.approval_requests.kinds import RequestKind
from iam.audit.approval_requests.registry import REQUEST_KINDS
from iam.audit.assertions.models import AssertionProposal
from iam.audit.findings.calculation import calculate
from iam.audit.frameworks import assessment
from iam.audit.frameworks.models import RequirementDecision
from iam.directory.models import Role, RoleAssignment
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account
from tests import factories
from tests.iam.audit.approval_requests.made import MAKERS, NOW, decide
from tests.iam.changes.site import signed_in

pytestmark = pytest.mark.django_db
INBOX = "/changes/approvals/"
MARK = 'data-tone="warn">{}<span class="sr"> to approve</span>'


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


@pytest.fixture
def clients(account: Account) -> dict[str, Client]:
    """The clients of everyone, with a request of each kind by the requester."""
    roles = {
        "requester": Role.APPROVER,
        "approver": Role.APPROVER,
        "administrator": Role.ADMINISTRATOR,
        "auditor": Role.AUDITOR,
    }
    clients = {}
    for name, role in roles.items():
        operator = factories.operator(role, name=name.title())
        clients[name] = signed_in(operator)
        if name == "requester":
            by = viewer_for(operator.person)
    for kind, make in MAKERS.items():
        make((account.account_id,) if kind == "acceptance" else (), by)
    return clients


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def links(text: str) -> list[str]:
    """Where the lines of the section lead."""
    section = text.partition('id="requests"')[2].partition("</section>")[0]
    return re.findall(r'<a href="([^"]*)">', section)


@pytest.mark.parametrize("name", ["approver", "administrator"])
def test_who_can_decide_finds_all_and_can_open_each(name: str, clients: dict[str, Client]) -> None:
    text = page(clients[name], INBOX)
    assert MARK.format(len(MAKERS)) in text
    assert re.search(rf'For you\s*<span class="count" data-tone="warn">{len(MAKERS)}</span>', text)
    assert len(links(text)) == len(MAKERS) == text.count('aria-label="Review ')
    assert "Nothing to approve." not in text
    assert "Audit requests to approve" in page(clients[name], "/")
    for address in links(text):
        if "/compliance/" not in address:
            assert clients[name].get(address).status_code == 200


def test_who_requested_them_cannot_decide_anywhere(clients: dict[str, Client]) -> None:
    client = clients["requester"]
    assert " to approve</span>" not in page(client, "/people/")
    assert "Audit requests to approve" not in page(client, "/")
    assert links(page(client, INBOX)) == []
    own = page(client, f"{INBOX}?tab=mine")
    assert len(links(own)) == len(MAKERS)
    assert 'aria-label="Review ' not in own
    for address in links(own):
        if "/compliance/" not in address:
            text = page(client, address)
            assert 'value="approve"' not in text
            assert 'value="accept"' not in text


def test_who_decides_nothing_has_no_inbox(clients: dict[str, Client]) -> None:
    assert clients["auditor"].get(INBOX).status_code in (403, 404)
    assert "Audit requests to approve" not in page(clients["auditor"], "/")


def test_the_inbox_is_narrowed_by_text_account_and_risk(account: Account, clients: dict[str, Client]) -> None:
    client = clients["approver"]
    assert len(links(page(client, f"{INBOX}?q=four+eyes"))) == 1
    assert len(links(page(client, f"{INBOX}?q=requester"))) == len(MAKERS)
    assert links(page(client, f"{INBOX}?q=nothing+like+this")) == []
    assert links(page(client, f"{INBOX}?care=high")) == []
    other = factories.account("222222222222", name="other")
    assert len(links(page(client, f"{INBOX}?account={other.account_id}"))) == len(MAKERS) - 1


def test_the_frame_and_the_overview_count_in_the_statements_that_they_had(
    clients: dict[str, Client],
) -> None:
    client = clients["approver"]
    tables = (AssertionProposal._meta.db_table, RequirementDecision._meta.db_table)
    for address, statements in (("/people/", 1), ("/", 2)):
        page(client, address)
        with CaptureQueriesContext(connection) as captured:
            page(client, address)
        asked = [query["sql"] for query in captured if any(table in query["sql"] for table in tables)]
        assert len(asked) == statements, address
    assert context._counted.cache_info().hits
    assert waiting_counts._statement.cache_info().hits


def test_a_request_about_a_requirement_leads_to_its_page(
    account: Account, clients: dict[str, Client]
) -> None:
    calculate(account)
    assessment.assess_due()
    (address,) = (each for each in links(page(clients["approver"], INBOX)) if "/compliance/" in each)
    assert 'value="approve"' in page(clients["approver"], address)
    own = page(clients["requester"], address)
    assert 'value="approve"' not in own


def test_what_somebody_decided_of_each_kind_is_listed_the_newest_first(account: Account) -> None:
    requester, approver, other = (
        factories.operator(Role.APPROVER, name=name) for name in ("Requester", "Approver", "Other")
    )
    by, decider = viewer_for(requester.person), viewer_for(approver.person)
    for step, (kind, make) in enumerate(MAKERS.items()):
        row = make((account.account_id,) if kind == "acceptance" else (), by)
        decide(row, decider, is_approved=True, at=NOW + timedelta(minutes=step))
    make((), by)
    text = page(signed_in(approver), f"{INBOX}?tab=decided")
    assert len(links(text)) == len(MAKERS)
    assert links(text) == [kind.path(row) for kind, row in reversed(expected(decider))]
    for words in ("Approved", "Active", "Acknowledged", "Requested by Requester", "You decided"):
        assert words in text
    assert 'aria-label="Review ' not in text
    assert "You haven’t approved or rejected anything yet." not in text
    for nobody in (requester, other):
        assert links(page(signed_in(nobody), f"{INBOX}?tab=decided")) == []
    # The number of what waits stays what it is.
    assert links(page(signed_in(approver), INBOX)) != links(text)


def expected(decider: Viewer) -> list[tuple[RequestKind[Any], Any]]:
    """Each kind with its row, as they were decided."""
    return [
        (kind, row)
        for name in MAKERS
        for kind in REQUEST_KINDS
        if kind.name == name
        for row in kind.decided_by(decider)
    ]


def test_what_was_declined_says_so_and_a_lost_account_hides_it(account: Account) -> None:
    requester = factories.operator(Role.APPROVER, name="Requester")
    approver = factories.operator(None, name="Approver")
    other = factories.account("222222222222", name="other")
    for number in (account.account_id, other.account_id):
        RoleAssignment.objects.create(person=approver.person, role=Role.APPROVER, account_id=number)
        row = MAKERS["acceptance"]((number,), viewer_for(requester.person))
        decide(row, viewer_for(approver.person), is_approved=False)
    client = signed_in(approver)
    text = page(client, f"{INBOX}?tab=decided")
    assert len(links(text)) == 2
    assert text.count("Declined") >= 2
    assert len(links(page(client, f"{INBOX}?tab=decided&account={other.account_id}"))) == 1
    RoleAssignment.objects.filter(account_id=other.account_id).delete()
    assert len(links(page(client, f"{INBOX}?tab=decided"))) == 1
