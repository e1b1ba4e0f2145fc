"""The list of the fleet: IAM users with their MFA devices, those first who lack a required device."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Concat

from iam.keyset import Row
from iam.mirror.display_names import display_name, people_of_users
from iam.mirror.models import Account, EntityState, Kind, UserCredentials, valid_at
from iam.mirror.queries.lists import people
from iam.mirror.queries.lists.context import ListContext, ListViewpoint, States
from iam.mirror.queries.lists.core import ListDefinition, ListSort, ListTab
from iam.mirror.queries.lists.rows import any_condition, of_account
from iam.mirror.queries.visibility import visible, visible_states
from iam.people.fleet.calculation import calculate_missing
from iam.people.fleet.demands import DemandPlaces
from iam.people.fleet.models import Administrator, FleetUser
from iam.people.fleet.urgency import HARDWARE, IN_USE, LOCKED, UNSURE, lacks_hardware, urgency

EVERYBODY: Final = Q(entity__isnull=False)
"""A condition that is always true. It keeps the list's SQL statement from being cached, because that depends
on the hardware requirements.
"""
IS_ADMINISTRATOR: Final = Q(administrator__gt=Administrator.NO)
IS_UNCHECKED: Final = Q(administrator__isnull=True)
SORTS: Final = {
    "urgency": ListSort("place", "place_user", floor="0", past="no"),
    **{name: people.SORTS[name] for name in ("name", "mfa", "activity")},
}


def _users(seen: ListViewpoint) -> States:
    """Return the visible users, in a form that keeps databases from starting with the index of kinds and
    sorting all users.
    """
    others = [kind.value for kind in Kind if kind is not Kind.USER]
    states = visible_states(seen.viewer, at=None, kinds=(Kind.USER,))
    users: States = states.filter(of_account(seen)).exclude(kind__in=others)
    return users


class DeviceFleet:
    """The fleet of one account or of all. The list's inputs are read once.

    The status of a user always comes from the mirror. Administrators and the order of urgency come from the
    last calculation (`calculate_missing` tells when).
    """

    def __init__(self, account: Account | None) -> None:
        self.places = DemandPlaces()
        self.fresh = calculate_missing(self.places, account=account)

    @cached_property
    def listing(self) -> ListDefinition:
        """The definition of the list."""
        filters = {name: people.FILTERS[name] for name in ("mfa", "password", "group")}
        return ListDefinition(
            name="fleet",
            kinds=(Kind.USER,),
            rows=self._rows,
            sorts=SORTS,
            tabs=self._tabs(),
            filters={**filters, "role": self._role, "team": self._team},
            complete=self._complete,
            sections=people.PEOPLE.sections,
            stamp=f"{self.places.stamp} {self.fresh.stamp}",
        )

    def _rows(self, seen: ListViewpoint, sort: str) -> States:
        is_kept = sort == "urgency" and not self.fresh.lacks_users and self.fresh.found is None
        users = _users(seen) if is_kept else None
        sort_of_people = "" if sort == "urgency" else sort
        rows = people.rows(seen, sort_of_people, users=users)
        rows = rows.annotate(administrator=self._administrator())
        shown: States = rows.annotate(
            urgency=urgency(self.places, is_administrator=IS_ADMINISTRATOR, is_unchecked=IS_UNCHECKED)
        )
        if sort != "urgency":
            return shown
        if not is_kept:
            # All rows are included, although no index has this order.
            unsorted: States = shown.annotate(place=Concat("urgency", "sort_name"), place_user=F("entity"))
            return unsorted
        strict: dict[str, Any] = {"entity__fleet__isnull": False}
        if seen.account:
            strict = {"entity__fleet__account": seen.account.pk}
        ordered: States = shown.filter(**strict).annotate(
            place=F("entity__fleet__place"), place_user=F("entity__fleet__user")
        )
        return ordered

    def _administrator(self) -> Any:
        """Return the administrator level of each user, NULL if it isn't known yet."""
        if self.fresh.found is None:
            return F("entity__fleet__administrator")
        surely = [user for user, is_sure in self.fresh.found.items() if is_sure]
        return Case(
            When(entity__in=surely, then=Value(Administrator.YES.value)),
            When(entity__in=list(self.fresh.found), then=Value(Administrator.CONDITIONAL.value)),
            default=Value(Administrator.NO.value),
        )

    def _held_by_administrators(self) -> Q:
        """Return the condition for credentials of administrators."""
        if self.fresh.found is not None:
            return Q(user__in=list(self.fresh.found))
        known = FleetUser.objects.filter(user=OuterRef("user"), administrator__gt=Administrator.NO)
        return Q(Exists(known))

    def _tabs(self) -> dict[str, ListTab]:
        lacking = Q(urgency=HARDWARE)
        return {
            "all": ListTab(lambda _: EVERYBODY, people.TABS["all"].counts, is_past=False, sort="urgency"),
            "administrators": ListTab(
                lambda _: LOCKED & IS_ADMINISTRATOR & IN_USE,
                self._counted(LOCKED & self._held_by_administrators() & IN_USE),
                is_past=False,
                sort="name",
            ),
            "no-mfa": ListTab(
                lambda _: LOCKED & Q(has_password=True),
                self._counted(LOCKED & Q(has_password=True)),
                is_past=False,
                sort="urgency",
            ),
            "unknown": ListTab(lambda _: UNSURE, self._counted(UNSURE), is_past=False, sort="name"),
            "hardware": ListTab(
                lambda _: lacking,
                self._counted(lacks_hardware(self.places, "user", "account")),
                is_past=False,
            ),
        }

    @staticmethod
    def _counted(wanted: Q) -> Callable[[ListContext], QuerySet[Any, Any]]:
        def counted(context: ListContext) -> QuerySet[Any, Any]:
            with_credentials = UserCredentials.objects.filter(valid_at(None), of_account(context)).filter(
                wanted
            )
            return visible(with_credentials, context.viewer, entity="user", kinds=(Kind.USER,))

        return counted

    def _role(self, context: ListContext, values: list[str]) -> Q:
        wanted = {
            "administrator": IS_ADMINISTRATOR,
            "other": Q(administrator=Administrator.NO),
            "unknown": IS_UNCHECKED,
        }
        return any_condition(wanted, values)

    def _team(self, context: ListContext, values: list[str]) -> Q:
        return self.places.people_of(values)

    def _complete(self, context: ListContext, page_rows: list[Row]) -> None:
        """Add to each row its devices and its display name."""
        by_user = {row["entity"]: row for row in page_rows}
        people = people_of_users(by_user)
        for row in page_rows:
            row["display"] = display_name(row["name"], row["tags"], person=people.get(row["entity"], ""))
            row["mfa"] = row["mfa"] or "unread"
            row["devices"] = []
        devices = EntityState.objects.filter(
            valid_at(None), kind=Kind.MFA_DEVICE, entity__owner__in=by_user, entity__gone_at__isnull=True
        )
        for user, name, sort, serial in devices.order_by("sort_name", "entity").values_list(
            "entity__owner", "name", "category", "entity__aws_id"
        ):
            by_user[user]["devices"].append((name, sort, serial))
