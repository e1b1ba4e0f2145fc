"""The base of all overlaid services: the account comes from the caller, and lists have AWS's pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult

from console.demo.standin import calls
from console.demo.standin.errors import AnswerError

LARGEST_PAGE = 1000
USUAL_PAGE = 100


class ResponseOverlay:
    """A mixin that comes before moto's response class of a service."""

    if TYPE_CHECKING:
        backend: Any
        _get_param: Callable[..., Any]

    def get_current_account(self) -> str:
        """Return the account of the credentials, never that of an environment variable."""
        call = calls.current()
        assert call is not None
        return call.account

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        return headers, body

    def _page(
        self,
        key: str,
        items: Iterable[Any],
        *,
        name: Callable[[Any], str],
        shape: Callable[[Any], Any] = lambda item: item,
        **more: Any,
    ) -> ActionResult:
        """Return one page of `items`, sorted by `name`, as `{key: [...], IsTruncated, Marker}`.

        The marker contains the name of the last item on the page. If the list changes between two pages,
        items that remain are neither repeated nor skipped.
        """
        chosen, marker = self._cut(sorted(items, key=name), name=name)
        result: dict[str, Any] = {
            key: [shape(item) for item in chosen],
            "IsTruncated": marker is not None,
            **more,
        }
        if marker is not None:
            result["Marker"] = marker
        return ActionResult(result)

    def _cut(self, items: list[Any], *, name: Callable[[Any], str]) -> tuple[list[Any], str | None]:
        """Return the items after the request's Marker, at most MaxItems, and the marker of the next page
        (None at the end).
        """
        size = int(self._get_param("MaxItems") or USUAL_PAGE)
        if not 1 <= size <= LARGEST_PAGE:
            raise AnswerError(
                "ValidationError",
                f"1 validation error detected: Value '{size}' at 'maxItems' failed to satisfy constraint: "
                f"Member must have value less than or equal to {LARGEST_PAGE}",
            )
        after = read_marker(self._get_param("Marker"))
        rest = items if after is None else [item for item in items if name(item) > after]
        chosen = rest[:size]
        return chosen, (write_marker(name(chosen[-1])) if len(rest) > size else None)


def write_marker(last: str) -> str:
    """Return an opaque marker that contains the name of the last item of a page."""
    return base64.urlsafe_b64encode(json.dumps([last]).encode()).decode()


def read_marker(marker: str | None) -> str | None:
    """Return the name in a marker. Raises AWS's ValidationError for an invalid marker."""
    if not marker:
        return None
    try:
        (last,) = json.loads(base64.urlsafe_b64decode(marker))
    except ValueError:
        raise AnswerError("ValidationError", f"Invalid Marker: {marker}") from None
    return str(last)
