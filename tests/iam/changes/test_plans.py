"""What a receipt says, and what is refused before anything is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from iam.aws.permissions import trust_policy
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import AccountFact, ConnectionDraft, EdgeKind, SetupJob
from tests import factories
from tests.factories import FIRST_READ
from tests.iam.changes.conftest import Scene

pytestmark = pytest.mark.on_postgresql


def refusal(error: pytest.ExceptionInfo[RefusedError]) -> str:
    """The sentence of a refusal."""
    return error.value.message


def test_the_receipt_tells_what_the_person_gains_and_what_they_have_already(scene: Scene) -> None:
    deploy = factories.policy(scene.account, "PaymentsDeploy")
    reading = factories.policy(scene.account, "ReadLogs")
    other = factories.group(scene.account, "payments-dev")
    for kind, source, target in (
        (EdgeKind.ATTACHED, scene.group, deploy),
        (EdgeKind.ATTACHED, scene.group, reading),
        (EdgeKind.ATTACHED, other, reading),
        (EdgeKind.ATTACHED, scene.user, reading),
        (EdgeKind.MEMBER, scene.user, other),
    ):
        factories.edge(kind, source, target)
    factories.inline(scene.group, "artifacts", body={"Statement": []})

    effect = scene.plan().receipt.body["effect"]

    assert [(p["kind"], p["name"]) for p in effect["gains"]] == [
        ("inline", "artifacts"),
        ("managed", "PaymentsDeploy"),
    ]
    assert [(p["name"], p["ways"]) for p in effect["keeps"]] == [
        ("ReadLogs", ["directly", "through payments-dev"])
    ]
    assert effect["loses"] == []


def test_the_receipt_of_leaving_tells_what_is_lost_and_what_stays(member_scene: Scene) -> None:
    scene = member_scene
    deploy = factories.policy(scene.account, "PaymentsDeploy")
    reading = factories.policy(scene.account, "ReadLogs")
    factories.edge(EdgeKind.ATTACHED, scene.group, deploy)
    factories.edge(EdgeKind.ATTACHED, scene.group, reading)
    factories.edge(EdgeKind.ATTACHED, scene.user, reading)

    effect = scene.plan("remove").receipt.body["effect"]

    assert [p["name"] for p in effect["loses"]] == ["PaymentsDeploy"]
    assert [(p["name"], p["ways"]) for p in effect["keeps"]] == [("ReadLogs", ["directly"])]


def test_the_same_inline_text_elsewhere_counts_as_another_way(scene: Scene) -> None:
    other = factories.group(scene.account, "payments-dev")
    factories.edge(EdgeKind.MEMBER, scene.user, other)
    factories.inline(scene.group, "one-name")
    factories.inline(other, "another-name")

    effect = scene.plan().receipt.body["effect"]

    assert effect["gains"] == []
    assert effect["keeps"][0]["ways"] == ["through payments-dev"]


def test_a_boundary_is_named(scene: Scene) -> None:
    boundary = factories.policy(scene.account, "DeveloperBoundary")
    factories.edge(EdgeKind.BOUNDARY, scene.user, boundary)

    assert scene.plan().receipt.body["effect"]["boundary"] == "DeveloperBoundary"


@pytest.mark.parametrize(
    ("statement", "sensitivity"),
    [
        ({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}, "normal"),
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, "high"),
        ({"Effect": "Allow", "Action": ["s3:*", "iam:PassRole"], "Resource": "*"}, "high"),
        ({"Effect": "Allow", "Action": ["iam:ListUsers", "iam:GetUser"], "Resource": "*"}, "normal"),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, "high"),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, "normal"),
    ],
)
def test_what_allows_everything_or_changes_to_iam_is_sensitive(
    scene: Scene, statement: dict[str, Any], sensitivity: str
) -> None:
    risky = factories.policy(scene.account, "Some", body={"Version": "2012-10-17", "Statement": [statement]})
    factories.edge(EdgeKind.ATTACHED, scene.group, risky)

    assert scene.plan().receipt.body["sensitivity"] == sensitivity


def test_leaving_a_group_that_denies_something_is_sensitive(member_scene: Scene) -> None:
    body = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    factories.edge(
        EdgeKind.ATTACHED, member_scene.group, factories.policy(member_scene.account, "NoMfaNoFun", body=body)
    )

    assert member_scene.plan("remove").receipt.body["sensitivity"] == "high"


def test_the_quota_of_the_account_is_respected(scene: Scene) -> None:
    for number in range(3):
        factories.edge(EdgeKind.MEMBER, scene.user, factories.group(scene.account, f"g{number}"))
    AccountFact.objects.create(
        account=scene.account,
        name="summary",
        value={"GroupsPerUserQuota": 3},
        valid_from=FIRST_READ,
        observed_at=FIRST_READ,
    )

    with pytest.raises(RefusedError) as error:
        scene.plan()
    assert "is in 3 groups, and AWS allows 3 per user" in refusal(error)


def test_without_a_summary_awss_own_quota_counts(scene: Scene) -> None:
    assert scene.plan().receipt.body["quota"] == {
        "what": "Groups afterwards",
        "used": 0,
        "after": 1,
        "limit": 10,
    }


def test_who_is_a_member_already_is_not_added(member_scene: Scene) -> None:
    with pytest.raises(RefusedError, match="is already in"):
        member_scene.plan("add")


def test_who_is_no_member_is_not_removed(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="isn’t in"):
        scene.plan("remove")


def test_an_account_from_a_file_cannot_be_changed(scene: Scene) -> None:
    scene.account.source = "export"
    scene.account.save(update_fields=["source"])
    scene.user.refresh_from_db()
    with pytest.raises(RefusedError, match="uploaded as a file"):
        services.plan_membership(scene.requester, user=scene.user, group=scene.group, do="add")


def test_an_account_without_a_write_role_cannot_be_changed(scene: Scene) -> None:
    scene.account.source = "role"
    scene.account.save(update_fields=["source"])
    scene.user.refresh_from_db()
    with pytest.raises(RefusedError, match="no write role"):
        services.plan_membership(scene.requester, user=scene.user, group=scene.group, do="add")


def test_a_user_and_a_group_of_different_accounts_do_not_meet(scene: Scene) -> None:
    other = factories.account("222222222222", name="other")
    with pytest.raises(RefusedError, match="different accounts"):
        services.plan_membership(
            scene.requester, user=scene.user, group=factories.group(other, "deployers"), do="add"
        )


def test_a_role_is_no_member(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="between an IAM user and an IAM group"):
        services.plan_membership(
            scene.requester, user=factories.role(scene.account, "app"), group=scene.group, do="add"
        )


def test_gatehouse_does_not_touch_what_it_works_by(scene: Scene) -> None:
    factories.account("222222222222", name="other", role_arn="", write_role_arn=scene.user.arn)
    with pytest.raises(RefusedError, match="Gatehouse itself needs this"):
        scene.plan()


@pytest.mark.parametrize("known_by", ["trust", "draft", "answer"])
def test_gatehouse_does_not_touch_the_user_whose_key_it_has(scene: Scene, known_by: str) -> None:
    """A hub that is an IAM user would be raised by a group."""
    if known_by == "trust":
        writer = "arn:aws:iam::222222222222:role/gatehouse-writer"
        other = factories.account("222222222222", name="other", write_role_arn=writer)
        trust = trust_policy(hub_role_arn=scene.user.arn, external_id="gh-1")
        factories.role(other, "gatehouse-writer", trust=trust)
    elif known_by == "draft":
        ConnectionDraft.objects.create(account_id="222222222222", name="b", hub_arn=scene.user.arn)
    else:
        SetupJob.objects.create(kind="identity", state="done", result={"principal": scene.user.arn})
    with pytest.raises(RefusedError, match="Gatehouse itself needs this"):
        scene.plan()


def test_another_user_whom_other_roles_trust_is_free(scene: Scene) -> None:
    writer = "arn:aws:iam::222222222222:role/gatehouse-writer"
    other = factories.account("222222222222", name="other", write_role_arn=writer)
    trust = trust_policy(hub_role_arn=scene.user.arn, external_id="gh-1")
    factories.role(other, "deploy", trust=trust)
    factories.role(
        other, "gatehouse-writer", trust=trust_policy(hub_role_arn=f"{scene.user.arn}-2", external_id="x")
    )
    assert scene.plan()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MEMBER])
def test_who_may_not_ask_is_told_so(scene: Scene, role: Role) -> None:
    with pytest.raises(RefusedError, match="can’t request changes"):
        scene.plan(viewer=factories.viewer(role, name="Somebody Else"))


def lead_of(scene: Scene, *, groups: tuple[str, ...] = (), paths: tuple[str, ...] = ()) -> Viewer:
    """A team lead whose team is found by these rules."""
    team = Team.objects.create(slug="payments", name="Payments")
    for name in groups:
        TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=name)
    for path in paths:
        TeamRule.objects.create(team=team, kind=RuleKind.PATH, value=path)
    lead = factories.person("Elif Kaya")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    return viewer_for(lead)


def test_a_team_lead_asks_for_their_people_and_their_groups(member_scene: Scene) -> None:
    scene = member_scene
    assert scene.plan("remove", viewer=lead_of(scene, groups=(scene.group.name,)))


def test_a_team_lead_cannot_put_strangers_into_their_group(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="your own teams"):
        scene.plan(viewer=lead_of(scene, groups=(scene.group.name,)))


def test_a_team_lead_cannot_put_their_people_into_somebody_elses_group(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="your own teams"):
        scene.plan(viewer=lead_of(scene, paths=("/",)))


def test_an_auditor_who_leads_a_team_asks_for_the_team_only(scene: Scene) -> None:
    lead = lead_of(scene, paths=("/payments/",))
    person = type(factories.person("x")).objects.get(pk=lead.person_id)
    factories.assign(person, Role.AUDITOR)
    viewer = viewer_for(person)
    assert viewer.scope.sees_everything
    with pytest.raises(RefusedError, match="your own teams"):
        scene.plan(viewer=viewer)


def test_a_right_in_another_account_does_not_count(scene: Scene) -> None:
    person = factories.person("Ben Okri")
    factories.assign(person, Role.ADMINISTRATOR, account_id="222222222222")
    factories.assign(person, Role.AUDITOR)
    with pytest.raises(RefusedError, match="can’t request changes"):
        scene.plan(viewer=viewer_for(person))
