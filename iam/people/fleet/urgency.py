"""How urgently an IAM user needs an MFA device, as one expression for the list, its tabs and the stored
order.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When

from iam.mirror.mfa import mfa_is_unknown
from iam.mirror.models import EntityState, Kind, valid_at
from iam.people.fleet.demands import DemandPlaces

HARD: Final = ("hardware", "security-key")
ADMINISTRATOR, CONSOLE, HARDWARE, UNREAD, FINE, NONE = "012345"
"""An administrator without MFA, a console user without MFA, required hardware missing, unknown, fine, nothing
to protect.
"""
LOCKED: Final = Q(mfa="none")
UNSURE: Final = mfa_is_unknown() | Q(has_password__isnull=True)
"""Users whose devices or password were not synced, so that their state is unknown."""
IN_USE: Final = Q(has_password=True) | Q(active_keys__gt=0)
"""Users with a password or an active key. MFA protects nothing for others."""
EVERYONE_IS_CHECKED: Final = Q(pk__in=[])


def urgency(places: DemandPlaces, *, is_administrator: Q, is_unchecked: Q = EVERYONE_IS_CHECKED) -> Case:
    """Return the urgency of rows with `entity`, `account`, `mfa`, `has_password` and `active_keys`.

    `is_unchecked` matches users for whom it isn't known yet whether they are administrators.
    """
    return Case(
        When(LOCKED & is_administrator & IN_USE, then=Value(ADMINISTRATOR)),
        When(LOCKED & Q(has_password=True), then=Value(CONSOLE)),
        When(lacks_hardware(places, "entity", "account"), then=Value(HARDWARE)),
        When(UNSURE, then=Value(UNREAD)),
        When(LOCKED & is_unchecked & IN_USE, then=Value(UNREAD)),
        When(LOCKED, then=Value(NONE)),
        default=Value(FINE),
        output_field=CharField(),
    )


def lacks_hardware(places: DemandPlaces, column: str, account: str) -> Q:
    """Return the condition for users who must have hardware but have only apps. The columns refer to the user
    and the account.
    """
    if not places.is_anywhere:
        return Q(pk__in=[])
    devices = EntityState.objects.filter(
        valid_at(None), kind=Kind.MFA_DEVICE, entity__owner=OuterRef(column), category__in=HARD
    )
    apps = Q(mfa="virtual") | (Q(mfa="several") & ~Q(Exists(devices)))
    return places.demanded_of(column, account) & apps
