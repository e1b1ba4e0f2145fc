"""Nobody reaches a page without signing in; every request carries its viewer."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from iam.guard import Viewer, viewer_for

OPEN_PREFIXES = ("/sign-in/", "/static/", "/healthz", "/readyz")


class SignedIn:
    """Puts `request.viewer` on every request of a signed-in person, and sends everybody else to the sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.viewer = None  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            request.viewer = self._viewer(request)  # type: ignore[attr-defined]
        if request.viewer is None and not request.path.startswith(OPEN_PREFIXES):  # type: ignore[attr-defined]
            return redirect_to_login(request.get_full_path())
        return self.get_response(request)

    @staticmethod
    def _viewer(request: HttpRequest) -> Viewer | None:
        person = getattr(request.user, "person", None)
        return viewer_for(person) if person and person.is_active else None
