"""The detail lane reads what the report and earlier readings leave open, most urgent first, and goes on where
it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from iam.mirror.models import Account, Entity, EntityState, Kind, Pull, Section, Usage, UserCredentials
from iam.mirror.pull.sections import DETAIL_LANE
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.conftest import redraw
from tests.iam.mirror.pull.picture import rows

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
PER_ENTITY = (
    "ListAccessKeys", "GetAccessKeyLastUsed", "ListMFADevices", "GetLoginProfile", "ListSSHPublicKeys",
    "ListSigningCertificates", "ListPolicyTags", "ListInstanceProfileTags", "ListMFADeviceTags",
    "ListServerCertificateTags",
)  # fmt: skip


@pytest.fixture(autouse=True)
def detail_lane(world: World, settings: Settings) -> None:
    settings.DETAIL_CALLS = 100_000


def asked(world: World) -> dict[str, int]:
    """Calls per entity since the last reset."""
    return {action: n for action in PER_ENTITY if (n := world.requests[action])}


def section(account: Account, name: str) -> Section:
    return Section.objects.get(account=account, name=name)


def test_keys_devices_and_certificates_are_read_of_those_who_have_them_only(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    assert pull(account).state == "complete"
    a = world.account
    users = a.users
    certified = [u for u in users if u["certificates"]]
    assert asked(world) == {
        action: count
        for action, count in {
            "ListAccessKeys": sum(1 for u in users if u["keys"]),
            "ListMFADevices": sum(1 for u in users if u["security_key"] and not u["mfa"]),
            "GetLoginProfile": sum(1 for u in users if u["login"]),
            "ListSSHPublicKeys": len(users),
            "ListSigningCertificates": len(certified),
            "ListPolicyTags": len(a.policies),
            "ListInstanceProfileTags": sum(len(r["profiles"]) for r in a.roles),
            "ListMFADeviceTags": sum(1 for u in users if u["mfa"]),
            "ListServerCertificateTags": len(a.server_certificates),
        }.items()
        if count
    }


def test_what_is_read_stands_with_its_owner(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    world.account.users[0]["ssh"] = [("APKAEXAMPLE", "2026-01-01T00:00:00Z")]
    world.account.users[1]["certificates"] = [("CERTEXAMPLE", "2026-01-01T00:00:00Z")]
    world.account.users[2].update(security_key="2026-01-01T00:00:00Z", mfa=None)
    redraw(world)
    pull(account)
    for user in world.account.users:
        owned = Entity.objects.filter(owner__aws_id=user["id"], gone_at=None)
        keys = {
            s.name: s.category for s in EntityState.objects.filter(entity__in=owned, kind=Kind.ACCESS_KEY)
        }
        assert keys == {k["id"]: k["status"] for k in user["keys"]}
        for key in user["keys"]:
            used = Usage.objects.get(entity__aws_id=key["id"])
            assert used.last_used_at.isoformat()[:19] == (key["used"] or "1970-01-01T00:00:00Z")[:19]
        assert {e.aws_id for e in owned.filter(kind=Kind.SSH_KEY)} == {i for i, _ in user["ssh"]}
        assert {e.aws_id for e in owned.filter(kind=Kind.SIGNING_CERTIFICATE)} == {
            i for i, _ in user["certificates"]
        }
        row = UserCredentials.objects.get(user__aws_id=user["id"], valid_to=None)
        wanted = "virtual" if user["mfa"] else "security-key" if user["security_key"] else "none"
        assert (row.mfa, bool(row.report.get("login_profile"))) == (wanted, bool(user["login"]))
    for name in DETAIL_LANE:
        assert section(account, name).state == "complete", name
    policy = next(p for p in world.account.policies if p["tags"])
    assert Entity.objects.get(aws_id=policy["id"]).tag_sets.get().tags == policy["tags"]


def test_learning_the_sort_of_a_device_is_no_change_of_the_user(
    world: World, account: Account, pull: Callable[..., Pull], settings: Settings
) -> None:
    user = world.account.users[2]
    user.update(security_key="2026-01-01T00:00:00Z", mfa=None)
    redraw(world)
    settings.DETAIL_CALLS = 0
    pull(account)
    rows_of = UserCredentials.objects.filter(user__aws_id=user["id"])
    assert [r.mfa for r in rows_of] == ["unknown"]
    settings.DETAIL_CALLS = 1000
    pull(account)
    assert [r.mfa for r in rows_of.all()] == ["security-key"]


def test_the_second_pull_asks_nothing_per_entity(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    before = rows(account)
    world.reset()
    done = pull(account)
    assert asked(world) == {}
    assert rows(account) == before
    assert done.state == "complete"


def test_a_new_report_that_agrees_asks_nothing_and_one_that_differs_asks_about_that_user(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    observed = section(account, "access_keys").observed_at
    world.reset()
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        world.iam.report.forget()
        pull(account)
    assert asked(world) == {}
    assert section(account, "access_keys").observed_at > observed
    user = next(u for u in world.account.users if len(u["keys"]) == 1)
    key = user["keys"][0]
    key["status"] = "Inactive" if key["status"] == "Active" else "Active"
    with time_machine.travel(timezone.now() + timedelta(hours=10)):
        redraw(world)
        pull(account)
    assert asked(world)["ListAccessKeys"] == 1
    states = EntityState.objects.filter(entity__aws_id=key["id"]).order_by("valid_from")
    assert [s.category for s in states][-1] == key["status"]
    assert len(states) == 2


def test_a_key_that_was_deleted_is_ended_once_the_report_says_so(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    user = next(u for u in world.account.users if len(u["keys"]) == 2)
    gone = user["keys"].pop()
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        redraw(world)
        pull(account)
    assert Entity.objects.get(aws_id=gone["id"]).gone_at is not None
    row = UserCredentials.objects.get(user__aws_id=user["id"], valid_to=None)
    assert row.keys == 1


def test_a_budget_spreads_the_first_reading_over_several_pulls_with_keys_first(
    world: World, account: Account, pull: Callable[..., Pull], settings: Settings
) -> None:
    settings.DETAIL_CALLS = 25
    first = pull(account)
    assert first.state == "partial"
    calls = sum(asked(world).values())
    assert 25 <= calls <= 29
    assert asked(world).get("ListPolicyTags") is None
    assert "next sync continues" in section(account, "ssh_keys").message
    pulls = 1
    while pull(account).state != "complete":
        pulls += 1
        assert pulls < 20
    asked_of = asked(world)
    assert asked_of["ListSSHPublicKeys"] == len(world.account.users)
    assert asked_of["ListPolicyTags"] == len(world.account.policies)


def test_after_a_day_what_no_report_tells_is_read_again(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    world.reset()
    before = rows(account)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        pull(account)
    assert asked(world)["ListSSHPublicKeys"] == len(world.account.users)
    assert rows(account) == before


def test_a_denied_section_is_asked_for_once_a_pull_and_made_up_for_when_it_is_allowed(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    world.account.users[0]["ssh"] = [("APKAEXAMPLE", "2026-01-01T00:00:00Z")]
    redraw(world)
    world.control("/_config", {"deny": "iam:ListSSHPublicKeys"})
    assert pull(account).state == "partial"
    denied = section(account, "ssh_keys")
    assert (denied.state, denied.permission, denied.observed_at) == ("denied", "iam:ListSSHPublicKeys", None)
    assert section(account, "access_keys").state == "complete"
    world.reset()
    pull(account)
    assert asked(world) == {"ListSSHPublicKeys": 1}
    world.control("/_config", {"deny": ""})
    world.reset()
    assert pull(account).state == "complete"
    assert asked(world) == {"ListSSHPublicKeys": len(world.account.users)}
    assert Entity.objects.filter(aws_id="APKAEXAMPLE").exists()


def test_the_end_of_a_user_ends_the_credentials(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    user = next(u for u in world.account.users if u["keys"])
    user["ssh"] = [("APKAEXAMPLE", "2026-01-01T00:00:00Z")]
    redraw(world)
    pull(account)
    owned = Entity.objects.filter(owner__aws_id=user["id"])
    assert owned.filter(gone_at=None).exists()
    world.account.users.remove(user)
    redraw(world)
    pull(account)
    assert not owned.filter(gone_at=None).exists()
    assert not EntityState.objects.filter(entity__in=owned, valid_to=None).exists()


def test_losing_most_keys_at_once_is_held_back(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    keys = Entity.objects.filter(kind=Kind.ACCESS_KEY, gone_at=None).count()
    for user in world.account.users:
        user["keys"] = []
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        redraw(world)
        assert pull(account).state == "held"
        assert Entity.objects.filter(kind=Kind.ACCESS_KEY, gone_at=None).count() == keys
        assert pull(account, accept_loss=True).state == "complete"
    assert not Entity.objects.filter(kind=Kind.ACCESS_KEY, gone_at=None).exists()
