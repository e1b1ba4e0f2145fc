"""The index that the rows of the mirror make, now and at a past moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from iam.mirror.models import Account, AccountFact, Edge, EdgeKind, Kind, TagSet
from iam.mirror.snapshot import PAST_KEPT, _moments, snapshot
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.question import AccessQuestion
from tests import factories as make

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

LATER = make.FIRST_READ + timedelta(days=30)
READ = AccessQuestion("s3:GetObject", "arn:aws:s3:::prod-data/x")


def say(effect: str, action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    """A document of one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def who(question: AccessQuestion = READ, **at: Any) -> dict[str, str]:
    """Names with decisions."""
    with snapshot(**at) as index:
        answer = index.who_can(question)
        return {member.name: str(each.decision) for each in answer.groups_of() for member in each.members}


@pytest.fixture
def production() -> Account:
    return make.account()


def test_policies_come_inline_attached_and_through_groups(production: Account) -> None:
    group, managed = make.group(production), make.policy(production)
    make.edge(EdgeKind.ATTACHED, group, managed)
    make.edge(EdgeKind.MEMBER, make.user(production, "maya"), group)
    make.edge(EdgeKind.ATTACHED, make.role(production, "app"), managed)
    make.inline(make.user(production, "tomas"))
    make.user(production, "nobody")
    assert who() == {"maya": "allowed", "app": "allowed", "tomas": "allowed"}


def test_a_boundary_limits(production: Account) -> None:
    user = make.user(production, "maya")
    make.inline(user, body=say("Allow", "s3:*"))
    make.edge(EdgeKind.BOUNDARY, user, make.policy(production, "Limit", body=say("Allow", "ec2:*")))
    assert who() == {}


def test_tags_of_principals_are_known_and_missing_ones_are_absent(production: Account) -> None:
    body = say("Allow", "s3:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    for name, tags in (("maya", {"team": "red"}), ("tomas", {"team": "blue"}), ("priya", None)):
        user = make.user(production, name)
        make.inline(user, body=body)
        if tags:
            TagSet.objects.create(
                account=production,
                entity=user,
                tags=tags,
                valid_from=make.FIRST_READ,
                observed_at=make.FIRST_READ,
            )
    assert who() == {"maya": "allowed"}


def test_only_the_default_version_of_a_policy_counts(production: Account) -> None:
    policy, user = make.policy(production, body=say("Allow", "ec2:*")), make.user(production, "maya")
    make.edge(EdgeKind.ATTACHED, user, policy)
    version = policy.versions.get()
    new = type(version).objects.get(pk=version.pk)
    new.pk, new.version_id, new.is_default = None, "v2", False
    new.document = make.document(say("Allow", "s3:*"))
    new.save()
    assert who() == {}


def test_a_policy_whose_document_was_not_read_is_told_of(production: Account) -> None:
    policy = make.entity(production, Kind.POLICY, "Unknown", attrs={"IsPlaceholder": True})
    make.edge(EdgeKind.ATTACHED, make.user(production, "maya"), policy)
    with snapshot() as index:
        answer = index.who_can(READ)
        assert [limit.kind for limit in answer.limitations] == ["own-account", "unreadable"]
        assert answer.limitations[1].accounts == (production.account_id,)


def test_a_trust_policy_lets_principals_of_other_accounts_in(production: Account) -> None:
    other = make.account("222222222222", name="other")
    make.role(
        production,
        "target",
        trust={
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": other.account_id}, "Action": "sts:AssumeRole"}
            ],
        },
    )
    for account in (production, other):
        make.inline(make.user(account, f"maya-{account.name}"), body=say("Allow", "sts:AssumeRole"))
    question = AccessQuestion("sts:AssumeRole", f"arn:aws:iam::{production.account_id}:role/target")
    assert who(question) == {"maya-other": "allowed"}


def test_a_past_moment_is_answered_from_the_rows_of_then(production: Account) -> None:
    user, group, managed = make.user(production, "maya"), make.group(production), make.policy(production)
    make.edge(EdgeKind.ATTACHED, group, managed)
    make.edge(EdgeKind.MEMBER, user, group, until=LATER)
    gone = make.user(production, "gone", until=LATER)
    make.edge(EdgeKind.MEMBER, gone, group, until=LATER)
    assert who() == {}
    assert who(at=LATER - timedelta(seconds=1)) == {"maya": "allowed", "gone": "allowed"}
    assert who(at=LATER) == {}
    assert who(at=make.FIRST_READ - timedelta(days=1)) == {}


def test_past_moments_do_not_pile_up(production: Account) -> None:
    make.user(production)
    who()
    for days in range(PAST_KEPT + 3):
        who(at=LATER + timedelta(days=days))
    assert len(_moments) == PAST_KEPT + 1
    assert None in _moments


def test_accounts_that_are_not_asked_about_are_not_read(production: Account) -> None:
    other = make.account("222222222222", name="other")
    for account in (production, other):
        make.inline(make.user(account, f"maya-{account.name}"))
    with snapshot(accounts=[other.account_id]) as index:
        assert list(index.accounts) == [other.account_id]
    assert set(who()) == {"maya-production", "maya-other"}


def test_a_removed_account_is_left_out(production: Account) -> None:
    make.inline(make.user(production, "maya"))
    assert set(who()) == {"maya"}
    production.removed_at = timezone.now()
    production.save()
    assert who() == {}


def organization(shown_by: Account, *members: Account, scp: dict[str, Any]) -> Any:
    """A root with one unit in which all accounts lie; the SCP is attached to the unit. Gives its edge."""
    full = make.document(say("Allow", "*"))
    types = {"PolicyTypes": ["SERVICE_CONTROL_POLICY"]}
    root = make.entity(shown_by, Kind.ORG_ROOT, "root", arn="", attrs=types)
    unit = make.entity(shown_by, Kind.ORG_UNIT, "unit", arn="")
    make.edge(EdgeKind.PARENT, unit, root)
    allow = make.entity(shown_by, Kind.SCP, "FullAWSAccess", arn="", document=full)
    deny = make.entity(shown_by, Kind.SCP, "Own", arn="", document=make.document(scp))
    places = [root, unit]
    for account in (shown_by, *members):
        place = make.entity(shown_by, Kind.ORG_ACCOUNT, account.name, arn="")
        place.aws_id = account.account_id
        place.save()
        make.edge(EdgeKind.PARENT, place, unit)
        places.append(place)
        AccountFact.objects.create(
            account=account,
            name="organization",
            value={"Id": "o-one", "ManagementAccountId": shown_by.account_id},
            valid_from=make.FIRST_READ,
            observed_at=make.FIRST_READ,
        )
    for place in places:
        make.edge(EdgeKind.TARGET, allow, place)
    return make.edge(EdgeKind.TARGET, deny, unit)


def test_service_control_policies_bind_members_and_not_the_management_account(production: Account) -> None:
    member = make.account("222222222222", name="member")
    organization(production, member, scp=say("Deny", "s3:*"))
    for account in (production, member):
        make.inline(make.user(account, f"maya-{account.name}"))
    assert set(who()) == {"maya-production"}
    with snapshot() as index:
        standing = index.accounts[member.account_id].standing
        assert [len(level) for level in standing.scps] == [1, 2, 1]
        root, unit = (e.aws_id for e in standing_places())
        assert standing.paths == (f"o-one/{root}/{unit}/",)
        assert index.accounts[production.account_id].standing.is_management


def standing_places() -> list[Any]:
    """The root and the unit."""
    edges = Edge.objects.filter(kind=EdgeKind.PARENT, target__kind=Kind.ORG_ROOT).select_related(
        "source", "target"
    )
    edge = edges.get()
    return [edge.target, edge.source]


def test_service_control_policies_of_then_bind_then(production: Account) -> None:
    member = make.account("222222222222", name="member")
    tie = organization(production, member, scp=say("Deny", "s3:*"))
    make.inline(make.user(member, "maya"))
    make.ends(tie, at=LATER)
    assert who() == {"maya": "allowed"}
    assert who(at=LATER - timedelta(days=1)) == {}


def test_an_organization_whose_policies_nobody_has_read_is_told_of(production: Account) -> None:
    make.inline(make.user(production, "maya"))
    AccountFact.objects.create(
        account=production,
        name="organization",
        value={"Id": "o-far", "ManagementAccountId": "999999999999"},
        valid_from=make.FIRST_READ,
        observed_at=make.FIRST_READ,
    )
    with snapshot() as index:
        answer = index.who_can(READ)
        assert answer.count(EvaluationDecision.ALLOWED) == 1
        assert [limit.kind for limit in answer.limitations] == ["own-account", "control-policies"]


def test_asking_again_costs_one_query(
    production: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make.inline(make.user(production, "maya"))
    who()
    with django_assert_num_queries(1):
        assert who() == {"maya": "allowed"}


def test_reading_costs_as_many_queries_for_many_as_for_few(
    production: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    group, managed = make.group(production), make.policy(production)
    make.edge(EdgeKind.ATTACHED, group, managed)
    for number in range(60):
        make.edge(EdgeKind.MEMBER, make.user(production, f"user-{number}"), group)
    # Accounts, states, edges, inline, versions, tags, facts, the tree, documents.
    with django_assert_num_queries(9):
        assert len(who()) == 60
