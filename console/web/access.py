"""The doors of the views: what the viewer may not see answers 404, as though it did not exist."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from iam.guard import Right, Viewer, evidence_viewer
from iam.mirror.models import Account, Entity
from iam.mirror.queries.accounts import disconnected_accounts, visible_accounts
from iam.mirror.queries.entities import find_disconnected, find_entity


class ViewerRequest(HttpRequest):
    """A request of a signed-in person, as the middleware leaves it; for annotations only."""

    viewer: Viewer
    signed_in: Viewer
    """The same person; differs on pages of evidence, where a limited auditor sees more."""
    at: datetime | None


def layout_for(viewer: Viewer) -> str:
    """The console for those who look after others; the page without it for those who see only themselves."""
    others = any(viewer.may(right) for right in (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_EVIDENCE))
    return "base.html" if others else "member_base.html"


P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
Found = TypeVar("Found")
View = Callable[Concatenate[ViewerRequest, P], R]


def require(*rights: Right) -> Callable[[View[P, R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Let a view answer viewers who hold at least one of the rights in at least one account; 404 for all
    others.

    The right in one particular account, and whose objects are shown, is the query's concern.
    """

    def decorate(view: View[P, R]) -> Callable[Concatenate[HttpRequest, P], R]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            viewer: Viewer | None = getattr(request, "viewer", None)
            if viewer is None or not any(viewer.may(right) for right in rights):
                raise Http404
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        guarded.required_rights = rights  # type: ignore[attr-defined]
        return guarded

    return decorate


def require_evidence(view: View[P, R]) -> Callable[Concatenate[HttpRequest, P], R]:
    """Let a view answer those who see accounts, and limited auditors as who they are on pages of evidence;
    404 for all others. Whether this framework, pack or moment was given to them is the view's concern, and
    that of the services: `request.viewer.limits`.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        viewer: Viewer | None = getattr(request, "viewer", None)
        rights = (Right.SEE_ACCOUNT, Right.SEE_EVIDENCE)
        if viewer is None or not any(viewer.may(right) for right in rights):
            raise Http404
        request.viewer = evidence_viewer(viewer)  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    guarded.required_rights = (Right.SEE_ACCOUNT, Right.SEE_EVIDENCE)  # type: ignore[attr-defined]
    return guarded


def stay_within(request: ViewerRequest, *, is_covered: bool) -> None:
    """Where the limits of an auditor don’t cover what is asked for, they go on as who they are by other
    roles; 404 where these see no account.
    """
    if request.viewer.limits is None or is_covered:
        return
    if not request.signed_in.may(Right.SEE_ACCOUNT):
        raise Http404
    request.viewer = replace(request.signed_in, limits=None)


def require_everywhere(right: Right) -> Callable[[View[P, R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Let a view answer viewers who hold the right in all accounts; 404 for all others."""

    def decorate(view: View[P, R]) -> Callable[Concatenate[HttpRequest, P], R]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            viewer: Viewer | None = getattr(request, "viewer", None)
            if viewer is None or not viewer.may(right, account_id=""):
                raise Http404
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        guarded.required_rights = (right,)  # type: ignore[attr-defined]
        return guarded

    return decorate


class PresentOnlyError(Http404):
    """A page without a past view was opened with an as-of date. The `AsOf` middleware leads a GET to the
    present page.
    """


class DisconnectedError(Http404):
    """A page of a disconnected account, or of something in it, was asked for by somebody who sees the
    account: `not_found` says so.
    """

    def __init__(self, account: Account, *, name: str = "") -> None:
        super().__init__()
        self.account = account
        self.name = name


def require_present(request: ViewerRequest) -> None:
    """Raise PresentOnlyError where the address has an as-of date: what is changed is changed now."""
    if request.at is not None:
        raise PresentOnlyError


def found_or_404(row: Found | None) -> Found:
    """What a query of those that the viewer sees has found; 404 where that is nothing."""
    if row is None:
        raise Http404
    return row


def entity_or_404(viewer: Viewer, pk: int, *, kinds: Collection[str]) -> Entity:
    """The entity of one of the kinds, if the viewer may see it, whether it still exists or not.
    DisconnectedError where its account was disconnected, else 404, as though there were none.
    """
    entity = find_entity(viewer, pk=pk, kinds=kinds)
    if entity is not None:
        return entity
    gone = find_disconnected(viewer, pk=pk, kinds=kinds)
    raise DisconnectedError(gone.account, name=gone.name) if gone else Http404()


def account_or_404(viewer: Viewer, number: str, *, right: Right | None = None) -> Account:
    """The connected account of this number that the viewer sees, and in which they hold the right, if one is
    named. DisconnectedError for one that was disconnected, else 404.
    """
    if right is not None and not viewer.may(right, account_id=number):
        raise Http404
    account = visible_accounts(viewer).filter(account_id=number).first()
    if account is not None:
        return account
    gone = disconnected_accounts(viewer).filter(account_id=number).first()
    raise DisconnectedError(gone) if gone else Http404()
