"""Decides about a review by keyboard alone, as a hurried reviewer does: no key waits for an answer, but for
those that undo one and for the next page.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Page

FOCUSED = "() => document.activeElement.closest('tr[data-row]')?.dataset.row ?? ''"
ROWS = "() => [...document.querySelectorAll('tr[data-row]')].map((row) => row.dataset.row)"
TURNED = """(first) => {
  const row = document.querySelector('tr[data-row]');
  return row && row.dataset.row !== first && document.activeElement === row;
}"""
SETTLED = "() => !document.querySelector('.htmx-request')"
IS_LAST = "() => !document.querySelector('#table .pager a[rel=next]')"
REASONS = {"r": "Not used since the move", "s": "Only reads it"}
DECISIONS = {"c": "keep", "r": "revoke", "s": "reduce"}
BULK = 4


@dataclass(slots=True)
class KeyboardReviewer:
    """`decided` is what each row should come to, by its number; `keys` how often a decision was sent."""

    page: Page
    decided: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    pages: int = 0

    def decide_all(self, address: str) -> None:
        """From the first row of the first page to the last one of the last."""
        self.page.goto(address)
        while True:
            first = self.page.evaluate(ROWS)[0]
            if self.pages % 5 == 4:
                self.decide_together()
            self.decide_page()
            self.pages += 1
            self.page.wait_for_function(SETTLED)
            if self.page.evaluate(IS_LAST):
                return
            self.page.keyboard.press("j")
            self.page.wait_for_function(TURNED, arg=first)

    def decide_page(self) -> None:
        """Row by row: most are kept, some revoked or reduced, and one of them after second thoughts."""
        if not self.page.evaluate(FOCUSED):
            self.page.keyboard.press("j")
        for number, row in enumerate(self.page.evaluate(ROWS)):
            assert self.page.evaluate(FOCUSED) == row, (row, self.page.evaluate(FOCUSED))
            key = "c"
            if number in (3, 11):
                key = "r"
            if number == 6:
                key = "s"
            self.press(row, key)
            if number == 8:
                self.change_mind(row)

    def press(self, row: str, key: str) -> None:
        """One decision, with its reason where it needs one."""
        self.page.keyboard.press(key)
        if key in REASONS:
            self.page.keyboard.type(REASONS[key])
            self.page.keyboard.press("Enter")
        self.decided[row] = DECISIONS[key]
        self.sent += 1

    def change_mind(self, row: str) -> None:
        """Undo, and revoke instead."""
        place = self.page.locator(f"#row-{row}")
        place.get_by_role("button", name="Undo").wait_for()
        self.page.keyboard.press("k")
        self.page.keyboard.press("u")
        place.get_by_role("button", name="Keep").wait_for()
        self.press(row, "r")
        self.sent += 1

    def decide_together(self) -> None:
        """Select some rows and keep them with one reason; the page comes anew without them."""
        if not self.page.evaluate(FOCUSED):
            self.page.keyboard.press("j")
        chosen = self.page.evaluate(ROWS)[:BULK]
        for row in chosen:
            self.page.keyboard.press("x")
            self.page.keyboard.press("j")
            self.decided[row] = "keep"
        self.page.keyboard.press("c")
        self.page.keyboard.type("All of them are needed")
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.sent += BULK
        assert not set(chosen) & set(self.page.evaluate(ROWS))


@dataclass(frozen=True, slots=True)
class ToldConflicts:
    """How many rows two reviewers decided about at once, and of how many the later one was told."""

    conflicts_due: int
    conflicts: int


def decide_at_once(pages: list[Page], address: str) -> ToldConflicts:
    """One reviewer keeps each row of a review at the moment at which the other one revokes it."""
    keeper, revoker = (KeyboardReviewer(page) for page in pages)
    for page in pages:
        page.goto(address)
        page.keyboard.press("j")
    due = told = 0
    while True:
        rows = keeper.page.evaluate(ROWS)
        assert revoker.page.evaluate(ROWS) == rows
        for row in rows:
            revoker.page.keyboard.press("r")
            revoker.page.keyboard.type("Not used")
            keeper.press(row, "c")
            revoker.page.keyboard.press("Enter")
        due += len(rows)
        for page in pages:
            page.wait_for_function(SETTLED)
            told += page.locator("tr[data-row] [role=alert]").count()
            is_last = page.evaluate(IS_LAST)
            page.keyboard.press("j")
            if not is_last:
                page.wait_for_function(TURNED, arg=rows[0])
        if is_last:
            return ToldConflicts(due, told)
