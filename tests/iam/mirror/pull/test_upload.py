"""An uploaded export becomes what a pull of the same account would have made of the bulk answer, and nothing
more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from iam.aws.export import parse_export
from iam.aws.reads.credential_report import parse_credential_report
from iam.mirror.models import (
    Account,
    Document,
    Edge,
    Entity,
    EntityState,
    InlinePolicy,
    PolicyVersion,
    Pull,
    Section,
    Usage,
    UserCredentials,
)
from iam.mirror.models.accounts import PullState
from iam.mirror.pull.reformatted_documents import content_of
from iam.mirror.pull.sections import AUTHORIZATION
from iam.mirror.pull.upload import load_export
from iam.mirror.queries.moments import account_moments, entity_moments
from tests import factories
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.conftest import redraw
from tests.iam.mirror.pull.picture import picture, rows, seen, source

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
MADE = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
LATER = MADE + timedelta(days=2)


@pytest.fixture
def uploaded(world: World, db: None) -> Account:
    return factories.account("111111111111", source="export", role_arn="")


def export_of(world: World) -> Any:
    """What `aws iam get-account-authorization-details` writes to a file."""
    client = boto3.client("iam", region_name="us-east-1")
    pages = client.get_paginator("get_account_authorization_details").paginate().build_full_result()
    return parse_export(json.dumps(pages, default=str).encode())


def meaning(shown: dict[str, Any]) -> dict[str, Any]:
    """A picture in which documents are what they mean: an export has lost their wording."""
    return {
        **shown,
        "inline": {key: json.loads(text) for key, text in shown["inline"].items()},
        "versions": {key: (json.loads(text), default) for key, (text, default) in shown["versions"].items()},
    }


@pytest.mark.parametrize("is_upload_first", [True, False])
def test_a_document_in_another_wording_is_no_change_and_one_that_says_something_else_is(
    world: World, account: Account, pull: Callable[..., Pull], is_upload_first: bool
) -> None:
    """The CLI prints documents as JSON, so an export never has the wording of AWS."""

    def upload() -> Pull:
        return load_export(account, export_of(world), observed_at=datetime.now(tz=UTC))

    steps = [upload, lambda: pull(account)] if is_upload_first else [lambda: pull(account), upload]
    steps[0]()
    before = set(Document.objects.values_list("text", flat=True))
    steps[1]()
    assert set(Document.objects.values_list("text", flat=True)) > before, "the wording differs"
    for model in (InlinePolicy, PolicyVersion):
        assert not model.objects.filter(account=account, valid_to__isnull=False).exists()
    ended = EntityState.objects.filter(account=account, valid_to__isnull=False)
    assert not ended.exists()
    if is_upload_first:
        assert seen(picture(account))["inline"] == source(world)["inline"], "as AWS writes them now"


@pytest.mark.parametrize(
    ("word", "other", "is_same"),
    [
        ('{"Effect":"Allow"}', '{ "Effect" :\n"Allow" }', True),
        ('{"Resource":"a\\/b"}', '{"Resource": "a/b"}', True),
        ('{"Effect":"Allow"}', '{"Effect":"Deny"}', False),
        ('{"Action":["a","b"]}', '{"Action":["b","a"]}', False),
        ('{"A":1,"A":2}', '{"A":2}', False),
        ('{"A":"1"}', '{"A":1}', False),
        ('{"A":true}', '{"A":1}', False),
        ("no JSON", "no  JSON", False),
    ],
)
def test_only_the_wording_is_passed_over(word: str, other: str, is_same: bool) -> None:
    assert (content_of(word) == content_of(other)) is is_same


def report_of(world: World) -> Any:
    world.iam.report.generate(world.account.users)
    assert world.iam.report.content is not None
    return parse_credential_report(world.iam.report.content.encode(), generated_at=MADE)


def test_an_upload_shows_the_account_as_of_its_moment(world: World, uploaded: Account) -> None:
    done = load_export(uploaded, export_of(world), observed_at=MADE)
    assert (done.state, done.trigger, done.calls) == (PullState.COMPLETE, "upload", 0)
    assert meaning(seen(picture(uploaded))) == meaning(source(world))
    synced = Section.objects.filter(observed_at__isnull=False)
    assert dict(synced.values_list("name", "observed_at")) == dict.fromkeys(AUTHORIZATION, MADE)
    others = Section.objects.filter(observed_at__isnull=True).exclude(state="never")
    assert list(others.values_list("name", "state")) == [("instance_profiles", "partial")]
    assert set(EntityState.objects.values_list("valid_from", flat=True)) == {MADE}
    assert set(UserCredentials.objects.values_list("mfa", "has_password")) == {("unread", None)}
    assert Usage.objects.count() == len(world.account.users + world.account.roles)


def profiles_of(account: Account) -> dict[str, list[str]]:
    """The instance profiles that the mirror holds, each with the names of its roles."""
    profiles = Entity.objects.filter(account=account, kind="instance-profile", gone_at__isnull=True)
    roles = Edge.objects.filter(kind="profile-role", valid_to__isnull=True)
    return {
        profile.name: list(roles.filter(source=profile).values_list("target__name", flat=True))
        for profile in profiles
    }


def test_an_upload_brings_the_instance_profiles_of_its_roles(world: World, uploaded: Account) -> None:
    expected = {name: [role["name"]] for role in world.account.roles for name, _, _ in role["profiles"]}
    assert expected
    load_export(uploaded, export_of(world), observed_at=MADE)
    assert profiles_of(uploaded) == expected
    section = Section.objects.get(name="instance_profiles")
    assert (section.state, section.count, section.observed_at) == ("partial", len(expected), None)
    assert section.message == "An export lists only the instance profiles that have a role."


def test_a_profile_that_a_later_export_does_not_name_has_no_role_but_is_not_gone(
    world: World, uploaded: Account
) -> None:
    load_export(uploaded, export_of(world), observed_at=MADE)
    before = profiles_of(uploaded)
    role = next(role for role in world.account.roles if role["profiles"])
    lost = role["profiles"].pop()[0]
    redraw(world)
    load_export(uploaded, export_of(world), observed_at=LATER)
    assert profiles_of(uploaded) == {**before, lost: []}
    assert Edge.objects.get(source__name=lost, kind="profile-role").valid_to == LATER


def test_the_moments_of_an_upload_are_those_of_its_file(world: World, uploaded: Account) -> None:
    done = load_export(uploaded, export_of(world), observed_at=MADE)
    assert done.began_at == MADE
    assert done.seconds is not None
    assert 0 <= done.seconds < 60
    for account in (uploaded, None):
        then = account_moments(account, at=MADE + timedelta(days=1))
        assert (then.earliest, then.read_at) == (MADE, MADE)
        assert account_moments(account, at=MADE - timedelta(days=1)).read_at is None
    user = Entity.objects.filter(kind="user").first()
    assert user is not None
    assert entity_moments(user, at=MADE + timedelta(days=1)).read_at == MADE


def test_a_report_that_comes_along_gives_the_credentials(world: World, uploaded: Account) -> None:
    load_export(uploaded, export_of(world), observed_at=MADE, credential_report=report_of(world))
    assert Section.objects.get(name="credential_report").observed_at == MADE
    for user in world.account.users:
        row = UserCredentials.objects.get(user__aws_id=user["id"])
        has_mfa = bool(user["mfa"] or user["security_key"])
        assert (row.has_password, row.mfa) == (bool(user["login"]), "unknown" if has_mfa else "none")
        assert row.keys == len(user["keys"])


def test_a_second_upload_writes_what_changed(world: World, uploaded: Account) -> None:
    load_export(uploaded, export_of(world), observed_at=MADE, credential_report=report_of(world))
    shown = picture(uploaded)
    again = load_export(
        uploaded, export_of(world), observed_at=MADE + timedelta(days=1), credential_report=report_of(world)
    )
    assert (again.added, again.changed, again.ended) == (0, 0, 0)
    world.mutate(3)
    gone = world.account.users.pop(0)
    redraw(world)
    done = load_export(uploaded, export_of(world), observed_at=LATER)
    assert done.ended == 1
    assert meaning(seen(picture(uploaded))) == meaning(source(world))
    assert picture(uploaded, at=MADE + timedelta(days=1)) == shown
    assert Entity.objects.get(aws_id=gone["id"]).gone_at == LATER


def test_an_unusual_loss_between_two_uploads_is_held_back(world: World, uploaded: Account) -> None:
    load_export(uploaded, export_of(world), observed_at=MADE)
    before = rows(uploaded)["EntityState"][1]
    del world.account.users[:20]
    redraw(world)
    pull = load_export(uploaded, export_of(world), observed_at=LATER)
    assert pull.state == PullState.HELD
    assert rows(uploaded)["EntityState"][1] == before
    done = load_export(uploaded, export_of(world), observed_at=LATER + timedelta(1), accept_loss=True)
    assert done.ended == 20


def test_an_export_of_another_account_is_refused(world: World, db: None) -> None:
    other = factories.account("222222222222", source="export")
    with pytest.raises(ValueError, match="111111111111"):
        load_export(other, export_of(world), observed_at=MADE)
    assert not Pull.objects.exists()


def test_an_account_that_is_connected_later_goes_on_from_the_upload(
    world: World, uploaded: Account, pull: Callable[..., Pull]
) -> None:
    load_export(uploaded, export_of(world), observed_at=MADE)
    ids = set(Entity.objects.filter(kind="user").values_list("pk", flat=True))
    Account.objects.filter(pk=uploaded.pk).update(source="environment")
    uploaded.refresh_from_db()
    assert pull(uploaded).state == PullState.COMPLETE
    assert set(Entity.objects.filter(kind="user").values_list("pk", flat=True)) == ids
    assert EntityState.objects.filter(kind="user").count() == len(ids)
    assert meaning(seen(picture(uploaded))) == meaning(source(world))
