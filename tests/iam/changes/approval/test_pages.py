"""The pages of approval: the inbox, one set, rules and their proposals, break-glass; for each role, with
hostile input.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.changes import services
from iam.changes.approval.models import BreakGlass, RuleSet, RulesState
from iam.changes.approval.needs import rules_in_force
from iam.changes.approval.rules import APPROVERS, SHIPPED, ApprovalRule, ApprovalStage
from iam.changes.models import Change, ChangeState
from iam.directory.models import Appointment, Role
from iam.guard import viewer_for
from tests import factories
from tests.iam.changes.approval.conftest import in_force
from tests.iam.changes.site import HTMX, Site, page_of, signed_in

pytestmark = pytest.mark.on_postgresql

TWO = ApprovalRule(key="two", name="Two of them", stages=(ApprovalStage((APPROVERS,), 2),))
INBOX = "/changes/approvals/"


def text_of(client: Client, address: str, **headers: Any) -> str:
    """The text of a page that is there."""
    answer = client.get(address, follow=True, **headers)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def approval_of(change: Change) -> str:
    """The page of the set."""
    return reverse("changes:request", args=[change.pk])


def another(role: Role, name: str) -> Client:
    """A browser of one more person."""
    return signed_in(factories.operator(role, name=name))


def test_before_it_is_asked_the_page_says_what_it_needs_and_by_which_rule(site: Site) -> None:
    assert "Needs one approver" in text_of(site.asker, site.address())
    in_force(TWO)
    page = text_of(site.asker, site.address())
    assert "Needs two approvers" in page
    assert "Two of them" in page


def test_the_page_of_a_set_shows_its_stages_to_whoever_sees_it_and_a_form_to_whoever_decides(
    site: Site,
) -> None:
    in_force(TWO)
    change = site.asked()
    approver, asker = (text_of(c, approval_of(change)) for c in (site.approver, site.asker))
    assert "Your decision" in approver
    assert 'name="decision" value="approve"' in approver
    assert "Hana Sato can approve" in asker
    assert 'name="decision"' not in asker
    assert "You requested this, so someone else decides" in asker


def test_an_approval_of_two_is_shown_and_the_next_one_completes_it(site: Site) -> None:
    in_force(TWO)
    change = site.asked()
    jonas = another(Role.APPROVER, "Jonas Berg")
    site.decide(site.approver, change, "approve", "Looks right")

    page = text_of(jonas, approval_of(change))
    assert "Hana Sato approved: “Looks right”" in page
    assert "Jonas Berg can approve; 1 still needed" in " ".join(page.split())
    mine = text_of(site.approver, approval_of(change))
    assert 'value="approve"' not in mine
    assert 'value="reject"' in mine
    site.decide(jonas, change, "approve")
    change.refresh_from_db()
    assert change.state == ChangeState.QUEUED
    assert jonas.get(approval_of(change)).headers["Location"] == page_of(change)


def test_an_administrator_may_decide_where_a_stage_asks_for_one_and_else_gets_404(site: Site) -> None:
    ada = another(Role.ADMINISTRATOR, "Ada Lund")
    change = site.asked()
    assert site.decide(ada, change, "approve").status_code == 404
    change.change_set.requirement.delete()
    in_force(SHIPPED[0].__class__(key="a", name="Administrators", stages=(SHIPPED[0].stages[1],)))
    assert site.decide(ada, change, "approve").status_code == 302
    change.refresh_from_db()
    assert change.state == ChangeState.QUEUED


def test_the_inbox_shows_what_waits_for_whom_and_filters(site: Site) -> None:
    in_force(TWO)
    change = site.asked()
    assert "1 of 1" in text_of(site.approver, INBOX)
    assert change.title in text_of(site.approver, f"{INBOX}?q=kwame")
    assert "No request matches “zzz”" in text_of(site.approver, f"{INBOX}?q=zzz")
    assert "No sensitive request matches “zzz”" in text_of(site.approver, f"{INBOX}?care=high&q=zzz")
    everything = site.approver.get(INBOX).context["rows"]
    sensitive = site.approver.get(f"{INBOX}?care=high").context["rows"]
    assert [row["change"] for row in sensitive] == [
        row["change"] for row in everything if row["is_sensitive"]
    ]
    assert "Nothing to approve" in text_of(site.asker, INBOX)
    assert change.title in text_of(site.asker, f"{INBOX}?tab=mine")
    part = text_of(site.approver, INBOX, headers=HTMX)
    assert "<html" not in part
    site.decide(site.approver, change, "approve")
    assert "Nothing to approve" in text_of(site.approver, INBOX)
    assert change.title in text_of(site.approver, f"{INBOX}?tab=decided")


def test_the_inbox_costs_the_same_queries_for_one_row_and_for_many(site: Site) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            text_of(site.approver, INBOX)
        return len(captured)

    site.asked()
    before = count()
    for number in range(6):
        site.group = factories.group(site.account, f"more-{number}")
        site.post(site.asker)
    assert Change.objects.count() == 7
    assert count() == before


def test_a_set_shows_each_of_its_changes_with_its_calls_and_is_decided_as_one(site: Site) -> None:
    actor = viewer_for(site.asks.person)
    groups = [site.group, factories.group(site.account, "support")]
    plans = [services.plan_membership(actor, user=site.user, group=group, do="add") for group in groups]
    first, second = services.request_changes(
        plans, actor=actor, reason="New shift", idempotency_key="set", title="Two groups for Kwame"
    )
    for change in (first, second):
        page = text_of(site.approver, approval_of(change))
        assert "Two groups for Kwame" in page
        assert first.title in page
        assert second.title in page
        assert page.count("aws iam add-user-to-group") == 2
    assert text_of(site.approver, INBOX).count("Two groups for Kwame</a>") == 1
    site.decide(site.approver, second, "approve")
    assert set(Change.objects.values_list("state", flat=True)) == {"queued"}


def test_a_comment_is_added_and_a_bad_one_is_given_back(site: Site) -> None:
    change = site.asked()
    address = reverse("changes:comment", args=[change.pk])
    assert site.asker.post(address, {"text": "<b>Why</b> not"}).status_code == 302
    assert "&lt;b&gt;Why&lt;/b&gt; not" in text_of(site.approver, page_of(change))
    for text in ("", "x" * 1001, "nul\x00"):
        assert site.asker.post(address, {"text": text}).status_code == 422
    auditor = another(Role.AUDITOR, "Amara Diallo")
    assert auditor.post(address, {"text": "Hm"}).status_code == 404
    assert "Add comment" not in text_of(auditor, page_of(change))


def test_break_glass_from_the_page_to_the_banner_and_its_review(site: Site) -> None:
    change = site.asked()
    address = reverse("changes:break-glass", args=[change.pk])
    assert address in text_of(site.asker, page_of(change))
    assert site.approver.get(address).status_code == 404
    page = text_of(site.asker, address)
    assert "AWS is changed at once" in page
    assert (
        site.asker.post(address, {"reason": "", "seen": change.change_set.receipt_digest}).status_code == 422
    )
    assert site.asker.post(address, {"reason": "Down", "seen": "other"}).status_code == 422
    assert not BreakGlass.objects.exists()
    done = site.asker.post(address, {"reason": "Down", "seen": change.change_set.receipt_digest})
    assert done.headers["Location"] == page_of(change)

    sentence = "changed AWS without approval"
    for browser in (site.asker, site.approver):
        assert sentence in text_of(browser, "/people/")
    member = another(Role.MEMBER, "Tomas Lind")
    assert sentence not in text_of(member, "/profile/")
    look = reverse("changes:review", args=[change.pk])
    assert look in text_of(site.approver, f"{INBOX}?tab=glass")
    Change.objects.update(state=ChangeState.APPLIED)
    assert "You used it, so someone else reviews it" in text_of(site.asker, look)
    key = str(site.approver.get(look).context["form"]["key"].value())
    form = {"verdict": "accept", "comment": "Right", "key": key}
    assert site.asker.post(look, form).status_code == 422
    assert site.approver.post(look, form | {"verdict": "maybe"}).status_code == 422
    assert site.approver.post(look, form).status_code == 302
    assert sentence not in text_of(site.approver, "/people/")
    assert "Hana Sato reviewed it" in text_of(site.asker, page_of(change))


def test_a_use_of_break_glass_names_every_account_and_who_reviewed_it(site: Site) -> None:
    change = site.asked()
    seen = change.change_set.receipt_digest
    site.asker.post(reverse("changes:break-glass", args=[change.pk]), {"reason": "Down", "seen": seen})
    second = Change.objects.get(pk=change.pk)
    second.pk, second.position, second.idempotency_key = uuid4(), 1, "second"
    second.account = factories.account("222222222222", name="data")
    second.save(force_insert=True)
    Change.objects.update(state=ChangeState.APPLIED)
    for address in (INBOX, f"{INBOX}?tab=glass"):
        assert f"in {change.account.name} and data," in text_of(site.approver, address) or (
            f"in data and {change.account.name}," in text_of(site.approver, address)
        )
    assert "Reviewed by" not in text_of(site.approver, f"{INBOX}?tab=glass")
    look = reverse("changes:review", args=[change.pk])
    key = str(site.approver.get(look).context["form"]["key"].value())
    site.approver.post(look, {"verdict": "accept", "comment": "Right", "key": key})
    assert "Reviewed by Hana Sato" in text_of(site.approver, f"{INBOX}?tab=glass")


def draft(client: Client) -> None:
    """Begin one."""
    client.post(reverse("changes:rules-draft"))


RULE_FORM = {
    "name": "Production",
    "sensitivity": "",
    "accounts": ["111111111111"],
    "who_1": ["role:approver"],
    "count_1": "2",
    "wait_hours": "12",
    "remind_hours": "0",
    "escalate_hours": "0",
}


def test_rules_are_drafted_proposed_and_put_in_force_by_another_administrator(site: Site) -> None:
    ada = another(Role.ADMINISTRATOR, "Ada Lund")
    another(Role.APPROVER, "Jonas Berg")
    assert "Everything else" in text_of(site.approver, reverse("changes:rules"))
    draft(site.asker)
    new = reverse("changes:rule", args=["new"])
    assert site.asker.post(new, RULE_FORM).status_code == 302
    page = text_of(site.asker, reverse("changes:rules-draft"))
    assert "when it is in prod-core" in page
    sent = site.asker.post(reverse("changes:rules-propose"), {"reason": "Audit asks for it"})
    rules = RuleSet.objects.get(state=RulesState.PROPOSED)
    address = reverse("changes:proposal", args=[rules.pk])
    assert sent.headers["Location"] == address
    assert rules_in_force()[0] == 0

    assert address in text_of(ada, INBOX)
    assert "Two approvers" in text_of(ada, address)
    decide = reverse("changes:proposal-decide", args=[rules.pk])
    assert site.asker.post(decide, {"decision": "approve"}).status_code == 422
    assert site.approver.post(decide, {"decision": "approve"}).status_code == 422
    assert rules_in_force()[0] == 0
    assert ada.post(decide, {"decision": "approve"}).status_code == 302
    assert rules_in_force()[1][2].name == "Production"
    assert "Needs two approvers" in text_of(site.asker, site.address())


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x\x00"},
        {"who_1": []},
        {"who_1": ["role:root"]},
        {"who_1": ["person:not-an-id"]},
        {"count_1": "0"},
        {"wait_hours": "0"},
        {"wait_hours": "99999999"},
        {"accounts": ["999999999999"]},
        {"risks": ["no-such-risk"]},
    ],
)
def test_a_bad_rule_is_given_back_and_changes_nothing(site: Site, wrong: dict[str, Any]) -> None:
    draft(site.asker)
    answer = site.asker.post(reverse("changes:rule", args=["new"]), RULE_FORM | wrong)
    assert answer.status_code == 422
    assert RuleSet.objects.get().rules == SHIPPED


def test_rules_are_moved_and_taken_out_and_what_cannot_be_is_not_proposed(site: Site) -> None:
    draft(site.asker)
    arrange = reverse("changes:rules-arrange")
    site.asker.post(arrange, {"key": "rest", "do": "up"})
    assert [rule.key for rule in RuleSet.objects.get().rules] == ["risky", "rest", "sensitive"]
    assert site.asker.post(arrange, {"key": "none", "do": "up"}).status_code == 404
    assert site.asker.post(arrange, {"key": "rest", "do": "burn"}).status_code == 404
    refused = site.asker.post(reverse("changes:rules-propose"), {"reason": "Because"})
    assert refused.status_code == 422
    assert "must apply to all requests" in refused.content.decode()
    site.asker.post(reverse("changes:rules-discard"))
    assert not RuleSet.objects.exists()
    assert site.asker.post(reverse("changes:rules-discard")).status_code == 404


def test_an_account_that_somebody_does_not_see_has_no_name_in_the_rules(site: Site) -> None:
    secret = factories.account("222222222222", name="acquisition")
    in_force(replace(TWO, key="s", name="Other", accounts=(secret.account_id,)), TWO)
    person = factories.person("Ben Okri")
    factories.assign(person, Role.APPROVER, account_id=site.account.account_id)
    operator = factories.operator(None, name="Ben Two")
    operator.person = person
    operator.save()
    page = text_of(signed_in(operator), reverse("changes:rules"))
    assert "acquisition" not in page
    assert "222222222222" not in page
    assert "an account that you do not see" in page


def test_an_appointment_waits_in_the_inbox_of_a_second_person(site: Site) -> None:
    ada = another(Role.ADMINISTRATOR, "Ada Lund")
    jonas = factories.operator(Role.APPROVER, name="Jonas Berg")
    kwame = factories.operator(None, name="Kwame Boateng")
    address = reverse("operator-role-add", args=[kwame.person_id])
    site.asker.post(address, {"role": "approver", "account_id": "", "team": ""})
    made = Appointment.objects.get()
    assert not kwame.person.assignments.exists()
    assert "Waiting for a second person" in text_of(site.asker, reverse("operator", args=[kwame.person_id]))

    decide = reverse("appointment", args=[made.pk])
    assert "Make Kwame Boateng approver" in text_of(ada, INBOX)
    for browser in (site.asker, site.approver, signed_in(jonas)):
        browser.post(decide, {"decision": "approve"})
        assert not kwame.person.assignments.exists()
    assert another(Role.AUDITOR, "Amara Diallo").post(decide, {"decision": "approve"}).status_code == 404
    ada.post(decide, {"decision": "approve"})
    assert kwame.person.assignments.get().role == Role.APPROVER
