"""The step "what" of a grant: a template, a managed policy, or permissions that are built, as part of a form.

A page that includes it posts its fields to itself, and does:

    state = posted(request.POST, accounts=accounts)  # or State.of(draft["what_form"]) when the page is opened
    again
    what = what_of(state, accounts=accounts)  # the What of a grant; raises TermsError with part "what"
    context["what"] = shown(request, state, accounts=accounts, url=request.path)
    {% include "access/what/_what.html" %}  within its <form>, and alone for htmx

`state.body` is JSON for a draft. A press of one of its own buttons has `what-do` in the POST: show the page
again.
"""

from console.access.what.posted import is_its_own, posted
from console.access.what.presenters import step_context
from console.access.what.result import documents_of, place_of, what_of
from console.access.what.state import WhatState, state_for

__all__ = [
    "WhatState",
    "documents_of",
    "is_its_own",
    "place_of",
    "posted",
    "state_for",
    "step_context",
    "what_of",
]
