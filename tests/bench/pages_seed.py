"""Seeds the organization of `tests.bench.pages`: entities, policies, credentials, sections, people of the
directory, and a signed-in auditor.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from console.operators.models import Operator
from iam.access.escalation_calculation.models import EscalationFinding
from iam.access.escalation_calculation.tasks import calculate_escalation
from iam.directory.models import Role
from iam.mirror.models import Account, Entity, Section, SectionState, UserCredentials
from iam.mirror.pull import revisions
from iam.mirror.pull.sections import ALL as ALL_SECTIONS
from iam.mirror.snapshot.images import draw_images
from iam.people.fleet.tasks import calculate_fleet
from tests import factories
from tests.bench.list_rows import BEGAN, MFA, insert
from tests.bench.organisation import Maker
from tests.bench.organisation_tables import Writer

ROLES_PER_USER = 5
"""A role for so many users."""


def seed(*, accounts: int, users: int, people: int) -> dict[str, Any]:
    """Write all; the addresses of pages to measure."""
    call_command("migrate", verbosity=0)
    each = users // accounts
    maker = Maker(users=each, roles=each // ROLES_PER_USER)
    Writer().write(maker, accounts)
    with transaction.atomic():
        insert(UserCredentials, list(_credentials()))
        rows = [
            {
                "account_id": account,
                "name": name,
                "state": SectionState.COMPLETE.value,
                "observed_at": BEGAN,
                "known_since": BEGAN,
                "attempted_at": BEGAN,
            }
            for account in Account.objects.values_list("pk", flat=True)
            for name in ALL_SECTIONS
        ]
        Section.objects.all().delete()
        Section.objects.bulk_create(Section(**row) for row in rows)
    for number, user in enumerate(Entity.objects.filter(kind="user").order_by("pk")[:people]):
        factories.person(f"Person {number}", arns=(user.arn,))
    # As a worker does after the pulls.
    draw_images()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    factories.operator(Role.AUDITOR, name="Jonas Berg")
    return {"pages": _pages()}


def _credentials() -> Iterator[dict[str, Any]]:
    dice = random.Random(3)
    for pk, account in Entity.objects.filter(kind="user").values_list("pk", "account_id"):
        keys = dice.choice((0, 0, 1, 1, 2))
        yield {
            "id": pk,
            "account_id": account,
            "user_id": pk,
            "has_password": dice.random() < 0.85,
            "mfa": dice.choice(MFA),
            "active_keys": keys,
            "keys": keys,
            "oldest_key_at": BEGAN - timedelta(days=dice.randrange(1, 400)),
            "valid_from": BEGAN,
            "observed_at": BEGAN,
            "cause_kind": "",
            "end_cause_kind": "",
        }


def sign_in() -> dict[str, str]:
    """The cookie of a new session of the auditor, who may see the pages."""
    client = Client()
    client.force_login(Operator.objects.get(username="jonas.berg"))
    return {"cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


def _pages() -> dict[str, str]:
    """The page of each kind of list and of one of its entries, by name."""
    user, role, policy, group = (
        Entity.objects.filter(kind=kind).order_by("pk").values_list("pk", flat=True)[3]
        for kind in ("user", "role", "policy", "group")
    )
    return {
        "people": "/people/",
        "people, filtered": "/people/?mfa=none&q=user-1",
        "person": f"/people/{user}/",
        "person, access": f"/people/{user}/access/",
        "groups": "/groups/",
        "group": f"/groups/{group}/",
        "roles": "/roles/",
        "role": f"/roles/{role}/",
        "policies": "/policies/",
        "policy": f"/policies/{policy}/",
        "accounts": "/accounts/",
        "access keys": "/keys/",
        "journal": "/audit/journal/",
        "changes": "/changes/",
    }


def write() -> dict[str, Any]:
    """One user is written, as a pull or a change of ours does."""
    user = Entity.objects.filter(kind="user").order_by("pk")[7]
    revisions.note_written(user.account_id, [user.pk])
    return {"pk": user.pk}


def calculate() -> dict[str, Any]:
    """What workers do after a pull, in a process that has nothing in memory; the seconds that it took."""
    # Those of data that were kept from an earlier version were drawn by its code.
    draw_images()
    began = time.perf_counter()
    calculate_escalation()
    escalated = time.perf_counter()
    calculate_fleet()
    return {
        "escalation": escalated - began,
        "fleet": time.perf_counter() - escalated,
        "findings": EscalationFinding.objects.filter(steps__gt=0).count(),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
