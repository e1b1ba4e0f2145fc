"""Reads an address of the page "Compare access": who and when on either side, and says what in it made no
sense.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from django.http import Http404

from console.web.access import ViewerRequest, entity_or_404
from console.web.context import frame_of
from console.web.middleware import ZONE, moment_of
from console.web.moments import input_text
from console.web.query import Query
from iam.access.compare import Moment
from iam.access.principals import PrincipalError, Who, find_principal
from iam.access.visible_accounts import accounts_seen
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.moments import just_after
from iam.policy.request import PrincipalKind

LONGEST: Final = 2048
SHOWN: Final = 80
WEEK: Final = timedelta(days=7)
KINDS: Final = {Kind.USER.value: PrincipalKind.USER, Kind.ROLE.value: PrincipalKind.ROLE}
SHAPE: Final = "Enter a time such as 2026-11-24T14:05. Leave it empty for now."


@dataclass(slots=True)
class Versus:
    """An address, read. `left` and `right` are None where nothing can be compared; `query` is its plain
    form.
    """

    texts: dict[str, str]
    query: Query
    prefix: str = ""
    shows_all: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    left: Moment | None = None
    right: Moment | None = None

    @property
    def is_blank(self) -> bool:
        """Whether nobody is to be compared yet."""
        return not (self.texts["a"] or self.texts["b"])

    @property
    def is_wrong(self) -> bool:
        """Whether what is asked cannot be compared."""
        return bool(self.errors)

    def at_input(self, name: str) -> str:
        """A moment for its field, in the reader's time zone; what was typed where that is no moment."""
        side = self.left if name == "a" else self.right
        return self.texts[f"{name}-at"] if side is None else input_text(side.at)

    @property
    def is_one(self) -> bool:
        """Whether both sides are the same principal."""
        return bool(self.left and self.right and self.left.who.number == self.right.who.number)


def read(request: ViewerRequest) -> Versus:
    """The address of the request; an account, or somebody by number, that the viewer does not see is 404."""
    get, account = request.GET, frame_of(request).chosen
    if get.get("account") and account is None:
        raise Http404
    texts = {name: get.get(name, "").strip()[: LONGEST + 1] for name in ("a", "a-at", "b", "b-at")}
    versus = Versus(texts, Query(), get.get("service", "").lower()[:SHOWN], get.get("show") == "all")
    if not versus.is_blank:
        _ask(versus, request)
    if versus.left and versus.right:
        for name, side in (("a", versus.left), ("b", versus.right)):
            texts[name] = side.who.arn
            texts[f"{name}-at"] = f"{side.at:%Y-%m-%dT%H:%M:%S}" if side.at else ""
    # What could not be read stays as it was typed, and so in its zone; moments that were read are in UTC.
    is_typed = bool(versus.errors)
    versus.query = Query.of(
        [
            *texts.items(),
            (ZONE, get.get(ZONE, "") if is_typed else ""),
            ("show", "all" if versus.shows_all else ""),
            ("account", account.account_id if account else ""),
        ]
    )
    return versus


def _ask(versus: Versus, request: ViewerRequest) -> None:
    texts = versus.texts
    is_same = not texts["b"] or texts["b"] == texts["a"]
    moments = {name: _moment(versus, f"{name}-at", request) for name in ("a", "b")}
    if not texts["a"]:
        versus.errors["a"] = "Enter a principal for the left side."
        return
    left = _who(versus, "a", request, moments["a"], near="")
    right = left if is_same or left is None else _who(versus, "b", request, moments["b"], near=left.account)
    if left is None or right is None or versus.errors:
        return
    if is_same and moments["a"] == moments["b"] and not texts["a-at"]:
        moments["a"] = _before(request, left, moments["b"])
    versus.left, versus.right = Moment(left, moments["a"]), Moment(right, moments["b"])


def _moment(versus: Versus, name: str, request: ViewerRequest) -> datetime | None:
    """None is now; where the page is of the past, nothing written means that moment. The future is now."""
    text = versus.texts[name]
    if not text:
        return request.at
    moment = moment_of(request.GET, name)
    if moment is None:
        versus.errors[name] = f"“{text[:SHOWN]}” isn’t a time. {SHAPE}"
        return None
    return moment if moment < datetime.now(tz=UTC) else None


def _before(request: ViewerRequest, who: Who, moment: datetime | None) -> datetime:
    """A week before, or the first reading if that is later: of what lies before nothing is known."""
    earliest = Entity.objects.filter(pk=who.number).values_list("first_seen", flat=True).first()
    week = ((moment or datetime.now(tz=UTC)) - WEEK).replace(microsecond=0)
    return max(week, just_after(earliest)) if earliest else week


def _who(
    versus: Versus, name: str, request: ViewerRequest, moment: datetime | None, *, near: str
) -> Who | None:
    """Those who are there now may not have been there then, which is a difference, too. A name means somebody
    of the chosen account, or else rather somebody of the account `near`.
    """
    text = versus.texts[name]
    if text.isdecimal() and len(text) < 19:
        return _numbered(request, int(text))
    chosen = frame_of(request).chosen
    scopes = [accounts_seen(request.viewer, account=near)] if near else []
    account_id = chosen.account_id if chosen and text[:4] != "arn:" else ""
    scopes.append(accounts_seen(request.viewer, account=account_id))
    problem = ""
    for scope, at in product(scopes, dict.fromkeys((moment, None))):
        try:
            return find_principal(text, accounts=scope, at=at)
        except PrincipalError as error:
            problem = str(error)
    versus.errors[name] = problem
    return None


def _numbered(request: ViewerRequest, number: int) -> Who:
    """The user or role of a number, whether it still exists or not."""
    entity = entity_or_404(request.viewer, number, kinds=KINDS)
    if not request.viewer.scope.sees_account(entity.account.account_id):
        raise Http404
    return Who(entity.account.account_id, entity.pk, entity.arn, entity.name, KINDS[entity.kind])
