"""What one principal can do, told from the rows of the mirror; the expected answers are written by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from iam.access.effective import AccessGrade, EffectiveAccess, access_of
from iam.mirror.models import EdgeKind, Entity
from iam.policy.catalogue import AccessLevel, catalogue
from tests import factories
from tests.console.access.effective.conftest import BUCKET, Place, allow

pytestmark = pytest.mark.django_db


def access(entity: Entity) -> EffectiveAccess:
    access = access_of(entity.pk, account=entity.account.account_id, at=None)
    assert access is not None
    return access


def test_services_are_those_of_which_something_is_allowed(place: Place) -> None:
    by_prefix = {service.prefix: service for service in access(place.maya).services}
    assert set(by_prefix) == {"s3", "iam", "sqs"}
    assert by_prefix["s3"].title == "Amazon S3"
    assert {grade: by_prefix["s3"].sum(grade) for grade in AccessGrade} == {
        "everywhere": 0,
        "limited": 1,
        "conditional": 0,
    }
    assert by_prefix["s3"].levels[AccessLevel.READ].limited == 1
    assert by_prefix["sqs"].sum(AccessGrade.CONDITIONAL) == 2
    assert by_prefix["iam"].allowed == 1


def test_what_needs_no_permission_is_not_counted(place: Place) -> None:
    assert access(place.tomas).services == []


def test_resources_are_those_of_the_statements_that_allow(place: Place) -> None:
    of_maya = access(place.maya)
    assert of_maya.resources("s3") == (BUCKET,)
    assert of_maya.resources("iam") == ("arn:aws:iam::111111111111:role/pay-deploy",)
    assert access(place.role).resources("dynamodb") is None


def test_actions_tell_by_which_statement_of_which_policy_through_which_group(place: Place) -> None:
    (action,) = access(place.maya).actions("iam")
    assert (action.name, action.level, action.grade) == (
        "iam:PassRole",
        AccessLevel.WRITE,
        AccessGrade.CONDITIONAL,
    )
    (says,) = action.allows
    assert (says.held.policy.name, says.held.policy.pk) == ("PaymentsDeploy", place.deploy.pk)
    assert says.held.group is not None
    assert (says.held.group.name, says.held.group.pk) == ("payments", place.payments.pk)
    assert (says.statement.index, says.statement.sid) == (1, "PassDeployRole")


def test_a_denial_of_a_part_stands_beside_what_it_takes_away(place: Place) -> None:
    document = allow("s3:GetObject", on="arn:aws:s3:::ledger/secret/*")
    document["Statement"][0]["Effect"] = "Deny"
    factories.inline(place.maya, "not-secret", body=document)
    (action,) = access(place.maya).actions("s3")
    assert action.grade is AccessGrade.LIMITED
    assert [says.held.policy.name for says in action.denies] == ["not-secret"]


def test_a_statement_that_cannot_apply_to_the_person_is_not_shown(place: Place) -> None:
    other = {"StringEquals": {"aws:username": "somebody.else"}}
    factories.inline(place.tomas, "others", body=allow("s3:PutObject", Condition=other))
    assert access(place.tomas).applicable_statements == ()
    assert access(place.tomas).services == []


def test_a_boundary_takes_away_what_it_does_not_allow(place: Place) -> None:
    boundary = factories.policy(place.account, "Boundary", body=allow("s3:*"))
    factories.edge(EdgeKind.BOUNDARY, place.maya, boundary)
    of_maya = access(place.maya)
    assert [service.prefix for service in of_maya.services] == ["s3"]
    assert of_maya.basis.boundary == "Boundary"


def test_names_that_aws_does_not_list_are_kept_apart(place: Place) -> None:
    factories.inline(place.tomas, "odd", body=allow("s3:InventedAction", "nowhere:Do"))
    by_prefix = {service.prefix: service for service in access(place.tomas).services}
    assert (by_prefix["s3"].unlisted, by_prefix["s3"].allowed, by_prefix["nowhere"].unlisted) == (1, 0, 1)
    (action,) = access(place.tomas).actions("s3")
    assert (action.name, action.level, action.grade) == ("s3:InventedAction", None, AccessGrade.EVERYWHERE)


def test_an_administrator_is_one_only_with_everything_everywhere(place: Place) -> None:
    factories.inline(place.tomas, "all", body=allow("*"))
    of_tomas = access(place.tomas)
    assert of_tomas.is_full
    assert of_tomas.passes_roles
    assert (
        sum(service.allowed for service in of_tomas.services) == len(catalogue()) - 2
    )  # two sts actions need no permission
    factories.inline(place.role, "most", body=allow("*", on="arn:aws:s3:::*"))
    assert not access(place.role).is_full


def test_policies_are_counted_once_and_bad_ones_are_named(place: Place) -> None:
    factories.edge(EdgeKind.ATTACHED, place.maya, place.deploy)
    factories.inline(place.maya, "broken", body="{ this is no JSON")
    basis = access(place.maya).basis
    assert (basis.policies, basis.boundary, basis.scps, basis.rcps) == (3, "", 0, 0)
    ((kind, name, problem),) = basis.unread
    assert (str(kind), name) == ("identity", "inline policy broken")
    assert "isn’t valid JSON" in problem


def test_a_past_moment_is_answered_from_the_rows_of_then(place: Place) -> None:
    later = factories.FIRST_READ + timedelta(days=10)
    factories.inline(place.tomas, "later", body=allow("ec2:RunInstances"), since=later)
    number = place.account.account_id
    then = access_of(place.tomas.pk, account=number, at=later - timedelta(days=1))
    now = access_of(place.tomas.pk, account=number, at=None)
    assert then is not None
    assert now is not None
    assert (then.services, [service.prefix for service in now.services]) == ([], ["ec2"])


def test_who_is_not_in_the_index_has_no_answer(place: Place) -> None:
    assert access_of(place.payments.pk, account=place.account.account_id, at=None) is None
    assert access_of(place.maya.pk, account="999999999999", at=None) is None
