"""Demanding MFA of real scopes: who gets out, who would be locked out and by what, and that nothing is asked
for as long as somebody would be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from iam.access.enforcement import check
from iam.access.enforcement.check import MfaStep
from iam.access.enforcement.scope import scope_of
from iam.access.enforcement.services import operations_for, request_enforcement, situations_in_scope
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.directory.models import Role
from iam.guard import Viewer
from iam.mirror import snapshot
from iam.mirror.models import Account, EdgeKind, Entity, Kind, UserCredentials
from tests import factories

pytestmark = pytest.mark.django_db
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def says(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture
def account() -> Account:
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")


@pytest.fixture
def ines() -> Viewer:
    return factories.viewer(Role.ADMINISTRATOR)


def user(
    account: Account, name: str, *holds: dict[str, Any], path: str = "/staff/", **credentials: Any
) -> Entity:
    made = factories.user(account, name, path=path, credentials={"mfa": "none"} | credentials)
    for number, body in enumerate(holds):
        factories.inline(made, f"p{number}", body=says(body))
    return made


def stopped(viewer: Viewer, account: Account, **scope: str) -> dict[str, set[MfaStep]]:
    seen = situations_in_scope(viewer, scope=scope_of(account, **scope), denies_keys=True)
    return {
        seen.users[standing.number].name: {step for step, _ in standing.stopped}
        for standing in seen.standings
    }


def test_each_in_scope_gets_out_whatever_else_they_hold_and_can_do_nothing_besides(
    ines: Viewer, account: Account
) -> None:
    user(account, "bare")
    user(account, "boss", ALL)
    user(account, "elsewhere", path="/other/")
    first = user(account, "first")
    UserCredentials.objects.filter(user=first).update(
        report={"login_profile": {"PasswordResetRequired": True}}
    )
    seen = situations_in_scope(ines, scope=scope_of(account, path="/staff/"), denies_keys=True)
    assert {seen.users[standing.number].name for standing in seen.standings} == {"bare", "boss", "first"}
    assert all(standing.gets_out and standing.besides == 0 for standing in seen.standings)
    assert sum(seen.standings[0].left) > 0


def test_a_boundary_or_a_deny_that_keeps_somebody_from_a_step_is_found(
    ines: Viewer, account: Account
) -> None:
    user(account, "denied", {"Effect": "Deny", "Action": "iam:EnableMFADevice", "Resource": "*"})
    user(account, "no-password-change", {"Effect": "Deny", "Action": "iam:ChangePassword", "Resource": "*"})
    with_device = user(
        account,
        "has-device",
        {"Effect": "Deny", "Action": "iam:EnableMFADevice", "Resource": "*"},
        mfa="virtual",
    )
    bound = user(account, "bound")
    policy = factories.policy(
        account, "s3-only", body=says({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    )
    factories.edge(EdgeKind.BOUNDARY, bound, policy)
    assert with_device.name in stopped(ines, account, path="/")
    assert stopped(ines, account, path="/") == {
        "denied": {MfaStep.ENROL},
        "no-password-change": {MfaStep.PASSWORD},
        "has-device": set(),
        "bound": {MfaStep.PASSWORD, MfaStep.ENROL},
    }


def test_a_part_of_a_boundary_that_was_not_read_may_deny_and_changes_the_digest(
    ines: Viewer, account: Account
) -> None:
    unreadable = {"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": "unreadable"}
    for name, body in (("read", says(ALL)), ("unread", says(ALL, unreadable))):
        factories.edge(EdgeKind.BOUNDARY, user(account, name), factories.policy(account, name, body=body))
    seen = situations_in_scope(ines, scope=scope_of(account, path="/"), denies_keys=True)
    depends = {seen.users[outlook.number].name: outlook.depends for outlook in seen.standings}
    assert depends["read"] == ()
    assert {step for step, _ in depends["unread"]} == {MfaStep.PASSWORD, MfaStep.ENROL}
    surer = replace(seen, standings=[replace(outlook, depends=()) for outlook in seen.standings])
    assert surer.digest != seen.digest


def one_of_each(account: Account) -> None:
    """People whom something of theirs, of their groups or above them might tell apart."""
    own = "arn:aws:iam::*:user/${aws:username}"
    bodies: list[dict[str, Any]] = [
        {"Effect": "Deny", "Action": "iam:ChangePassword", "Resource": "arn:aws:iam::*:user/staff/pair0"},
        {"Effect": "Deny", "Action": "iam:Enable*", "NotResource": "arn:aws:iam::*:user/staff/*-pair1"},
        {
            "Effect": "Deny",
            "Action": "iam:*",
            "Resource": "*",
            "Condition": {"StringLike": {"aws:username": "*0"}},
        },
        {
            "Effect": "Deny",
            "NotAction": "s3:*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
        },
        {
            "Effect": "Deny",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"ArnLike": {"aws:PrincipalArn": "*1"}},
        },
        {"Effect": "Allow", "Action": ["iam:*MFADevice", "iam:ChangePassword"], "Resource": own},
        ALL,
    ]
    for number, body in enumerate(bodies):
        group = factories.group(account, f"group{number}")
        factories.inline(group, body=says(body))
        for pair in range(2):
            # Both sign in alike, so that only what they hold can tell them apart.
            entity = user(
                account, f"pair{pair}" if not number else f"g{number}-pair{pair}", active_keys=number % 2
            )
            factories.edge(EdgeKind.MEMBER, entity, group)
    bounds = [
        {"Effect": "Allow", "Action": "*", "Resource": f"arn:aws:iam::*:user/staff/*-bound{n}"}
        for n in (0, 1)
    ]
    for number, body in enumerate([*bounds, ALL]):
        policy = factories.policy(account, f"bound{number}", body=says(body))
        for pair in range(2):
            factories.edge(EdgeKind.BOUNDARY, user(account, f"b{number}-bound{pair}"), policy)


@pytest.mark.parametrize("denies_keys", [True, False])
def test_whoever_is_judged_with_their_class_stands_as_judged_alone(
    ines: Viewer, account: Account, monkeypatch: pytest.MonkeyPatch, denies_keys: bool
) -> None:
    one_of_each(account)
    scope = scope_of(account, path="/")
    together = situations_in_scope(ines, scope=scope, denies_keys=denies_keys).standings
    monkeypatch.setattr(check, "are_alike", lambda cls, digest: False)
    assert situations_in_scope(ines, scope=scope, denies_keys=denies_keys).standings == together
    assert len({(standing.stopped, standing.depends, standing.besides) for standing in together}) > 3


def test_many_who_hold_the_same_are_judged_once(
    ines: Viewer, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long it takes for thousands, `tests.bench.enforcement` measures."""
    group = factories.group(account, "staff")
    factories.inline(group, body=says(ALL))
    for number in range(30):
        factories.edge(EdgeKind.MEMBER, user(account, f"user{number}"), group)
    user(account, "another", {"Effect": "Deny", "Action": "iam:EnableMFADevice", "Resource": "*"})
    judged, judge = [], check._judged
    monkeypatch.setattr(check, "_judged", lambda *arguments: judged.append(1) or judge(*arguments))
    seen = situations_in_scope(ines, scope=scope_of(account, path="/"), denies_keys=True)
    assert (len(seen.standings), len(judged), len(seen.locked_out)) == (31, 2, 1)


def test_what_only_conditions_decide_is_said_and_locks_nobody_out(ines: Viewer, account: Account) -> None:
    away = {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    user(account, "office", {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": away})
    seen = situations_in_scope(ines, scope=scope_of(account, path="/"), denies_keys=True)
    (standing,) = seen.standings
    assert standing.gets_out
    assert "iam:EnableMFADevice" in {action for _, action in standing.depends}
    assert operations_for(seen)


def test_nothing_is_asked_for_as_long_as_somebody_would_be_locked_out(ines: Viewer, account: Account) -> None:
    user(account, "fine")
    out = user(account, "denied", {"Effect": "Deny", "Action": "iam:*", "Resource": "*"})
    scope = scope_of(account, path="/")
    seen = situations_in_scope(ines, scope=scope, denies_keys=True)
    with pytest.raises(RefusedError, match="1 IAM user would be locked out"):
        request_enforcement(ines, seen=seen, reason="PCI", idempotency_key="k")
    assert not Change.objects.exists()
    without = situations_in_scope(ines, scope=scope, denies_keys=True, without=[out.pk])
    assert [operation.title for operation in operations_for(without)] == [
        "Create policy gatehouse-require-mfa",
        "Attach policy gatehouse-require-mfa to user fine",
    ]


def test_a_group_gets_the_policy_by_one_attachment_and_the_same_form_asks_once(
    ines: Viewer, account: Account
) -> None:
    group = factories.group(account, "staff")
    for name in ("one", "two"):
        factories.edge(EdgeKind.MEMBER, user(account, name), group)
    seen = situations_in_scope(ines, scope=scope_of(account, group="staff"), denies_keys=True)
    assert len(seen.standings) == 2
    made = [request_enforcement(ines, seen=seen, reason="PCI", idempotency_key="k") for _ in range(2)]
    assert made[0] == made[1]
    changes = made[0].change_set.changes.order_by("position")
    assert [change.operation for change in changes] == ["policy.create", "attachment.attach"]
    assert made[0].change_set.title == "Require MFA for the group staff in production"
    assert "each can still change a first password" in made[0].change_set.notes[0]


def test_programs_with_a_key_alone_are_named_and_go_on_where_keys_are_left(
    ines: Viewer, account: Account
) -> None:
    user(account, "ci", has_password=False, active_keys=1, keys=1)
    user(account, "human")
    scope = scope_of(account, path="/")
    seen = situations_in_scope(ines, scope=scope, denies_keys=True)
    assert [seen.users[standing.number].name for standing in seen.machines] == ["ci"]
    assert situations_in_scope(ines, scope=scope, denies_keys=False).machines == []


def test_a_policy_of_the_name_that_says_something_else_is_left_alone(ines: Viewer, account: Account) -> None:
    user(account, "one")
    factories.policy(account, "gatehouse-require-mfa", body=says(ALL))
    seen = situations_in_scope(ines, scope=scope_of(account, path="/"), denies_keys=True)
    with pytest.raises(RefusedError, match="with different content"):
        operations_for(seen)


@pytest.fixture
def client_of_ines() -> Client:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    return client


def test_the_page_shows_everybody_and_asks_for_what_was_shown(
    client_of_ines: Client, account: Account
) -> None:
    user(account, "maya.okafor")
    address = f"/mfa/enforce/?in={account.account_id}&who=path&path=/staff/&keys=denied"
    shown = client_of_ines.get(address)
    page = shown.content.decode()
    assert "No one is locked out" in page
    assert "maya.okafor" in page
    form = {
        "reason": "PCI 8.4.2",
        "key": str(shown.context["form"].initial["key"]),
        "seen": shown.context["digest"],
    }
    user(account, "came.later")
    snapshot.forget()
    late = client_of_ines.post(address, form)
    assert (late.status_code, b"changed since this was shown" in late.content) == (422, True)
    again = client_of_ines.post(address, form | {"seen": late.context["digest"]})
    assert again.status_code == 302
    assert Change.objects.filter(operation="attachment.attach").count() == 2


def test_whoever_is_locked_out_is_shown_first_with_what_stops_them(
    client_of_ines: Client, account: Account
) -> None:
    for name in ("Hana Sato", "Jonas Berg"):
        factories.assign(factories.person(name), Role.APPROVER)
    user(account, "aaa")
    user(account, "zzz", {"Effect": "Deny", "Action": "iam:EnableMFADevice", "Resource": "*"})
    address = f"/mfa/enforce/?in={account.account_id}&who=path&path=/"
    page = client_of_ines.get(address)
    assert [row["login"] for row in page.context["rows"]] == ["zzz", "aaa"]
    assert page.context["rows"][0]["calls"] == ["iam:EnableMFADevice"]
    assert "p0" in page.context["rows"][0]["because"][0]
    assert "Submit request" not in page.content.decode()
    assert "Submit request" in client_of_ines.get(f"{address}&out=1").content.decode()


def test_a_group_that_is_not_there_is_said(client_of_ines: Client, account: Account) -> None:
    page = client_of_ines.get(f"/mfa/enforce/?in={account.account_id}&who=group&group=nope")
    assert "no group nope" in page.content.decode()
    assert not Entity.objects.filter(kind=Kind.GROUP).exists()
