"""Reads what somebody asks on the page "Simulate", from an address or a form, and says what in it made no
sense.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from django.http import Http404, QueryDict

from console.access.asked import LONGEST, owner_problem, resource_problem
from console.access.circumstances import Circumstances, circumstances_of
from console.web.access import ViewerRequest
from console.web.context import frame_of
from console.web.query import Query
from iam.access.actions import ActionsError, Meant, actions_meant
from iam.access.principals import PrincipalError, Who, find_principal
from iam.access.simulate import Inquiry
from iam.access.visible_accounts import accounts_seen
from iam.mirror.models import Account
from iam.policy.evaluate import ASSUMING
from iam.policy.letter_case import fold
from iam.policy.lint import Kind, lint
from iam.policy.request import PrincipalKind, account_of

LONGEST_TEXT: Final = 65_536
"""Characters of a policy text: more than any policy of AWS has."""
POLICIES: Final = {
    "resource-policy": Kind.RESOURCE,
    "session-policy": Kind.SESSION,
    "endpoint-policy": Kind.ENDPOINT,
}
WITH_SESSIONS: Final = frozenset({PrincipalKind.ROLE, PrincipalKind.SESSION})
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(slots=True)
class Asking:
    """What is asked. `inquiry` is None where it cannot be answered; `query` is the plain address, without
    policy texts.
    """

    principal: str
    action: str
    resource: str
    owner: str
    account: Account | None
    circumstances: Circumstances
    query: Query
    texts: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    who: Who | None = None
    meant: Meant | None = None
    inquiry: Inquiry | None = None

    @property
    def is_blank(self) -> bool:
        """Whether nothing is asked yet."""
        return not (self.principal or self.action or self.resource or self.texts)

    @property
    def is_wrong(self) -> bool:
        """Whether something that was asked cannot be answered."""
        return self.inquiry is None and not self.is_blank


def read(request: ViewerRequest) -> Asking:
    """What the form or the address asks; an account that the viewer does not see is 404."""
    source: QueryDict = request.POST if request.method == "POST" else request.GET
    account = frame_of(request).chosen
    if request.GET.get("account") and account is None:
        raise Http404
    principal, action, resource, owner = (
        source.get(name, "").strip()[: LONGEST + 1] for name in ("principal", "action", "resource", "owner")
    )
    circumstances = circumstances_of(source, action=action)
    query = Query.of(
        [
            ("principal", principal),
            ("action", action),
            ("resource", resource),
            ("owner", owner),
            *circumstances.pairs,
            ("account", account.account_id if account else ""),
            ("as-of", request.GET.get("as-of", "") if request.at else ""),
        ]
    )
    asking = Asking(principal, action, resource, owner, account, circumstances, query)
    if request.method == "POST":
        texts = {name: source.get(name, "") for name in POLICIES}
        asking.texts = {name: text for name, text in texts.items() if text.strip()}
    if not asking.is_blank:
        _ask(asking, request)
    return asking


def _ask(asking: Asking, request: ViewerRequest) -> None:
    _read_principal(asking, request)
    resource = asking.resource or "*"
    if problem := resource_problem(resource):
        asking.errors["resource"] = problem
    if problem := owner_problem(asking.owner, resource=resource):
        asking.errors["owner"] = problem
    valid_resource = "*" if "resource" in asking.errors else resource
    _read_action(asking, valid_resource)
    for name in asking.texts:
        if problem := _text_problem(asking, name):
            asking.errors[name] = problem
    if asking.who is None or asking.meant is None or asking.errors or asking.circumstances.errors:
        return
    place = asking.owner or account_of(resource)
    asking.inquiry = Inquiry(
        asking.who,
        asking.meant.actions[0],
        resource,
        at=request.at,
        context=asking.circumstances.context,
        strict=asking.circumstances.strict,
        is_any_time=asking.circumstances.is_any_time,
        owner=asking.owner,
        is_hidden=bool(place) and not request.viewer.scope.sees_account(place),
        **{name.replace("-", "_"): text for name, text in asking.texts.items()},
    )


def _read_principal(asking: Asking, request: ViewerRequest) -> None:
    """A name means somebody of the chosen account; an ARN says itself of which account it is."""
    chosen = asking.account.account_id if asking.account and not asking.principal.startswith("arn:") else ""
    seen = accounts_seen(request.viewer, account=chosen)
    try:
        asking.who = find_principal(asking.principal, accounts=seen, at=request.at)
    except PrincipalError as error:
        asking.errors["principal"] = str(error)


def _read_action(asking: Asking, resource: str) -> None:
    try:
        meaning = actions_meant(asking.action, resource=resource)
    except ActionsError as error:
        asking.errors["action"] = str(error)
        return
    if meaning.is_one:
        asking.meant = meaning
    else:
        asking.errors["action"] = "Enter one full action name, such as s3:GetObject."


def _text_problem(asking: Asking, name: str) -> str:
    """Why AWS would refuse a policy text; empty where it would not."""
    text, kind = asking.texts[name], POLICIES[name]
    if len(text) > LONGEST_TEXT or CONTROLS.search(text):
        return (
            f"This isn’t a policy that AWS accepts: it has more than {LONGEST_TEXT:,} characters, or "
            "invisible ones."
        )
    if kind is Kind.SESSION and asking.who is not None and asking.who.kind not in WITH_SESSIONS:
        return (
            "A session policy applies only to role sessions. Choose a role or a session, or remove the "
            "policy."
        )
    if kind is Kind.RESOURCE and fold(asking.action) in ASSUMING:
        kind = Kind.TRUST
    wrong = [finding for finding in lint(text, kind=kind, quota=None) if finding.is_refused]
    if not wrong:
        return ""
    more = f" And {len(wrong) - 1} more." if len(wrong) > 1 else ""
    first = wrong[0]
    return f"Line {first.line}, column {first.column}: {first.message} {first.remedy}{more}"
