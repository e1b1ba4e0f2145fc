"""Letters that cannot be seen and yet change how a text reads: shown where they come from AWS, refused where
people type.
"""

from __future__ import annotations

import json
import uuid

import pytest
from django.core.exceptions import ValidationError

from console.changes.forms import DecisionForm, ReasonForm
from console.operators.directory_forms import PersonForm, TeamForm
from console.web.templatetags import policy_text
from console.web.templatetags.policy_text import policydoc, sidediff
from console.web.text import reads_as_stored
from iam.mirror.display_names import display_name

TURNED = "harmless\u202e drawkcab\u202c"


def test_a_document_shows_what_hides_in_it() -> None:
    text = json.dumps(
        {"Sid": "a\u202eb\u200b", "Resource": "\u2066x\u2069\ufeff\U000e0041", "Note": "Zoë 🙂"}
    )
    shown = policydoc(text)
    for hidden in ("\\u202e", "\\u200b", "\\u2066", "\\ufeff", "\\udb40\\udc41"):
        assert hidden in shown
    assert not any(letter in shown for letter in "\u202e\u200b\u2066\u2069\ufeff\U000e0041")
    assert "Zoë 🙂" in shown
    assert "\\u202e" in sidediff(text, "{}")


def test_a_text_that_is_no_document_does_so_too() -> None:
    assert "\\u202e" in policydoc("no JSON \u202e <script>")
    assert "<script>" not in policydoc("no JSON <script>")
    assert "[[" in policydoc("[" * 50_000)


def test_a_tag_is_a_name_without_them() -> None:
    assert display_name("px042", {"DisplayName": "Pri\u202eya\u200b\nRaman"}) == "PriyaRaman"
    assert display_name("maya.okafor", {"Name": "\u202e\u200b"}) == "maya.okafor"


def test_nobody_types_them_where_somebody_else_decides_by_it() -> None:
    forms = (
        ReasonForm({"reason": TURNED, "key": str(uuid.uuid4())}),
        DecisionForm({"decision": "approve", "comment": TURNED, "seen": "x"}),
        PersonForm({"name": TURNED, "email": "a@example.com"}),
        TeamForm({"name": "Payments", "description": TURNED}),
    )
    for form in forms:
        assert not form.is_valid()
        assert "reverses the order of letters" in str(form.errors)


@pytest.mark.parametrize("text", ["\u200b", "\u2060\ufeff\u00ad", "\U000e0041"])
def test_a_reason_that_nobody_can_see_is_no_reason(text: str) -> None:
    form = ReasonForm({"reason": text, "key": str(uuid.uuid4())})
    assert not form.is_valid()
    assert "only invisible characters" in str(form.errors)


@pytest.mark.parametrize("text", ["Zoë\nלמה\u200f", "🙂\u200d🔥", "für Größe"])
def test_other_scripts_are_welcome(text: str) -> None:
    reads_as_stored(text)
    with pytest.raises(ValidationError):
        reads_as_stored(text + "\u202e")


def test_a_line_of_a_policy_is_coloured_once_and_escaped_each_time() -> None:
    policy_text._tokens.cache_clear()
    text = '{"Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "<b>x</b>"}]}'
    first = policy_text.policydoc(text)
    drawn = policy_text._tokens.cache_info().misses
    assert policy_text.policydoc(text) == first
    assert policy_text._tokens.cache_info().misses == drawn
    assert "<b>" not in first
    assert '<i class="t-str">&quot;&lt;b&gt;x&lt;/b&gt;&quot;</i>' in first
