"""Inside Django: connect and read the accounts, queue changes as they stand after an approval, count how they
ended, read again.

`python -m tests.bench.changes.plant STEP ...` runs one step in a process of its own and prints JSON.
"""

from __future__ import annotations

import json
import random
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench.changes.organisation import EXTERNAL_ID, READER, WRITER, document, number_of


def prepare(accounts: str) -> dict[str, Any]:
    """Make the tables, connect the accounts, and read each once."""
    from django.core.management import call_command

    from iam.mirror.models import Account

    call_command("migrate", verbosity=0)
    Account.objects.bulk_create(_account(place) for place in range(int(accounts)))
    return read_all()


def _account(place: int) -> Any:
    from iam.mirror.models import Account

    number = number_of(place)
    return Account(
        account_id=number,
        name=f"bench-{place}",
        source="role",
        role_arn=f"arn:aws:iam::{number}:role/{READER}",
        write_role_arn=f"arn:aws:iam::{number}:role/{WRITER}",
        external_id=EXTERNAL_ID,
    )


def read_all() -> dict[str, Any]:
    """Pull every account in this process, with no worker left; what the pulls found to differ from the
    mirror.
    """
    from iam.mirror.models import Account, Pull
    from iam.mirror.models.accounts import ACTIVE_PULL
    from iam.mirror.services import request_pull, run_pull

    # What a change had asked for when its reading back failed, and a worker that is gone had begun: it would
    # be waited for by minutes.
    Pull.objects.filter(ACTIVE_PULL).update(state="failed")
    counts: Counter[str] = Counter()
    for account in Account.objects.order_by("id"):
        asked = request_pull(account, trigger="demand")
        run_pull(asked.pk)
        pull = Pull.objects.get(pk=asked.pk)
        if pull.state != "complete":
            raise RuntimeError(f"{account}: {pull.state} {pull.message}")
        counts.update(added=pull.added, changed=pull.changed, ended=pull.ended)
    return dict(counts)


def outcome() -> dict[str, Any]:
    """How the changes ended, what a reading of all accounts finds to differ from the mirror, and whether the
    journal holds.
    """
    from iam.journal import verify
    from iam.journal.chain import chain_pending

    state, began = standing(), datetime.now(tz=UTC)
    read_all()
    chain_pending()
    return {
        "standing": state,
        "differences": differences(began),
        "journal_holds": verify.verify().is_intact,
    }


def differences(moment: datetime) -> list[str]:
    """What readings since a moment have opened or ended in the mirror, but for counts of an account, which no
    change follows.
    """
    from django.apps import apps
    from django.db.models import Q

    from iam.mirror.models import AccountFact, TemporalRow

    differences = []
    for model in apps.get_app_config("mirror").get_models():
        if issubclass(model, TemporalRow):
            rows = model._default_manager.filter(Q(valid_from__gte=moment) | Q(valid_to__gte=moment))
            if model is AccountFact:
                rows = rows.exclude(name__in=("summary", "numbers"))
            differences += [
                f"{model.__name__} {row} {row.cause_kind} {row.valid_from} {row.valid_to}"
                for row in rows[:20]
            ]
    return differences


def queue(count: str, kinds: str, seed: str) -> dict[str, Any]:
    """Queue so many changes of these kinds (comma-separated), spread over the accounts, and nudge a worker
    for each.
    """
    from django.db import transaction

    from iam import nudge
    from iam.changes.models import Change, ChangeSet
    from iam.changes.states import RUN_CHANGE

    rows = [
        _row(operation) for operation in _operations(int(count), kinds.split(","), random.Random(int(seed)))
    ]
    with transaction.atomic():
        ChangeSet.objects.bulk_create([row.change_set for row in rows], batch_size=500)
        Change.objects.bulk_create(rows, batch_size=500)
    began = datetime.now(tz=UTC)
    for row in rows:
        nudge.send(RUN_CHANGE, row.pk)
    return {"queued": len(rows), "began": began.isoformat()}


def _operations(count: int, kinds: list[str], chance: random.Random) -> Iterator[Any]:
    """Operations that each can be carried out whatever becomes of the others: no two are about the same thing
    of the same person.
    """
    from iam.changes.operations import (
        ADD_TO_GROUP,
        ATTACH_POLICY,
        Attachment,
        CreatePolicyVersion,
        Membership,
        PutInlinePolicy,
    )
    from iam.mirror.models import Account, Entity

    accounts = list(Account.objects.order_by("id"))
    known = {
        (account.pk, kind): list(
            Entity.objects.filter(account=account, kind=kind, gone_at__isnull=True)
            .exclude(arn__contains=":aws:policy")
            .select_related("account")
            .order_by("id")
        )
        for account in accounts
        for kind in ("user", "group", "policy")
    }
    versions: Counter[int] = Counter()
    for place in range(count):
        account, kind = accounts[place % len(accounts)], kinds[(place // len(accounts)) % len(kinds)]
        turn = place // len(accounts)
        users = known[account.pk, "user"]
        user, again = users[turn % len(users)], turn // len(users)
        if kind == "membership":
            groups = known[account.pk, "group"]
            yield Membership.of(ADD_TO_GROUP, user, group=groups[again % len(groups)])
        elif kind == "attachment":
            policies = known[account.pk, "policy"]
            yield Attachment.of(ATTACH_POLICY, user, policy=policies[again % len(policies)])
        elif kind == "inline":
            text = json.dumps(document("s3:GetObject", f"arn:aws:s3:::bench-{place}/*"))
            yield PutInlinePolicy.of(user, name=f"bench-{place}", text=text)
        else:
            fresh = [entity for entity in known[account.pk, "policy"] if versions[entity.pk] < 1]
            if not fresh:
                continue
            policy = chance.choice(fresh)
            versions[policy.pk] += 1
            yield CreatePolicyVersion.of(
                policy, text=json.dumps(document("s3:GetObject", f"arn:aws:s3:::v-{place}/*"))
            )


def _row(operation: Any) -> Any:
    from iam.changes.models import Change, ChangeSet, ChangeState

    now, subject = datetime.now(tz=UTC), operation.subject()
    calls = [
        {"service": c.service, "operation": c.operation, "params": dict(c.params), "sentence": c.sentence}
        for c in operation.calls()
    ]
    return Change(
        change_set=ChangeSet(id=uuid.uuid4()),
        operation=operation.slug,
        title=operation.title[:512],
        account=operation.account,
        entity=subject,
        subject_kind=operation.subject_kind,
        subject_id=operation.subject_id,
        subject_arn=subject.arn,
        params=operation.params,
        before=operation.state_in_mirror(),
        after=operation.desired_state(),
        receipt={"calls": calls},
        receipt_digest="bench",
        state=ChangeState.QUEUED,
        idempotency_key=f"bench:{uuid.uuid4()}",
        requested_by=uuid.UUID(int=1),
        requested_label="Bench",
        reason="Measured",
        calls=calls,
        requested_at=now,
        queued_at=now,
        due_at=now,
        expires_at=now + timedelta(hours=24),
    )


def standing() -> dict[str, Any]:
    """How the changes ended, what they were called, and from the first beginning to the last end."""
    from django.db.models import Count, Max, Min

    from iam.changes.models import Change

    states = dict(Change.objects.values_list("state").annotate(n=Count("pk")))
    reasons = Change.objects.exclude(state="applied").exclude(error_kind="")
    times = Change.objects.aggregate(first=Min("queued_at"), last=Max("ended_at"))
    calls = [value for row in Change.objects.values_list("calls", flat=True) for value in row]
    return {
        "states": states,
        "reasons": dict(reasons.values_list("error_kind").annotate(n=Count("pk"))),
        "unexplained": Change.objects.exclude(state="applied").filter(error_message="").count(),
        "already_so": Change.objects.filter(already_so=True).count(),
        "retried": Change.objects.filter(attempts__gt=1).count(),
        "last": times["last"].isoformat() if times["last"] else None,
        "calls": len(calls),
    }


if __name__ == "__main__":
    import django

    django.setup()
    steps = {"prepare": prepare, "read": read_all, "queue": queue, "standing": standing, "outcome": outcome}
    print(json.dumps(steps[sys.argv[1]](*sys.argv[2:])))
