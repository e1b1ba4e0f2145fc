"""The second pull writes what changed, and nothing else; what was so before can still be asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iam.mirror.models import Account, AccountFact, EdgeKind, Entity, EntityState, PolicyVersion, Pull, Usage
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.conftest import redraw
from tests.iam.mirror.pull.picture import picture, rows, seen, source

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
ALWAYS_WRITTEN = ("mirror_pull", "mirror_pullsection", "mirror_section", "journal_", "mirror_usage")


def writes(captured: CaptureQueriesContext) -> list[str]:
    """Statements that change a table other than those that tell of the pull itself."""
    writes = []
    for query in captured.captured_queries:
        # Django writes "7 times: INSERT …" of a statement that was executed with many rows.
        words = (
            query["sql"].replace('"', "").partition(" times: ")[2].split()
            or query["sql"].replace('"', "").split()
        )
        if words[0] in {"INSERT", "UPDATE", "DELETE", "COPY"}:
            # A temporary table, out of which rows are updated on PostgreSQL, is no state.
            target = next((word for word in words if word.startswith(("mirror_", "journal_"))), "")
            # How often the account was written to is counted, whatever was written.
            if "writes" in query["sql"] and target.startswith("mirror_account"):
                continue
            if target and not target.startswith(ALWAYS_WRITTEN):
                writes.append(query["sql"][:200])
    return writes


def test_an_unchanged_account_costs_no_state_writes(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    before = rows(account)
    with CaptureQueriesContext(connection) as captured:
        done = pull(account)
    assert rows(account) == before
    assert writes(captured) == []
    assert (done.state, done.added, done.changed, done.ended) == ("complete", 0, 0, 0)


def test_only_last_uses_changed_so_only_usage_and_the_figures_are_written(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    before, used = rows(account), dict(Usage.objects.values_list("entity__aws_id", "last_used_at"))
    world.touch(5)
    with CaptureQueriesContext(connection) as captured:
        pull(account)
    facts = AccountFact.objects.filter(account=account).exclude(name="numbers")
    assert not facts.filter(valid_to__isnull=False).exists()
    assert {**rows(account), "AccountFact": None} == {**before, "AccountFact": None}
    assert [statement for statement in writes(captured) if "accountfact" not in statement] == []
    after = dict(Usage.objects.values_list("entity__aws_id", "last_used_at"))
    changed = {aws_id for aws_id in after if after[aws_id] != used[aws_id]}
    assert changed
    assert {r["id"] for r in world.account.roles if r["used"]} >= {a for a in changed if a.startswith("AROA")}


def test_a_change_of_one_percent_opens_and_closes_exactly_those_rows(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    before, shown = rows(account), picture(account)
    first = timezone.now()
    versions = {p["id"]: {v[0] for v in p["versions"]} for p in world.account.policies}
    defaults = {p["id"]: p["default"] for p in world.account.policies}
    world.mutate(3)
    pull(account)
    assert seen(picture(account)) == source(world)
    assert picture(account, at=first) == shown
    changed = [p for p in world.account.policies if p["default"] != defaults[p["id"]]]
    assert len(changed) == 3
    after = rows(account)
    # A tag set each; a state each (the default version is part of it); per policy the new version, the old
    # default anew as a mere version, and the oldest one gone where there were five.
    assert after["EntityState"][0] - before["EntityState"][0] == 3
    assert after["TagSet"][0] - before["TagSet"][0] == 3
    assert after["PolicyVersion"][0] - before["PolicyVersion"][0] == sum(
        1 + (defaults[p["id"]] in {v[0] for v in p["versions"]}) for p in changed
    )
    gone = sum(len(versions[p["id"]] - {v[0] for v in p["versions"]}) for p in changed)
    ended = PolicyVersion.objects.filter(account=account, valid_to__isnull=False).count()
    assert ended == gone + sum(defaults[p["id"]] in {v[0] for v in p["versions"]} for p in changed)
    # The summary counts the versions, so that one fact has changed too.
    assert after["AccountFact"][0] - before["AccountFact"][0] == 1
    for name in ("Edge", "InlinePolicy", "UserCredentials"):
        assert after[name] == before[name], name


def test_a_change_lies_between_two_observations(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    first_pull = pull(account)
    world.mutate(1)
    two = pull(account)
    at = {p.pk: p.sections.get(name="policies").observed_at for p in (first_pull, two)}
    old = EntityState.objects.get(kind="policy", valid_to__isnull=False)
    new = EntityState.objects.get(entity=old.entity, valid_to=None)
    assert (new.valid_from, new.after, new.observed_at) == (at[two.pk], at[first_pull.pk], at[two.pk])
    assert (old.valid_to, old.last_seen, old.valid_from, old.after) == (
        at[two.pk],
        at[first_pull.pk],
        at[first_pull.pk],
        None,
    )
    assert (new.cause_kind, new.cause_id, old.end_cause_kind) == ("", None, "")


def test_what_vanished_ends_and_stays_visible_in_the_past(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    shown, first = picture(account), timezone.now()
    user = world.account.users.pop(3)
    redraw(world)
    done = pull(account)
    assert seen(picture(account)) == source(world)
    assert picture(account, at=first) == shown
    gone = Entity.objects.get(aws_id=user["id"])
    assert gone.gone_at == done.sections.get(name="users").observed_at
    for table in ("states", "edges_out", "inline_policies", "tag_sets", "credential_states"):
        assert not getattr(gone, table).filter(valid_to=None).exists(), table
    assert done.ended == 1 + bool(user["mfa"]) + len(user["service"])


def test_a_user_deleted_and_made_again_under_the_same_name_is_another_entity(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    user = world.account.users[0]
    old_id = user["id"]
    # The report is still the old one: its line about this ARN is about somebody who is gone.
    user |= {
        "id": "AIDA" + "N" * 17,
        "created": "2026-10-02T00:00:00Z",
        "login": None,
        "keys": [],
        "mfa": None,
    }
    redraw(world, new_report=False)
    pull(account)
    assert seen(picture(account)) == source(world)
    old, new = Entity.objects.get(aws_id=old_id), Entity.objects.get(aws_id=user["id"])
    assert (old.name, old.arn) == (new.name, new.arn)
    assert old.gone_at == new.first_seen
    assert EntityState.objects.filter(entity=old, valid_to=None).count() == 0
    row = new.credential_states.get(valid_to=None)
    assert (row.has_password, row.report, row.keys) == (None, {}, 0)


def test_a_group_made_again_under_the_same_name_takes_over_members_whose_bytes_did_not_change(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    group = next(g for g in world.account.groups if world.account.members[g["name"]])
    members = {u["id"] for u in world.account.members[group["name"]]}
    old_id, group["id"] = group["id"], "AGPA" + "N" * 17
    redraw(world)
    pull(account)
    new = Entity.objects.get(aws_id=group["id"])
    now = new.edges_in.filter(kind=EdgeKind.MEMBER, valid_to=None)
    assert {e.source.aws_id for e in now} == members
    assert not Entity.objects.get(aws_id=old_id).edges_in.filter(valid_to=None).exists()


def test_a_policy_made_again_under_the_same_arn_takes_over_its_attachments(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    policy = next(p for p in world.account.policies if p["attached"])
    policy["id"] = "ANPA" + "N" * 17
    redraw(world)
    pull(account)
    assert seen(picture(account)) == source(world)
    new = Entity.objects.get(aws_id=policy["id"])
    assert new.edges_in.filter(kind=EdgeKind.ATTACHED, valid_to=None).count() == policy["attached"]


def test_a_renamed_group_is_the_same_entity(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    group = world.account.groups[0]
    old = group["name"]
    group |= {"name": "renamed", "arn": group["arn"].replace(old, "renamed")}
    for user in world.account.users:
        user["groups"] = sorted("renamed" if name == old else name for name in user["groups"])
    redraw(world)
    done = pull(account)
    assert seen(picture(account)) == source(world)
    assert Entity.objects.get(aws_id=group["id"]).states.count() == 2
    assert (done.added, done.ended) == (0, 0)


def test_a_policy_that_aws_does_not_describe_stands_there_by_its_arn(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    arn = "arn:aws:iam::aws:policy/job-function/Unheard"
    user = world.account.users[0]
    user["attached"] = [*user["attached"], ("Unheard", arn)]
    redraw(world)
    pull(account)
    entity = Entity.objects.get(aws_id=arn)
    state = entity.states.get(valid_to=None)
    assert (state.name, state.path, state.category, state.attrs) == (
        "Unheard", "/job-function/", "aws", {"IsPlaceholder": True},
    )  # fmt: skip
    user["attached"] = [(n, a) for n, a in user["attached"] if a != arn]
    redraw(world)
    pull(account)
    entity.refresh_from_db()
    assert entity.gone_at is not None


def test_a_placeholder_becomes_the_policy_once_aws_describes_it(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    policy = next(p for p in world.account.policies if p["attached"])
    world.account.policies.remove(policy)
    redraw(world)
    pull(account)
    placeholder = Entity.objects.get(arn=policy["arn"])
    assert placeholder.aws_id == policy["arn"]
    world.account.policies.append(policy)
    redraw(world)
    pull(account)
    placeholder.refresh_from_db()
    assert placeholder.aws_id == policy["id"]
    assert seen(picture(account)) == source(world)
