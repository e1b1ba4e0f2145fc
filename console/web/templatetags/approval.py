"""Template tags for who has to approve a request: see `iam.directory.approval_words`."""

from __future__ import annotations

from django import template

from iam.directory import approval_words

register = template.Library()


@register.simple_tag
def another_approver() -> str:
    """Who decides about a request, at the start of a sentence."""
    return approval_words.another_approver()


@register.simple_tag
def someone_else(at: str = "start") -> str:
    """The same in fewer words; `at` "middle" within a sentence."""
    words = approval_words.someone_else()
    return words.lower() if at == "middle" else words


@register.simple_tag
def own_request_words() -> str:
    """Whether readers approve what they requested themselves."""
    return approval_words.own_request_words()
