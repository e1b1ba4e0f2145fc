"""Access control of views: anything the viewer has no right to see answers 404, as if it did not exist."""

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
    """Type of a request from a signed-in person after the middleware has run; used in annotations only."""

    viewer: Viewer
    signed_in: Viewer
    """The viewer before `require_evidence` widened it: on pages of evidence a limited auditor sees more."""
    at: datetime | None


def layout_for(viewer: Viewer) -> str:
    """Return the base template: the console, or the member layout for people who see only themselves."""
    return "member_base.html" if sees_only_self(viewer) else "base.html"


def sees_only_self(viewer: Viewer) -> bool:
    """Return whether the viewer is a member, or has no role: they read no term of IAM without an
    explanation.
    """
    return not any(viewer.may(right) for right in (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_EVIDENCE))


P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
Found = TypeVar("Found")
View = Callable[Concatenate[ViewerRequest, P], R]


def require(*rights: Right) -> Callable[[View[P, R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Let a view answer viewers who hold at least one of the rights in at least one account; others get 404.

    The query checks the right in a particular account and filters the objects.
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
    """Let a view answer viewers who see accounts or evidence; others get 404.

    A limited auditor's viewer is replaced by their evidence viewer. The view and the services check whether
    the auditor has access to this framework, pack or moment (`request.viewer.limits`).
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
    """Fall back to the viewer's other roles if the limits of an audit don’t cover the page.

    Raises Http404 if these roles see no account.
    """
    if request.viewer.limits is None or is_covered:
        return
    if not request.signed_in.may(Right.SEE_ACCOUNT):
        raise Http404
    request.viewer = replace(request.signed_in, limits=None)


def require_everywhere(right: Right) -> Callable[[View[P, R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Let a view answer viewers who hold the right in all accounts; others get 404."""

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
    """A page without a past view was opened with an as-of date; the `AsOf` middleware redirects a GET to the
    present.
    """


class DisconnectedError(Http404):
    """The viewer opened a page of a disconnected account, or of something in it; `not_found` renders the
    answer.
    """

    def __init__(self, account: Account, *, name: str = "") -> None:
        super().__init__()
        self.account = account
        self.name = name


def require_present(request: ViewerRequest) -> None:
    """Raise PresentOnlyError if the address has an as-of date, because only the present can be changed."""
    if request.at is not None:
        raise PresentOnlyError


def found_or_404(row: Found | None) -> Found:
    """Return the row that a query found; raise Http404 if it is None."""
    if row is None:
        raise Http404
    return row


def entity_or_404(viewer: Viewer, pk: int, *, kinds: Collection[str]) -> Entity:
    """Return the entity of one of the kinds if the viewer can see it, even if it no longer exists in AWS.

    Raises DisconnectedError if its account was disconnected, else Http404.
    """
    entity = find_entity(viewer, pk=pk, kinds=kinds)
    if entity is not None:
        return entity
    gone = find_disconnected(viewer, pk=pk, kinds=kinds)
    raise DisconnectedError(gone.account, name=gone.name) if gone else Http404()


def account_or_404(viewer: Viewer, number: str, *, right: Right | None = None) -> Account:
    """Return the connected account with this ID if the viewer sees it and holds the right, if one is given.

    Raises DisconnectedError if it was disconnected, else Http404.
    """
    if right is not None and not viewer.may(right, account_id=number):
        raise Http404
    account = visible_accounts(viewer).filter(account_id=number).first()
    if account is not None:
        return account
    gone = disconnected_accounts(viewer).filter(account_id=number).first()
    raise DisconnectedError(gone) if gone else Http404()
