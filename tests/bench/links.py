"""All users of a person and the list of people, over 1,000 accounts in which 10,000 people have ten users
each; and working out whose they are.

By tag, by name rule, by hand and by nothing, a quarter each. SQLite and PostgreSQL.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from tests.bench.both import Figures, on_both
from tests.bench.floor import figure

ACCOUNTS, PEOPLE, EACH = 1_000, 10_000, 10
ROUNDS = 10


def run() -> Figures:
    """The figures of both databases."""
    return on_both("tests.bench.links")


def _cpu(action: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """The least CPU of this process, in milliseconds."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        action()
        took.append((time.process_time() - began) * 1000)
    return min(took)


def _rows() -> None:
    """Accounts, people, users with tags, credentials and last use, and what was said by hand."""
    from iam.directory.models import Identity, Person
    from iam.linking.models import NameRule
    from iam.mirror.models import Account, Entity, EntityState, Kind, TagSet, Usage, UserCredentials
    from tests.factories import FIRST_READ as SINCE

    Account.objects.bulk_create(
        Account(account_id=f"{n:012}", name=f"account-{n:04}", source="role", revision=1)
        for n in range(1, ACCOUNTS + 1)
    )
    accounts = list(Account.objects.order_by("pk"))
    people = Person.objects.bulk_create(
        (Person(name=f"First{n} Last{n}", email=f"first{n}.last{n}@example.com") for n in range(PEOPLE)),
        batch_size=2000,
    )
    NameRule.objects.create(user_name="{f}{last}", address="{first}.{last}", added_by="bench")
    entities, tagged, named_by_hand = [], [], []
    for n, person in enumerate(people):
        for at in range(EACH):
            account = accounts[(n * 7 + at * 97) % ACCOUNTS]
            way = at % 4
            name = f"f{person.email.partition('@')[0].partition('.')[2]}" if way == 1 else f"u{n}-{at}"
            arn = f"arn:aws:iam::{account.account_id}:user/{name}"
            if way == 0:
                tagged.append((len(entities), {"email": person.email, "Team": "x"}))
            if way == 2:
                named_by_hand.append(Identity(person=person, user_arn=arn, aws_id=f"AIDA{n:08}{at:04}"))
            entities.append(
                Entity(
                    account=account,
                    kind=Kind.USER,
                    aws_id=f"AIDA{n:08}{at:04}",
                    name=name,
                    arn=arn,
                    first_seen=SINCE,
                    revision=1,
                )
            )
    made = Entity.objects.bulk_create(entities, batch_size=1000)
    now = {"valid_from": SINCE, "observed_at": SINCE}
    Identity.objects.bulk_create(named_by_hand, batch_size=2000)
    TagSet.objects.bulk_create(
        (TagSet(entity=made[at], account_id=made[at].account_id, tags=tags, **now) for at, tags in tagged),
        batch_size=2000,
    )
    UserCredentials.objects.bulk_create(
        (
            UserCredentials(user=e, account_id=e.account_id, has_password=True, mfa="virtual", **now)
            for e in made
        ),
        batch_size=2000,
    )
    Usage.objects.bulk_create(
        (Usage(entity=e, account_id=e.account_id, kind=Kind.USER, observed_at=SINCE) for e in made),
        batch_size=2000,
    )
    EntityState.objects.bulk_create(
        (
            EntityState(
                entity=e,
                account_id=e.account_id,
                kind=Kind.USER,
                name=e.name,
                sort_name=e.name,
                arn=e.arn,
                digest=f"{e.pk:032}",
                category="user",
                **now,
            )
            for e in made[:: EACH * 10]
        ),
        batch_size=2000,
    )


def measure(database: str) -> Figures:
    """The figures of the configured database."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, setup_test_environment
    from django.urls import reverse

    setup_test_environment()
    call_command("migrate", verbosity=0)
    _rows()
    from iam.directory.models import Role
    from iam.linking.refresh import refresh_links
    from iam.linking.rules import ChosenMatchRules, foretell
    from iam.mirror.models import Account, Entity
    from tests import factories

    began = time.process_time()
    done = refresh_links()
    whole = time.process_time() - began
    assert done == PEOPLE * EACH, done
    idle = _cpu(refresh_links)
    connection.cursor().execute("ANALYZE")

    def one_account() -> None:
        account = Account.objects.order_by("pk")[5]
        Account.objects.filter(pk=account.pk).update(revision=account.revision + 1)
        Entity.objects.filter(account=account).update(revision=account.revision + 1)
        assert refresh_links() == 100

    again = _cpu(one_account, rounds=3)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    user = Entity.objects.get(name="u100-0")
    pages = {
        "all users of a person": reverse("linking:person", args=[user.pk]),
        "list of people": reverse("linking:persons"),
        "list of people, a part of a name": f"{reverse('linking:persons')}?q=last77",
        "links to confirm": reverse("linking:links"),
        "users whom nobody is known for": f"{reverse('linking:links')}?view=unlinked",
    }
    size = f"{PEOPLE * EACH:,} users in {ACCOUNTS:,} accounts, {PEOPLE:,} people, {database}"
    measure = [
        figure(f"links: whose everybody is, worked out, {size}, CPU", whole, "s"),
        figure(f"links: the same when nothing was written, {database}, CPU", idle, "ms", limit=100),
        figure(f"links: one account of 100 users again, {database}, CPU", again, "ms", limit=1500),
    ]
    for name, address in pages.items():

        def get(address: str = address) -> None:
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.status_code)

        get()
        with CaptureQueriesContext(connection) as asked:
            get()
            queries = len(asked)
        wall = time.perf_counter()
        get()
        wall = (time.perf_counter() - wall) * 1000
        measure += [
            figure(f"links: {name}, {database}, CPU", _cpu(get), "ms", limit=300),
            figure(f"links: {name}, {database}, wall", wall, "ms"),
            figure(f"links: {name}, {database}, queries", queries, ""),
        ]
    began = time.perf_counter()
    effect = foretell(
        ChosenMatchRules(("email",), True, (("{f}{last}", "{first}.{last}"), ("u{local}", "{local}")))
    )
    measure.append(figure(f"links: preview of a rule, {database}", time.perf_counter() - began, "s", limit=5))
    assert effect.linked == 0
    began = time.perf_counter()
    effect = foretell(ChosenMatchRules(("email",), True, ()))
    took = time.perf_counter() - began
    named = sum(at % 4 == 1 for at in range(EACH)) * PEOPLE
    assert effect.ends == named, effect.ends
    words = f"links: preview of what a rule that links {named:,} users comes to, {database}"
    measure.append(figure(words, took, "s", limit=5))
    return measure


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
