"""Whether a user has MFA, as far as the mirror knows. Only this module defines which values mean that it is
unknown.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Q

NONE: Final = "none"
UNKNOWN: Final = ("unread", "unknown")
"""`unread`: nothing was synced. `unknown`: the credential report mentioned a device, but the devices were not
synced since.
"""


def has_mfa(word: str | None) -> bool | None:
    """Return whether a user has MFA, from `UserCredentials.mfa`, or None if it is unknown."""
    if word is None or word in UNKNOWN:
        return None
    return word != NONE


def mfa_is_unknown(field: str = "mfa") -> Q:
    """Return the condition that MFA is unknown, for a column with such values."""
    return Q(**{f"{field}__in": UNKNOWN}) | Q(**{f"{field}__isnull": True})
