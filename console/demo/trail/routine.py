"""Daily activity: people sign in, keys and robots work, pipelines deploy."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple

from console.demo.organisation.specs import AccountSpec, KeySpec, OrganizationSpec, RoleSpec, UserSpec
from console.demo.standin import ids
from console.demo.trail.calls import SampleCall
from console.demo.trail.permissions import CallPermissions, Calls
from console.demo.trail.records import (
    BOTO,
    BROWSER,
    CLI,
    GITHUB,
    SampleCaller,
    key_caller,
    role_caller,
    services_of,
    user_caller,
)

DAYS: Final = 90
PIPELINE: Final = "pay-deploy"
OIDC_HOST: Final = "token.actions.githubusercontent.com"


class KeyHabit(NamedTuple):
    """How a key is used: tool, days between uses, and calls per use."""

    agent: str
    gap: float
    calls: int


PERSON: Final = KeyHabit(CLI, 3.5, 3)
ROBOT: Final = KeyHabit(BOTO, 1.0, 1)
WHO_AM_I: Final[Calls] = {"sts": (SampleCall("GetCallerIdentity"),)}
"""A call that needs no permission."""


def routine(
    organisation: OrganizationSpec, account: AccountSpec, until: datetime
) -> Iterator[dict[str, Any]]:
    """Yield ninety days of events of an account, in no particular order.

    The last use of a password or key is that of its spec. People and robots make only calls that their
    policies allow.
    """
    permissions = CallPermissions(organisation, account, until)
    for user in account.users:
        if user.login is not None and user.login.used is not None and not user.login.must_reset:
            yield from _console(account, user, permissions, until)
        for number, key in enumerate(user.keys):
            if key.used is not None:
                yield from chain.from_iterable(_key(account, user, number, key, permissions, until))
    for role in account.roles:
        if role.name == PIPELINE:
            yield from _pipeline(account, role, until)


def _console(
    account: AccountSpec, user: UserSpec, permissions: CallPermissions, until: datetime
) -> Iterator[dict[str, Any]]:
    """Yield about one sign-in per week, each followed by some reads."""
    assert user.login is not None
    assert user.login.used is not None
    chance = _chance(account, user.name, "console")
    caller = user_caller(account, user, key=None, agent=BROWSER)
    own = permissions.of_user(user, caller)
    calls = _reads(own.of_services(("iam", *_services(user)))) or own.about_oneself
    for at in _times(chance, until, last=user.login.used, oldest=user.login.age, gap=7.0):
        yield caller.signs_in(at, mfa=bool(user.devices))
        yield from _calls(caller, chance, at, calls=calls, values=own.values, count=2)


def last_calls_of_key(
    account: AccountSpec, user: UserSpec, number: int, permissions: CallPermissions, until: datetime
) -> list[dict[str, Any]]:
    """Return the calls of a key's last use; empty if that is before the trail."""
    key = user.keys[number]
    last = next(_key(account, user, number, key, permissions, until), [])
    key_id = key_caller(account, user, key=number, agent=BOTO).identity["accessKeyId"]
    return [record for record in last if record["userIdentity"]["accessKeyId"] == key_id]


def services_allowed(
    account: AccountSpec, user: UserSpec, number: int, permissions: CallPermissions
) -> tuple[str, ...]:
    """Return the services that a user can call with a key."""
    caller = user_caller(account, user, key=number, agent=BOTO)
    return tuple(permissions.of_user(user, caller).allowed)


def _key(
    account: AccountSpec,
    user: UserSpec,
    number: int,
    key: KeySpec,
    permissions: CallPermissions,
    until: datetime,
) -> Iterator[list[dict[str, Any]]]:
    """Yield the calls of each use, the last one first. People use a key about twice a week, robots
    every day.
    """
    assert key.used is not None
    chance = _chance(account, user.name, f"key {number}")
    habit = PERSON if user.tags.get("Kind") == "person" else ROBOT
    caller = user_caller(account, user, key=number, agent=habit.agent)
    own = permissions.of_user(user, caller)
    calls = own.of_services(services_of(key)) or own.about_oneself or WHO_AM_I
    for at in _times(chance, until, last=key.used, oldest=key.age, gap=habit.gap):
        records = []
        if "sessionContext" in caller.identity:
            plain = key_caller(account, user, key=number, agent=habit.agent)
            records.append(plain.calls("sts", "GetSessionToken", at))
        records += _calls(caller, chance, at, calls=calls, values=own.values, count=habit.calls)
        yield records


def _pipeline(account: AccountSpec, role: RoleSpec, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield a deployment every other day, made from GitHub Actions without a key."""
    chance = _chance(account, role.name, "pipeline")
    for number, at in enumerate(_times(chance, until, last=0.3, oldest=DAYS, gap=2.0)):
        web = {
            "federatedProvider": f"arn:aws:iam::{account.id}:oidc-provider/{OIDC_HOST}",
            "attributes": {f"{OIDC_HOST}:sub": "repo:northline/pay:ref:refs/heads/main"},
        }
        session = f"run-{8839 - number}"
        caller = role_caller(
            account, role, session, agent=GITHUB, address="192.0.2.40", webIdFederationData=web
        )
        parameters = {"functionName": "pay-settle"}
        yield caller.calls("lambda", "GetFunction20150331v2", at, parameters)
        later = at + timedelta(seconds=9)
        yield caller.calls("lambda", "UpdateFunctionCode20150331v2", later, parameters, is_read=False)


def _reads(calls: Calls) -> Calls:
    """Return the calls that only read, which is what people mostly do in the console."""
    reads = {service: tuple(call for call in calls[service] if call.is_read) for service in calls}
    return {service: those for service, those in reads.items() if those}


def _calls(
    caller: SampleCaller,
    chance: random.Random,
    at: datetime,
    *,
    calls: Calls,
    values: Mapping[str, str],
    count: int,
) -> Iterator[dict[str, Any]]:
    """Yield some of these calls in the minutes after a time. People read more than they write."""
    if not calls:
        return
    for number in range(count):
        service = chance.choice(list(calls))
        choices = calls[service]
        call = choices[max(0, chance.randrange(len(choices) + 2) - 2)]
        moment = at + timedelta(seconds=7 + 41 * number + chance.randrange(30))
        yield caller.makes(service, call, moment, values)


def _times(
    chance: random.Random, until: datetime, *, last: float, oldest: float, gap: float
) -> Iterator[datetime]:
    """Yield times from the last use back to the first, mostly on working days."""
    days = last
    while days <= min(DAYS, oldest - 1):
        at = until - timedelta(days=days)
        if days == last or at.weekday() < 5 or gap <= 1:
            yield at.replace(second=chance.randrange(60), microsecond=0) - timedelta(minutes=5)
        days += gap * (0.6 + 0.8 * chance.random())


def _services(user: UserSpec) -> tuple[str, ...]:
    return tuple(key.service for key in user.keys) or ("s3", "ec2")


def _chance(account: AccountSpec, *parts: str) -> random.Random:
    return random.Random(ids.digest("routine", account.id, *parts))
