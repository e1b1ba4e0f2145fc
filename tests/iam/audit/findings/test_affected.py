"""Whom a finding comes to affect, and whom no longer, is in its history."""

from __future__ import annotations

from typing import Any

import pytest

from iam.audit.findings import affected
from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding, FindingEvent, FindingSeverity, FindingStatus
from iam.audit.findings.rules.full_administrator_customer_managed import FullAdministratorCustomerManaged
from iam.mirror import snapshot
from iam.mirror.models import Account, Edge, EdgeKind, Entity
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.on_both]
KIND = "full-administrator-customer-managed"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


@pytest.fixture
def admins(account: Account) -> Entity:
    policy = factories.policy(account, "Everything", body=FULL)
    group = factories.group(account, "admins")
    factories.edge(EdgeKind.ATTACHED, group, policy)
    join(account, group, "maya")
    return group


def join(account: Account, group: Entity, *names: str) -> list[Entity]:
    users = [factories.user(account, name) for name in names]
    for user in users:
        factories.edge(EdgeKind.MEMBER, user, group)
    return users


def leave(*users: Entity) -> None:
    Edge.objects.filter(kind=EdgeKind.MEMBER, source__in=users).delete()


def look(account: Account) -> AuditFinding:
    """Calculate, and give the finding."""
    account.writes += 1
    account.revision += 1
    Account.objects.filter(pk=account.pk).update(writes=account.writes, revision=account.revision)
    snapshot.forget()
    assert calculate(account)
    return AuditFinding.objects.get(account=account, kind=KIND)


def lines(finding: AuditFinding) -> list[tuple[str, list[str], int]]:
    rows = FindingEvent.objects.filter(finding=finding).order_by("pk")
    found = []
    for kind, names, number in rows.values_list("kind", "names", "number"):
        found.append((kind, [name.rpartition("/")[2] for name in names], number))
    return found


OPENED = ("opened", [], 0)


def test_one_more_and_one_fewer_are_lines_of_the_history(account: Account, admins: Entity) -> None:
    finding = look(account)
    assert lines(finding) == [OPENED]
    tomas, kwame = join(account, admins, "tomas", "kwame")
    finding = look(account)
    assert finding.affected == 3
    assert lines(finding) == [OPENED, ("affects", ["kwame", "tomas"], 2)]
    assert finding.changed_at > finding.first_seen
    leave(tomas)
    finding = look(account)
    assert lines(finding)[2:] == [("unaffected", ["tomas"], 1)]
    leave(kwame)
    join(account, admins, "ines")
    finding = look(account)
    assert lines(finding)[3:] == [("affects", ["ines"], 1), ("unaffected", ["kwame"], 1)]


def test_a_calculation_that_changes_nothing_writes_no_line(account: Account, admins: Entity) -> None:
    finding = look(account)
    again = look(account)
    assert lines(again) == [OPENED]
    assert again.changed_at == finding.changed_at


def test_what_else_changed_is_no_line_about_the_affected(account: Account, admins: Entity) -> None:
    finding = look(account)
    AuditFinding.objects.filter(pk=finding.pk).update(stamp="", evidence={})
    assert lines(look(account)) == [OPENED]


def test_a_line_has_a_few_names_and_the_number(account: Account, admins: Entity) -> None:
    look(account)
    join(account, admins, *(f"user-{number:02}" for number in range(30)))
    finding = look(account)
    (_, (kind, names, number)) = lines(finding)
    assert (kind, number) == ("affects", 30)
    assert names == [f"user-{number:02}" for number in range(affected.NAMED)]


def test_opening_again_writes_no_line_about_the_affected(account: Account, admins: Entity) -> None:
    finding = look(account)
    AuditFinding.objects.filter(pk=finding.pk).update(status=FindingStatus.FIXED)
    join(account, admins, "tomas")
    AuditFinding.objects.update(stamp="")
    assert [kind for kind, _, _ in lines(look(account))] == ["opened", "reopened"]


def test_an_accepted_finding_says_too_whom_it_also_affects(account: Account, admins: Entity) -> None:
    finding = look(account)
    AuditFinding.objects.filter(pk=finding.pk).update(status=FindingStatus.ACCEPTED)
    join(account, admins, "tomas")
    assert lines(look(account))[1:] == [("affects", ["tomas"], 1)]


def test_another_certainty_is_a_line(account: Account, admins: Entity) -> None:
    finding = look(account)
    AuditFinding.objects.filter(pk=finding.pk).update(certainty="conditional", reasons=["x"], stamp="")
    finding = look(account)
    event = FindingEvent.objects.get(finding=finding, kind="certainty")
    assert event.reason == "From conditional to confirmed"
    assert finding.changed_at == event.at


def test_a_holder_whom_a_boundary_stops_is_not_affected(account: Account, admins: Entity) -> None:
    finding = look(account)
    policy = Entity.objects.get(name="Everything")
    stopped = factories.role(account, "stopped")
    factories.edge(EdgeKind.ATTACHED, stopped, policy)
    factories.edge(EdgeKind.BOUNDARY, stopped, factories.policy(account, "Nothing", body=NOTHING))
    assert lines(look(account)) == [OPENED]
    finding.refresh_from_db()
    assert stopped.arn not in finding.related


NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}


def finding_of(related: list[str], number: int, kind: str = KIND) -> AuditFinding:
    return AuditFinding(kind=kind, related=related, affected=number, severity=FindingSeverity.HIGH)


def users(*numbers: int) -> list[str]:
    return [f"arn:aws:iam::111111111111:user/u{number}" for number in numbers]


CASES: dict[str, tuple[str, tuple[list[str], int], tuple[list[str], int], list[tuple[Any, ...]]]] = {
    "only the number is known of a list that is cut": (
        KIND,
        (users(1, 2), 1_500),
        (users(2, 3), 1_503),
        [("affects", [], 3)],
    ),
    "a list that is cut, with the same number": (KIND, (users(1, 2), 1_500), (users(2, 3), 1_500), []),
    "groups and policies that give the access": (
        KIND,
        (users(1), 1),
        (["arn:aws:iam::111111111111:group/g", *users(1)], 1),
        [],
    ),
    "holders of a policy that nobody counts": (
        "policy-lint-error",
        (users(1), 0),
        (["arn:aws:iam::111111111111:group/g", *users(1)], 0),
        [("affects", ["arn:aws:iam::111111111111:group/g"], 1)],
    ),
    "policies of a user": ("policy-attached-to-user", ([], 0), (["arn:aws:iam::aws:policy/X"], 0), []),
    "instances": (
        "instance-role-can-escalate",
        (["i-1"], 1),
        (["i-2"], 1),
        [("affects", ["i-2"], 1), ("unaffected", ["i-1"], 1)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    kind, before, after, expected = CASES[name]
    values = {"related": after[0], "affected": after[1]}
    changes = affected.changes_of(finding_of(*before, kind), values)
    assert [tuple(change) for change in changes] == expected


def test_every_kind_that_affects_other_things_is_a_kind() -> None:
    from iam.audit.findings.rules import all_rules

    assert set(affected.OTHER_THINGS) <= set(all_rules())
    assert FullAdministratorCustomerManaged.kind == KIND
