"""The form of the page “Who can”: question, assumptions and filters."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from django.core.exceptions import ValidationError
from django.http import QueryDict

from console.access.circumstances import ANY, REGION_KEY, circumstances_of
from console.access.forms.base import TypedField
from console.access.forms.resource import ResourceForm
from console.web.access import ViewerRequest
from console.web.address_choices import choice, is_ticked, leave_out
from console.web.page_cursors import CursorError, PageCursor, decode, encode
from console.web.query import QueryPairs
from iam.access.actions import ActionSelection, ActionsError, select_actions
from iam.access.answer_runs import ORDER, AnswerPlace
from iam.access.answers import AnswerFilter
from iam.access.certainty import Certainty
from iam.access.usual_values import AccountCandidate, accounts_naming, likely_owner, region_of, usual_regions
from iam.access.visible_accounts import accounts_seen
from iam.access.who_can import WhoCanQuestion, WhoCanRow
from iam.audit.assertions.breakers import BreakerFilter
from iam.audit.assertions.models import StandingAssertion
from iam.audit.assertions.queries import visible_assertion
from iam.audit.assertions.terms import AssertionTerms
from iam.keyset import KeysetPlace
from iam.policy.request import PrincipalKind, account_of

SEPARATOR: Final = " "
KINDS: Final = {"users": PrincipalKind.USER, "roles": PrincipalKind.ROLE}
KEY: Final = re.compile(r"[0-9a-f]{12}")
MFA_USUAL: Final = "yes"
LIST: Final = "list"


class WhoCanForm(ResourceForm):
    """A question about all principals.

    `query` is its normalized address with the assumptions and without the position, which is in `after` or
    `before`; `problem` says why the position is invalid. The owner is the account of the resource, or "any"
    for each principal's own account. `assertion` narrows the answer to those who break it. `candidates` are
    the accounts whose policies name the resource; if `is_owner_assumed`, the most likely one was taken.
    `regions` are the usual Regions.
    """

    ASKED_BY = ("action", "level", "resource")

    action = TypedField()
    level = TypedField()

    def __init__(self, request: ViewerRequest) -> None:
        data, viewer = request.GET.copy(), request.viewer
        super().__init__(data, request=request)
        self.candidates: list[AccountCandidate] = []
        self.regions: list[str] = []
        self.is_owner_assumed = False
        now: datetime | None = None
        if not self.is_blank:
            self.regions = usual_regions(accounts_seen(viewer, account=self.account_id))
            self.candidates = accounts_naming(self.texts["resource"], accounts_seen(viewer))
            if not self.texts["owner"]:
                self.texts["owner"] = likely_owner(self.candidates)
                self.is_owner_assumed = bool(self.texts["owner"])
            _blank_means_any(data)
            _assume(data, texts=self.texts, regions=self.regions)
            now = request.at or datetime.now(tz=UTC)
        self.circumstances = circumstances_of(data, action=self.texts["action"], now=now)
        self.assertion = _assertion(request)
        self.narrowed = _narrowed(request, self.assertion)
        self.view = choice(request, "view", (LIST,))
        # Only so that the page says if its value means nothing; the circumstances have it already.
        is_ticked(request, "strict")
        self.query = QueryPairs.from_pairs(
            [
                *((name, self.texts[name]) for name in ("action", "level", "resource", "owner")),
                *self.circumstances.pairs,
                ("q", self.narrowed.text),
                ("kind", data.get("kind", "") if self.narrowed.kind else ""),
                ("certainty", str(self.narrowed.certainty or "")),
                ("way", self.narrowed.way),
                ("view", self.view),
                ("assertion", str(self.assertion.pk) if self.assertion else ""),
                ("account", self.account_id),
                ("as-of", self.as_of),
            ]
        )
        self.after: PageCursor | None = None
        self.before: PageCursor | None = None
        self.problem = ""
        if self.question is not None:
            self._read_cursor()

    @property
    def is_filtered(self) -> bool:
        """Whether the answer is filtered by text, kind or certainty."""
        return bool(self.narrowed.text or self.narrowed.kind or self.narrowed.certainty)

    @property
    def is_list(self) -> bool:
        """Whether the answer is a list with pages instead of groups."""
        return self.view == LIST or bool(self.narrowed.way)

    @property
    def is_wrong(self) -> bool:
        """Whether the input has errors."""
        return self.question is None and not self.is_blank

    def clean_action(self) -> ActionSelection:
        """Return the actions that match a name or pattern, or those of an access level of a service."""
        try:
            return select_actions(self.texts["action"], level=self.texts["level"], resource=self.checked_arn)
        except ActionsError as error:
            raise ValidationError(str(error)) from error

    @cached_property
    def question(self) -> WhoCanQuestion | None:
        """Return the question for the index; None if the form has errors."""
        if not self.is_valid() or self.circumstances.errors:
            return None
        resource, viewer = self.cleaned_data["resource"], self.request.viewer
        owner = self.cleaned_data["owner"]
        owner = "" if owner == ANY else owner
        resource_account = owner or account_of(resource)
        return WhoCanQuestion(
            self.cleaned_data["action"],
            resource,
            context=self.circumstances.context,
            strict=self.circumstances.strict,
            is_any_time=self.circumstances.is_any_time,
            is_now=self.circumstances.assumed_now,
            owner=owner,
            accounts=accounts_seen(viewer, account=self.account_id),
            at=self.request.at,
            is_hidden=bool(resource_account) and not viewer.scope.sees_account(resource_account),
        )

    def _read_cursor(self) -> None:
        """Read `after` or `before`, never both."""
        for name in ("after", "before"):
            if not (word := self.request.GET.get(name, "")):
                continue
            try:
                cursor = decode(word, kind=str)
                place_of(cursor)
            except CursorError:
                self.problem = "This page link doesn’t belong to this answer, so you see its first page."
                return
            setattr(self, name, cursor)
            return


def _blank_means_any(data: QueryDict) -> None:
    for name in ("mfa", "region"):
        if name in data and not str(data[name]).strip():
            data[name] = ANY


def _assume(data: QueryDict, *, texts: dict[str, str], regions: list[str]) -> None:
    """Add MFA and the usual Region unless the address sets them."""
    keys = {setting.partition("=")[0].strip().lower() for setting in data.getlist("ctx")}
    if "mfa" not in data and "aws:multifactorauthpresent" not in keys:
        data["mfa"] = MFA_USUAL
    region = region_of(texts["action"], texts["resource"], regions)
    if region and "region" not in data and REGION_KEY.lower() not in keys:
        data["region"] = region


def _assertion(request: ViewerRequest) -> StandingAssertion | None:
    """Return the assertion in the address, if the viewer sees it; the page says if it means nothing."""
    word = request.GET.get("assertion", "")
    if not word:
        return None
    assertion = visible_assertion(request.viewer, word)
    if assertion is None:
        leave_out(request, "assertion")
    return assertion


def _narrowed(request: ViewerRequest, assertion: StandingAssertion | None) -> AnswerFilter:
    get, way = request.GET, request.GET.get("way", "")
    word = choice(request, "certainty", set(Certainty))
    certainty = Certainty(word) if word else None
    if way and not KEY.fullmatch(way):
        leave_out(request, "way")
        way = ""
    only = None
    if assertion is not None:
        only = BreakerFilter(AssertionTerms.from_json(assertion.terms))
    return AnswerFilter(
        text=" ".join(get.get("q", "").replace("\x00", "")[:200].split()),
        kind=KINDS.get(choice(request, "kind", KINDS)),
        certainty=certainty,
        way=way,
        only=only,
    )


def place_of(cursor: PageCursor | None) -> AnswerPlace | None:
    """Decode the position in an answer. Raises CursorError."""
    if cursor is None:
        return None
    rank, _, rest = str(cursor.place.value).partition(SEPARATOR)
    account, _, arn = rest.partition(SEPARATOR)
    if rank not in set(map(str, range(len(ORDER)))):
        raise CursorError
    return AnswerPlace(int(rank), account, arn)


def cursor_of(row: WhoCanRow, *, number: int) -> str:
    """Encode the position of a row for an address."""
    return encode(PageCursor(KeysetPlace(SEPARATOR.join(map(str, row.list_position)), row.pk), number))
