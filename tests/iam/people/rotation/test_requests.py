"""Who may begin a rotation, of what, and what stands in its way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.services import reject
from iam.directory.models import Identity, NamedOwner, Person, Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.linking.key_owners import set_key_owner
from iam.mirror.models import Entity
from iam.people.rotation import requests, services
from iam.people.rotation.labels import how_long_old_works
from iam.people.rotation.models import Rotation, RotationOutcome, RotationStage, RotationStep
from iam.people.rotation.queries import visible_rotations
from iam.people.rotation.rotation_plan import MirroredKey, RotationTerms, check_begin, notes_for
from iam.people.rotation.selection import (
    NO_OWNER,
    NOT_IN_SCOPE,
    READ_ONLY_ACCOUNT,
    TWO_KEYS,
    UNDER_WAY,
    choose,
)
from iam.people.runs.models import RunState
from tests import factories
from tests.console.rotation.rows import key
from tests.iam.changes.conftest import make_user
from tests.iam.people.rotation.conftest import REASON, Wheel

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
JUST_NOW = datetime.now(tz=UTC) - timedelta(hours=1)
LONG_AGO = JUST_NOW - timedelta(days=91)


def lead_of(name: str, group: str) -> Viewer:
    """Who leads a team that is the people of a group."""
    team = Team.objects.create(slug=name, name=name)
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=group)
    person = factories.person(f"Lead of {name}", email=f"{name}@example.com")
    factories.assign(person, Role.TEAM_LEAD, team=team)
    return viewer_for(person)


def test_a_member_rotates_their_own_key_and_others_agree(wheel: Wheel) -> None:
    rotation = wheel.made(actor=wheel.owner) if wheel.person else None
    assert rotation is not None
    assert (rotation.stage, rotation.begun_by) == (RotationStage.HANDING, wheel.person)
    assert rotation.agreed is not None
    assert rotation.agreed.requested_by == wheel.person.pk


def test_nobody_begins_or_sees_what_lies_outside_of_their_scope(wheel: Wheel, settings: Any) -> None:
    stranger = lead_of("data", "another-group")
    auditor = factories.viewer(Role.AUDITOR, name="Otto Audit")
    for viewer in (stranger, auditor):
        with pytest.raises(RefusedError, match="those of your teams"):
            wheel.begin(actor=viewer)
    assert not Rotation.objects.exists()
    rotation = wheel.begin()
    assert not visible_rotations(stranger).exists()
    assert visible_rotations(auditor).get() == rotation
    settings.MAIL_IS_CONFIGURED = True
    look = partial(services.request_check, what=RotationStep.LOOK)
    for act in (look, services.activate, services.issue_again, services.cancel, services.send_again):
        for viewer in (stranger, auditor):
            with pytest.raises(RefusedError, match="Only the person of this user"):
                act(viewer, rotation)


def test_a_lead_rotates_the_keys_of_their_team(wheel: Wheel) -> None:
    lead = lead_of("payments", wheel.scene.group.name)
    with pytest.raises(RefusedError):
        wheel.begin(actor=lead)
    factories.edge("member", wheel.scene.user, wheel.scene.group)
    assert wheel.begin(actor=lead).stage == RotationStage.ASKED


def test_a_second_key_goes_first_only_when_that_was_chosen(wheel: Wheel) -> None:
    spare, _ = wheel.make_key()
    wheel.aws("UpdateAccessKey", AccessKeyId=spare, Status="Inactive")
    with pytest.raises(RefusedError, match="Choose to delete it first"):
        wheel.begin()
    rotation = wheel.made(first=wheel.entity(spare))
    assert wheel.in_aws() == {wheel.old.aws_id: "Active", rotation.new_key_id: "Active"}
    slugs = Change.objects.order_by("position").values_list("operation", flat=True)
    assert list(slugs) == ["access_key.delete", "access_key.create"]


def test_who_owns_the_old_key_owns_the_new_one(wheel: Wheel) -> None:
    administrator = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte", email="ines@example.com")
    assert set_key_owner(administrator, wheel.old, "ines@example.com")
    rotation = wheel.made()
    owned = NamedOwner.objects.order_by("pk").values_list("subject", "person__name")
    assert list(owned) == [(wheel.old.aws_id, "Ines Duarte"), (rotation.new_key_id, "Ines Duarte")]


def test_a_second_key_that_is_in_use_is_not_deleted(wheel: Wheel) -> None:
    other, _ = wheel.make_key()
    wheel.pull()
    with pytest.raises(RefusedError, match="active and in use"):
        wheel.begin(first=wheel.entity(other))
    assert set(wheel.in_aws()) == {wheel.old.aws_id, other}


def test_only_the_second_key_of_the_same_user_makes_room(wheel: Wheel) -> None:
    another = key(make_user(wheel.scene.aws, wheel.scene.account, f"another-{wheel.mark}"))
    with pytest.raises(RefusedError, match="changed in the meantime"):
        wheel.begin(first=another)
    wheel.make_key()
    wheel.pull()
    with pytest.raises(RefusedError, match="changed in the meantime"):
        wheel.begin(first=another)


def test_a_key_that_is_gone_is_not_rotated() -> None:
    user = factories.user(factories.account(), "kwame.boateng")
    factories.person("Kwame Boateng", arns=(user.arn,))
    old, admin = key(user), factories.viewer(Role.ADMINISTRATOR)
    assert check_begin(admin, old, first=None).name == "Kwame Boateng"
    old.gone_at = datetime.now(tz=UTC)
    old.save()
    with pytest.raises(RefusedError, match="no longer exists in AWS"):
        check_begin(admin, old, first=None)


@pytest.mark.parametrize(
    ("key_of", "is_idle"),
    [
        ({"status": "Inactive"}, True),
        ({"used_at": LONG_AGO}, True),
        ({"used_at": LONG_AGO, "read_at": None}, False),
        ({"used_at": None, "created_at": None}, False),
        ({"used_at": LONG_AGO, "created_at": JUST_NOW}, False),
        ({"used_at": None, "created_at": JUST_NOW}, False),
        ({"used_at": JUST_NOW}, False),
    ],
)
def test_a_key_is_idle_only_when_aws_said_that_nobody_used_it_for_long(
    key_of: dict[str, Any], is_idle: bool
) -> None:
    usage = {"status": "Active", "created_at": LONG_AGO, "used_at": None, "read_at": JUST_NOW}
    holding = MirroredKey(entity=Entity(), service="", region="", **usage | key_of)
    assert holding.is_idle is is_idle


def test_the_same_rotation_is_begun_once(wheel: Wheel) -> None:
    first = wheel.begin()
    assert wheel.begin() == first
    with pytest.raises(RefusedError, match="in progress"):
        wheel.begin(actor=wheel.owner)


@pytest.mark.parametrize("terms", [{"quiet_days": 2}, {"quiet_days": 91}, {"keep_days": 0}, {"reason": " "}])
def test_terms_out_of_bounds_are_refused(wheel: Wheel, terms: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        wheel.begin(**terms)


def test_a_user_of_nobody_is_refused(wheel: Wheel) -> None:
    wheel.person  # noqa: B018
    Identity.objects.all().delete()
    with pytest.raises(RefusedError, match="No person in Gatehouse is linked"):
        wheel.begin()


def test_a_rejected_request_ends_it_and_says_what_stands(wheel: Wheel) -> None:
    rotation = wheel.begin()
    assert rotation.change is not None
    with wheel.done():
        reject(rotation.change, actor=wheel.scene.approver, comment="Not this week")
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, rotation_now.outcome) == (RotationStage.ENDED, RotationOutcome.NOT_MADE)
    assert "still works" in rotation_now.trouble


def test_many_are_asked_for_as_one_set_and_the_others_are_left_out_with_reasons(wheel: Wheel) -> None:
    account, keys = wheel.scene.account, []
    for number in range(5):
        user = make_user(wheel.scene.aws, account, f"many-{wheel.mark}-{number}")
        keys.append(key(user))
        if number < 4:
            person = factories.person(f"Person {number}", email=f"p{number}-{wheel.mark}@example.com")
            Identity.objects.create(person=person, user_arn=user.arn)
    key(keys[3].owner)
    pks = [entity.pk for entity in keys] + [wheel.begin().old_id]
    with wheel.done():
        run, choice = requests.begin_many(wheel.scene.requester, pks, RotationTerms(REASON))
    assert choice.left_out == {TWO_KEYS: 1, NO_OWNER: 1, UNDER_WAY: 1}
    assert run.rotations.filter(stage=RotationStage.WAITING).count() == 3
    wheel.work()
    rows = run.rotations.filter(stage=RotationStage.ASKED).select_related("change__change_set")
    assert len({row.change.change_set_id for row in rows if row.change}) == 1
    assert rows.count() == 3
    assert requests.ROTATION.resume(older_than=timedelta()) == 0
    with pytest.raises(RefusedError, match="together with 2 other keys"):
        services.cancel(wheel.scene.requester, rows[0])
    outside = choose(lead_of("data", "another-group"), pks)
    assert (outside.chosen, outside.left_out) == ([], {NOT_IN_SCOPE: 6})


def test_of_many_those_are_left_out_whose_user_is_nobodys_now_or_whose_account_is_read_only() -> None:
    writable, exported = (
        factories.account(number, write_role_arn=f"arn:aws:iam::{number}:role/w", **more)
        for number, more in (("111111111111", {}), ("222222222222", {"name": "data", "source": "export"}))
    )
    keys = [key(factories.user(writable, name)) for name in ("fine", "left", "again")]
    keys += [key(factories.user(exported, "read-only"))]
    for entity in keys:
        assert entity.owner is not None
        factories.person(entity.owner.name, arns=(entity.owner.arn,))
    Person.objects.filter(name="left").update(is_active=False)
    # The user of whom that was said is gone, and another one has the name; the links are not worked out yet.
    Identity.objects.filter(person__name="again").update(aws_id="AIDAGONE")
    choice = choose(factories.viewer(Role.ADMINISTRATOR), [entity.pk for entity in keys])
    assert [(chosen_part.key, chosen_part.person.name) for chosen_part in choice.chosen] == [
        (keys[0], "fine")
    ]
    assert choice.left_out == {NO_OWNER: 2, READ_ONLY_ACCOUNT: 1}

    elsewhere = factories.person("Jonas Berg")
    factories.assign(elsewhere, Role.AUDITOR)
    factories.assign(elsewhere, Role.ADMINISTRATOR, account_id="222222222222")
    outside = choose(viewer_for(elsewhere), [keys[0].pk])
    assert (outside.chosen, outside.left_out) == ([], {NOT_IN_SCOPE: 1})


def test_choosing_takes_the_same_queries_for_one_key_and_for_many(
    wheel: Wheel, django_assert_num_queries: Any
) -> None:
    account, pks = wheel.scene.account, []
    for number in range(30):
        user = factories.user(account, f"few-{wheel.mark}-{number}")
        pks.append(key(user).pk)
    for part in (pks[:1], pks):
        with django_assert_num_queries(6):
            choose(wheel.scene.requester, part)


def test_the_key_of_a_machine_goes_to_whoever_begins_and_says_so(wheel: Wheel) -> None:
    user = make_user(wheel.scene.aws, wheel.scene.account, f"machine-{wheel.mark}")
    begin = partial(requests.begin, wheel.scene.requester, key(user))
    with pytest.raises(RefusedError, match="No person in Gatehouse is linked"):
        begin(RotationTerms(REASON))
    assert begin(RotationTerms(REASON, is_for_me=True)).person_id == wheel.scene.requester.person_id
    wheel.person  # noqa: B018
    assert wheel.begin(is_for_me=True).person == wheel.person


def test_the_key_of_somebody_who_was_deactivated_goes_to_nobody(wheel: Wheel) -> None:
    wheel.person.is_active = False
    wheel.person.save()
    with pytest.raises(RefusedError, match="No person in Gatehouse is linked"):
        wheel.begin(is_for_me=True)


def test_a_set_that_cannot_be_requested_ends_its_rotations_with_the_reason(
    wheel: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user(wheel.scene.aws, wheel.scene.account, f"lone-{wheel.mark}")
    person = factories.person("Lone", email=f"lone-{wheel.mark}@example.com")
    Identity.objects.create(person=person, user_arn=user.arn)
    run, _ = requests.begin_many(wheel.scene.requester, [key(user).pk], RotationTerms(REASON))

    def refuse(*_: object, **__: object) -> None:
        raise RefusedError("Nobody could approve this.")

    monkeypatch.setattr(requests.changes, "request_changes", refuse)
    requests.ROTATION.request_by_id(run.pk)

    rotation = run.rotations.get()
    assert (rotation.outcome, rotation.trouble) == (RotationOutcome.REFUSED, "Nobody could approve this.")
    run.refresh_from_db()
    assert run.state == RunState.REQUESTED


def test_what_a_lost_process_left_is_requested_by_the_beat(wheel: Wheel) -> None:
    user = make_user(wheel.scene.aws, wheel.scene.account, f"lost-{wheel.mark}")
    person = factories.person("Lost", email=f"lost-{wheel.mark}@example.com")
    Identity.objects.create(person=person, user_arn=user.arn)
    run, _ = requests.begin_many(wheel.scene.requester, [key(user).pk], RotationTerms(REASON))
    wheel.sent.clear()

    assert requests.ROTATION.resume() == 0, "the process may still be at work"
    type(run).objects.filter(pk=run.pk).update(asked_at=datetime.now(tz=UTC) - timedelta(minutes=3))
    assert requests.ROTATION.resume() == 1

    assert run.rotations.get().stage == RotationStage.ASKED
    run.refresh_from_db()
    assert (run.state, run.requested_label) == (RunState.REQUESTED, wheel.scene.requester.name)


@pytest.mark.parametrize("is_automatic", [True, False])
def test_what_approvers_accept_reads_well_for_one_key_and_for_many(is_automatic: bool) -> None:
    terms = RotationTerms("Old", is_automatic=is_automatic)
    alone = " ".join(notes_for(terms, olds=["AKIA1"]))
    assert "This starts a rotation." in alone
    assert "the old key AKIA1" in alone
    several = " ".join(notes_for(terms, olds=["AKIA1", "AKIA2", "AKIA3"]))
    assert "This starts 3 rotations, one for each key." in several
    assert "each of 3" not in several
    assert "an old key" in several
    assert ("No further approval is needed" in several) == is_automatic


@pytest.mark.parametrize(
    ("is_automatic", "says"),
    [
        (True, "until the new one has been used and the old one hasn’t been used for 9 days."),
        (False, "until someone requests its deactivation."),
    ],
)
def test_the_person_reads_until_when_the_old_key_works(is_automatic: bool, says: str) -> None:
    assert how_long_old_works(Rotation(is_automatic=is_automatic, quiet_days=9)).endswith(says)
