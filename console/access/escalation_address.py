"""Parses the address of the escalation pages: principals, view and filters, with errors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from django.http import Http404

from console.access.escalation_steps import ADMINISTRATOR, PathPageContext
from console.web.access import ViewerRequest
from console.web.address_choices import TICKED, choice
from console.web.context import frame_of
from console.web.query import QueryPairs
from iam.access import escalation as domain
from iam.access.certainty import Certainty
from iam.access.escalation_calculation.path_records import FindingPrincipal
from iam.access.persons import shown_names
from iam.access.visible_accounts import accounts_seen
from iam.mirror.models import Account
from iam.mirror.queries.accounts import visible_accounts
from iam.policy.request import PrincipalKind

MAX_LENGTH: Final = 2048
PREVIEW_LENGTH: Final = 80
CHOICES: Final = 8
SEPARATOR: Final = "~"
KINDS: Final = {"users": PrincipalKind.USER, "roles": PrincipalKind.ROLE}
VIEWS: Final = (("", "By policy"), ("principals", "By user and role"))
THERE: Final = "there"
OFFERED: Final[dict[str, Collection[str]]] = {
    "kind": KINDS,
    "certainty": frozenset(Certainty),
    "show": (THERE,),
    "view": dict(VIEWS),
    "all": (TICKED,),
}
"""Values that the address can choose, by parameter."""
NAMES: Final = ("from", "to", "q", "kind", "certainty", "show", "view", "all", "account", "as-of")


@dataclass(slots=True)
class EscalationAddress:
    """A parsed address.

    `start` and `goal` are the principals in `from` and `to`, `goal_name` is the goal's name, and `errors` are
    messages by field.
    """

    account: Account | None
    wanted: domain.EscalationFilter
    query: QueryPairs
    texts: dict[str, str]
    start: FindingPrincipal | None = None
    goal: FindingPrincipal | None = None
    goal_name: str = "administrator"
    after: domain.EscalationPosition | None = None
    errors: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """(ARN, address with it) of the candidates for an ambiguous name, by field."""

    @property
    def to(self) -> tuple[str, int] | None:
        """The goal as (account, ID) for the domain; None means administrators."""
        return None if self.goal is None else (self.goal.account, self.goal.id)

    @property
    def certainty(self) -> Certainty | None:
        """The certainty to filter by, or None."""
        text = self.texts["certainty"]
        return Certainty(text) if text else None

    @property
    def is_filtered(self) -> bool:
        """Whether the list is filtered."""
        return bool(self.texts["q"] or self.texts["kind"] or self.texts["certainty"])

    @property
    def is_by_policy(self) -> bool:
        """Whether the answer is grouped by policy, the default for the goal administrator."""
        return self.goal is None and not self.wanted.is_there and self.texts["view"] != "principals"

    @property
    def shows_all(self) -> bool:
        """Whether to show all groups without a limit."""
        return self.texts["all"] == TICKED


def read(request: ViewerRequest) -> EscalationAddress:
    """Parse the address.

    Raises Http404 for an account that the viewer doesn’t see; a name without a visible match is an error.
    """
    account = frame_of(request).chosen
    if request.GET.get("account") and account is None:
        raise Http404
    texts = {name: request.GET.get(name, "").strip()[:MAX_LENGTH] for name in NAMES}
    texts |= {name: choice(request, name, offered) for name, offered in OFFERED.items()}
    texts |= {"as-of": texts["as-of"] if request.at else "", "account": account.account_id if account else ""}
    certainty = Certainty(texts["certainty"]) if texts["certainty"] else None
    wanted = domain.EscalationFilter(
        accounts_seen(request.viewer, account=texts["account"]),
        request.at,
        is_there=texts["show"] == THERE,
        kind=KINDS.get(texts["kind"]),
        text=texts["q"],
        certainty=certainty,
    )
    asked = EscalationAddress(
        account,
        wanted,
        QueryPairs.from_pairs(texts.items()),
        texts,
        after=place_of(request.GET.get("after", "")),
    )
    asked.start, asked.goal = _principal_named(request, asked, "from"), _principal_named(request, asked, "to")
    if asked.goal is not None:
        asked.goal_name = shown_names([asked.goal])[asked.goal.id]
    asked.wanted = replace(wanted, to=asked.to, is_there=wanted.is_there and asked.goal is None)
    return asked


def _principal_named(request: ViewerRequest, asked: EscalationAddress, name: str) -> FindingPrincipal | None:
    text = asked.texts[name]
    if not text:
        return None
    principals = domain.find(text, accounts=accounts_seen(request.viewer), at=request.at)
    here = [member for member in principals if asked.account and member.account == asked.account.account_id]
    if len(principals) > 1 and len(here) == 1:
        return here[0]
    if len(principals) == 1:
        return principals[0]
    if principals:
        asked.errors[name] = (
            f"“{text[:PREVIEW_LENGTH]}” matches {len(principals)} users or roles. Choose one, or enter its "
            "ARN."
        )
        asked.choices[name] = [
            (member.arn, f"{request.path}{asked.query.with_values(**{name: member.arn})}")
            for member in sorted(principals, key=lambda member: member.arn)[:CHOICES]
        ]
    else:
        asked.errors[name] = (
            f"“{text[:PREVIEW_LENGTH]}” matches no user or role. Enter a name, user name, email address or "
            "ARN."
        )
    return None


def place_of(word: str) -> domain.EscalationPosition | None:
    parts = word.split(SEPARATOR, 4)
    if len(parts) != 5 or not parts[2].isdecimal() or len(parts[2]) > 4:
        return None
    return domain.EscalationPosition(parts[0] == "1", parts[1] == "1", int(parts[2]), parts[3], parts[4])


def word_of(place: domain.EscalationPosition) -> str:
    return SEPARATOR.join(
        (str(int(place.is_role)), str(int(place.is_conditional)), str(place.steps), place.account, place.arn)
    )


def frame_of_path(
    request: ViewerRequest, asked: EscalationAddress, policies: Mapping[tuple[str, str], int] | None = None
) -> PathPageContext:
    """Return the context that all parts of a path need."""
    goal = ADMINISTRATOR if asked.goal is None else asked.goal.name
    names = dict(visible_accounts(request.viewer).values_list("account_id", "name"))
    return PathPageContext(request.viewer.scope.sees_account, asked.query, policies or {}, goal, names)
