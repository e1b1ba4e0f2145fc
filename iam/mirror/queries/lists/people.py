"""The list of IAM users, both people and machines: MFA, password, keys, last activity and groups, and changes
since a past time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from iam.compiled_queries import CompiledQuery
from iam.directory.models import Identity
from iam.keyset import Row
from iam.mirror.display_names import display_name
from iam.mirror.mfa import mfa_is_unknown
from iam.mirror.models import (
    NEVER,
    Edge,
    EdgeKind,
    EntityState,
    Kind,
    Usage,
    UserCredentials,
    valid_at,
)
from iam.mirror.owners import NONE, owner_filter, people_and_owners
from iam.mirror.queries.lists.context import ListContext, ListViewpoint, States
from iam.mirror.queries.lists.core import ListDefinition, ListSort, ListTab
from iam.mirror.queries.lists.rows import (
    ALWAYS,
    COMMON,
    ROWS,
    any_condition,
    common,
    edges_at,
    fact_at,
    filled,
    fits_statement,
    of_account,
    states,
)
from iam.mirror.queries.visibility import visible

CREDENTIALS = "entity__credential_states"
UNKNOWN_USE = Q(used_at=NEVER, has_password__isnull=True)
"""Without a credential report it is unknown whether a user was ever active."""

SORTS = {
    "name": ListSort("sort_name", past="yes"),
    "created": ListSort("created_at", kind=datetime, floor=NEVER),
    "mfa": ListSort("mfa", "credentials_user", floor=" "),
    "key": ListSort("key_at", "credentials_user", datetime, floor=NEVER),
    "activity": ListSort("used_at", "usage_user", datetime, floor=NEVER, past="no"),
}


def rows(context: ListViewpoint, sort: str = "name", *, users: States | None = None) -> States:
    """Return users with their credentials, tags and (today) last activity. `users` are their states if they
    are not selected by kind.

    A sort by a joined column uses an inner join, so that the database can start from that column's index:
    every current user has a row of credentials and one of usage. At a past time a user may have had none yet.
    """
    users_shown: States = (states(context, Kind.USER) if users is None else users).annotate(
        credentials=fact_at(CREDENTIALS, context.at), tag_set=fact_at("entity__tag_sets", context.at)
    )
    users_shown = _present(users_shown, context, sort) if context.at is None else _past(users_shown)
    users_shown = users_shown.annotate(
        has_password=F("credentials__has_password"),
        password_changed_at=F("credentials__password_changed_at"),
        keys=Coalesce(F("credentials__keys"), 0),
        active_keys=Coalesce(F("credentials__active_keys"), 0),
        tags=F("tag_set__tags"),
    )
    extra = ("used_at", "usage_user") if context.at is None else ("now_mfa", "now_key_at", "now_password")
    shown: States = common(users_shown).values(
        *COMMON,
        *(
            "mfa",
            "key_at",
            "credentials_user",
            "has_password",
            "password_changed_at",
            "keys",
            "active_keys",
            "tags",
        ),
        *extra,
    )
    return shown


def _present(users_shown: States, context: ListViewpoint, sort: str) -> States:
    strict: dict[str, Any] = {"credentials__user__isnull": False} if sort in {"mfa", "key"} else {}
    if context.account and strict:
        strict["credentials__account"] = context.account.pk
    if sort == "activity":
        strict = {"entity__usage__kind": Kind.USER}
        if context.account:
            strict["entity__usage__account"] = context.account.pk
    shown: States = users_shown.filter(**strict).annotate(
        mfa=F("credentials__mfa"),
        key_at=F("credentials__oldest_key_at"),
        credentials_user=F("credentials__user"),
        used_at=F("entity__usage__last_used_at"),
        usage_user=F("entity__usage__entity"),
        signed_in=KeyTextTransform("password_last_used", "entity__usage__details"),
    )
    return shown


def _past(users_shown: States) -> States:
    """Return users of a past time, without usage, which has no history, and with today's credentials next to
    those of then.
    """
    never = Value(NEVER, output_field=DateTimeField())
    shown: States = users_shown.annotate(today=fact_at(CREDENTIALS, None)).annotate(
        mfa=Coalesce(F("credentials__mfa"), Value("unread")),
        key_at=Coalesce(F("credentials__oldest_key_at"), never),
        credentials_user=F("entity"),
        now_mfa=F("today__mfa"),
        now_key_at=F("today__oldest_key_at"),
        now_password=F("today__has_password"),
    )
    return shown


def _users(context: ListContext) -> QuerySet[Any, Any]:
    return states(context, Kind.USER)


def _credentials(**wanted: Any) -> Callable[[ListContext], QuerySet[Any, Any]]:
    def counted(context: ListContext) -> QuerySet[Any, Any]:
        values = dict(wanted)
        for name, value in wanted.items():
            if callable(value):
                values[name] = value(context)
        with_credentials = UserCredentials.objects.filter(valid_at(context.at), of_account(context), **values)
        return visible(with_credentials, context.viewer, entity="user", kinds=(Kind.USER,))

    return counted


def _inactive(context: ListContext) -> QuerySet[Any, Any]:
    """Return inactive users, starting from the index of last use to look up only those few."""
    since = context.days_before(45)
    not_used_since = Usage.objects.filter(of_account(context), kind=Kind.USER, last_used_at__lt=since)
    states_of_user = EntityState.objects.filter(valid_at(None), entity=OuterRef("entity"))
    is_old = Exists(states_of_user.filter(created_at__lt=since))
    credentials = UserCredentials.objects.filter(valid_at(None), user=OuterRef("entity"))
    has_unread_password = Exists(credentials.filter(has_password__isnull=True))
    is_unknown = Q(last_used_at=NEVER) & Q(has_unread_password)
    inactive = not_used_since.filter(Q(is_old) & ~is_unknown)
    return visible(inactive, context.viewer, entity="entity", kinds=(Kind.USER,))


def _never(context: ListContext) -> QuerySet[Any, Any]:
    unused = Usage.objects.filter(entity=OuterRef("user"), details__password_last_used__isnull=True)
    rows: QuerySet[Any, Any] = _credentials(has_password=True)(context).filter(Exists(unused))
    return rows


def _key_before(days: int) -> Callable[[ListContext], Q]:
    return lambda context: Q(key_at__gt=NEVER, key_at__lt=context.days_before(days))


def _idle(days: int) -> Callable[[ListContext], Q]:
    """Return the condition for users older than `days` that were not used for as long. Newer ones had no time
    to be used.
    """
    return lambda context: (
        Q(used_at__lt=context.days_before(days), created_at__lt=context.days_before(days)) & ~UNKNOWN_USE
    )


TABS = {
    "all": ListTab(lambda context: ALWAYS, _users),
    "no-mfa": ListTab(
        lambda context: Q(mfa="none", has_password=True), _credentials(mfa="none", has_password=True)
    ),
    "old-keys": ListTab(
        _key_before(90),
        _credentials(oldest_key_at__gt=NEVER, oldest_key_at__lt=lambda context: context.days_before(90)),
        sort="key",
    ),
    "inactive": ListTab(
        _idle(45),
        _inactive,
        is_past=False,
        sort="activity",
    ),
    "never": ListTab(
        lambda context: Q(has_password=True, signed_in__isnull=True),
        _never,
        is_past=False,
    ),
    "machines": ListTab(
        lambda context: Q(has_password=False, keys__gt=0), _credentials(has_password=False, keys__gt=0)
    ),
}


def _mfa(context: ListContext, values: list[str]) -> Q:
    wanted = Q(mfa__in=values)
    return wanted | mfa_is_unknown() if "unknown" in values else wanted


def _password(context: ListContext, values: list[str]) -> Q:
    wanted = {
        "yes": Q(has_password=True),
        "no": Q(has_password=False),
        "unread": Q(has_password__isnull=True),
    }
    return any_condition(wanted, values)


def _keys(context: ListContext, values: list[str]) -> Q:
    wanted = {
        "none": Q(active_keys=0, has_password__isnull=False),
        "fresh": Q(key_at__gte=context.days_before(90)),
        "90": _key_before(90)(context),
        "180": _key_before(180)(context),
    }
    return any_condition(wanted, values)


def _activity(context: ListContext, values: list[str]) -> Q:
    wanted = {
        "30": Q(used_at__gte=context.days_before(30)),
        "90": Q(used_at__gte=context.days_before(90)),
        "idle-45": _idle(45)(context),
        "idle-90": _idle(90)(context),
        "never": Q(used_at=NEVER) & ~UNKNOWN_USE,
    }
    return any_condition(wanted, values)


def _group(context: ListContext, values: list[str]) -> Q:
    named = EntityState.objects.filter(
        valid_at(context.at), kind=Kind.GROUP, sort_name__in=[value.lower() for value in values]
    )
    members = Edge.objects.filter(
        valid_at(context.at), kind=EdgeKind.MEMBER, target__in=named.values("entity")
    )
    return Q(entity__in=members.values("source"))


def _owner(context: ListContext, values: list[str]) -> Q:
    """Return the condition for owning teams. "none" only matches users that could have one: without a console
    password and without a linked person.
    """
    others = [value for value in values if value != NONE]
    condition = owner_filter("entity__aws_id", others) if others else Q(pk__in=[])
    if NONE not in values:
        return condition
    linked = Identity.objects.filter(
        Q(aws_id="") | Q(aws_id=OuterRef("entity__aws_id")), user_arn=OuterRef("entity__arn")
    )
    return condition | (owner_filter("entity__aws_id", [NONE]) & Q(has_password=False) & ~Q(Exists(linked)))


FILTERS = {
    "mfa": _mfa,
    "group": _group,
    "password": _password,
    "key": _keys,
    "activity": _activity,
    "owner": _owner,
}


def complete(context: ListContext, page_rows: list[Row]) -> None:
    """Add display name, owning team and groups; for a past time, also groups joined and left since."""
    people, owners = people_and_owners(row["entity"] for row in page_rows)
    for row in page_rows:
        row["owner"] = owners.get(row["entity"], "") if context.at is None else ""
        row["display"] = display_name(row["name"], row["tags"], person=people.get(row["entity"], ""))
        row["mfa"], row["key_at"] = row["mfa"] or "unread", row["key_at"] or NEVER
        row["groups"], row["joined"], row["left"] = [], [], []
    by_user = {row["entity"]: row for row in page_rows}
    if context.at is None:
        pks = list(by_user)
        members = _MEMBERS.rows(**filled(pks)) if fits_statement(pks) else _members(pks)
        for user, name in members:
            by_user[user]["groups"].append(name)
    else:
        _then_and_now(by_user, context.at)
    for row in page_rows:
        row["groups"].sort()


def _members(users: Sequence[Any]) -> QuerySet[Edge, Any]:
    """Return today's group memberships."""
    return edges_at(None, EdgeKind.MEMBER).filter(source__pk__in=users).values_list("source", "target__name")


_MEMBERS = CompiledQuery(lambda: _members(ROWS))


def _then_and_now(by_user: dict[int, Row], at: datetime) -> None:
    """Add the groups of a past time under their names then, and those joined and left since."""
    members = Edge.objects.filter(
        valid_at(at) | valid_at(None), kind=EdgeKind.MEMBER, source__in=by_user
    ).annotate(named=fact_at("target__states", at))
    today: dict[int, set[str]] = {user: set() for user in by_user}
    then: dict[int, set[str]] = {user: set() for user in by_user}
    for user, old_name, name, since, until in members.values_list(
        "source", "named__name", "target__name", "valid_from", "valid_to"
    ):
        if since <= at:
            by_user[user]["groups"].append(old_name or name)
            then[user].add(name)
        if until is None:
            today[user].add(name)
    for user, row in by_user.items():
        row["joined"], row["left"] = sorted(today[user] - then[user]), sorted(then[user] - today[user])


PEOPLE = ListDefinition(
    name="people",
    kinds=(Kind.USER,),
    rows=rows,
    sorts=SORTS,
    tabs=TABS,
    filters=FILTERS,
    complete=complete,
    sections=("users", "credential_report", "mfa_devices", "user_mfa", "user_list"),
)
