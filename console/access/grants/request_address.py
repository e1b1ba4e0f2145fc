"""Parses the input of the page “Request access”: an AWS error message, or an address made from one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from django.http import QueryDict

from console.access.forms.resource import resource_problem
from console.web.access import ViewerRequest
from console.web.query import QueryPairs
from iam.access.actions import ActionsError, select_actions
from iam.access.denied.answer import DenialAnswer, answer, needs_resource
from iam.access.denied.message import DeniedMessage, MessageError, PolicyType, read_message
from iam.access.principals import KINDS, AskingPrincipal, PrincipalError, find_principal
from iam.access.visible_accounts import accounts_seen
from iam.guard import Right, Viewer
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.accounts import accounts_to_change
from iam.mirror.queries.visibility import visible_entities
from iam.policy.request import PrincipalKind, account_of

MAX_LENGTH: Final = 2048
DENIAL_KINDS: Final = {"explicit": True, "implicit": False}


@dataclass(slots=True)
class GrantQuestion:
    """The question. `denied` is None if nothing was asked yet, `who` is the principal, and `answer` the
    result.
    """

    own: list[Entity]
    message: str = ""
    denied: DeniedMessage | None = None
    principal: str = ""
    user: int | None = None
    who: AskingPrincipal | None = None
    is_own: bool = False
    answer: DenialAnswer | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> QueryPairs:
        """The address with the same content, without the message."""
        denied = self.denied
        if denied is None:
            return QueryPairs()
        kind_of_deny = {True: "explicit", False: "implicit", None: ""}[denied.is_explicit]
        return QueryPairs.from_pairs(
            [
                ("action", denied.action),
                ("resource", denied.resource),
                ("principal", self.principal),
                ("user", str(self.user or "")),
                ("said", kind_of_deny),
                ("by", denied.policy_type or ""),
                ("policy", denied.policy_arn),
            ]
        )


def own_users(viewer: Viewer) -> list[Entity]:
    """Return the viewer's own existing IAM users, by account."""
    users = visible_entities(viewer).filter(
        kind=Kind.USER, arn__in=viewer.scope.user_arns, gone_at__isnull=True
    )
    return list(users.select_related("account").order_by("account__name", "name", "pk"))


def read_text(request: ViewerRequest, text: str) -> GrantQuestion:
    """Parse a pasted message, which is not stored anywhere."""
    asking = GrantQuestion(own_users(request.viewer), message=text[:40_000])
    try:
        asking.denied = read_message(text)
    except MessageError as error:
        asking.errors["message"] = str(error)
        return asking
    asking.principal = asking.denied.principal[:MAX_LENGTH]
    return asking


def read_address(request: ViewerRequest, parameters: QueryDict) -> GrantQuestion:
    """Parse an address or a form with the same fields, and answer the question if possible."""
    asking = GrantQuestion(own_users(request.viewer))
    action, resource, principal, policy = (
        parameters.get(name, "").strip()[:MAX_LENGTH]
        for name in ("action", "resource", "principal", "policy")
    )
    if not action and not resource:
        return asking
    asking.principal = principal
    user = parameters.get("user", "")
    asking.user = int(user) if user.isdecimal() and len(user) < 19 else None
    by = parameters.get("by", "")
    policy_type = PolicyType(by) if by in set(PolicyType) else None
    asking.denied = DeniedMessage(
        action,
        principal,
        resource,
        policy_type=policy_type,
        is_explicit=DENIAL_KINDS.get(parameters.get("said", "")),
        policy_arn=policy,
    )
    _check(asking)
    _find(asking, request.viewer)
    if asking.who is not None and not asking.errors:
        asking.answer = answer(request.viewer, asking.denied, who=asking.who, is_own=asking.is_own)
        if asking.answer is None:
            asking.errors["principal"] = "This user or role no longer exists, as of the last sync."
    return asking


def _check(asking: GrantQuestion) -> None:
    """Validate the action, and the resource if the action needs one."""
    denied = asking.denied
    assert denied is not None
    if denied.resource and (problem := resource_problem(denied.resource)):
        asking.errors["resource"] = problem
    try:
        meaning = select_actions(denied.action, resource="*")
    except ActionsError as error:
        asking.errors["action"] = str(error)
        return
    if not meaning.is_one:
        asking.errors["action"] = "Enter one full action, such as s3:GetObject."
    elif needs_resource(denied) and "resource" not in asking.errors:
        asking.errors["resource"] = (
            "The message doesn’t name the resource. Enter its ARN, such as arn:aws:s3:::bucket/file."
        )


def _find(asking: GrantQuestion, viewer: Viewer) -> None:
    """Find the principal: the viewer's own user, or one for whom the viewer can request access."""
    mine = next((entity for entity in asking.own if entity.arn == asking.principal), None)
    if mine is None and not asking.principal:
        mine = _own_of(asking)
        if mine is None and not viewer.may(Right.REQUEST_CHANGE):
            asking.errors["user"] = "Choose an account." if asking.own else "You have no AWS user yet."
            return
    if mine is not None:
        asking.user, asking.is_own = mine.pk, True
        asking.who = AskingPrincipal(
            mine.account.account_id, mine.pk, mine.arn, mine.name, PrincipalKind.USER
        )
        return
    _find_other(asking, viewer)


def _own_of(asking: GrantQuestion) -> Entity | None:
    """Return the viewer's chosen user, the one in the resource's account, or the only one."""
    for user in asking.own:
        if user.pk == asking.user:
            return user
    account = account_of(asking.denied.resource) if asking.denied else ""
    users = [user for user in asking.own if user.account.account_id == account]
    if len(users) != 1:
        users = asking.own
    return users[0] if len(users) == 1 else None


def _find_other(asking: GrantQuestion, viewer: Viewer) -> None:
    if not viewer.may(Right.REQUEST_CHANGE):
        asking.errors["principal"] = _not_own(asking.principal)
        return
    if not asking.principal:
        asking.errors["principal"] = "The message doesn’t say who. Enter the name or ARN of the user or role."
        return
    try:
        asking.who = _visible_principal(asking.principal, viewer)
    except PrincipalError as error:
        asking.errors["principal"] = str(error)


def _visible_principal(text: str, viewer: Viewer) -> AskingPrincipal:
    """Find a principal in accounts that the viewer sees, or in the viewer's teams. Raises PrincipalError."""
    if viewer.sees_accounts:
        return find_principal(text, accounts=accounts_seen(viewer), at=None)
    people = visible_entities(viewer).filter(
        kind=Kind.USER, gone_at__isnull=True, account__in=accounts_to_change(viewer).values("pk")
    )
    users = people.filter(arn=text) | people.filter(name=text)
    user = users.select_related("account").order_by("pk").first()
    if user is None:
        raise PrincipalError("No one in your teams matches. Try a name, email or user name.")
    return AskingPrincipal(user.account.account_id, user.pk, user.arn, user.name, KINDS[user.kind])


def _not_own(principal: str) -> str:
    """Return the error for a message about a session or about another person."""
    if ":assumed-role/" in principal:
        role = principal.split(":assumed-role/", 1)[1].partition("/")[0]
        return (
            f"You were using the role {role}. Its permissions are the same for everyone who uses it: "
            "contact the owner of the role, or use your own user."
        )
    return "This message isn’t about your own AWS user. You can only request access for yourself."
