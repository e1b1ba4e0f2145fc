"""An older observation never replaces a newer one: slow pulls against changes, and reports that are hours
old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from iam.aws.session import Aws
from iam.mirror.models import Account, EdgeKind, Entity, Kind, Pull, Section, Usage, UserCredentials
from iam.mirror.pull import fast_lane
from iam.mirror.pull.reach import open_account
from iam.mirror.refresh import reread_entity, reread_memberships
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.conftest import redraw
from tests.iam.mirror.pull.picture import picture, rows, seen, source

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
CAUSE = uuid4()


@pytest.fixture
def aws(account: Account) -> Iterator[Aws]:
    """A way into the account beside the pull."""
    opened = open_account(account)
    yield opened
    opened.close()


def groups_of(user: Entity) -> set[str]:
    """The names of the groups that a user is in now."""
    edges = user.edges_out.filter(kind=EdgeKind.MEMBER, valid_to=None)
    return {edge.target.name for edge in edges.select_related("target")}


def slow_pull(
    pull: Callable[..., Pull],
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[], None],
) -> Pull:
    """A pull that has read everything, and is about to apply it, when something else happens."""
    apply = fast_lane.apply_principals
    happened: list[bool] = []

    def late(job: object, read: object) -> None:
        if not happened:
            happened.append(True)
            meanwhile()
        apply(job, read)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(fast_lane, "apply_principals", late)
        return pull(account)


@pytest.mark.parametrize("do", ["add", "remove"])
def test_a_slow_pull_cannot_undo_a_change_that_was_applied_meanwhile(
    world: World,
    account: Account,
    pull: Callable[..., Pull],
    aws: Aws,
    monkeypatch: pytest.MonkeyPatch,
    do: str,
) -> None:
    pull(account)
    fact = world.account.users[0]
    user = Entity.objects.get(aws_id=fact["id"])
    before = groups_of(user)
    other = next(g["name"] for g in world.account.groups if g["name"] not in before)
    wanted = before | {other} if do == "add" else before - {min(before)}

    def change() -> None:
        fact["groups"] = sorted(wanted)
        redraw(world)
        reread_memberships(account, aws, user, cause_id=CAUSE)

    # Its bytes are new, so that the slow pull decodes it and has an opinion about its memberships.
    fact["tags"] = {"Rev": "2"}
    redraw(world)
    done = slow_pull(pull, account, monkeypatch, change)
    assert groups_of(user) == wanted
    assert done.state == "complete"
    edge = user.edges_out.filter(kind=EdgeKind.MEMBER).latest("observed_at", "valid_to")
    if do == "add":
        assert (edge.cause_kind, edge.cause_id, edge.valid_to) == ("change", CAUSE, None)
    else:
        ended = user.edges_out.get(kind=EdgeKind.MEMBER, valid_to__isnull=False)
        assert (ended.end_cause_kind, ended.end_cause_id) == ("change", CAUSE)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        pull(account)
    assert seen(picture(account)) == source(world)
    assert groups_of(user) == wanted


def test_a_slow_pull_does_not_bring_back_who_was_deleted_meanwhile(
    world: World, account: Account, pull: Callable[..., Pull], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(account)
    fact = world.account.users[0]

    def delete() -> None:
        world.account.users.remove(fact)
        redraw(world)
        assert reread_entity(account, aws, kind=Kind.USER, name=fact["name"], cause_id=CAUSE) is None

    slow_pull(pull, account, monkeypatch, delete)
    gone = Entity.objects.get(aws_id=fact["id"])
    assert gone.gone_at is not None
    assert not gone.states.filter(valid_to=None).exists()
    assert gone.states.get().end_cause_id == CAUSE


def test_a_slow_pull_does_not_end_who_was_created_meanwhile(
    world: World, account: Account, pull: Callable[..., Pull], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(account)
    fact = world.account.users.pop(0)
    redraw(world)
    pull(account)

    def create() -> None:
        fact.update(id="AIDA" + "N" * 17, created="2026-10-02T00:00:00Z")
        world.account.users.insert(0, fact)
        redraw(world)
        made = reread_entity(account, aws, kind=Kind.USER, name=fact["name"], cause_id=CAUSE)
        assert made is not None
        assert groups_of(made) == set(fact["groups"])

    slow_pull(pull, account, monkeypatch, create)
    made = Entity.objects.get(aws_id=fact["id"])
    assert made.gone_at is None
    assert made.states.get().cause_id == CAUSE
    assert made.credential_states.filter(valid_to=None).count() == 1
    assert Usage.objects.filter(entity=made).count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        pull(account)
    assert seen(picture(account)) == source(world)
    assert made.states.count() == 1


@pytest.mark.parametrize("kind", ["user", "group", "role", "policy"])
def test_a_re_read_of_what_did_not_change_writes_no_state(
    world: World, account: Account, pull: Callable[..., Pull], aws: Aws, kind: str
) -> None:
    pull(account)
    before = rows(account)
    entity = Entity.objects.filter(kind=kind, aws_id__in=_ids(world, kind)).first()
    assert entity is not None
    again = reread_entity(account, aws, kind=kind, name=entity.name, arn=entity.arn, cause_id=CAUSE)
    assert again == entity
    after = rows(account)
    # The bulk answer has no tags of policies; the re-read has.
    assert {n: r for n, r in after.items() if n != "TagSet"} == {
        n: r for n, r in before.items() if n != "TagSet"
    }
    assert again.reread_at is not None
    assert again.source_digest is None


def _ids(world: World, kind: str) -> list[str]:
    return [e["id"] for e in getattr(world.account, {"policy": "policies"}.get(kind, f"{kind}s"))]


def test_a_re_read_sees_what_changed_and_who_took_a_name(
    world: World, account: Account, pull: Callable[..., Pull], aws: Aws
) -> None:
    pull(account)
    fact = next(r for r in world.account.roles if r["attached"])
    fact["attached"] = fact["attached"][1:]
    fact["tags"] = {"Owner": "somebody"}
    group = next(g for g in world.account.groups if world.account.members[g["name"]])
    old, group["id"] = group["id"], "AGPA" + "N" * 17
    redraw(world)
    reread_entity(account, aws, kind=Kind.ROLE, name=fact["name"], cause_id=CAUSE)
    reread_entity(account, aws, kind=Kind.GROUP, name=group["name"], cause_id=CAUSE)
    assert Entity.objects.get(aws_id=old).gone_at is not None
    assert Entity.objects.get(aws_id=fact["id"]).tag_sets.get(valid_to=None).tags == {"Owner": "somebody"}
    # Members are written by name in the users' own bytes, which did not change: they are decoded anew.
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        pull(account)
    assert seen(picture(account)) == source(world)


def test_a_report_of_four_hours_ago_does_not_override_what_the_device_list_says(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    users = world.account.users
    had = next(u for u in users if u["mfa"] and not u["security_key"])
    had_none = next(u for u in users if not u["mfa"] and not u["security_key"])
    pull(account)
    report = Section.objects.get(account=account, name="credential_report").observed_at
    # Three hours later the report is still the old one.
    had["mfa"], had_none["mfa"] = None, "2026-10-02T00:00:00Z"
    redraw(world, new_report=False)
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        pull(account)
        assert Section.objects.get(account=account, name="credential_report").observed_at == report
    now = {c.user.aws_id: c for c in UserCredentials.objects.filter(valid_to=None).select_related("user")}
    assert (now[had["id"]].mfa, now[had_none["id"]].mfa) == ("none", "virtual")
    assert now[had["id"]].report["mfa_active"] is True
    listed = Section.objects.get(account=account, name="mfa_devices").observed_at
    assert now[had["id"]].valid_from == now[had_none["id"]].valid_from == listed
    # Then AWS makes a new one, which agrees: nothing of what is shown changes.
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        pull(account)
    again = {
        c.user.aws_id: c.mfa for c in UserCredentials.objects.filter(valid_to=None).select_related("user")
    }
    assert again == {aws_id: c.mfa for aws_id, c in now.items()}


def test_facts_of_the_report_carry_the_time_at_which_aws_made_it(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    user = next(u for u in world.account.users if not u["login"])
    first = Section.objects.get(account=account, name="credential_report").observed_at
    user["login"] = "2026-10-02T00:00:00Z"
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        redraw(world)
        pull(account)
        second = Section.objects.get(account=account, name="credential_report").observed_at
    # Two hours later the same report is still given out.
    with time_machine.travel(timezone.now() + timedelta(hours=7)):
        pull(account)
    rows_of = UserCredentials.objects.filter(user__aws_id=user["id"]).order_by("valid_from")
    assert [r.has_password for r in rows_of] == [False, True]
    assert (rows_of[1].valid_from, rows_of[1].observed_at, rows_of[1].after) == (second, second, first)
    assert rows_of[0].valid_to == second


def test_a_user_who_is_younger_than_the_report_has_an_unknown_password(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    user = world.account.users.pop()
    redraw(world)
    pull(account)
    world.account.users.append(user)
    redraw(world, new_report=False)
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        pull(account)
    row = UserCredentials.objects.get(user__aws_id=user["id"])
    assert (row.has_password, row.report) == (None, {})
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        pull(account)
    row = UserCredentials.objects.get(user__aws_id=user["id"], valid_to=None)
    assert row.has_password is bool(user["login"])


def test_a_report_that_cannot_be_read_leaves_what_the_last_one_said(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    before = picture(account)["credentials"]
    world.control("/_config", {"deny": "iam:GetCredentialReport"})
    changed = next(u for u in world.account.users if not u["mfa"] and not u["security_key"])
    changed["mfa"] = "2026-10-02T00:00:00Z"
    redraw(world)
    pull(account)
    after = picture(account)["credentials"]
    assert after.pop(changed["id"])[1] == "virtual"
    before.pop(changed["id"])
    assert after == before
