"""How urgently an IAM user needs an MFA device: one expression for the list, its tabs, and what is kept of
its order.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When

from iam.mirror.mfa import mfa_is_unknown
from iam.mirror.models import EntityState, Kind, valid_at
from iam.people.fleet.demands import DemandPlaces

HARD: Final = ("hardware", "security-key")
ADMINISTRATOR, CONSOLE, HARDWARE, UNREAD, FINE, NONE = "012345"
"""An administrator without MFA, a console user without, no hardware where it is demanded, unknown, as it
should be, nothing to protect.
"""
LOCKED: Final = Q(mfa="none")
UNSURE: Final = mfa_is_unknown() | Q(has_password__isnull=True)
"""Users whose devices or password were not read: neither safe nor at fault."""
IN_USE: Final = Q(has_password=True) | Q(active_keys__gt=0)
"""A user who has neither can do nothing that MFA would protect."""
EVERYONE_IS_CHECKED: Final = Q(pk__in=[])


def urgency(places: DemandPlaces, *, is_administrator: Q, is_unchecked: Q = EVERYONE_IS_CHECKED) -> Case:
    """The urgency of rows with `entity`, `account`, `mfa`, `has_password` and `active_keys`.

    `is_unchecked` are those of whom it is not known yet whether they are administrator.
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
    """Users of whom it is demanded, and whose devices are all apps; the columns lead to the user and to the
    account.
    """
    if not places.is_anywhere:
        return Q(pk__in=[])
    devices = EntityState.objects.filter(
        valid_at(None), kind=Kind.MFA_DEVICE, entity__owner=OuterRef(column), category__in=HARD
    )
    apps = Q(mfa="virtual") | (Q(mfa="several") & ~Q(Exists(devices)))
    return places.demanded_of(column, account) & apps
