"""The form of the page “Compare access”: a principal and a moment for each side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from django.core.exceptions import ValidationError
from django.http import Http404

from console.access.forms.base import MAX_LENGTH, AccessForm, TypedField
from console.web.access import ViewerRequest, entity_or_404
from console.web.address_choices import choice
from console.web.middleware import ZONE, moment_in, moment_of
from console.web.moments import input_text
from console.web.query import QueryPairs
from iam.access.compare import ComparedSide
from iam.access.principals import AskingPrincipal, PrincipalError, find_principal
from iam.access.visible_accounts import accounts_seen
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.moments import just_after
from iam.policy.request import PrincipalKind

MAX_SERVICE_LENGTH: Final = 80
ALL: Final = "all"
WEEK: Final = timedelta(days=7)
KINDS: Final = {Kind.USER.value: PrincipalKind.USER, Kind.ROLE.value: PrincipalKind.ROLE}
SHAPE: Final = "Enter a time such as 2026-11-24T14:05, or leave the field empty for the time of the page."


class CompareForm(AccessForm):
    """Two principals, or one at two moments; `left` and `right` are None if nothing can be compared.

    Raises Http404 for a principal ID that the viewer can’t see. `a_at` and `b_at` are in the reader's time
    zone; `query` has them in UTC, or as entered, with their zone, if there are errors.
    """

    ASKED_BY = ("a", "b")

    a_at = TypedField(cut=MAX_LENGTH + 1)
    b_at = TypedField(cut=MAX_LENGTH + 1)
    a = TypedField(cut=MAX_LENGTH + 1)
    b = TypedField(cut=MAX_LENGTH + 1)

    def __init__(self, request: ViewerRequest) -> None:
        super().__init__(request.GET, request=request)
        self.service = request.GET.get("service", "").lower()[:MAX_SERVICE_LENGTH]
        self.shows_all = choice(request, "show", (ALL,)) == ALL
        self.left: ComparedSide | None = None
        self.right: ComparedSide | None = None
        if self.is_blank:
            # Nobody is compared yet, so the form doesn’t check the moments.
            moment_in(request, "a-at")
            moment_in(request, "b-at")
        if self.is_valid():
            self._take_sides()
        self.query = QueryPairs.from_pairs(
            [
                *((self.add_prefix(name), self.texts[name]) for name in ("a", "a_at", "b", "b_at")),
                (ZONE, request.GET.get(ZONE, "") if self.errors else ""),
                ("show", ALL if self.shows_all else ""),
                ("account", self.account_id),
            ]
        )

    @property
    def is_one(self) -> bool:
        """Whether both sides are the same principal."""
        return bool(self.left and self.right and self.left.who.number == self.right.who.number)

    @property
    def has_same_text(self) -> bool:
        """Whether the right side names no other principal."""
        return self.texts["b"] in ("", self.texts["a"])

    def at_input(self, name: str) -> str:
        """Return a moment as the value of its field, in the reader's time zone; invalid input is returned
        unchanged.
        """
        side = self.left if name == "a" else self.right
        return self.texts[f"{name}_at"] if side is None else input_text(side.at)

    def clean_a_at(self) -> datetime | None:
        """Return the moment of the left side; None for now."""
        return self._moment("a_at")

    def clean_b_at(self) -> datetime | None:
        """Return the moment of the right side; None for now."""
        return self._moment("b_at")

    def clean_a(self) -> AskingPrincipal:
        """Return the principal of the left side."""
        if not self.texts["a"]:
            raise ValidationError("Enter a principal for the left side.")
        return self._who("a", near="")

    def clean_b(self) -> AskingPrincipal | None:
        """Return the principal of the right side; by default that of the left side."""
        left: AskingPrincipal | None = self.cleaned_data.get("a")
        if left is None or self.has_same_text:
            return left
        return self._who("b", near=left.account)

    def _moment(self, name: str) -> datetime | None:
        """Parse a moment; None means now or a future moment.

        An empty field means the as-of moment of the page.
        """
        text = self.texts[name]
        if not text:
            return self.request.at
        moment = moment_of(self.request.GET, self.add_prefix(name))
        if moment is None:
            raise ValidationError(f"“{text[:MAX_SERVICE_LENGTH]}” isn’t a time. {SHAPE}")
        return moment if moment < datetime.now(tz=UTC) else None

    def _who(self, name: str, *, near: str) -> AskingPrincipal:
        """Find a principal by ID, name or ARN, at the moment or now, because one that didn’t exist at a
        moment is a difference too.

        A name is looked up in the account `near` first, then in the chosen account.
        """
        text, moment = self.texts[name], self.cleaned_data.get(f"{name}_at")
        if text.isdecimal() and len(text) < 19:
            return self._numbered(int(text))
        scopes = [accounts_seen(self.request.viewer, account=near)] if near else []
        account_id = "" if text[:4] == "arn:" else self.account_id
        scopes.append(accounts_seen(self.request.viewer, account=account_id))
        problem = ""
        for scope, at in product(scopes, dict.fromkeys((moment, None))):
            try:
                return find_principal(text, accounts=scope, at=at)
            except PrincipalError as error:
                problem = str(error)
        raise ValidationError(problem)

    def _numbered(self, number: int) -> AskingPrincipal:
        """Return the user or role with this ID, even if it no longer exists."""
        entity = entity_or_404(self.request.viewer, number, kinds=KINDS)
        if not self.request.viewer.scope.sees_account(entity.account.account_id):
            raise Http404
        return AskingPrincipal(
            entity.account.account_id, entity.pk, entity.arn, entity.name, KINDS[entity.kind]
        )

    def _take_sides(self) -> None:
        """Set both sides; the same principal at the same moment is compared with a week before."""
        answers = self.cleaned_data
        left = ComparedSide(answers["a"], answers["a_at"])
        right = ComparedSide(answers["b"], answers["b_at"])
        if self.has_same_text and left.at == right.at and not self.texts["a_at"]:
            left = ComparedSide(left.who, _before(left.who, right.at))
        self.left = left
        self.right = right
        for name, side in (("a", left), ("b", right)):
            self.texts[name] = side.who.arn
            self.texts[f"{name}_at"] = f"{side.at:%Y-%m-%dT%H:%M:%S}" if side.at else ""


def _before(who: AskingPrincipal, moment: datetime | None) -> datetime:
    """Return a week before the moment, but not before the first sync, since nothing is known earlier."""
    earliest = Entity.objects.filter(pk=who.number).values_list("first_seen", flat=True).first()
    week = ((moment or datetime.now(tz=UTC)) - WEEK).replace(microsecond=0)
    return max(week, just_after(earliest)) if earliest else week
