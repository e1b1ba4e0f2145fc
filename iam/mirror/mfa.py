"""Whether a user has MFA, as far as the mirror knows: the one place that says which words mean that it is
unknown.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Q

NONE: Final = "none"
UNKNOWN: Final = ("unread", "unknown")
"""`unread`: nothing was read of it. `unknown`: the credential report spoke of a device once, and the devices
were not read since.
"""


def has_mfa(word: str | None) -> bool | None:
    """From `UserCredentials.mfa`; None if it is unknown, which is neither yes nor no."""
    if word is None or word in UNKNOWN:
        return None
    return word != NONE


def mfa_is_unknown(field: str = "mfa") -> Q:
    """A condition on a column of such words."""
    return Q(**{f"{field}__in": UNKNOWN}) | Q(**{f"{field}__isnull": True})
