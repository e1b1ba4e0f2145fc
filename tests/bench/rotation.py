"""Access keys by the thousand: their list, the list of rotations, the beginning of many, and a pass of the
beat over all that are under way.

10,000 users of 10 accounts with a key each (BENCH_KEYS). SQLite and PostgreSQL.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.bench.both import Figures, on_both
from tests.bench.floor import figure

ACCOUNTS: Final = 10
KEYS: Final = int(os.environ.get("BENCH_KEYS", "10000"))
ASKED: Final = 500
DUE: Final = 50
ROUNDS: Final = 10
PAGE_LIMIT: Final = 25
QUERIES: Final = 12


def run() -> Figures:
    """The figures of both databases."""
    return on_both("tests.bench.rotation")


def measure(database: str) -> Figures:
    """The figures of the configured database."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import setup_test_environment

    setup_test_environment()
    call_command("migrate", verbosity=0)
    _rows()
    connection.cursor().execute("ANALYZE")
    lists = _lists(database, "before any rotation")
    lists += _beginning(database)
    _under_way()
    connection.cursor().execute("ANALYZE")
    return [*lists, *_lists(database, f"{KEYS:,} rotations under way"), *_beat(database)]


def _rows() -> None:
    """Accounts, users with their people, and their keys."""
    from iam.directory.models import Identity, Person
    from iam.mirror.models import Account, Entity, Kind

    numbers = [f"{n:012}" for n in range(1, ACCOUNTS + 1)]
    Account.objects.bulk_create(
        Account(
            account_id=number,
            name=f"account-{number[-2:]}",
            source="role",
            role_arn=f"arn:aws:iam::{number}:role/reader",
            write_role_arn=f"arn:aws:iam::{number}:role/writer",
            revision=1,
        )
        for number in numbers
    )
    accounts = list(Account.objects.order_by("pk"))
    people = Person.objects.bulk_create(
        (Person(name=f"Person {n}", email=f"person{n}@bench.example") for n in range(KEYS)), batch_size=2000
    )
    users = _entities(accounts, Kind.USER, "AIDA", owners=None)
    Identity.objects.bulk_create(
        (
            Identity(person=person, user_arn=user.arn, aws_id=user.aws_id)
            for person, user in zip(people, users, strict=True)
        ),
        batch_size=2000,
    )
    keys = _entities(accounts, Kind.ACCESS_KEY, "AKIA", owners=users)
    assert Entity.objects.count() == len(users) + len(keys)


def _entities(accounts: list[Any], kind: Any, prefix: str, *, owners: list[Any] | None) -> list[Any]:
    """An entity for each of many, with its state, use and, of a user, credentials."""
    from iam.mirror.models import Entity, EntityState, Usage, UserCredentials
    from tests.factories import FIRST_READ as SINCE

    now = datetime.now(tz=UTC)
    rows = []
    for n in range(KEYS):
        account = accounts[n % ACCOUNTS]
        aws_id = f"{prefix}{n:016}"
        name = f"user-{n:05}" if owners is None else aws_id
        arn = f"arn:aws:iam::{account.account_id}:user/{name}" if owners is None else ""
        rows.append(
            Entity(
                account=account,
                kind=kind,
                aws_id=aws_id,
                name=name,
                arn=arn,
                search=name.lower(),
                owner=owners[n] if owners else None,
                first_seen=SINCE,
                revision=1,
            )
        )
    made = Entity.objects.bulk_create(rows, batch_size=1000)
    EntityState.objects.bulk_create(
        (
            EntityState(
                entity=e,
                account_id=e.account_id,
                kind=kind,
                name=e.name,
                sort_name=e.name.lower(),
                arn=e.arn,
                digest=f"{e.pk:032}",
                category="Active" if owners else "user",
                created_at=now - timedelta(days=e.pk % 400),
                valid_from=SINCE,
                observed_at=SINCE,
            )
            for e in made
        ),
        batch_size=1000,
    )
    Usage.objects.bulk_create(
        (
            Usage(
                entity=e,
                account_id=e.account_id,
                kind=kind,
                last_used_at=now - timedelta(days=e.pk % 90),
                observed_at=SINCE,
            )
            for e in made
        ),
        batch_size=1000,
    )
    if owners is None:
        UserCredentials.objects.bulk_create(
            (
                UserCredentials(
                    user=e, account_id=e.account_id, active_keys=1, valid_from=SINCE, observed_at=SINCE
                )
                for e in made
            ),
            batch_size=1000,
        )
    return made


def _lists(database: str, when: str) -> Figures:
    from django.test import Client
    from django.urls import reverse

    from iam.directory.models import Role
    from tests import factories

    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name=f"Looks {datetime.now(tz=UTC):%H%M%S%f}"))
    keys = reverse("keys:keys")
    pages = {
        "list of keys": keys,
        "list of keys, old ones": f"{keys}?view=old",
        "list of keys, by last use": f"{keys}?sort=used",
        "list of keys, on their way out": f"{keys}?view=rotating",
        "list of rotations": reverse("keys:rotations"),
    }
    lists = []
    for name, address in pages.items():

        def get(address: str = address) -> None:
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.status_code)

        get()
        words = f"rotation: {name}, {KEYS:,} keys, {when}, {database}"
        lists += [
            figure(f"{words}, CPU", _least(get, time.process_time), "ms", limit=PAGE_LIMIT),
            figure(f"{words}, wall", _least(get, time.perf_counter), "ms"),
            figure(f"{words}, queries", _queries(get), "", limit=QUERIES),
        ]
    return lists


def _least(action: Callable[[], object], clock: Callable[[], float], *, rounds: int = ROUNDS) -> float:
    """The least that an action takes, in milliseconds."""
    took = []
    for _ in range(rounds):
        began = clock()
        action()
        took.append((clock() - began) * 1000)
    return min(took)


def _queries(action: Callable[[], object]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        action()
    return len(asked)


def _beginning(database: str) -> Figures:
    """Many are begun in one click, and asked for by a worker, a set for each hundred."""
    from iam import nudge
    from iam.directory.models import Role
    from iam.mirror.models import Entity, Kind
    from iam.people.rotation.models import RotationStage
    from iam.people.rotation.requests import ROTATION, begin_many
    from iam.people.rotation.rotation_plan import RotationTerms
    from iam.people.rotation.selection import choose
    from tests import factories

    nudge.send = lambda *_, **__: True  # type: ignore[assignment]
    viewer = factories.viewer(Role.ADMINISTRATOR, name="Begins")
    keys = list(Entity.objects.filter(kind=Kind.ACCESS_KEY).order_by("pk").values_list("pk", flat=True))
    chosen = _least(lambda: choose(viewer, keys), time.perf_counter, rounds=1)
    queries = _queries(lambda: choose(viewer, keys))
    began = time.perf_counter()
    run, choice = begin_many(viewer, keys[:ASKED], RotationTerms("Measured"))
    written = time.perf_counter() - began
    assert len(choice.chosen) == ASKED, choice.left_out
    began, cpu = time.perf_counter(), time.process_time()
    asking = _queries(lambda: ROTATION.request(run))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert run.rotations.filter(stage=RotationStage.ASKED).count() == ASKED
    return [
        figure(
            f"rotation: which of {KEYS:,} keys can be rotated, {database}, wall", chosen / 1000, "s", limit=5
        ),
        figure(f"rotation: the same, {database}, queries for each 500", queries / (KEYS / 500), "", limit=10),
        figure(f"rotation: {ASKED} begun in one click, {database}, wall", written, "s", limit=2),
        figure(f"rotation: {ASKED} asked for by a worker, {database}, wall", wall, "s"),
        figure(f"rotation: {ASKED} asked for by a worker, {database}, CPU", cpu, "s", limit=10),
        figure(f"rotation: a key asked for, {database}, queries", asking / ASKED, "", limit=18),
    ]


def _under_way() -> None:
    """A rotation of every key, where both keys are in use and AWS was asked a moment ago; a tenth waits for
    the secret to be read, and as many for an approval.
    """
    from iam.changes.models import Change
    from iam.directory.models import Identity
    from iam.mirror.models import Entity, Kind
    from iam.people.rotation.models import Rotation, RotationRun, RotationStage
    from iam.sealed.models import Secret

    Rotation.objects.all().delete()
    now = datetime.now(tz=UTC)
    people = dict(Identity.objects.values_list("user_arn", "person_id"))
    keys = Entity.objects.filter(kind=Kind.ACCESS_KEY).select_related("owner").order_by("pk")
    waiting = list(Change.objects.filter(state="awaiting_approval").values_list("pk", flat=True))
    rows, seals = [], []
    run = RotationRun.objects.create(requested_by=uuid.uuid4(), requested_label="Begins", state="asked")
    for n, key in enumerate(keys):
        stage = {0: RotationStage.HANDING, 1: RotationStage.ASKED, 2: RotationStage.INACTIVE}.get(
            n % 10, RotationStage.USING
        )
        seal = uuid.uuid4()
        person = people[key.owner.arn]
        if stage == RotationStage.HANDING:
            seals.append(_seal(seal, person, now))
        rows.append(
            Rotation(
                run=run,
                person_id=person,
                begun_by_id=person,
                user=key.owner,
                old=key,
                quiet_days=7,
                keep_days=7,
                begun_at=now,
                stage=stage,
                stage_at=now,
                read_at=None if stage == RotationStage.ASKED else now - timedelta(seconds=n % 3600),
                old_state="Active",
                new_state="Active",
                new_key_id=f"AKIANEW{n:013}",
                quiet_from=now,
                inactive_at=now,
                sealed_id=seal,
                change_id=waiting[n % len(waiting)] if stage == RotationStage.ASKED else None,
            )
        )
    Secret.objects.bulk_create(seals, batch_size=1000)
    Rotation.objects.bulk_create(rows, batch_size=1000)


def _seal(pk: uuid.UUID, person: Any, now: datetime) -> Any:
    from iam.sealed.models import Secret, SecretState

    return Secret(
        pk=pk,
        person_id=person,
        purpose="access_key",
        label="AKIA",
        ciphertext="x",
        state=SecretState.SEALED,
        sealed_at=now,
        released_at=now,
        expires_at=now + timedelta(hours=20),
    )


def _beat(database: str) -> Figures:
    """A pass when nothing is due, and one when some are: AWS's answers are given here, so that what is
    measured is ours.
    """
    from iam.mirror.refresh.key_use import KeysSeen
    from iam.people.rotation import reconcile
    from iam.people.rotation.models import Rotation
    from iam.people.rotation.tasks import reconcile_rotations

    looked: list[int] = []

    def answer(account: Any, user: Any) -> KeysSeen:
        looked.append(user.pk)
        raise reconcile.UnreadableKeysError("not asked here")

    reconcile.reread_key_use = answer  # type: ignore[assignment]
    words = f"rotation: a pass of the beat over {KEYS:,} under way"
    idle = [
        figure(
            f"{words}, none due, {database}, CPU",
            _least(reconcile_rotations, time.process_time),
            "ms",
            limit=25,
        ),
        figure(
            f"{words}, none due, {database}, wall",
            _least(reconcile_rotations, time.perf_counter),
            "ms",
            limit=25,
        ),
        figure(f"{words}, none due, {database}, queries", _queries(reconcile_rotations), "", limit=5),
    ]
    assert not looked, f"{len(looked)} were looked at"
    due = list(Rotation.objects.filter(stage="using").order_by("pk").values_list("pk", flat=True)[:DUE])
    Rotation.objects.filter(pk__in=due).update(read_at=datetime.now(tz=UTC) - timedelta(hours=7))
    began, cpu = time.perf_counter(), time.process_time()
    queries = _queries(reconcile_rotations)
    wall, cpu = (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000
    assert len(looked) == DUE, len(looked)
    return [
        *idle,
        figure(f"{words}, {DUE} due, {database}, CPU for each", cpu / DUE, "ms", limit=20),
        figure(f"{words}, {DUE} due, {database}, wall for each", wall / DUE, "ms"),
        figure(f"{words}, {DUE} due, {database}, queries for each", queries / DUE, "", limit=10),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
