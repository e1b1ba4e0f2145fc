"""The list of the fleet: IAM users with their MFA devices, those first who lack what they should have."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Concat

from iam.access.administrators import administrators
from iam.mirror.mfa import mfa_is_unknown
from iam.mirror.models import Account, EntityState, Kind, UserCredentials, valid_at
from iam.mirror.naming import display_name, people_of_users
from iam.mirror.queries.keyset import Row
from iam.mirror.queries.lists import people
from iam.mirror.queries.lists.core import Lens, Listing, Seen, Sort, States, Tab, either, of_account
from iam.mirror.queries.visibility import visible
from iam.people.fleet.demands import Places

HARD: Final = ("hardware", "security-key")
ADMINISTRATOR, CONSOLE, HARDWARE, UNREAD, FINE, NONE = "012345"
"""How urgent: an administrator without MFA, a console user without, no hardware where it is demanded, unknown, as it should be, nothing to protect."""
EVERYBODY: Final = Q(kind=Kind.USER)
"""Says nothing, and keeps the list from being taken for one whose statement can be kept: who is administrator is known by number."""
LOCKED: Final = Q(mfa="none")
SORTS: Final = {
    "urgency": Sort("place", past="no"),
    **{name: people.SORTS[name] for name in ("name", "mfa", "activity")},
}


class Fleet:
    """The fleet as it stands, of one account or of all; what the list needs to know of it is read once."""

    def __init__(self, account: Account | None) -> None:
        self.places = Places()
        number = account.account_id if account else ""
        self.administrators = administrators(self.places.revisions, account=number)

    @cached_property
    def listing(self) -> Listing:
        """See Listing."""
        filters = {name: people.FILTERS[name] for name in ("mfa", "password", "group")}
        return Listing(
            name="fleet",
            kinds=(Kind.USER,),
            rows=self._rows,
            sorts=SORTS,
            tabs=self._tabs(),
            filters={**filters, "role": self._role, "team": self._team},
            complete=self._complete,
            sections=people.PEOPLE.sections,
            stamp=self.places.stamp,
        )

    def _rows(self, seen: Seen, sort: str) -> States:
        found = people.rows(seen, "" if sort == "urgency" else sort)
        shown: States = found.annotate(
            urgency=Case(
                When(LOCKED & self._is_administrator("entity") & _IN_USE, then=Value(ADMINISTRATOR)),
                When(LOCKED & Q(has_password=True), then=Value(CONSOLE)),
                When(self._lacks_hardware("entity", "account", mfa="mfa"), then=Value(HARDWARE)),
                When(_UNSURE, then=Value(UNREAD)),
                When(LOCKED, then=Value(NONE)),
                default=Value(FINE),
                output_field=CharField(),
            ),
            place=Concat("urgency", "sort_name"),
        )
        return shown

    def _is_administrator(self, column: str) -> Q:
        return Q(**{f"{column}__in": list(self.administrators)})

    def _lacks_hardware(self, column: str, account: str, *, mfa: str) -> Q:
        """Of whom it is demanded, and whose devices are all apps."""
        if not self.places.is_anywhere:
            return Q(pk__in=[])
        devices = EntityState.objects.filter(
            valid_at(None), kind=Kind.MFA_DEVICE, entity__owner=OuterRef(column), category__in=HARD
        )
        apps = Q(**{mfa: "virtual"}) | (Q(**{mfa: "several"}) & ~Q(Exists(devices)))
        return self.places.demanded_of(column, account) & apps

    def _tabs(self) -> dict[str, Tab]:
        return {
            "all": Tab(lambda _: EVERYBODY, people.TABS["all"].counts, is_past=False, sort="urgency"),
            "administrators": Tab(
                lambda _: Q(urgency=ADMINISTRATOR),
                self._counted(LOCKED & self._is_administrator("user") & _IN_USE),
                is_past=False,
                sort="name",
            ),
            "no-mfa": Tab(
                lambda _: LOCKED & Q(has_password=True),
                self._counted(LOCKED & Q(has_password=True)),
                is_past=False,
                sort="urgency",
            ),
            "unknown": Tab(lambda _: _UNSURE, self._counted(_UNSURE), is_past=False, sort="name"),
            "hardware": Tab(
                lambda _: Q(urgency=HARDWARE),
                self._counted(self._lacks_hardware("user", "account", mfa="mfa")),
                is_past=False,
            ),
        }

    @staticmethod
    def _counted(wanted: Q) -> Callable[[Lens], QuerySet[Any, Any]]:
        def counted(lens: Lens) -> QuerySet[Any, Any]:
            held = UserCredentials.objects.filter(valid_at(None), of_account(lens)).filter(wanted)
            return visible(held, lens.viewer, entity="user", kinds=(Kind.USER,))

        return counted

    def _role(self, lens: Lens, values: list[str]) -> Q:
        is_one = self._is_administrator("entity")
        return either({"administrator": is_one, "other": ~is_one}, values)

    def _team(self, lens: Lens, values: list[str]) -> Q:
        return self.places.people_of(values)

    def _complete(self, lens: Lens, found: list[Row]) -> None:
        """Adds to each row its devices, and whether its user is administrator: None, or whether surely."""
        by_user = {row["entity"]: row for row in found}
        people = people_of_users(by_user)
        for row in found:
            row["display"] = display_name(row["name"], row["tags"], person=people.get(row["entity"], ""))
            row["mfa"] = row["mfa"] or "unread"
            row["devices"], row["is_administrator"] = [], self.administrators.get(row["entity"])
        devices = EntityState.objects.filter(
            valid_at(None), kind=Kind.MFA_DEVICE, entity__owner__in=by_user, entity__gone_at__isnull=True
        )
        for user, name, sort, serial in devices.order_by("sort_name", "entity").values_list(
            "entity__owner", "name", "category", "entity__aws_id"
        ):
            by_user[user]["devices"].append((name, sort, serial))


_UNSURE: Final = mfa_is_unknown() | Q(has_password__isnull=True)
"""Whose devices or password were not read: neither safe nor at fault."""
_IN_USE: Final = Q(has_password=True) | Q(active_keys__gt=0)
"""Whoever has neither can do nothing that MFA would protect."""
