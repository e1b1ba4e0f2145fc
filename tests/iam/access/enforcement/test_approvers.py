"""An MFA policy whose users include everybody who could approve it: what the page offers instead, and that
each offer can be approved.
"""

from __future__ import annotations

import pytest
from django.test import Client

from iam.access.enforcement.approvers import (
    approvers_elsewhere,
    approvers_of,
    narrowed,
    parts_of,
    users_of_people,
)
from iam.access.enforcement.scope import scope_of
from iam.access.enforcement.services import (
    EnforcementForecast,
    operations_for,
    request_enforcement,
    situations_in_scope,
)
from iam.changes import services
from iam.changes.approval.possible_approvers import PossibleApprovers
from iam.directory.models import Person, Role
from iam.guard import Viewer, viewer_for
from iam.linking.refresh import refresh_links
from iam.mirror.models import Account, TagSet
from tests import factories
from tests.iam.access.enforcement.test_check import account, user

__all__ = ["account"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def ines() -> Viewer:
    person = factories.person("Ines Duarte")
    factories.assign(person, Role.ADMINISTRATOR)
    return viewer_for(person)


def approver(account: Account, name: str, login: str = "", *, where: str = "") -> Person:
    arns = (user(account, login).arn,) if login else ()
    person = factories.person(name, arns=arns)
    factories.assign(person, Role.APPROVER, account_id=where)
    return person


def seen_by(viewer: Viewer, account: Account) -> tuple[EnforcementForecast, PossibleApprovers]:
    seen = situations_in_scope(viewer, scope=scope_of(account, path="/"), denies_keys=True)
    planned = services.plan_set(operations_for(seen), viewer=viewer)
    return seen, approvers_of(seen, planned, viewer=viewer)


def test_everybody_else_and_the_approvers_apart_can_be_approved(ines: Viewer, account: Account) -> None:
    for name in ("kwame", "maya"):
        user(account, name)
    people = [
        approver(account, name, name.split()[0].lower()) for name in ("Hana Sato", "Jonas Berg", "Otto Lind")
    ]
    seen, approvers = seen_by(ines, account)
    assert not approvers.is_possible_now
    assert set(approvers.subjects) == {person.pk for person in people}
    rest, *others = parts_of(seen, approvers, viewer=ines)
    assert (rest.count, rest.people, rest.problem) == (2, {}, "")
    assert len(rest.approvers) == 3
    # Each approver's own user is approved by the others.
    assert [list(part.people.values()) for part in others] == [["Hana Sato"], ["Jonas Berg"], ["Otto Lind"]]
    for part in others:
        assert part.problem == ""
        assert not set(part.approvers) & set(part.people.values())


def test_an_approver_without_a_user_in_scope_makes_it_two_requests_or_one(
    ines: Viewer, account: Account
) -> None:
    user(account, "kwame")
    approver(account, "Hana Sato", "hana")
    approver(account, "Jonas Berg")
    approver(account, "Otto Lind")
    _, approvers = seen_by(ines, account)
    assert approvers.is_possible_now


def test_where_one_approver_is_left_the_problem_of_their_own_user_is_said(
    ines: Viewer, account: Account
) -> None:
    user(account, "kwame")
    approver(account, "Hana Sato", "hana")
    seen, approvers = seen_by(ines, account)
    rest, own = parts_of(seen, approvers, viewer=ines)
    assert (rest.count, own.count) == (1, 1)
    assert "No one can approve" in own.problem


def test_a_part_is_requested_for_its_users_only_and_says_who_is_left_out(
    ines: Viewer, account: Account
) -> None:
    kwame = user(account, "kwame")
    hana = approver(account, "Hana Sato", "hana")
    seen, _ = seen_by(ines, account)
    rest = narrowed(seen, skip=[hana.pk])
    assert list(rest.users) == [kwame.pk]
    assert [user.name for user in narrowed(seen, only=[hana.pk]).users.values()] == ["hana"]
    assert rest.digest != seen.digest
    made = request_enforcement(ines, seen=rest, reason="PCI", idempotency_key="k", left_out=[hana.name])
    attached = made.change_set.changes.filter(operation="attachment.attach")
    assert [change.subject_arn for change in attached] == [kwame.arn]
    assert any("The IAM users of Hana Sato are not included" in note for note in made.change_set.notes)
    assert made.change_set.title == "Require MFA for 1 of 2 IAM users in production"


def test_a_user_that_only_a_tag_says_to_be_an_approvers_counts_as_theirs(
    ines: Viewer, account: Account
) -> None:
    hana = approver(account, "Hana Sato")
    tagged = user(account, "x-4711")
    at = factories.FIRST_READ
    TagSet.objects.create(
        entity=tagged, account=account, tags={"email": hana.email}, valid_from=at, observed_at=at
    )
    refresh_links()
    seen = situations_in_scope(ines, scope=scope_of(account, path="/"), denies_keys=True)
    assert users_of_people(seen, [hana.pk]) == {hana.pk: {tagged.pk}}


def test_approvers_of_other_accounts_are_named(ines: Viewer, account: Account) -> None:
    other = factories.account("222222222222", name="data")
    hana = approver(account, "Hana Sato", "hana")
    approver(account, "Zoe Elsewhere", where=other.account_id)
    assert approvers_elsewhere(account, but=[hana.pk]) == ["Zoe Elsewhere"]


def test_the_page_offers_the_parts_and_no_request_that_nobody_could_approve(account: Account) -> None:
    user(account, "kwame")
    approver(account, "Hana Sato", "hana")
    approver(account, "Jonas Berg", "jonas")
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    address = f"/mfa/enforce/?in={account.account_id}&who=path&path=/&keys=denied"
    page = client.get(address).content.decode()
    assert "No one can approve this as one request" in page
    assert "Everyone else: 1 IAM user" in page
    assert "Submit request" not in page
    skip = ",".join(str(person.pk) for person in Person.objects.filter(name__in=["Hana Sato", "Jonas Berg"]))
    rest = client.get(f"{address}&skip={skip}").content.decode()
    assert "Without the IAM users of Hana Sato, Jonas Berg" in rest
    assert "1 of 3 IAM users" in rest
    assert "all IAM users" not in rest
    assert "Submit request" in rest
