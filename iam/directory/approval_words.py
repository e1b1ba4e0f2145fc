"""Who has to approve a request, in words: the one place that says whether it is someone else.

In single-operator mode people decide about their own requests, so that no text may say that someone else has
to. Pages, messages and mails take these words; a test finds those that don’t.
"""

from __future__ import annotations

from django.conf import settings


def someone_else() -> str:
    """“Someone else”, or “Someone” where that can be the requester."""
    return "Someone" if settings.SINGLE_OPERATOR else "Someone else"


def another_approver() -> str:
    """“Another approver or administrator”, or “An approver …” where that can be the requester."""
    article = "An" if settings.SINGLE_OPERATOR else "Another"
    return f"{article} approver or administrator"


def waits_for_approval(what: str = "Requested") -> str:
    """What is said once something was requested: that, and who has to approve it."""
    return f"{what}. {another_approver()} has to approve it."


def not_yours_to_decide() -> str:
    """The refusal of a decision about one's own request, or by someone who can't approve in its accounts."""
    return f"{another_approver()} of all its accounts has to decide about it."


def own_request_words() -> str:
    """Whether people approve what they requested themselves, as a sentence to them."""
    if settings.SINGLE_OPERATOR:
        return "Approvers can approve their own requests: Gatehouse is in single-operator mode."
    return "You can’t approve your own request."
