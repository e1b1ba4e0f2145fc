"""Inside Django: people with users in all accounts and grants of their own, who are asked to leave; how they
stand, and what AWS itself shows.

`python -m tests.bench.leaving.plant STEP ...` runs one step in a process of its own and prints JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.bench.changes.people import agree_to, asker


def people(count: str) -> dict[str, Any]:
    """So many people, who have the users of one name in all accounts, each of which is read whole; and a
    grant for each, which every other one shares with somebody who stays.
    """
    from iam.directory.models import Identity, Person
    from iam.mirror.refresh.user_access import reread_user_access

    for number in range(int(count)):
        person = Person.objects.create(name=f"Maya Okafor{number}", email=f"maya{number}@bench.example")
        users = list(_users(f"user-{number}"))
        for user in users:
            Identity.objects.create(person=person, user_arn=user.arn)
            reread_user_access(user.account, user)
        others = [next(_users(f"user-{count}")).arn] if number % 2 else []
        _grant(users[0], [users[0].arn, *others], number=number)
    return {"people": int(count)}


def _users(name: str) -> Iterator[Any]:
    from iam.mirror.models import Entity

    entities = Entity.objects.filter(kind="user", name=name, gone_at__isnull=True).select_related("account")
    return iter(entities.order_by("account__name"))


def _grant(user: Any, arns: list[str], *, number: int) -> None:
    from iam.access.grants.services import request_grant
    from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
    from iam.changes.models import Change
    from iam.mirror.models import Entity

    group = Entity.objects.get(account=user.account, kind="group", name=f"group-{(number + 2) % 5}")
    terms = GrantTerms(
        who=WhoTerms(WhoKind.USERS, arns=tuple(arns)),
        what=GrantContent(WhatKind.GROUP, group_arn=group.arn),
        accounts=(user.account.account_id,),
        why="Measured",
    )
    grant = request_grant(terms, actor=asker(), idempotency_key=f"grant-{number}")
    changes = Change.objects.filter(change_set__cause_id=grant.pk).select_related("change_set")
    agree_to({change.change_set_id: change.change_set for change in changes}.values())


def ask() -> dict[str, Any]:
    """Ask in one run that all of them leave; how many changes that takes."""
    from iam.directory.models import Person
    from iam.people.offboarding import services
    from iam.people.offboarding.pasted_rows import LeaverRow
    from iam.people.offboarding.row_checks import stage
    from iam.people.runs.models import RunState

    addresses = Person.objects.filter(email__startswith="maya").order_by("pk").values_list("email", flat=True)
    rows = [LeaverRow(line=line, text=address) for line, address in enumerate(addresses, start=2)]
    run = stage(asker(), rows=rows, source="bench.csv")
    run = services.request_run(asker(), run=run, terms=services.OffboardingTerms("Measured", confirmed=True))
    if run.state == RunState.SUBMITTING:
        # What a worker does soon after.
        services.OFFBOARDING.request(run)
    if run.state != RunState.REQUESTED:
        raise RuntimeError(
            f"{run.state}: {run.trouble} {list(run.people.values_list('problems', flat=True))}"
        )
    return {"steps": sum(group.changes.count() for group in _sets())}


def approve() -> dict[str, Any]:
    """Everybody agrees."""
    took, _ = agree_to(_sets())
    return {"approvals": len(took)}


def _sets() -> list[Any]:
    from iam.changes.models import OF_OFFBOARDING, ChangeSet

    return list(ChangeSet.objects.filter(cause_kind=OF_OFFBOARDING).order_by("created_at"))


def again() -> dict[str, Any]:
    """What a person does about whom something is still open of: have AWS read again. For how many."""
    from iam.people.offboarding.models import Leaver, OffboardingStage
    from iam.people.offboarding.restore_and_delete import try_again

    leavers = list(Leaver.objects.filter(stage=OffboardingStage.OPEN))
    for leaver in leavers:
        try_again(asker(), leaver=leaver)
    return {"tried": len(leavers)}


def standing() -> dict[str, Any]:
    """How they stand, what went wrong on the way, and what their certificates lack."""
    from django.db.models import Count

    from iam.changes.models import Change
    from iam.people.offboarding.certificates import matches_journal
    from iam.people.offboarding.models import Leaver, OffboardedUser, OffboardingCertificate

    wrong = Change.objects.exclude(error_kind="").exclude(state="applied")
    certificates = list(OffboardingCertificate.objects.filter(kind="ended"))
    return {
        "stages": dict(Leaver.objects.values_list("stage").annotate(n=Count("pk"))),
        "proved": Leaver.objects.exclude(proved_at=None).count(),
        "trials": dict(OffboardedUser.objects.values_list("trials").annotate(n=Count("pk"))),
        "trouble": list(OffboardedUser.objects.exclude(trouble="").values_list("trouble", flat=True)[:3]),
        "reasons": dict(
            Counter(
                f"{change.operation} {change.error_kind}: {change.error_message[:90]}" for change in wrong
            )
        ),
        "certificates": len(certificates),
        "lacking": [words for certificate in certificates for words in _lacking(certificate.text)],
        "broken": sum(not matches_journal(certificate) for certificate in certificates),
    }


def _lacking(text: str) -> Iterator[str]:
    """The times that a certificate does not have."""
    body = json.loads(text)
    for name in ("began_at", "denied_everything_at", "proved_at"):
        if not body[name]:
            yield f"{body['person']['name']}: {name}"
    for account in body["accounts"]:
        times = [account["proved_at"], *(row["at"] for row in account["read_again"])]
        times += [step["confirmed_at"] for step in account["steps"]]
        if not all(times) or len(times) < 10:
            yield f"{account['user']}: a time is missing"


def truth() -> dict[str, Any]:
    """What AWS itself shows open of them, what a reading of it all finds to differ from the mirror, which
    grants live for them (`shared`: for who stays), and whether the journal holds.
    """
    from iam.access.grants.models import FINAL_STATES, Grant, LedgerEntry
    from iam.changes.runner.reach import lent_for_writing
    from iam.journal import verify
    from iam.journal.chain import chain_pending
    from iam.mirror.refresh.user_access import reread_user_access
    from iam.people.offboarding.models import OffboardedUser
    from iam.people.offboarding.open_access import DENY
    from tests.bench.changes.plant import differences, read_all

    began, problems = datetime.now(tz=UTC), []
    for seat in OffboardedUser.objects.select_related("account", "user"):
        with lent_for_writing(seat.account) as aws:
            problems += [f"{seat.user_arn}: {words}" for words in _open(aws.iam, seat.user_name)]
        reread_user_access(seat.account, seat.user, policies=(DENY,))
    read_all()
    chain_pending()
    arns = OffboardedUser.objects.values("user_arn")
    alone = [
        grant
        for grant in Grant.objects.exclude(state__in=FINAL_STATES)
        if len(grant.terms["who"]["arns"]) == 1
    ]
    return {
        "open": problems,
        "differences": differences(began),
        "grants": len(alone) + LedgerEntry.objects.filter(holder_arn__in=arns, until=None).count(),
        "shared": LedgerEntry.objects.filter(until=None).exclude(holder_arn__in=arns).count(),
        "states": dict(Counter(Grant.objects.values_list("state", flat=True))),
        "journal_holds": verify.verify().is_intact,
    }


def _open(iam: Any, name: str) -> Iterator[str]:
    """By what somebody of this name can still do anything, as AWS itself says."""
    user = {"UserName": name}
    if "GatehouseLeft" not in iam.list_user_policies(**user)["PolicyNames"]:
        yield "no deny"
    try:
        iam.get_login_profile(**user)
        yield "a password"
    except iam.exceptions.NoSuchEntityException:
        pass
    listed = {
        "key": iam.list_access_keys(**user)["AccessKeyMetadata"],
        "SSH key": iam.list_ssh_public_keys(**user)["SSHPublicKeys"],
        "service credential": iam.list_service_specific_credentials(**user)["ServiceSpecificCredentials"],
    }
    for what, rows in listed.items():
        if not rows or any(row["Status"] == "Active" for row in rows):
            yield f"{what}: {len(rows)}, and not inactive"
    if iam.list_mfa_devices(**user)["MFADevices"]:
        yield "an MFA device"
    if groups := iam.list_groups_for_user(**user)["Groups"]:
        yield f"{len(groups)} groups"


if __name__ == "__main__":
    import django

    django.setup()
    steps = {command.__name__: command for command in (people, ask, approve, again, standing, truth)}
    print(json.dumps(steps[sys.argv[1]](*sys.argv[2:])))
