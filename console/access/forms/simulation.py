"""The form of the page "Simulate"."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from django.core.exceptions import ValidationError
from django.http import QueryDict

from console.access.circumstances import circumstances_of
from console.access.forms.base import MAX_LENGTH, TypedField
from console.access.forms.resource import ResourceForm
from console.web.access import ViewerRequest
from console.web.query import QueryPairs
from iam.access.actions import ActionSelection, ActionsError, select_actions
from iam.access.principals import AskingPrincipal, PrincipalError, find_principal
from iam.access.simulate import SimulationInquiry
from iam.access.visible_accounts import accounts_seen
from iam.policy.evaluate import ASSUMING
from iam.policy.letter_case import fold
from iam.policy.lint import LintKind, lint
from iam.policy.request import PrincipalKind, account_of

MAX_POLICY_LENGTH: Final = 65_536
"""Maximum length of a policy text, above that of any AWS policy."""
POLICIES: Final = {
    "resource_policy": LintKind.RESOURCE,
    "session_policy": LintKind.SESSION,
    "endpoint_policy": LintKind.ENDPOINT,
}
WITH_SESSIONS: Final = frozenset({PrincipalKind.ROLE, PrincipalKind.SESSION})
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class SimulationForm(ResourceForm):
    """A simulated request. Policy texts can only be posted, because they are too long for an address."""

    ASKED_BY = ("principal", "action", "resource", *POLICIES)

    principal = TypedField(cut=MAX_LENGTH + 1)
    action = TypedField(cut=MAX_LENGTH + 1)
    resource_policy = TypedField(cut=None, strip=False)
    session_policy = TypedField(cut=None, strip=False)
    endpoint_policy = TypedField(cut=None, strip=False)

    @classmethod
    def from_request(cls, request: ViewerRequest) -> SimulationForm:
        """Build the form from the POST data or the query string."""
        if request.method == "POST":
            return cls(request.POST, request=request)
        data = request.GET.copy()
        for name in POLICIES:
            data.pop(name.replace("_", "-"), None)
        return cls(data, request=request)

    def __init__(self, data: QueryDict, *, request: ViewerRequest) -> None:
        super().__init__(data, request=request)
        self.circumstances = circumstances_of(data, action=self.texts["action"])
        self.policies = {name: self.texts[name] for name in POLICIES if self.texts[name].strip()}
        self.query = QueryPairs.from_pairs(
            [
                *((name, self.texts[name]) for name in ("principal", "action", "resource", "owner")),
                *self.circumstances.pairs,
                ("account", self.account_id),
                ("as-of", self.as_of),
            ]
        )

    @property
    def is_wrong(self) -> bool:
        """Whether the input has errors."""
        return self.inquiry is None and not self.is_blank

    @property
    def who(self) -> AskingPrincipal | None:
        """The principal, or None if it is invalid."""
        principal: AskingPrincipal | None = self.answer("principal")
        return principal

    @property
    def known_action(self) -> ActionSelection | None:
        """The action, or None if it is invalid."""
        action: ActionSelection | None = self.answer("action")
        return action

    def clean_principal(self) -> AskingPrincipal:
        """Find the principal; a name is looked up in the chosen account, while an ARN includes its
        account.
        """
        text = self.texts["principal"]
        chosen = "" if text.startswith("arn:") else self.account_id
        seen = accounts_seen(self.request.viewer, account=chosen)
        try:
            return find_principal(text, accounts=seen, at=self.request.at)
        except PrincipalError as error:
            raise ValidationError(str(error)) from error

    def clean_action(self) -> ActionSelection:
        """Return the action; patterns aren’t allowed."""
        try:
            meaning = select_actions(self.texts["action"], resource=self.checked_arn)
        except ActionsError as error:
            raise ValidationError(str(error)) from error
        if not meaning.is_one:
            raise ValidationError("Enter one full action name, such as s3:GetObject.")
        return meaning

    def clean(self) -> None:
        """Validate the policy texts, which depend on principal and action."""
        for name in self.policies:
            if problem := self._policy_problem(name):
                self.add_error(name, problem)

    def _policy_problem(self, name: str) -> str:
        """Return why AWS would reject a policy text; "" if it wouldn’t."""
        text, kind = self.policies[name], POLICIES[name]
        who: AskingPrincipal | None = self.cleaned_data.get("principal")
        if len(text) > MAX_POLICY_LENGTH or CONTROLS.search(text):
            return (
                f"This isn’t a policy that AWS accepts: it has more than {MAX_POLICY_LENGTH:,} characters, "
                "or invisible ones."
            )
        if kind is LintKind.SESSION and who is not None and who.kind not in WITH_SESSIONS:
            return (
                "A session policy applies only to role sessions. Choose a role or a session, or remove the "
                "policy."
            )
        if kind is LintKind.RESOURCE and fold(self.texts["action"]) in ASSUMING:
            kind = LintKind.TRUST
        wrong = [finding for finding in lint(text, kind=kind, quota=None) if finding.is_refused]
        if not wrong:
            return ""
        more = f" And {len(wrong) - 1} more." if len(wrong) > 1 else ""
        first = wrong[0]
        return f"Line {first.line}, column {first.column}: {first.message} {first.remedy}{more}"

    @cached_property
    def inquiry(self) -> SimulationInquiry | None:
        """Return the question for the engine; None if the form has errors."""
        if not self.is_valid() or self.circumstances.errors:
            return None
        answers = self.cleaned_data
        place = answers["owner"] or account_of(answers["resource"])
        return SimulationInquiry(
            answers["principal"],
            answers["action"].actions[0],
            answers["resource"],
            at=self.request.at,
            context=self.circumstances.context,
            strict=self.circumstances.strict,
            is_any_time=self.circumstances.is_any_time,
            owner=answers["owner"],
            is_hidden=bool(place) and not self.request.viewer.scope.sees_account(place),
            **self.policies,
        )
