"""Texts on who has to approve a request. Only this module decides whether it must be someone else.

In single-operator mode people decide about their own requests, so no text can say that someone else has to.
Pages, messages and mails use these texts, which a test checks.
"""

from __future__ import annotations

from django.conf import settings


def someone_else() -> str:
    """Return “Someone else”, or “Someone” if that can be the requester."""
    return "Someone" if settings.SINGLE_OPERATOR else "Someone else"


def another_approver() -> str:
    """Return “Another approver or administrator”, or “An approver …” if that can be the requester."""
    article = "An" if settings.SINGLE_OPERATOR else "Another"
    return f"{article} approver or administrator"


def waits_for_approval(what: str = "Requested") -> str:
    """Return the message after a request: that it was made, and who has to approve it."""
    return f"{what}. {another_approver()} has to approve it."


def not_yours_to_decide() -> str:
    """Return the refusal for deciding about one's own request, or without the right to approve in its
    accounts.
    """
    return f"{another_approver()} of all its accounts has to decide about it."


def own_request_words() -> str:
    """Return a sentence on whether people can approve their own requests."""
    if settings.SINGLE_OPERATOR:
        return "Approvers can approve their own requests: Gatehouse is in single-operator mode."
    return "You can’t approve your own request."
