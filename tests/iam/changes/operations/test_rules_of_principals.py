"""What is refused before AWS is asked, in words that say why; how much care each operation takes; and what
Gatehouse never does to itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from iam.changes import risks, services
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.operations.facts import state_of
from iam.changes.operations.instance_profile import ADD_ROLE, CreateInstanceProfile, RoleInProfile
from iam.changes.operations.principals import (
    CreateGroup,
    CreateRole,
    CreateUser,
    DeleteRole,
    DeleteUser,
    ReplaceTrustPolicy,
    RoleSettings,
    UpdateGroup,
    UpdateRole,
    UpdateUser,
)
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.operations.service_linked_role import CreateServiceLinkedRole
from iam.changes.operations.sign_in_session import LimitRoleSignIn
from iam.changes.operations.spec import HIGH, NORMAL
from iam.changes.operations.subject import SubjectParams
from iam.changes.operations.tags import SetTags
from iam.changes.operations.user_credential import ACTIVATE, DEACTIVATE, SetStatus
from iam.changes.trust_policies import trust_meaning
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import Viewer
from iam.journal.models import Entry
from iam.mirror.models import Account, AccountFact, EdgeKind, Entity, Kind
from tests import factories
from tests.iam.changes.operations.stage import Stage

WRITER = "arn:aws:iam::111111111111:role/gatehouse-writer"


def trusting(principal: Any, **more: Any) -> str:
    """A trust policy of one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


EC2 = trusting({"Service": "ec2.amazonaws.com"})
INSIDE, OUTSIDE = trusting({"AWS": "111111111111"}), trusting({"AWS": "222222222222"})


class World:
    """An account with a few things in it, of the mirror alone."""

    def __init__(self) -> None:
        self.account: Account = factories.account(write_role_arn=WRITER)
        self.viewer: Viewer = factories.viewer(Role.ADMINISTRATOR)
        self.user = factories.user(self.account, "Kwame.Boateng")
        self.other = factories.user(self.account, "maya", credentials={"has_password": False, "mfa": "none"})
        self.group = factories.group(self.account, "deployers")
        self.role = factories.role(self.account, "app", trust=json.loads(EC2))
        self.linked = self._linked()
        self.own = factories.role(self.account, "gatehouse-writer", arn=WRITER)
        self.bound = factories.policy(self.account, "Bound")
        self.profile = factories.entity(self.account, Kind.INSTANCE_PROFILE, "web")

    def _linked(self) -> Entity:
        arn = (
            f"arn:aws:iam::{self.account.account_id}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
        )
        return factories.role(
            self.account, "AWSServiceRoleForX", arn=arn, path="/aws-service-role/x.amazonaws.com/"
        )

    def plan(self, operation: Operation) -> services.ChangePlan:
        """As an administrator."""
        return services.plan(operation, viewer=self.viewer)


@pytest.fixture
def world(db: None) -> World:
    """See World."""
    return World()


Make = Callable[[World], Operation]
AT = factories.FIRST_READ
REFUSED: dict[str, tuple[Make, str]] = {
    "a name that differs by case": (
        lambda w: CreateUser.of(w.account, name="kwame.boateng"),
        "a user named Kwame.Boateng already exists",
    ),
    "a name with a space": (lambda w: CreateUser.of(w.account, name="a b"), "UserName does not match"),
    "a path without a slash": (lambda w: CreateGroup.of(w.account, name="x", path="eng"), "Path does not"),
    "a name that is too long": (lambda w: CreateGroup.of(w.account, name="x" * 129), "the most is 128"),
    "a profile's name": (lambda w: CreateInstanceProfile.of(w.account, name="a/b"), "does not match"),
    "a user's new name that is taken": (
        lambda w: UpdateUser.of(w.user, new_name="MAYA", new_path="/"),
        "a user named maya already exists",
    ),
    "a name that it has": (
        lambda w: UpdateGroup.of(w.group, new_name="deployers", new_path="/"),
        "already has this name and path",
    ),
    "a trust that is no JSON": (lambda w: CreateRole.of(w.account, name="x", trust="{"), "line 1"),
    "a trust that names nobody": (
        lambda w: ReplaceTrustPolicy.of(w.role, document=EC2.replace("Principal", "Principle")),
        "The statement has no Principal .line 1.. Add Principal",
    ),
    "a trust with resources": (
        lambda w: ReplaceTrustPolicy.of(w.role, document=trusting({"AWS": "*"}, Resource="*")),
        "Resource",
    ),
    "a trust that is too long": (
        lambda w: ReplaceTrustPolicy.of(
            w.role, document=trusting({"AWS": [f"{n:012d}" for n in range(200)]})
        ),
        "2,048",
    ),
    "an identity policy for a trust": (
        lambda w: ReplaceTrustPolicy.of(w.role, document=json.dumps(factories.ALLOW_S3)),
        "Principal",
    ),
    "a trust that says the same": (
        lambda w: ReplaceTrustPolicy.of(
            w.role, document=EC2.replace('"sts:AssumeRole"', '["sts:AssumeRole"]')
        ),
        "already has this text",
    ),
    "the trust of a service's role": (
        lambda w: ReplaceTrustPolicy.of(w.linked, document=INSIDE),
        "Only its service",
    ),
    "a role among those of services": (
        lambda w: CreateRole.of(w.account, name="x", trust=EC2, path="/aws-service-role/x/"),
        "only AWS services",
    ),
    "a session that is too long": (
        lambda w: UpdateRole.of(w.role, **RoleSettings("", 43_201).params),
        "the most is 43200",
    ),
    "a session that is too short": (lambda w: UpdateRole.of(w.role, **RoleSettings("", 60).params), "3600"),
    "a role of a service among others": (
        lambda w: DeleteRole.of(w.linked),
        "Delete it as a service-linked role",
    ),
    "a service that has its role": (
        lambda w: CreateServiceLinkedRole.of(w.account, service="x.amazonaws.com"),
        "already has a service-linked role",
    ),
    "a boundary of a service's role": (
        lambda w: PutBoundary.of(w.linked, policy=w.bound),
        "can’t have a permissions boundary",
    ),
    "a boundary that is not there": (lambda w: DeleteBoundary.of(w.user), "has no permissions boundary"),
    "a key that is there twice": (
        lambda w: SetTags.of(w.user, tags={"Team": "a", "team": "b"}),
        "team is used twice",
    ),
    "a key of AWS": (lambda w: SetTags.of(w.user, tags={"aws:x": "y"}), "begins with aws:"),
    "too many tags": (
        lambda w: SetTags.of(w.role, tags={f"k{n}": "" for n in range(51)}),
        "the most is 50|AWS allows 50",
    ),
    "a value that is too long": (lambda w: SetTags.of(w.user, tags={"k": "v" * 257}), "the most is 256"),
    "the same tags": (lambda w: SetTags.of(w.user, tags={}), "already has these tags"),
    "sessions of a service's role": (
        lambda w: RevokeSessions.of_everybody(w.linked, at=AT),
        "service-linked",
    ),
    "sign-in sessions of a service's role": (
        lambda w: LimitRoleSignIn.on(w.linked, None, seconds=28_800),
        "service-linked",
    ),
    "someone who has left": (lambda w: DeleteUser.of(gone(w)), "no longer exists|already deleted"),
    "the trust of Gatehouse's own role": (
        lambda w: ReplaceTrustPolicy.of(w.own, document=INSIDE),
        "Gatehouse itself",
    ),
    "Gatehouse's own role": (lambda w: DeleteRole.of(w.own), "Gatehouse itself"),
    "the boundary of Gatehouse's own role": (
        lambda w: PutBoundary.of(w.own, policy=w.bound),
        "Gatehouse itself",
    ),
    "the tags of Gatehouse's own role": (
        lambda w: SetTags.of(w.own, tags={"a": "b"}),
        "Gatehouse itself",
    ),
    "the sessions of Gatehouse's own role": (
        lambda w: RevokeSessions.of_everybody(w.own, at=AT),
        "Gatehouse itself",
    ),
    "Gatehouse's own role in a profile": (
        lambda w: RoleInProfile.of(ADD_ROLE, w.profile, role=w.own),
        "Gatehouse itself",
    ),
}


def gone(world: World) -> Entity:
    """A user who has left."""
    return factories.user(world.account, "left", until=AT)


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_refused_before_aws_is_asked(world: World, what: str) -> None:
    make, why = REFUSED[what]
    with pytest.raises(RefusedError, match=why):
        world.plan(make(world))


def test_a_quota_of_the_account_is_kept(world: World) -> None:
    seen = {"valid_from": AT, "observed_at": AT}
    AccountFact.objects.create(account=world.account, name="summary", value={"UsersQuota": 2}, **seen)
    with pytest.raises(RefusedError, match="has 2 users, and AWS allows 2"):
        world.plan(CreateUser.of(world.account, name="third"))


def test_who_is_made_earlier_in_a_set_counts_for_the_quota(world: World) -> None:
    seen = {"valid_from": AT, "observed_at": AT}
    AccountFact.objects.create(account=world.account, name="summary", value={"UsersQuota": 3}, **seen)
    third, fourth = (CreateUser.of(world.account, name=name) for name in ("third", "fourth"))
    assert services.plan_set([third], viewer=world.viewer)
    with pytest.raises(RefusedError, match="has 3 users, and AWS allows 3"):
        services.plan_set([third, fourth], viewer=world.viewer)


def test_a_profile_holds_one_role(world: World) -> None:
    factories.edge(EdgeKind.PROFILE_ROLE, world.profile, factories.role(world.account, "first"))
    with pytest.raises(RefusedError, match="has the role first, and a profile can have only one"):
        world.plan(RoleInProfile.of(ADD_ROLE, world.profile, role=world.role))


def test_a_trust_may_be_longer_where_the_account_allows_it(world: World) -> None:
    seen = {"valid_from": AT, "observed_at": AT}
    value = {"AssumeRolePolicySizeQuota": 4096}
    AccountFact.objects.create(account=world.account, name="summary", value=value, **seen)
    text = trusting({"AWS": [f"{n:012d}" for n in range(1, 201)]})
    assert world.plan(ReplaceTrustPolicy.of(world.role, document=text))


CARE: dict[str, tuple[Make, str, tuple[str, ...]]] = {
    "a user": (lambda w: CreateUser.of(w.account, name="x"), NORMAL, ()),
    "a user who goes": (lambda w: DeleteUser.of(w.other), NORMAL, ()),
    "a role for a service": (lambda w: CreateRole.of(w.account, name="x", trust=EC2), NORMAL, ()),
    "a role for the account": (lambda w: CreateRole.of(w.account, name="x", trust=INSIDE), NORMAL, ()),
    "a role for another account": (
        lambda w: CreateRole.of(w.account, name="x", trust=OUTSIDE),
        HIGH,
        (risks.TRUST_OPENED,),
    ),
    "a trust in somebody else": (
        lambda w: ReplaceTrustPolicy.of(w.role, document=INSIDE),
        HIGH,
        (risks.TRUST_OPENED,),
    ),
    "a trust in nobody else": (
        lambda w: ReplaceTrustPolicy.of(w.role, document=EC2.replace("Allow", "Deny")),
        NORMAL,
        (),
    ),
    "a boundary": (lambda w: PutBoundary.of(w.user, policy=w.bound), NORMAL, ()),
    "another boundary": (lambda w: PutBoundary.of(bounded(w), policy=w.bound), HIGH, ()),
    "a boundary that goes": (lambda w: DeleteBoundary.of(bounded(w)), HIGH, (risks.BOUNDARY_REMOVED,)),
    "a role's boundary that goes": (
        lambda w: DeleteBoundary.of(bounded(w, w.role)),
        HIGH,
        (risks.BOUNDARY_REMOVED,),
    ),
    "a role for instances": (lambda w: RoleInProfile.of(ADD_ROLE, w.profile, role=w.role), HIGH, ()),
    "a key that works again": (
        lambda w: SetStatus.of(ACTIVATE[Kind.ACCESS_KEY], key(w, "Inactive")),
        HIGH,
        (),
    ),
    "a key that stops working": (
        lambda w: SetStatus.of(DEACTIVATE[Kind.ACCESS_KEY], key(w, "Active")),
        NORMAL,
        (),
    ),
    "sessions that end": (lambda w: RevokeSessions.of_everybody(w.role, at=AT), NORMAL, ()),
}


def bounded(world: World, who: Entity | None = None) -> Entity:
    """Somebody with a boundary."""
    holder = who or world.user
    factories.edge(EdgeKind.BOUNDARY, holder, factories.policy(world.account, "Former"))
    return holder


def key(w: World, status: str) -> Entity:
    """An access key of the user."""
    made = factories.entity(w.account, Kind.ACCESS_KEY, "AKIA1", category=status)
    made.owner = w.user
    made.save(update_fields=["owner"])
    return made


@pytest.mark.parametrize("what", CARE)
def test_how_much_care_an_operation_takes(world: World, what: str) -> None:
    make, care, named = CARE[what]
    operation = make(world)
    planned = world.plan(operation)
    assert (planned.receipt.body["sensitivity"], operation.risks()) == (care, named)


def test_a_trust_receipt_says_who_comes_in_and_who_goes(world: World) -> None:
    planned = world.plan(ReplaceTrustPolicy.of(world.role, document=OUTSIDE))
    assert planned.receipt.body["effect"]["notes"] == [
        "Can assume the role: AWS 222222222222.",
        "Can no longer assume the role: Service ec2.amazonaws.com.",
    ]


@pytest.mark.parametrize(
    ("account_id", "other", "are_same"),
    [
        (trusting({"AWS": "111111111111"}), trusting({"AWS": "arn:aws:iam::111111111111:root"}), True),
        (trusting({"AWS": ["1" * 12]}), trusting({"AWS": "1" * 12}), True),
        (trusting({"AWS": ["1" * 12, "2" * 12]}), trusting({"AWS": ["2" * 12, "1" * 12]}), True),
        (trusting({"AWS": "1" * 12}), trusting({"AWS": "2" * 12}), False),
        (EC2, trusting({"Service": "ec2.amazonaws.com"}, Condition={"Bool": {"a": "true"}}), False),
        ("{", "{ ", False),
    ],
)
def test_what_trust_policies_say_is_compared_and_not_how(account_id: str, other: str, are_same: bool) -> None:
    assert (trust_meaning(account_id) == trust_meaning(other)) is are_same


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": 7}, {"subject_arn": None}, {"subject_id": 1}])
def test_parameters_are_text(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be text"):
        SubjectParams(**{"name": "x", "subject_arn": "arn:x", "subject_id": ""} | wrong)


def test_a_renamed_group_by_which_teams_find_their_people_is_named(world: World) -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="deployers")
    planned = world.plan(UpdateGroup.of(world.group, new_name="shippers", new_path="/"))
    assert planned.receipt.body["effect"]["notes"] == [
        "Payments use this name in their team rules. Add the new name to those rules."
    ]


def test_a_person_keeps_the_user_that_is_renamed(stage: Stage) -> None:
    user = stage.user()
    someone = factories.person("Kwame Boateng", arns=(user.arn,))
    name = stage.name("renamed")

    (change,) = stage.carry_out(UpdateUser.of(user, new_name=name, new_path="/eng/"))

    new_arn = f"arn:aws:iam::{stage.account.account_id}:user/eng/{name}"
    assert [identity.user_arn for identity in someone.identities.all()] == [new_arn]
    stage.undo(change)
    assert [identity.user_arn for identity in someone.identities.all()] == [user.arn]
    followed = Entry.objects.filter(kind="identity.follow").order_by("id")
    assert [json.loads(entry.data_json)["former"] for entry in followed] == [user.arn, new_arn]


def test_a_receipt_names_the_limit_that_a_change_replaces(world: World) -> None:
    limits = {"Description": "", "MaxSessionDuration": 7200, "MaxSigninSessionDuration": 7_776_000}
    role = factories.role(world.account, "shop", attrs=limits)
    longer = UpdateRole.of(role, **RoleSettings("", 43_200).params)
    assert "Until now: 120 minutes at most." in longer.effect().notes
    described = UpdateRole.of(role, **RoleSettings("Runs the shop", 7200).params)
    assert not [note for note in described.effect().notes if "Until now" in note]
    limited = LimitRoleSignIn.on(role, state_of(role), seconds=28_800)
    assert "Until now: at most 90 days." in limited.effect().notes
    unknown = LimitRoleSignIn.on(world.role, state_of(world.role), seconds=28_800)
    assert "No former limit is known." in unknown.effect().notes


def test_one_change_of_a_boundary_is_open_at_a_time(world: World) -> None:
    for holder in (bounded(world), bounded(world, world.role)):
        put, delete = PutBoundary.of(holder, policy=world.bound), DeleteBoundary.of(holder)
        other = put.with_params(boundary=f"{world.bound.arn}-other")
        for wanted in (put, delete):
            for standing in (put, delete, other):
                assert wanted.excludes(standing.slug, standing.params)
            assert not wanted.excludes(f"{wanted.subject_kind}.rename", {})
