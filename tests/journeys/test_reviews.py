"""A review by keyboard: decisions, the request, its approval, and access on trial that comes back when what
it allowed is denied.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import in_every_look
from tests.journeys.conftest import Running, SignIn
from tests.journeys.review_keys import KeyboardReviewer, decide_at_once
from tests.journeys.review_seed import seed
from tests.journeys.test_campaign import let_the_beat_come_by, reload_until
from tests.journeys.test_first_write import approve

pytestmark = pytest.mark.journey
ACCESS = "deployers"
KEY_AFTER_THE_SWAP = """key => document.addEventListener("htmx:afterSwap", () => setTimeout(() =>
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}))
), {once: true})"""


def query(console: Running, text: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with console.database() as database:
        rows = database.execute(text, values).fetchall()
        database.commit()
        return rows


def deny_a_call(console: Running) -> None:
    """The person calls what the access allowed, and CloudTrail records that AWS denied it."""
    ((aws_id, arn, account),) = query(
        console,
        "SELECT e.aws_id, e.arn, a.account_id FROM audit_reviews_reviewtrial t "
        "JOIN audit_reviews_reviewitem r ON r.id = t.row_id JOIN mirror_entity e ON e.id = r.entity_id "
        "JOIN mirror_account a ON a.id = r.account_id",
    )
    known = query(console, "SELECT id FROM activity_caller WHERE unique_id = ?", aws_id)
    if not known:
        query(
            console,
            "INSERT INTO activity_caller (kind, account_id, unique_id, arn, name, digest) "
            "VALUES ('user', ?, ?, ?, ?, ?)",
            account, aws_id, arn, ACCESS, uuid.uuid4().hex,
        )  # fmt: skip
        known = query(console, "SELECT id FROM activity_caller WHERE unique_id = ?", aws_id)
    at = (datetime.now(tz=UTC) + timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S")
    query(
        console,
        "INSERT INTO activity_event (at, event_id, account_id, region, service, action, caller_id, "
        "session_name, access_key, source_identity, person, instance_id, source_address, tool, error_code, "
        "is_denied, resource, raw, file_id) VALUES (?, ?, ?, 'eu-west-1', 'lambda', 'UpdateFunctionCode', ?, "
        "'', '', '', '', '', '', '', 'AccessDenied', 1, '', '', 1)",
        at, uuid.uuid4().hex, account, known[0][0],
    )  # fmt: skip


def test_a_review_is_decided_by_keyboard_and_what_is_missed_comes_back(
    sign_in: SignIn, console: Running
) -> None:
    elif_kaya = sign_in("elif.kaya")
    elif_kaya.goto("/reviews/")
    elif_kaya.get_by_role("link", name="Payments, second half of 2026").click()
    elif_kaya.get_by_label("Filter by name or access").fill(ACCESS)
    elif_kaya.keyboard.press("Enter")
    expect(elif_kaya).to_have_url(re.compile(f"q={ACCESS}"))
    rows = elif_kaya.locator("tr[data-row]")
    expect(rows.first).to_contain_text(ACCESS)
    assert in_every_look(elif_kaya) == []
    elif_kaya.set_viewport_size({"width": 1440, "height": 900})
    # j goes to the first row, r asks for the reason, Enter decides, and the next row is at hand.
    elif_kaya.locator("h1").click()
    elif_kaya.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    elif_kaya.keyboard.press("r")
    elif_kaya.keyboard.type("Left the deployment team")
    elif_kaya.keyboard.press("Enter")
    expect(rows.nth(0)).to_contain_text("Revoke")
    expect(rows.nth(1)).to_be_focused()
    elif_kaya.keyboard.press("c")
    expect(rows.nth(1)).to_contain_text("Keep")
    expect(rows.nth(2)).to_be_focused()
    # Undone before anything was requested.
    elif_kaya.keyboard.press("k")
    elif_kaya.keyboard.press("u")
    expect(rows.nth(1).get_by_role("button", name="Keep")).to_be_visible()
    expect(rows.nth(1)).to_be_focused()
    elif_kaya.keyboard.press("c")
    expect(rows.nth(1)).to_contain_text("Elif Kaya")
    # The row answers in the moment it is there: a key that follows the swap at once sends no form of its own.
    elif_kaya.keyboard.press("k")
    elif_kaya.evaluate(KEY_AFTER_THE_SWAP, "c")
    elif_kaya.keyboard.press("u")
    expect(rows.nth(1)).to_contain_text("Elif Kaya")
    expect(rows.nth(2)).to_be_focused()
    expect(elif_kaya).to_have_url(re.compile(f"q={ACCESS}"))

    elif_kaya.goto(elif_kaya.url.partition("?")[0])
    elif_kaya.get_by_role("button", name="Request changes").click()
    expect(elif_kaya.get_by_text("1 request for 1 decision.")).to_be_visible()
    ((change,),) = query(
        console, "SELECT change_id FROM audit_reviews_reviewchange WHERE is_return = 0 LIMIT 1"
    )
    approve(f"/changes/{uuid.UUID(change)}/", sign_in("hana.sato"), sign_in("jonas.berg"))
    console.wait_for("SELECT COUNT(*) FROM audit_reviews_reviewtrial", least=1)
    elif_kaya.goto(f"{elif_kaya.url.partition('?')[0]}?tab=trial")
    expect(elif_kaya.get_by_text("On trial until")).to_be_visible()

    deny_a_call(console)
    let_the_beat_come_by(console, "iam.audit.reviews.tasks.tend_reviews")
    reload_until(elif_kaya, elif_kaya.get_by_text("Given back by Gatehouse"))
    console.wait_for(
        "SELECT COUNT(*) FROM audit_reviews_reviewchange r JOIN changes_change c ON c.id = r.change_id "
        "WHERE r.is_return = 1 AND c.state = 'applied'",
        least=1,
    )


def test_a_review_of_two_pages_is_decided_by_keyboard_without_waiting(
    sign_in: SignIn, console: Running
) -> None:
    page, review = sign_in("hana.sato"), seed(console.var, 30)
    reviewer = KeyboardReviewer(page)
    reviewer.decide_all(f"/reviews/{review}/")
    key = uuid.UUID(review).hex
    rows = query(console, "SELECT id, decision FROM audit_reviews_reviewitem WHERE campaign_id = ?", key)
    assert {str(number): decision for number, decision in rows} == reviewer.decided
    assert len(reviewer.decided) == 30
    # What the page says follows each decision, and the next step is there without a reload.
    expect(page.locator("#review-progress")).to_have_text("30 of 30")
    expect(page.get_by_role("button", name="Request changes")).to_be_visible()
    entries = query(
        console,
        "SELECT COUNT(*) FROM journal_entry WHERE kind IN ('review.decide', 'review.undo') "
        "AND json_extract(data_json, '$.review') = ?",
        f"REV-{key[:8].upper()}",
    )
    assert entries == [(reviewer.sent,)]


def test_two_reviewers_at_once_lose_no_decision_and_the_later_one_is_told(
    sign_in: SignIn, console: Running
) -> None:
    pages, review = [sign_in("hana.sato"), sign_in("ines.duarte")], seed(console.var, 12)
    told = decide_at_once(pages, f"/reviews/{review}/")
    assert (told.conflicts_due, told.conflicts) == (12, 12)
    rows = query(
        console,
        "SELECT decision, decided_name, version FROM audit_reviews_reviewitem WHERE campaign_id = ?",
        uuid.UUID(review).hex,
    )
    assert {(decision, name) for decision, name, _ in rows} <= {
        ("keep", "Hana Sato"),
        ("revoke", "Ines Duarte"),
    }
    assert {version for _, _, version in rows} == {1}
