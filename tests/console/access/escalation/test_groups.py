"""Paths to administrator grouped by the statement that opens them, with what closes them for everyone."""

from __future__ import annotations

from typing import cast

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.access.escalation_openings import fix_words
from iam.access.certainty import Certainty
from iam.access.escalation import EscalationFilter, who_reaches
from iam.access.escalation_graph import forget
from iam.access.escalation_groups import (
    AffectedByOpening,
    EscalationFix,
    GroupFilter,
    OpeningStatements,
    all_groups,
    escalation_totals,
    fix_of,
)
from iam.mirror import snapshot
from iam.mirror.models import Account, EdgeKind, Entity, Section, SectionState
from iam.mirror.pull.sections import ORGANIZATION, POLICIES
from iam.policy.request import PrincipalKind
from tests import factories as make
from tests.console.access.escalation.conftest import TWO, World, allow, body


def shared_policy(account: Account, *names: str) -> tuple[Entity, list[Entity]]:
    """A group whose policy lets each member rewrite any user's policies."""
    team = make.group(account, "deployers")
    tuning = make.policy(account, "Tuning", body=body(allow("Tune", "iam:PutUserPolicy")))
    make.edge(EdgeKind.ATTACHED, team, tuning)
    users = [make.user(account, name) for name in names]
    for user in users:
        make.edge(EdgeKind.MEMBER, user, team)
    return tuning, users


def by_policy(groups: list[OpeningStatements]) -> dict[str, OpeningStatements]:
    return {next(iter(group.statements)).policy: group for group in groups}


def test_one_policy_that_gives_many_a_path_is_one_group(world: World) -> None:
    tuning, users = shared_policy(world.production, "a.one", "b.two", "c.three")
    totals, groups = all_groups(None)
    shared = by_policy(groups)["Tuning"]
    assert {affected.member.arn for affected in shared.affected} == {user.arn for user in users}
    (statement,) = shared.statements
    assert (statement.holder, statement.sid) == (tuning.arn, "Tune")
    assert groups[0] is shared, "most confirmed users first"
    assert sum(len(group.affected) for group in groups) == totals.everyone.total


def test_each_principal_is_in_one_group_and_counts_agree(world: World) -> None:
    totals, groups = all_groups(None)
    starts = [affected.start for group in groups for affected in group.affected]
    assert len(starts) == len(set(starts)) == totals.confirmed.total + totals.unconfirmed.total
    assert totals.openings == len(groups)
    assert totals == escalation_totals(None)


def test_the_fix_closes_the_path_for_everyone(world: World) -> None:
    _, users = shared_policy(world.production, "a.one", "b.two")
    make.inline(users[0], "own", body=body(allow("Own", "iam:AttachUserPolicy", users[0].arn)))
    forget()
    _, groups = all_groups(None)
    fix = fix_of(by_policy(groups)["Tuning"])
    assert [affected.member.name for affected in fix.closed] == ["b.two"]
    assert [affected.member.name for affected in fix.others] == ["a.one"]
    assert [(statement.policy, statement.sid) for statement in fix.more] == [("own", "Own")]
    assert fix.is_whole


@pytest.mark.parametrize(
    ("section", "clause"),
    [(ORGANIZATION, "SCPs weren’t synced"), (POLICIES, "managed policies weren’t fully synced")],
)
def test_a_path_is_confirmed_only_where_everything_that_could_stop_it_was_synced(
    world: World, section: str, clause: str
) -> None:
    before, _ = all_groups(None)
    Section.objects.filter(account=world.production, name=section).update(state=SectionState.DENIED)
    after, groups = all_groups(None)
    assert before.confirmed.total
    assert not before.coverage.unread
    assert after.confirmed.total == 0, "the goal of every path is in production"
    unread = [
        affected
        for group in groups
        for affected in group.affected
        if affected.certainty is Certainty.UNCONFIRMED
    ]
    assert len(unread) == before.confirmed.total
    assert all(clause in affected.unread for affected in unread)
    assert after.everyone == before.everyone
    assert after.coverage.unread == (f"{clause} for 1 account",)
    assert f"{len(unread)} unconfirmed" in after.words


def test_a_condition_is_named_as_one_even_where_something_is_unread(world: World) -> None:
    Section.objects.filter(account=world.production, name=ORGANIZATION).delete()
    _, groups = all_groups(None)
    kwame = next(
        affected for group in groups for affected in group.affected if affected.member.name == "kwame.boateng"
    )
    assert kwame.certainty is Certainty.CONDITIONAL


def test_only_accounts_that_are_asked_about_count(world: World) -> None:
    totals, groups = all_groups(frozenset({TWO}))
    assert totals.everyone.total == 1
    assert [affected.member.name for group in groups for affected in group.affected] == ["tomas.lind"]


def test_people_are_counted_apart_from_their_users(world: World) -> None:
    person = make.person("Dana Wirth", email="dana@example.com", arns=(world.of["dana.wirth"].arn,))
    make.person("Kwame", email="k@example.com", arns=(world.of["kwame.boateng"].arn,))
    person.identities.create(user_arn=world.of["tomas.lind"].arn)
    totals = escalation_totals(None)
    assert totals is not None
    assert totals.words == (
        "3 IAM users (2 people) and 1 role can become administrator: 3 confirmed, 1 conditional"
    )


def test_groups_are_narrowed_by_name_email_kind_and_certainty(world: World) -> None:
    make.person("Wirth, Dana", email="danuta@example.com", arns=(world.of["dana.wirth"].arn,))

    def names(**wanted: object) -> set[str]:
        _, groups = all_groups(None, narrowed=GroupFilter(**wanted))  # type: ignore[arg-type]
        return {affected.member.name for group in groups for affected in group.affected}

    assert names(text="danuta@example") == {"dana.wirth"}
    assert names(text="Dana Wirth") == {"dana.wirth"}
    assert names(text="KWAME.b") == {"kwame.boateng"}
    assert names(kind=PrincipalKind.ROLE) == {"deployer"}
    assert names(certainty=Certainty.CONDITIONAL) == {"kwame.boateng"}
    assert names(text="no-one-at-all") == set()


def test_roles_of_gatehouse_itself_are_listed_apart_and_not_counted(world: World) -> None:
    before, groups = all_groups(None)
    writer = make.role(world.production, "gatehouse-writer")
    make.inline(writer, "write", body=body(allow("Write", "iam:PutRolePolicy")))
    world.production.write_role_arn = writer.arn
    world.production.save()
    snapshot.forget()
    forget()
    totals, with_own = all_groups(None)
    assert totals.own == 1
    assert (totals.everyone, totals.confirmed, totals.openings) == (
        before.everyone,
        before.confirmed,
        before.openings,
    )
    assert totals == escalation_totals(None)
    assert len(with_own) == len(groups) + 1
    own = with_own[-1]
    assert (own.is_own, own.key, [affected.member.arn for affected in own.affected]) == (
        True,
        "gatehouse",
        [writer.arn],
    )
    reachable = who_reaches(EscalationFilter(None), size=500)
    assert (reachable.own, reachable.everyone) == (1, totals.everyone)
    assert [row.name for row in reachable.rows if row.is_own] == ["gatehouse-writer"], "listed, never hidden"


def test_who_can_become_a_role_of_gatehouse_is_a_finding(world: World) -> None:
    user = make.user(world.production, "sly")
    writer = make.role(
        world.production,
        "gatehouse-writer",
        trust={
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"}]
        },
    )
    make.inline(writer, "write", body=body(allow("Write", "iam:PutRolePolicy")))
    world.production.write_role_arn = writer.arn
    world.production.save()
    forget()
    totals, groups = all_groups(None)
    affected = {affected.member.name for group in groups if not group.is_own for affected in group.affected}
    assert "sly" in affected
    assert totals.own == 1


@pytest.mark.parametrize(
    ("closed", "others", "words"),
    [
        (1, 0, "It has no other path: after this, it can’t become administrator."),
        (2, 0, "They have no other path: after this, none of them can become administrator."),
        (
            2,
            1,
            "After this, 2 of 3 can’t become administrator any more. 1 still has another path.",
        ),
        (0, 1, "It still has another path."),
        (0, 2, "All 2 still have another path."),
    ],
)
def test_what_a_fix_leaves_is_said_for_one_and_for_many(closed: int, others: int, words: str) -> None:
    someone = cast("AffectedByOpening", object())
    fix = EscalationFix(frozenset(), (someone,) * closed, (someone,) * others, (), is_whole=True)
    assert fix_words(fix) == words


def test_the_overview_counts_a_calculation_once(world: World) -> None:
    first, of_one = escalation_totals(None), escalation_totals(frozenset({TWO}))
    assert first != of_one
    with CaptureQueriesContext(connection) as queries:
        assert escalation_totals(None) == first
        assert escalation_totals(frozenset({TWO})) == of_one
    assert not [query for query in queries if "_finding" in query["sql"]]
