"""Base of all overlaid services: the account comes from the caller, and lists have AWS's pages."""

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
    """Mixed in before moto's response class of a service."""

    if TYPE_CHECKING:
        backend: Any
        _get_param: Callable[..., Any]

    def get_current_account(self) -> str:
        """The account of the credentials, never of an environment variable."""
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
        """One page of `items`, sorted by `name`, as `{key: [...], IsTruncated, Marker}`.

        The marker names the last item that was given, so that a list which changes between two pages
        neither repeats nor skips what was there all the time.
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
        """The items after the request's Marker, at most MaxItems of them, and the marker of the next page."""
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
    """An opaque marker that names the last item of a page."""
    return base64.urlsafe_b64encode(json.dumps([last]).encode()).decode()


def read_marker(marker: str | None) -> str | None:
    """The name inside a marker. Raises AWS's ValidationError for one that was not given out here."""
    if not marker:
        return None
    try:
        (last,) = json.loads(base64.urlsafe_b64decode(marker))
    except ValueError:
        raise AnswerError("ValidationError", f"Invalid Marker: {marker}") from None
    return str(last)
