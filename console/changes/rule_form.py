"""The form of one approval rule; it checks the input's shape, and the rules check what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from console.web.text import reads_as_stored
from iam.changes.approval.people import ACTING
from iam.changes.approval.rules import (
    ADMINISTRATORS,
    APPROVERS,
    HIGH,
    LEAD,
    MAX_HOURS,
    MAX_PEOPLE,
    MAX_STAGES,
    PERSON,
    ApprovalRule,
    ApprovalStage,
    ApproverSpec,
)
from iam.changes.risks import WORDS
from iam.directory.models import Person, Team
from iam.guard import Viewer
from iam.mirror.queries.accounts import visible_accounts

PLAIN = (
    (APPROVERS, "Approvers"),
    (ADMINISTRATORS, "Administrators"),
    (ApproverSpec(LEAD), "The lead of the affected team"),
)


@dataclass(frozen=True, slots=True)
class StageFields:
    """The two fields of a stage, and its number."""

    number: int
    who: BoundField
    count: BoundField


def code_of(who: ApproverSpec) -> str:
    """Return an approver type as its form value."""
    return f"{who.kind}:{who.value}"


def who_of(codes: Iterable[str]) -> tuple[ApproverSpec, ...]:
    """Parse the form values of approver types."""
    return tuple(ApproverSpec(*code.split(":", 1)) for code in codes)


def _several(choices: list[tuple[str, str]], *, label: str, hint: str = "") -> forms.MultipleChoiceField:
    widget = forms.CheckboxSelectMultiple()
    return forms.MultipleChoiceField(
        choices=choices, label=label, help_text=hint, required=False, widget=widget
    )


def _hours(label: str, *, least: int, hint: str) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"class": "input", "inputmode": "numeric"})
    return forms.IntegerField(
        min_value=least, max_value=MAX_HOURS, label=label, help_text=hint, widget=widget
    )


class RuleForm(forms.Form):
    """The requests to which a rule applies, the stages of approval, and what happens without an answer."""

    name = forms.CharField(
        max_length=80,
        strip=True,
        validators=[reads_as_stored],
        widget=forms.TextInput(attrs={"class": "input"}),
    )
    sensitivity = forms.ChoiceField(
        choices=[("", "Any risk"), (HIGH, "Sensitive or critical requests only")],
        label="Risk level",
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
    )

    def __init__(self, data: Any = None, *, viewer: Viewer, rule: ApprovalRule | None = None) -> None:
        people = _people()
        who = [(code_of(who), label) for who, label in PLAIN] + people
        stages = len(rule.stages) if rule else 0
        self.stage_count = min(max(stages + 1, 2), MAX_STAGES)
        hours = {"wait_hours": 24, "remind_hours": 4, "escalate_hours": 0}
        initial = _initial(rule) if rule else hours
        super().__init__(data, initial=initial)
        any_hint = "If you select none, the rule applies to any."
        accounts = visible_accounts(viewer).order_by("name").values_list("account_id", "name")
        chosen = [(number, number) for number in (rule.accounts if rule else ())]
        teams = list(Team.objects.order_by("name").values_list("slug", "name"))
        offered = list(accounts)
        known = {number for number, _ in offered}
        self.fields["risks"] = _several(list(WORDS.items()), label="Any of these risks", hint=any_hint)
        self.fields["accounts"] = _several(
            offered + [choice for choice in chosen if choice[0] not in known],
            label="Any of these accounts",
            hint=any_hint,
        )
        self.fields["teams"] = _several(teams, label="Any of these teams", hint=any_hint)
        for number in range(1, self.stage_count + 1):
            self.fields[f"who_{number}"] = _several(who, label=f"Who can approve in stage {number}")
            self.fields[f"count_{number}"] = forms.IntegerField(
                min_value=1,
                max_value=MAX_PEOPLE,
                required=False,
                label=f"Approvals needed in stage {number}",
                widget=forms.NumberInput(attrs={"class": "input", "inputmode": "numeric"}),
            )
        self.fields["wait_hours"] = _hours(
            "Expires after, hours", least=1, hint="Then the request ends without a decision."
        )
        self.fields["remind_hours"] = _hours("Remind every, hours", least=0, hint="0 for never.")
        self.fields["escalate_hours"] = _hours("Escalate after, hours", least=0, hint="0 for never.")
        plain = [choice for choice in who if not choice[0].startswith(LEAD)]
        self.fields["escalate_to"] = _several(
            plain, label="Escalate to", hint="From then on, they can approve too."
        )
        self.fields["break_glass"] = _several(
            plain,
            label="Who can use break-glass",
            hint="For their own requests, in an emergency. If you select no one, break-glass is off.",
        )

    @property
    def stages(self) -> list[StageFields]:
        """Return the fields of each stage, in order."""
        numbers = range(1, self.stage_count + 1)
        return [StageFields(n, self[f"who_{n}"], self[f"count_{n}"]) for n in numbers]

    def rule(self, key: str) -> ApprovalRule:
        """Return the rule from valid data."""
        form_data = self.cleaned_data
        stages = [
            ApprovalStage(who_of(form_data[f"who_{n}"]), form_data[f"count_{n}"] or 1)
            for n in range(1, self.stage_count + 1)
            if form_data[f"who_{n}"]
        ]
        return ApprovalRule(
            key=key,
            name=form_data["name"],
            stages=tuple(stages),
            accounts=tuple(form_data["accounts"]),
            teams=tuple(form_data["teams"]),
            risks=tuple(form_data["risks"]),
            sensitivity=form_data["sensitivity"],
            wait_hours=form_data["wait_hours"],
            remind_hours=form_data["remind_hours"],
            escalate_hours=form_data["escalate_hours"],
            escalate_to=who_of(form_data["escalate_to"]),
            break_glass=who_of(form_data["break_glass"]),
        )


def _people() -> list[tuple[str, str]]:
    acting = Person.objects.filter(is_active=True, assignments__role__in=ACTING).distinct().order_by("name")
    return [(f"{PERSON}:{pk}", name) for pk, name in acting.values_list("pk", "name")]


def _initial(rule: ApprovalRule) -> dict[str, Any]:
    initial: dict[str, Any] = {
        "name": rule.name,
        "sensitivity": rule.sensitivity,
        "risks": list(rule.risks),
        "accounts": list(rule.accounts),
        "teams": list(rule.teams),
        "wait_hours": rule.wait_hours,
        "remind_hours": rule.remind_hours,
        "escalate_hours": rule.escalate_hours,
        "escalate_to": [code_of(who) for who in rule.escalate_to],
        "break_glass": [code_of(who) for who in rule.break_glass],
    }
    for number, stage in enumerate(rule.stages, start=1):
        initial |= {f"who_{number}": [code_of(who) for who in stage.who], f"count_{number}": stage.count}
    return initial
