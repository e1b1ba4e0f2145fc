"""Template tags that name the approvers of a request: see `iam.directory.approval_words`."""

from __future__ import annotations

from django import template

from iam.directory import approval_words

register = template.Library()


@register.simple_tag
def another_approver() -> str:
    """Return who decides about a request, for the start of a sentence."""
    return approval_words.another_approver()


@register.simple_tag
def someone_else(at: str = "start") -> str:
    """Return a shorter form of the same; `at="middle"` is for the middle of a sentence."""
    words = approval_words.someone_else()
    return words.lower() if at == "middle" else words


@register.simple_tag
def own_request_words() -> str:
    """Return whether readers approve their own requests."""
    return approval_words.own_request_words()
