"""The first pull of an account shows exactly what AWS has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from iam.mirror.models import NEVER, Account, Entity, EntityState, Kind, Pull, Section, Usage, UserCredentials
from iam.mirror.models.accounts import PullState
from iam.mirror.pull.sections import DETAIL_LANE, FAST_LANE
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.picture import picture, seen, source

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def test_the_mirror_is_the_account(world: World, account: Account, pull: Callable[..., Pull]) -> None:
    done = pull(account)
    assert (done.state, done.message) == (PullState.COMPLETE, "")
    assert seen(picture(account)) == source(world)


def test_every_section_of_the_fast_lane_is_complete_and_counted(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    sections = {s.name: s for s in Section.objects.filter(account=account)}
    assert {name for name, s in sections.items() if s.state == "complete"} == set(FAST_LANE)
    assert {name for name, s in sections.items() if s.state == "never"} == set(DETAIL_LANE)
    assert all(s.observed_at and s.bad_since is None for s in sections.values() if s.state == "complete")
    counts = {name: s.count for name, s in sections.items()}
    a = world.account
    assert counts["users"] == len(a.users)
    assert counts["groups"] == len(a.groups)
    assert counts["roles"] == len(a.roles)
    assert counts["policies"] == len(a.policies) + len(a.managed)
    assert counts["mfa_devices"] == sum(1 for u in a.users if u["mfa"])
    assert counts["service_credentials"] == sum(len(u["service"]) for u in a.users)
    assert counts["instance_profiles"] == sum(len(r["profiles"]) for r in a.roles)
    assert counts["providers"] == len(a.saml) + len(a.oidc)
    assert counts["server_certificates"] == len(a.server_certificates)


def test_roles_have_one_state_with_what_two_calls_say(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    for role in world.account.roles:
        states = EntityState.objects.filter(entity__aws_id=role["id"])
        attrs = {"MaxSessionDuration": 3600, "Description": role["desc"], "MaxSigninSessionDuration": None}
        assert [s.attrs for s in states] == [attrs]
        assert states[0].document is not None
        assert states[0].document.text == role["trust"]
        assert states[0].category


def test_every_user_has_one_row_of_credentials_that_says_what_the_report_and_the_devices_say(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    for user in world.account.users:
        row = UserCredentials.objects.get(user__aws_id=user["id"])
        active = [key["created"] for key in user["keys"] if key["status"] == "Active"]
        mfa = "virtual" if user["mfa"] else "unknown" if user["security_key"] else "none"
        oldest = min(active).replace("Z", "+00:00") if active else NEVER.isoformat()
        assert row.has_password is bool(user["login"])
        assert (row.mfa, row.keys, row.active_keys) == (mfa, len(user["keys"]), len(active))
        assert row.oldest_key_at.isoformat() == oldest
        report = Section.objects.get(account=account, name="credential_report")
        assert row.observed_at == report.observed_at


def test_every_user_and_role_has_a_row_of_usage(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    stored = {u.entity.aws_id: u for u in Usage.objects.filter(account=account).select_related("entity")}
    a = world.account
    assert set(stored) == {e["id"] for e in a.users + a.roles}
    for role in a.roles:
        used = role["used"].replace("Z", "+00:00") if role["used"] else NEVER.isoformat()
        assert stored[role["id"]].last_used_at.isoformat() == used
    for user in a.users:
        used_at = [user["pw_used"], *(key["used"] for key in user["keys"])]
        latest = max((moment for moment in used_at if moment), default=None)
        assert stored[user["id"]].last_used_at.isoformat() == (
            latest.replace("Z", "+00:00") if latest else NEVER.isoformat()
        )
        details = {
            "password_last_used": user["pw_used"],
            **{f"key_{n}_last_used": key["used"] for n, key in enumerate(user["keys"], 1)},
        }
        assert stored[user["id"]].details == {k: v for k, v in details.items() if v}


def test_instances_profiles_and_the_organisation_are_tied_together(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    profiles = Entity.objects.filter(account=account, kind=Kind.INSTANCE_PROFILE)
    assert all(p.edges_out.filter(kind="profile-role", valid_to=None).count() == 1 for p in profiles)
    members = Entity.objects.filter(account=account, kind=Kind.ORG_ACCOUNT)
    assert {m.aws_id for m in members} == {"111111111111", "111111111112", "111111111113"}
    assert all(m.edges_out.filter(kind="parent", valid_to=None).count() == 1 for m in members)
    account.refresh_from_db()
    assert account.alias == "corp-111111111111"
    assert account.organization_id == "o-exampleorg1"
    assert account.organization_path.startswith("o-exampleorg1/r-")


def test_a_member_account_knows_its_organisation_without_the_tree(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    from tests import factories

    member = factories.account("111111111112", role_arn="arn:aws:iam::111111111112:role/gatehouse-read")
    done = pull(member)
    section = Section.objects.get(account=member, name="organization")
    assert (section.state, section.permission) == ("complete", "")
    assert done.state == PullState.COMPLETE
    member.refresh_from_db()
    assert member.organization_id == "o-exampleorg1"


def test_an_account_outside_of_any_organisation_is_complete(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    world.control("/_config", {"organization": "0"})
    assert pull(account).state == PullState.COMPLETE
    assert Section.objects.get(account=account, name="organization").state == "complete"
    assert not Entity.objects.filter(account=account, kind=Kind.ORG_ROOT).exists()


def test_reading_one_account_never_touches_another(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    from tests import factories

    pull(account)
    before = picture(account)
    other = factories.account("111111111112", role_arn="arn:aws:iam::111111111112:role/gatehouse-read")
    assert pull(other).state == PullState.COMPLETE
    assert picture(account) == before
    assert len(picture(other)["entities"]) == len(before["entities"])
    assert not set(picture(other)["entities"]) & set(before["entities"]) - {
        p["id"] for p in world.account.managed
    }
    assert not Entity.objects.filter(account=account, gone_at__isnull=False).exists()


def test_while_an_account_is_locked_nothing_is_written_for_which_another_pull_might_wait(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    from tests import factories

    factories.account("111111111112")
    shared: list[str] = []

    def watch(
        execute: Callable[..., object], sql: str, params: object, many: bool, context: object
    ) -> object:
        words = sql.replace('"', "").split()
        is_write = words[0] in {"INSERT", "UPDATE"} and ({"mirror_document", "mirror_account"} & set(words))
        # The test itself is in a transaction, so that what applies is in a savepoint, and what it calls in a
        # second one.
        depth = len(connection.savepoint_ids)
        if is_write and depth > ("mirror_document" in words):
            shared.append(f"{sql} {params}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        pull(account)
    own = f"{account.pk}"
    assert all("mirror_account" in sql and own in sql for sql in shared), shared
    assert Account.objects.exclude(organization_path="").count() == 2
    assert sum("organization_path" in sql for sql in shared) == 0
