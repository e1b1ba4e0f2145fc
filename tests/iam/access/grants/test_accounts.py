"""Grants over several accounts of the stand-in, which lets in only those whom it would let in: one grant, a
part for each.
"""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError

from iam.access.grants import services
from iam.access.grants.models import GrantState, PermissionSort
from iam.access.grants.terms import GrantTerms, WhoKind, WhoTerms
from iam.changes.models import Change
from tests.iam.access.grants.conftest import Office, statements

pytestmark = pytest.mark.on_postgresql


def _terms(office: Office, there: Office, *arns: str) -> GrantTerms:
    return GrantTerms(
        who=WhoTerms(WhoKind.USERS, arns=arns),
        what=statements(),
        accounts=(office.number, there.number),
        why="The migration",
        lasts=3600,
    )


def test_one_grant_gives_in_each_account_by_itself_and_what_failed_is_tried_again(
    office: Office, there: Office
) -> None:
    here, other = office.scene.user, there.user("kwame")
    grant = office.approve(office.ask(_terms(office, there, here.arn, other.arn)))
    assert Change.objects.filter(change_set__cause_id=grant.pk).values("change_set").distinct().count() == 1
    there.call("UpdateUser", UserName=other.name, NewUserName=f"away-{there.suffix}")
    grant = office.work(grant)
    states = {part.account.account_id: part.state for part in grant.parts.select_related("account")}
    assert states == {office.number: GrantState.ACTIVE, there.number: GrantState.PARTLY}
    assert grant.state == GrantState.PARTLY
    there.call("UpdateUser", UserName=f"away-{there.suffix}", NewUserName=other.name)
    part = grant.parts.get(account=there.scene.account)
    grant = office.work(services.retry_part(part, actor=office.asks))
    assert grant.state == GrantState.ACTIVE
    assert len(there.holds(other)[1]) == 1
    assert office.ended(grant).state == GrantState.ENDED
    assert there.holds(other) == office.holds() == (set(), set(), set())


def test_somebody_without_a_user_there_assumes_a_role_until_the_grant_ends(
    office: Office, there: Office
) -> None:
    user = office.scene.user
    terms = replace(_terms(office, there, user.arn), accounts=(there.number,))
    grant = office.granted(terms)
    assert (grant.state, grant.parts.get().way) == (GrantState.ACTIVE, "role")
    role = next(entry.holder_arn for entry in office.entries(grant) if entry.sort == PermissionSort.ROLE)
    own = office.call("CreateAccessKey", UserName=user.name)["AccessKey"]
    assert _assumes(office, own, role, session=user.name)
    # They cannot call their sessions by another name, so theirs can be told from others.
    assert not _assumes(office, own, role, session="somebody")
    assert office.ended(grant).state == GrantState.ENDED
    assert not _assumes(office, own, role, session=user.name)
    assert office.holds() == (set(), set(), set())


def _assumes(office: Office, key: dict[str, str], role: str, *, session: str) -> bool:
    sts = boto3.client(
        "sts",
        endpoint_url=office.scene.standin.url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    try:
        sts.assume_role(RoleArn=role, RoleSessionName=session)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True
