"""Views shared by all runs: the draft that its author edits, submits or discards, and the page of the running
run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from console.setup.progress import PollPace, step_of
from console.web.access import ViewerRequest, found_or_404, require_present
from console.web.render import render_live
from iam.changes.errors import RefusedError
from iam.guard import Viewer
from iam.people.runs.drafts import discard
from iam.people.runs.models import AbstractListRun, RunState

RunT = TypeVar("RunT", bound=AbstractListRun)
RunT_contra = TypeVar("RunT_contra", bound=AbstractListRun, contravariant=True)


class DraftPage(Protocol[RunT_contra]):
    """A function that renders a draft, with the reason why its last submission was refused."""

    def __call__(
        self, request: ViewerRequest, run: RunT_contra, *, refused: RefusedError | None = None
    ) -> HttpResponse: ...


@dataclass(frozen=True, slots=True)
class RunPages(Generic[RunT]):
    """The pages of one kind of run. `run_url` and `list_url` are URL names; `discarded` is the message after
    a draft was discarded.
    """

    run_for: Callable[[Viewer, UUID], RunT | None]
    draft_page: DraftPage[RunT]
    run_url: str
    list_url: str
    discarded: str

    def run_or_404(self, request: ViewerRequest, pk: UUID) -> RunT:
        """Return the run. Raises Http404 if the viewer can’t see it."""
        return found_or_404(self.run_for(request.viewer, pk))

    def change_draft(
        self, request: ViewerRequest, pk: UUID, change: Callable[[RunT], HttpResponse | None]
    ) -> HttpResponse:
        """Change or submit a draft, and redirect to the run; if that is refused, show the draft with the
        reason.
        """
        run = self.run_or_404(request, pk)
        require_present(request)
        answer = None
        if run.state == RunState.DRAFT:
            try:
                answer = change(run)
            except RefusedError as refused:
                return self.draft_page(request, self.run_or_404(request, pk), refused=refused)
        return answer or redirect(self.run_url, pk=pk)

    def discard(self, request: ViewerRequest, pk: UUID) -> HttpResponse:
        """Discard a draft."""
        run = self.run_or_404(request, pk)
        try:
            discard(request.viewer, run=run)
        except RefusedError as refused:
            messages.error(request, refused.message)
            return redirect(self.run_url, pk=pk)
        messages.success(request, self.discarded)
        return redirect(self.list_url)


def render_run(
    request: ViewerRequest,
    template: str,
    context: dict[str, Any],
    *,
    address: str,
    pace: Callable[[PollPace], str],
) -> HttpResponse:
    """Render the page of a run, which polls its own address until `pace` returns ""."""
    step = step_of(request)
    separator = "&" if "?" in address else "?"
    context |= {"step": step, "polls": f"{address}{separator}n={step.following}"}
    return render_live(request, template, context, pace=pace(step))


def wait_while(is_open: bool) -> Callable[[PollPace], str]:
    """Return a function for the polling interval: short at first, then longer; "" once nothing more
    happens.
    """
    return lambda step: step.wait if is_open else ""
