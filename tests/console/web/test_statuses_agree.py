"""All pages show the same status of a key, a device or a password after it was changed in AWS, whichever part
of Gatehouse read it: a sync, the check of a rotation, the proof of an offboarding, or a change.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final

import pytest
from django.core.cache import cache
from django.db.models import F
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from console.demo.standin import totp
from console.operators.models import Operator
from iam.aws.errors import AwsError, ErrorKind
from iam.changes import services as changes
from iam.changes.models import Change
from iam.changes.operations.user_credential import DEACTIVATE, SetStatus
from iam.mirror.models import NEVER, Account, Entity, Kind
from iam.mirror.pull.upsert_entities import SETTLES_IN
from iam.mirror.pull.usage import LastUse
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import ListQuery, all_rows, list_page
from iam.mirror.queries.lists.groups import GROUPS
from iam.mirror.queries.lists.people import PEOPLE
from iam.mirror.queries.lists.policies import POLICIES
from iam.mirror.queries.lists.roles import ROLES
from iam.mirror.refresh import credentials
from iam.mirror.refresh.key_use import reread_key_use
from iam.mirror.refresh.user_access import reread_user_access
from iam.mirror.services import request_pull, run_pull
from iam.people.rotation import services
from iam.people.rotation.key_list import KEYS
from iam.people.rotation.models import Rotation, RotationStage, RotationStep
from tests.iam.people.rotation.conftest import (
    Nudges,
    Wheel,
    nudges,
    scene,
    standin,
    standin_process,
    wheel,
)

__all__ = ["Nudges", "nudges", "scene", "standin", "standin_process", "wheel"]
pytestmark = pytest.mark.django_db
BADGE: Final = re.compile(r'<span class="badge[^"]*"[^>]*>(?:<svg.*?</svg>)?([^<]+)</span>', re.DOTALL)
GONE: Final = ""
MEANT: Final = {
    "Both keys active": "Active",
    "Old key inactive": "Inactive",
    "Old key deleted": GONE,
    "Done": GONE,
    "Deleted": GONE,
}
"""Which status of the old key the marks of a rotation say."""


@pytest.fixture(autouse=True)
def _nothing_kept(settings: Settings) -> None:
    settings.AWS_RATE = 1000
    cache.clear()


def badge_after(page: str, words: str) -> str:
    """The first badge after some words, such as a key ID; empty if the page doesn't have them."""
    badge = BADGE.search(page.partition(words)[2]) if words in page else None
    return badge[1].strip() if badge else GONE


def shown(wheel: Wheel, rotation: Rotation) -> set[str]:
    """All statuses of the old key that pages show."""
    return set(statuses(wheel, rotation).values())


def statuses(wheel: Wheel, rotation: Rotation) -> dict[str, str]:
    """What each page says of the old key."""
    cache.clear()
    key_id, user = wheel.old.aws_id, wheel.scene.user
    administrator, member = browsers(wheel)

    def page(client: Client, name: str, *parts: Any, **query: str) -> str:
        return client.get(reverse(name, args=parts), query).content.decode()

    my_keys, of_rotations = page(member, "keys:my-keys").split('id="ro-h"')
    live = page(administrator, "keys:rotation", rotation.pk)
    every = page(administrator, "keys:rotations", batch=str(rotation.run_id))
    credentials = page(administrator, "identities:person-credentials", user.pk)
    on_pages = {
        "my keys": badge_after(my_keys, f">{key_id}<"),
        "rotation in my keys": badge_after(of_rotations, f">{key_id}<"),
        "keys": badge_after(
            page(administrator, "keys:keys", q=key_id).partition("<tbody>")[2], f">{key_id}<"
        ),
        "credentials": badge_after(credentials.partition('id="ak-h"')[2], f">{key_id}<"),
        "rotation": badge_after(live, "<h1"),
        "old key of the rotation": badge_after(live, 'id="ol-h"'),
        "rotations": badge_after(every.partition("<tbody>")[2], f">{key_id}<"),
    }
    return {name: MEANT.get(status, status) for name, status in on_pages.items()}


def browsers(wheel: Wheel) -> tuple[Client, Client]:
    """Those of an administrator and of the person of the key."""
    clients = []
    for person in (wheel.scene.requester.person_id, wheel.person.pk):
        operator = Operator.objects.filter(person=person).first()
        if operator is None:
            operator = Operator.objects.create_user(username=f"u{person}", person_id=person)
        client = Client()
        client.force_login(operator)
        clients.append(client)
    return clients[0], clients[1]


def synced(wheel: Wheel, rotation: Rotation | None = None) -> None:
    """A while later, AWS makes another credential report, and the account is synced."""
    Entity.objects.update(reread_at=F("reread_at") - SETTLES_IN)
    wheel.scene.standin.control("advance-credential-report", {"hours": 5})
    account = Account.objects.get(pk=wheel.scene.account.pk)
    pull = request_pull(account, trigger="command", accept_loss=True)
    assert run_pull(pull.pk).state == "complete"


def checked(wheel: Wheel, rotation: Rotation) -> None:
    """Someone has the rotation check AWS."""
    with wheel.done():
        services.request_check(wheel.owner, rotation, RotationStep.LOOK)
    wheel.work()


def proved(wheel: Wheel, rotation: Rotation | None = None) -> None:
    """An offboarding reads all that the user can sign in with."""
    reread_user_access(wheel.scene.account, wheel.scene.user)


def deactivate(wheel: Wheel) -> str:
    wheel.aws("UpdateAccessKey", AccessKeyId=wheel.old.aws_id, Status="Inactive")
    return "Inactive"


def delete(wheel: Wheel) -> str:
    wheel.aws("DeleteAccessKey", AccessKeyId=wheel.old.aws_id)
    return GONE


@pytest.mark.parametrize("change", [deactivate, delete])
@pytest.mark.parametrize("learn", [synced, checked, proved])
def test_all_pages_show_the_same_status_of_a_key(
    wheel: Wheel, change: Callable[[Wheel], str], learn: Callable[[Wheel, Rotation], None]
) -> None:
    rotation, _ = wheel.using()
    wheel.work()
    assert shown(wheel, rotation) == {"Active"}
    status = change(wheel)
    assert shown(wheel, rotation) == {"Active"}, "nobody has asked AWS"
    learn(wheel, rotation)
    assert shown(wheel, rotation) == {status}, statuses(wheel, rotation)
    wheel.pass_days(rotation, 0)
    wheel.reconcile()
    assert shown(wheel, rotation) == {status}, statuses(wheel, rotation)
    expected = RotationStage.INACTIVE if status else RotationStage.ENDED
    assert wheel.stage(rotation) == expected


@pytest.mark.parametrize("learn", [synced, checked, proved])
def test_a_key_that_works_again_is_active_on_all_pages(
    wheel: Wheel, learn: Callable[[Wheel, Rotation], None]
) -> None:
    rotation = wheel.inactive()
    assert shown(wheel, rotation) == {"Inactive"}
    wheel.aws("UpdateAccessKey", AccessKeyId=wheel.old.aws_id, Status="Active")
    learn(wheel, rotation)
    assert shown(wheel, rotation) == {"Active"}


def changed(wheel: Wheel) -> Change:
    """Gatehouse deactivates the old key, and then reads all of the user's keys."""
    viewer = wheel.scene.requester
    with wheel.done():
        (change,) = changes.request_changes(
            changes.plan_set([SetStatus.of(DEACTIVATE[Kind.ACCESS_KEY], wheel.old)], viewer=viewer),
            actor=viewer,
            reason="Found in a log",
            idempotency_key="found-in-a-log",
        )
    wheel.agree(change)
    wheel.work()
    return change


def test_a_deactivation_by_gatehouse_moves_the_rotation_on_and_is_named(wheel: Wheel) -> None:
    rotation, _ = wheel.using()
    wheel.work()
    wheel.pass_days(rotation, 0)
    change = changed(wheel)
    assert shown(wheel, rotation) == {"Inactive"}
    assert wheel.stage(rotation) == RotationStage.INACTIVE
    drift = wheel.now(rotation).events.get(act="drift")
    assert drift.text == f"{wheel.old.aws_id} was deactivated by {change.reference}."


def test_a_last_use_is_the_same_on_all_pages(wheel: Wheel) -> None:
    rotation, _ = wheel.using()
    wheel.work()
    wheel.use(*wheel.old_secret)
    synced(wheel)
    administrator, member = browsers(wheel)
    used_at = wheel.used(wheel.old.aws_id).last_used_at
    iso = used_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    live = administrator.get(reverse("keys:rotation", args=[rotation.pk])).content.decode()
    for page in (live.partition('id="ol-h"')[2], member.get(reverse("keys:my-keys")).content.decode()):
        assert iso in page


def looked(wheel: Wheel) -> None:
    """A rotation looks at the keys of the user."""
    reread_key_use(wheel.scene.account, wheel.scene.user)


def last_uses(wheel: Wheel, key_id: str) -> set[str]:
    """What each page and file says of the last use of a key: never, unknown or a time."""
    cache.clear()
    administrator, member = browsers(wheel)
    user = wheel.scene.user
    credentials = administrator.get(reverse("identities:person-credentials", args=[user.pk]))
    (in_credentials,) = [key for key in credentials.context["keys"] if key["state"].name == key_id]
    (row,) = [
        key
        for own in member.get(reverse("keys:my-keys")).context["users"]
        for key, _ in own.keys
        if key.entity.aws_id == key_id
    ]
    (listed,) = [row for row in table_of(administrator, "keys:keys-export") if row["access_key_id"] == key_id]
    usage = in_credentials["usage"]
    page = administrator.get(reverse("keys:keys"), {"q": key_id}).content.decode().partition("<tbody>")[2]
    return {
        use_words(usage.last_used_at) if usage else "unknown",
        "unknown" if row.read_at is None else use_words(row.used_at),
        listed["last_used"][:10] or "unknown",
        "never" if ">Never<" in page else "unknown" if ">Unknown<" in page else use_words(usage.last_used_at),
    }


def use_words(at: datetime | None) -> str:
    return "never" if at is None or at == NEVER else f"{at:%Y-%m-%d}"


@pytest.mark.parametrize("is_used", [True, False])
@pytest.mark.parametrize("learn", [changed, looked, proved, synced])
def test_a_key_that_was_made_by_hand_is_never_said_to_be_unused_unless_aws_says_so(
    wheel: Wheel, learn: Callable[[Wheel], object], is_used: bool
) -> None:
    assert wheel.old
    made = wheel.aws("CreateAccessKey")["AccessKey"]
    if is_used:
        wheel.use(made["AccessKeyId"], made["SecretAccessKey"])
    learn(wheel)
    truth = f"{datetime.now(tz=UTC):%Y-%m-%d}" if is_used else "never"
    expected = "unknown" if learn is changed else truth
    assert last_uses(wheel, made["AccessKeyId"]) == {expected}
    synced(wheel)
    assert last_uses(wheel, made["AccessKeyId"]) == {truth}


def test_a_last_use_that_aws_does_not_tell_is_unknown(wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wheel.old
    made = wheel.aws("CreateAccessKey")["AccessKey"]
    monkeypatch.setattr(credentials, "read_key_use", lambda *_, **__: not_told())
    proved(wheel)
    assert last_uses(wheel, made["AccessKeyId"]) == {"unknown"}


LISTS: Final = (GROUPS, KEYS, PEOPLE, POLICIES, ROLES)


@pytest.mark.parametrize("learn", [changed, looked, proved, synced])
def test_every_sort_of_a_list_has_the_same_rows(
    wheel: Wheel, learn: Callable[[Wheel], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what was learned without all that a sync reads, such as a key without a last use."""
    assert wheel.old
    key_id = wheel.aws("CreateAccessKey")["AccessKey"]["AccessKeyId"]
    monkeypatch.setattr(credentials, "read_key_use", lambda *_, **__: not_told())
    learn(wheel)
    context = ListContext(wheel.scene.requester)
    for listing in LISTS:
        known = {row["entity"] for row in all_rows(listing, context, ListQuery())}
        for sort, is_descending in product(listing.sorts, (False, True)):
            wanted = ListQuery(sort=sort, descending=is_descending)
            order = listing.sorts[sort].order(descending=is_descending)
            in_file = {row["entity"] for row in all_rows(listing, context, wanted)}
            pages = [list_page(listing, context, wanted)]
            while pages[-1].has_after:
                place = order.position_of(pages[-1].rows[-1])
                pages.append(list_page(listing, context, wanted, after=place))
            on_pages = {row["entity"] for page in pages for row in page.rows}
            assert in_file == on_pages == known, (listing.name, sort)
    administrator, _ = browsers(wheel)
    for sort, tab in product(("used", "-used", "made", "name"), ("all", "never")):
        listed = {
            row["access_key_id"]: row["last_used"]
            for row in table_of(administrator, "keys:keys-export", sort=sort, view=tab)
        }
        is_read = learn in (synced, looked)
        assert listed.get(key_id) == ("never" if is_read else "" if tab == "all" else None), (sort, tab)


def not_told() -> LastUse:
    raise AwsError("Not authorized", kind=ErrorKind.DENIED, action="iam:GetAccessKeyLastUsed")


def test_the_pages_of_a_key_say_as_of_when_they_know_its_status(wheel: Wheel) -> None:
    rotation, _ = wheel.using()
    wheel.work()
    administrator, member = browsers(wheel)
    live = administrator.get(reverse("keys:rotation", args=[rotation.pk]))
    mine = member.get(reverse("keys:my-keys"))
    (row,) = mine.context["users"]
    assert live.context["known_at"] == row.known_at
    assert row.known_at >= wheel.now(rotation).read_at
    assert "The status of both keys is as of" in live.content.decode()
    assert "status as of" in mine.content.decode()


def test_a_sync_that_is_too_early_to_be_trusted_does_not_count(wheel: Wheel) -> None:
    rotation, _ = wheel.using()
    wheel.work()
    deactivate(wheel)
    read_at = wheel.now(rotation).read_at
    assert read_at is not None
    Entity.objects.filter(pk=wheel.scene.user.pk).update(reread_at=read_at + SETTLES_IN)
    run_pull(request_pull(wheel.scene.account, trigger="command", accept_loss=True).pk)
    assert shown(wheel, rotation) == {"Active"}
    wheel.scene.user.refresh_from_db()
    assert wheel.scene.user.detail_at is None
    page = browsers(wheel)[1].get(reverse("keys:my-keys"))
    assert page.context["users"][0].known_at < read_at + SETTLES_IN


def known(wheel: Wheel) -> dict[str, tuple[bool | None, bool | None]]:
    """Whether the user has MFA and a password, by each page; None: unknown."""
    cache.clear()
    administrator, _ = browsers(wheel)
    user = wheel.scene.user
    person = administrator.get(reverse("identities:person", args=[user.pk])).context
    credentials = administrator.get(reverse("identities:person-credentials", args=[user.pk])).context
    row = table(administrator, "identities:people-export", user.name)
    fleet = table(administrator, "mfa:fleet-export", user.name)
    return {
        "person": (MFA.get(person["mfa"].text, True), PASSWORD[person["console"]]),
        "credentials": (bool(credentials["devices"]), credentials["credentials"].has_password),
        "people": (MFA.get(row["mfa"], True), PASSWORD[row["console_password"]]),
        "fleet": (MFA.get(fleet["mfa"], True), PASSWORD[fleet["console_password"]]),
        "devices of the fleet": (bool(fleet["devices"]), PASSWORD[fleet["console_password"]]),
    }


MFA: Final = {"None": False, "none": False, "Unknown": None, "unknown": None, "unread": None}
PASSWORD: Final = {
    "Enabled": True,
    "No password": False,
    "Unknown": None,
    "yes": True,
    "no": False,
    "": None,
}


def table(client: Client, name: str, user_name: str) -> dict[str, str]:
    """The line of a user in a file."""
    (row,) = table_of(client, name, q=user_name)
    return row


def table_of(client: Client, name: str, **query: str) -> list[dict[str, str]]:
    """The lines of a file."""
    answer: Any = client.get(reverse(name, args=["csv"]), query)
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def give_password(wheel: Wheel) -> None:
    wheel.aws("CreateLoginProfile", Password="harbour-lantern-42", PasswordResetRequired=False)


def give_device(wheel: Wheel) -> None:
    made = wheel.scene.aws.iam.create_virtual_mfa_device(VirtualMFADeviceName=f"phone-{wheel.mark}")
    device, now = made["VirtualMFADevice"], time.time()
    seed = device["Base32StringSeed"].decode()
    wheel.aws(
        "EnableMFADevice",
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1=totp.code(seed, at=now - totp.STEP),
        AuthenticationCode2=totp.code(seed, at=now),
    )


def take_all(wheel: Wheel) -> None:
    wheel.aws("DeleteLoginProfile")
    for device in wheel.aws("ListMFADevices")["MFADevices"]:
        wheel.aws("DeactivateMFADevice", SerialNumber=device["SerialNumber"])


@pytest.mark.parametrize("learn", [synced, proved])
def test_all_pages_show_the_same_password_and_devices(wheel: Wheel, learn: Callable[[Wheel], None]) -> None:
    learn(wheel)
    steps: list[tuple[Callable[[Wheel], None], tuple[bool, bool]]] = [
        (lambda _: None, (False, False)),
        (give_password, (False, True)),
        (give_device, (True, True)),
        (take_all, (False, False)),
    ]
    for change, expected in steps:
        change(wheel)
        learn(wheel)
        assert known(wheel) == dict.fromkeys(known(wheel), expected), change
