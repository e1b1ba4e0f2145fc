"""What is copied."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            '<button data-copy="arn:aws:iam::1:user/maya"><span>Copy</span></button>',
            "arn:aws:iam::1:user/maya",
        ),
        ('<button data-copy-from="x"><span>Copy</span></button><code id="x">secret</code>', "secret"),
        (
            '<button data-copy-from="x"><span>Copy</span></button>'
            '<pre id="x"><span data-n="1">one</span><i>no</i><span data-n="2">two</span></pre>',
            "one\ntwo",
        ),
    ],
)
def test_a_text_is_copied_and_it_is_said(stage: Stage, body: str, text: str) -> None:
    page = stage.open("clipboard", body + '<div class="toasts"></div>')
    page.get_by_text("Copy").click()
    expect(page.locator(".toast")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == text
