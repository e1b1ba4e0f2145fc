"""Pages and messages about each kind of request say who has to approve: someone else, or in single-operator
mode also who requested it.
"""

from __future__ import annotations

import html
import re
from typing import Any, Final

import pytest

from iam.audit.approval_requests.registry import REQUEST_KINDS
from iam.audit.assertions.models import AssertionProposal, StandingAssertion
from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding
from iam.audit.frameworks import assessment
from iam.audit.reviews.models import SodRule
from iam.directory.models import Role
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account
from iam.notify.models import OutgoingMessage
from tests import factories
from tests.console.activity.test_sources import GOOD
from tests.console.compliance.test_pages import filled
from tests.console.findings.test_assertions import FILLED
from tests.iam.activity.sources.aws import reader, source
from tests.iam.audit.approval_requests.made import MAKERS, NOW
from tests.iam.changes.site import signed_in
from tests.test_approval_words import says_someone_else

pytestmark = pytest.mark.django_db
FRAME: Final = ("People can approve their own requests.", "No second person checks them.")
"""The banner of single-operator mode."""
BOTH: Final = (
    "Approvers can approve their own requests: Gatehouse is in single-operator mode.",
    "in an emergency.",
)
"""What is so in single-operator mode, and who can use break-glass in both."""
RULE: Final = {
    "name": "Four eyes",
    "first": "iam:CreateUser",
    "second": "iam:AttachUserPolicy",
    "reason": "Audit 12",
}
MODES: Final = pytest.mark.parametrize("is_single", [False, True], ids=["two people", "single operator"])


@pytest.fixture
def account() -> Account:
    account = reader()
    factories.synced(account)
    factories.user(account, "shared-ops", credentials={"mfa": "none"})
    calculate(account)
    assessment.assess_due()
    return account


def sentences(answer: Any) -> list[str]:
    """What a page says of someone else who approves."""
    assert answer.status_code == 200
    text = html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode()))
    return [sentence for sentence in says_someone_else(text) if not sentence.endswith(FRAME)]


@MODES
@pytest.mark.parametrize("kind", REQUEST_KINDS, ids=lambda kind: kind.name)
def test_the_page_of_ones_own_request(kind: Any, is_single: bool, account: Account, settings: Any) -> None:
    settings.SINGLE_OPERATOR = is_single
    operator = factories.operator(Role.APPROVER, name="Requester")
    numbers = (account.account_id,) if kind.name == "acceptance" else ()
    row = MAKERS[kind.name](numbers, viewer_for(operator.person))
    answer = signed_in(operator).get(kind.path(row))
    said = sentences(answer)
    may_decide = is_single and kind.alone
    assert ('value="approve"' in answer.content.decode()) is may_decide
    if may_decide:
        assert said == []
    elif kind.alone:
        assert any("Another approver or administrator" in sentence for sentence in said)


def made_requests(account: Account, by: Viewer) -> dict[str, dict[str, str]]:
    """The addresses that take a request of each kind, with what is sent to each."""
    rule, proposal = MAKERS["duties"]((), by), MAKERS["assertion"]((), by)
    SodRule.objects.filter(pk=rule.pk).update(status="active", decided_at=NOW)
    StandingAssertion.objects.filter(pk=proposal.assertion_id).update(status="active")
    AssertionProposal.objects.all().delete()
    finding = AuditFinding.objects.filter(status="open")[0]
    trail = source(account, bucket="old-trail")
    accepted = {name: filled("met")[name] for name in ("reason", "until")}
    return {
        "/activity/sources/add/": GOOD,
        f"/activity/sources/{trail.pk}/remove/": {"reason": "The trail is gone"},
        "/compliance/pci-dss-4.0.1/8.2.2/decide/": filled("exception"),
        "/compliance/pci-dss-4.0.1/8.4.2/decide/": filled("compensating"),
        f"/findings/{finding.pk}/accept/": accepted,
        "/findings/assertions/new/": FILLED,
        f"/findings/assertions/{proposal.assertion_id}/retire/": {"reason": "Old"},
        "/reviews/rules/new/": RULE,
        f"/reviews/rules/{rule.pk}/retire/": {"reason": "Old"},
    }


@MODES
def test_the_message_after_each_request(is_single: bool, account: Account, settings: Any) -> None:
    settings.SINGLE_OPERATOR, settings.MAIL_IS_CONFIGURED = is_single, True
    operator = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    factories.operator(Role.APPROVER, name="Hana Sato")
    client = signed_in(operator)
    for address, values in made_requests(account, viewer_for(operator.person)).items():
        answer = client.post(address, values, follow=True)
        (message,) = (str(message) for message in answer.context["messages"])
        who = "An approver" if is_single else "Another approver"
        assert f"{who} or administrator has to approve it." in message, address
        assert bool(sentences(answer)) is not is_single, address
    mails = [f"{row.subject}. {row.text}" for row in OutgoingMessage.objects.all()]
    assert mails
    assert not [sentence for mail in mails for sentence in says_someone_else(mail)]


@MODES
@pytest.mark.parametrize(
    "address",
    [
        "/activity/sources/add/",
        "/changes/rules/",
        "/changes/rules/draft/",
        "/changes/rules/draft/new/",
        "/compliance/pci-dss-4.0.1/8.2.2/",
        "/findings/assertions/new/",
        "/reviews/rules/new/",
        "finding",
    ],
)
def test_the_form_of_a_request(address: str, is_single: bool, account: Account, settings: Any) -> None:
    settings.SINGLE_OPERATOR = is_single
    client = signed_in(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    if "/draft/" in address:
        client.post("/changes/rules/draft/")
    if address == "finding":
        address = f"/findings/{AuditFinding.objects.filter(status='open')[0].pk}/"
    said = [each for each in sentences(client.get(address)) if not each.endswith(BOTH)]
    assert bool(said) is not is_single, said
