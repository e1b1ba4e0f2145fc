"""What the graph is made of, how long it is kept, and who can reach somebody."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from console.audit.entry_sentences import words_of
from iam.access import escalation
from iam.access.escalation_calculation import search
from iam.access.escalation_facts import facts_at
from iam.access.escalation_graph import MAX_GRAPHS, escalation_at, forget
from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import EdgeKind, Kind, PolicyVersion, Section, TagSet
from iam.mirror.pull import revisions
from iam.mirror.snapshot import snapshot
from iam.policy.escalation.states import Ec2Instance
from tests import factories as make
from tests.console.access.escalation.conftest import LATER, ONE, SignIn, World, allow, body


def reachers(world: World) -> set[str]:
    wanted = escalation.EscalationFilter(None)
    return {row.name for row in escalation.who_reaches(wanted, size=50).rows}


def test_the_graph_is_made_once_for_each_state_of_the_mirror(world: World) -> None:
    first = escalation_at(None)
    assert escalation_at(None) is first
    make.inline(world.of["nobody"], "own", body=body(allow("Own", "iam:PutUserPolicy")))
    revisions.note_written(world.production.pk, [world.of["nobody"].pk])
    assert escalation_at(None) is not first
    assert "nobody" in reachers(world)


def test_few_moments_are_kept(world: World) -> None:
    forget()
    kept = [escalation_at(at) for at in (LATER, None, make.FIRST_READ)]
    assert escalation_at(make.FIRST_READ) is kept[2]
    assert escalation_at(None) is kept[1]
    assert len(kept) == MAX_GRAPHS + 1
    assert escalation_at(LATER) is not kept[0]


def test_the_path_of_a_group_is_known(world: World) -> None:
    group = make.group(world.production, "team", path="/teams/")
    make.inline(
        group, "own", body=body(allow("Own", "iam:PutGroupPolicy", f"arn:aws:iam::{ONE}:group/teams/*"))
    )
    make.edge(EdgeKind.MEMBER, world.of["nobody"], group)
    assert "nobody" in reachers(world)


def test_an_older_version_that_says_more_is_a_way(world: World) -> None:
    policy = make.policy(world.production, "Team", body=body(allow("Set", "iam:SetDefaultPolicyVersion")))
    make.edge(EdgeKind.ATTACHED, world.of["nobody"], policy)
    assert "nobody" not in reachers(world)
    PolicyVersion.objects.create(
        account=world.production,
        policy=policy,
        version_id="v0",
        document=make.document(body(allow("All", "*"))),
        is_default=False,
        valid_from=make.FIRST_READ,
        observed_at=make.FIRST_READ,
    )
    revisions.note_written(world.production.pk, [policy.pk])
    assert "nobody" in reachers(world)


@pytest.mark.parametrize("is_read", [True, False])
def test_roles_in_no_instance_profile_are_left_out_where_all_profiles_are_known(
    world: World, is_read: bool
) -> None:
    make.role(world.production, "boss", trust=make.TRUST_EC2)
    boss = make.role(world.production, "boss2", trust=make.TRUST_EC2)
    make.inline(boss, "all", body=body(allow("All", "*")))
    make.inline(world.of["nobody"], "run", body=body(allow("Run", ["iam:PassRole", "ec2:RunInstances"])))
    if is_read:
        sections = Section.objects.filter(account=world.production, name="instance_profiles")
        sections.update(state="complete")
    assert ("nobody" in reachers(world)) is not is_read


def test_what_runs_with_a_role_is_known(world: World) -> None:
    boss = make.role(world.production, "boss", trust=make.TRUST_EC2)
    profile = make.entity(world.production, Kind.INSTANCE_PROFILE, "boss")
    instance = make.entity(
        world.production, Kind.INSTANCE, "i-1", arn=f"arn:aws:ec2:eu-west-1:{ONE}:instance/i-1"
    )
    make.edge(EdgeKind.PROFILE_ROLE, profile, boss)
    make.edge(EdgeKind.INSTANCE_PROFILE, instance, profile)
    with snapshot() as index:
        facts, _ = facts_at(None, index)
    assert facts.running == {boss.pk: (Ec2Instance(instance.arn, ()),)}


@pytest.mark.parametrize(("team", "is_way"), [("pay", True), ("ops", False)])
def test_the_tags_of_an_instance_decide_who_opens_a_session_on_it(
    world: World, team: str, is_way: bool
) -> None:
    boss = make.role(world.production, "boss", trust=make.TRUST_EC2)
    make.inline(boss, "all", body=body(allow("All", "*")))
    profile = make.entity(world.production, Kind.INSTANCE_PROFILE, "boss")
    instance = make.entity(
        world.production, Kind.INSTANCE, "i-1", arn=f"arn:aws:ec2:eu-west-1:{ONE}:instance/i-1"
    )
    make.edge(EdgeKind.PROFILE_ROLE, profile, boss)
    make.edge(EdgeKind.INSTANCE_PROFILE, instance, profile)
    TagSet.objects.create(
        account=world.production,
        entity=instance,
        tags={"team": team},
        valid_from=make.FIRST_READ,
        observed_at=make.FIRST_READ,
    )
    condition = {"StringEquals": {"ssm:resourceTag/team": "pay"}}
    session = {**allow("Session", "ssm:StartSession"), "Condition": condition}
    make.inline(world.of["nobody"], "session", body=body(session))
    assert ("nobody" in reachers(world)) is is_way


def test_passwords_are_known_where_a_report_told(world: World) -> None:
    make.user(world.production, "with", credentials={"has_password": True})
    make.user(world.production, "unread", credentials={"has_password": None})
    with snapshot() as index:
        facts, _ = facts_at(None, index)
        by_name = {
            index.member(ONE, pk).name: has for pk, has in facts.passwords.items() if index.member(ONE, pk)
        }  # type: ignore[union-attr]
    assert by_name["with"] is True
    assert "unread" not in by_name


def test_who_reaches_somebody_who_can_is_told_with_the_first_step(world: World) -> None:
    known = escalation_at(None)
    goal = known.graph.find(ONE, world.of["pay-admin"].pk)
    assert goal is not None
    can_reach = search.can_reach(known, [goal])
    assert [(row.member.name, row.steps, str(row.certainty)) for row in can_reach] == [
        ("deployer", 1, "confirmed"),
        ("dana.wirth", 1, "confirmed"),
        ("ines.duarte", 1, "confirmed"),
        ("tomas.lind", 1, "confirmed"),
        ("kwame.boateng", 2, "conditional"),
    ]
    assert {row.first.name for row in can_reach if row.first is not None} == {"pay-admin", "kwame.boateng"}
    one_account = search.can_reach(known, [goal], accounts=frozenset({ONE}))
    assert "tomas.lind" not in {row.member.name for row in one_account}
    assert search.can_reach(known, []) == []


def rows(client: Client, query: str = "") -> list[dict[str, str]]:
    response: Any = client.get(f"/escalation/export.csv{query}")
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def test_the_file_has_every_path(world: World, auditor: Client) -> None:
    exported = rows(auditor)
    assert [(row["name"], row["certainty"], row["steps"]) for row in exported] == [
        ("dana.wirth", "confirmed", "1"),
        ("tomas.lind", "confirmed", "1"),
        ("kwame.boateng", "conditional", "1"),
        ("deployer", "confirmed", "1"),
    ]
    assert exported[0]["path"] == "Creates a Lambda function with role pay-admin and invokes it"
    assert exported[0]["closed_without"] == "deploy, statement 1 (Pass)"


def test_the_json_says_what_was_asked_and_the_journal_notes_it(world: World, auditor: Client) -> None:
    response: Any = auditor.get(f"/escalation/export.json?account={ONE}&to=pay-admin")
    answer = json.loads(response.getvalue())
    assert (answer["goal"], answer["account"], answer["as_of"]) == (
        world.of["pay-admin"].arn, ONE, None,
    )  # fmt: skip
    assert "dana.wirth" in {row["name"] for row in answer["rows"]}
    entry = Entry.objects.get(kind="escalation.export")
    assert words_of(entry) == f"{entry.actor_label} exported who can become pay-admin as JSON"


def test_a_file_tells_nothing_of_other_accounts(world: World, sign_in: SignIn) -> None:
    exported = rows(sign_in(Role.AUDITOR, account_id="222222222222"))
    assert [row["name"] for row in exported] == ["tomas.lind"]
    assert "pay-admin" not in str(exported)
