"""The forms about access keep what was typed, and say what they left out."""

from __future__ import annotations

from django.http import QueryDict

from console.access.forms.base import MAX_LENGTH, TypedField
from console.access.forms.effective import EffectiveAccessForm
from iam.policy.catalogue import AccessLevel


def test_a_text_is_cut_only_where_nothing_longer_can_be_meant() -> None:
    assert TypedField().clean(f"  {'x' * MAX_LENGTH}yz ") == "x" * MAX_LENGTH
    assert TypedField(cut=None, strip=False).clean(" \n{}") == " \n{}"


def test_a_letter_that_cannot_be_seen_is_not_lost() -> None:
    """Its form says in its own words what is wrong with it."""
    assert TypedField().clean("a\x00b") == "a\x00b"


def test_what_makes_no_sense_is_left_out_and_said() -> None:
    form = EffectiveAccessForm(QueryDict("level=mighty&how=somehow&q=+s3+++get%00+"))
    assert form.problems == [
        "“mighty” isn’t an access level, so all are shown.",
        "“somehow” isn’t a filter, so all are shown.",
    ]
    assert (form.access_level, form.grade, form.text) == ("", "", "s3 get")
    assert [value for value, _, is_chosen in form.level_choices if is_chosen] == [""]


def test_a_level_and_those_above_it_are_asked_for() -> None:
    form = EffectiveAccessForm(QueryDict("level=write-up"))
    assert form.levels == (AccessLevel.WRITE, AccessLevel.PERMISSIONS, AccessLevel.TAGGING)
    assert form.is_filtered
    assert form.problems == []


def test_who_does_not_know_the_levels_of_aws_reads_plain_words() -> None:
    plain = EffectiveAccessForm(QueryDict("level=write"), plain=True)
    assert [label for _, label, is_chosen in plain.level_choices if is_chosen] == ["Change"]
    labels = {label for _, label, _ in plain.level_choices} | {plain.level_label}
    exact = EffectiveAccessForm(QueryDict(""))
    assert {"Write", "Permissions management", "Tagging"} & labels == set()
    assert {"Write", "Permissions management", "Tagging"} <= {label for _, label, _ in exact.level_choices}
    assert (plain.level_label, exact.level_label) == ("What it lets them do", "Access level")
