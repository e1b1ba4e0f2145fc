"""What is wrong with an answered page beside its status, as a suffix for tables of answers."""

from __future__ import annotations

from django.http.response import HttpResponse, HttpResponseBase

from console.web.iam_terms import unexplained
from tests.table_columns import idle_columns_of

PLAIN_READERS = ("anonymous", "nobody", "member")
"""Who reads no term of IAM without an explanation."""


def unexplained_terms_of(response: HttpResponseBase) -> list[str]:
    """The terms of IAM that a page shows and doesn't explain, by what they mean."""
    if not isinstance(response, HttpResponse) or "text/html" not in response.headers.get("Content-Type", ""):
        return []
    page = response.content.decode()
    return [term.sentence for term in unexplained(page.partition("<main")[2] or page)]


def faults_of(response: HttpResponseBase, *, role: str) -> str:
    """The columns in which nobody can act, and the terms that this reader doesn't know; "" is well."""
    idle = idle_columns_of(response)
    faults = f"-with-idle-{'-'.join(idle)}" if idle else ""
    terms = unexplained_terms_of(response) if role in PLAIN_READERS else []
    return f"{faults}-with-unexplained-{' '.join(terms)}" if terms else faults
