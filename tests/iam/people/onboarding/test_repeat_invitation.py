"""Another invitation: with a new first password where the former one is used up, and never seen by anyone who
sends it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from console.onboarding.presenters import person_rows
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.directory.models import Role, Team
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.mirror.models import Entity, UserCredentials
from iam.people.links.models import OneTimeLink
from iam.people.links.services import make_link
from iam.people.offboarding import models as offboarding
from iam.people.onboarding.checklist import CHOOSE_PASSWORD, OPEN_INVITATION, StepStatus, checklists
from iam.people.onboarding.invitation import cause_of, show_secret
from iam.people.onboarding.invitation_state import has_chosen_password, why_over
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun, ProvisionedUser
from iam.people.onboarding.repeat_invitation import invite_again, request_invitation
from iam.people.onboarding.stuck_people import stuck_newcomers
from iam.people.runs.models import RunState
from iam.sealed.models import Secret
from tests import factories
from tests.iam.people.onboarding.conftest import Squad

pytestmark = pytest.mark.django_db


def onboarded(squad: Squad) -> tuple[OnboardingRun, OnboardedPerson, ProvisionedUser]:
    """Two people are there, and the first has an invitation."""
    run = squad.work(squad.approve(squad.asked(squad.two)))
    newcomer = run.people.get(user_name=squad.yuki)
    return run, newcomer, newcomer.places.get()


def links(newcomer: OnboardedPerson) -> list[OneTimeLink]:
    """All that were sent to them, the oldest first."""
    return list(OneTimeLink.objects.filter(cause_id=cause_of(newcomer)).order_by("created_at"))


def used(link: OneTimeLink, mark: str) -> OneTimeLink:
    """A browser has opened it."""
    now = datetime.now(tz=UTC)
    OneTimeLink.objects.filter(pk=link.pk).update(
        used_at=now, browser=mark, session_until=now + timedelta(minutes=30)
    )
    link.refresh_from_db()
    return link


def passwords(place: ProvisionedUser) -> list[Change]:
    """What set a password of the user, in order."""
    changes = Change.objects.filter(operation__startswith="login_profile.", lane=place.lane)
    return list(changes.order_by("created_at", "position"))


def test_a_password_that_nobody_has_seen_is_not_set_again(squad: Squad) -> None:
    _, newcomer, place = onboarded(squad)
    sent = invite_again(newcomer, actor=squad.lead)
    assert (sent.resets, sent.link) == (0, links(newcomer)[-1])
    assert len(passwords(place)) == 1
    assert show_secret(used(sent.link, "a"), place, session="cookie")  # type: ignore[arg-type]


def test_a_password_that_was_shown_is_replaced_in_aws_and_the_link_follows(squad: Squad) -> None:
    run, newcomer, place = onboarded(squad)
    first = used(links(newcomer)[0], "a")
    shown = show_secret(first, place, session="cookie")
    sent = invite_again(newcomer, actor=squad.lead)
    assert (sent.resets, sent.link) == (1, None)
    assert len(links(newcomer)) == 1, "nothing is sent before AWS has the new password"
    with pytest.raises(RefusedError, match="in progress"):
        invite_again(newcomer, actor=squad.lead)

    run = squad.work(run)
    assert run.state == RunState.DONE
    assert [password.state for password in passwords(place)] == ["applied", "applied"]
    assert passwords(place)[1].operation == "login_profile.update"
    assert squad.aws("GetLoginProfile", UserName=squad.yuki)["LoginProfile"]["PasswordResetRequired"]
    assert len(links(newcomer)) == 2
    place.refresh_from_db()
    another = show_secret(used(links(newcomer)[1], "b"), place, session="other")
    assert another != shown
    # Nobody but the person: neither what was requested nor what was noted holds a password.
    stored_text = str(
        [(change.params, change.before, change.after, change.receipt) for change in Change.objects.all()]
    )
    stored_text += str(list(Entry.objects.values()))
    assert shown not in stored_text
    assert another not in stored_text
    assert Entry.objects.filter(kind="onboarding.reset", actor_label=squad.lead.name).count() == 1


def test_a_login_profile_that_was_deleted_in_aws_is_created_again(squad: Squad) -> None:
    run, newcomer, place = onboarded(squad)
    squad.aws("DeleteLoginProfile", UserName=squad.yuki)
    user = Entity.objects.get(name=squad.yuki)
    UserCredentials.objects.filter(user=user, valid_to__isnull=True).update(
        has_password=False, valid_from=datetime.now(tz=UTC)
    )
    assert invite_again(newcomer, actor=squad.lead).resets == 1
    assert squad.work(run).state == RunState.DONE
    assert passwords(place)[-1].operation == "login_profile.create"
    assert squad.aws("GetLoginProfile", UserName=squad.yuki)
    assert len(links(newcomer)) == 2


def test_a_password_that_aws_refuses_sends_no_link(squad: Squad) -> None:
    run, newcomer, place = onboarded(squad)
    show_secret(used(links(newcomer)[0], "a"), place, session="cookie")
    squad.scene.standin.control("faults", {"deny": {"*": ["iam:UpdateLoginProfile"]}})
    invite_again(newcomer, actor=squad.lead)
    assert squad.work(run).state == RunState.PARTLY
    assert len(links(newcomer)) == 1
    squad.scene.standin.control("faults/clear", {})
    invite_again(OnboardedPerson.objects.get(pk=newcomer.pk), actor=squad.lead)
    assert squad.work(run).state == RunState.DONE
    assert len(links(newcomer)) == 2


def test_whoever_has_chosen_a_password_keeps_it(squad: Squad) -> None:
    _, newcomer, place = onboarded(squad)
    UserCredentials.objects.filter(user__name=squad.yuki, valid_to__isnull=True).update(
        password_changed_at=datetime.now(tz=UTC) + timedelta(hours=1)
    )
    assert invite_again(newcomer, actor=squad.lead).resets == 0
    assert len(passwords(place)) == 1


def test_nobody_invites_people_of_another_team_or_whose_access_has_ended(squad: Squad) -> None:
    _, newcomer, place = onboarded(squad)
    stranger = factories.person("Jonas Berg", email=f"jb-{squad.mark}@example.com")
    factories.assign(stranger, Role.TEAM_LEAD, team=Team.objects.create(slug=f"o{squad.mark}", name="Other"))
    with pytest.raises(RefusedError, match="people in your teams"):
        invite_again(newcomer, actor=viewer_for(stranger))
    run = offboarding.OffboardingRun.objects.create(
        requested_by=squad.lead.person_id, requested_label="Elif Kaya"
    )
    leaver = offboarding.Leaver.objects.create(
        run=run, name=newcomer.name, stage=offboarding.OffboardingStage.GONE
    )
    user = Entity.objects.get(name=squad.yuki)
    offboarding.OffboardedUser.objects.create(
        leaver=leaver, account=place.account, user=user, user_arn=user.arn, user_name=user.name
    )
    with pytest.raises(RefusedError, match="has ended"):
        invite_again(newcomer, actor=squad.lead)
    shown = checklists([newcomer], body=newcomer.run.version.body)[0]
    assert not shown.may_be_invited
    assert next(step for step in shown.items if step.words == OPEN_INVITATION).note == "Access ended"


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (offboarding.OffboardingStage.SUSPENDING, "Suspended"),
        (offboarding.OffboardingStage.SUSPENDED, "Suspended"),
        (offboarding.OffboardingStage.CONFIRMED, "Suspended"),
        (offboarding.OffboardingStage.RETURNING, "Suspended"),
        (offboarding.OffboardingStage.CLOSING, "Access ended"),
        (offboarding.OffboardingStage.GONE, "Access ended"),
        (offboarding.OffboardingStage.DELETED, "Access ended"),
        (offboarding.OffboardingStage.WAITING, ""),
        (offboarding.OffboardingStage.RETURNED, ""),
        (offboarding.OffboardingStage.CALLED_OFF, ""),
    ],
)
def test_nothing_waits_for_a_person_without_access_and_nobody_is_stuck_for_it(
    squad: Squad, stage: offboarding.OffboardingStage, words: str
) -> None:
    _, newcomer, place = onboarded(squad)
    run = offboarding.OffboardingRun.objects.create(
        requested_by=squad.lead.person_id, requested_label="Elif Kaya"
    )
    leaver = offboarding.Leaver.objects.create(run=run, name=newcomer.name, stage=stage)
    user = Entity.objects.get(name=squad.yuki)
    offboarding.OffboardedUser.objects.create(
        leaver=leaver, account=place.account, user=user, user_arn=user.arn, user_name=user.name
    )
    (row,) = person_rows(checklists([newcomer]))
    stuck = {person.newcomer.pk for person in stuck_newcomers(squad.lead).people}
    assert (newcomer.pk in stuck) is not bool(words)
    assert row.checklist.may_be_invited is not bool(words)
    assert row.text == (words or "Waiting for the person")
    waiting = [line.text for line in row.items if line.text == "Waiting for the person"]
    assert not (words and waiting)
    link = links(newcomer)[0]
    assert bool(request_invitation(link)) is not bool(words)
    if words:
        with pytest.raises(RefusedError, match=r"suspended|has ended"):
            invite_again(newcomer, actor=squad.lead)


def test_a_password_that_gatehouse_set_later_is_not_their_own(squad: Squad) -> None:
    _, newcomer, place = onboarded(squad)
    used(links(newcomer)[0], "a")
    user = Entity.objects.get(name=squad.yuki)
    seal = Secret.objects.get(pk=place.password_seal)
    assert seal.released_at is not None
    later = seal.released_at + timedelta(hours=1)
    rows = UserCredentials.objects.filter(user=user)
    rows.update(password_changed_at=later)
    own = [step for step in checklists([newcomer])[0].items if step.words == CHOOSE_PASSWORD]
    assert [step.standing for step in own] == [StepStatus.DONE]
    reset = passwords(place)[0]
    reset.pk, reset.idempotency_key, reset.position, reset.lane = uuid4(), "restore", 90, 90
    reset.entity, reset.ended_at, reset.operation = user, later, "login_profile.create"
    reset.save(force_insert=True)
    own = [step for step in checklists([newcomer])[0].items if step.words == CHOOSE_PASSWORD]
    assert [step.standing for step in own] == [StepStatus.PERSON]
    assert not has_chosen_password(place)
    rows.update(password_changed_at=later + timedelta(minutes=1))
    assert has_chosen_password(place)


def test_an_invitation_that_a_restore_replaced_has_not_expired(squad: Squad) -> None:
    _, newcomer, _ = onboarded(squad)
    (link,) = links(newcomer)
    make_link(link.purpose, person=link.person, user_arn=link.user_arn, actor=None, cause_id=uuid4())
    (row,) = person_rows(checklists([newcomer]))
    assert row.text == "Waiting for the person"
    used(OneTimeLink.objects.latest("created_at"), "b")
    (row,) = person_rows(checklists([newcomer]))
    opened = next(step for step in row.items if step.item.words == OPEN_INVITATION)
    assert opened.text == "Done"


def test_who_comes_back_under_the_name_of_an_offboarded_user_is_invited(squad: Squad) -> None:
    _, newcomer, place = onboarded(squad)
    user = Entity.objects.get(name=squad.yuki)
    run = offboarding.OffboardingRun.objects.create(
        requested_by=squad.lead.person_id, requested_label="Elif Kaya"
    )
    offboarding.OffboardingRun.objects.filter(pk=run.pk).update(
        created_at=newcomer.run.created_at - timedelta(days=90)
    )
    leaver = offboarding.Leaver.objects.create(
        run=run, name=newcomer.name, stage=offboarding.OffboardingStage.DELETED
    )
    offboarding.OffboardedUser.objects.create(
        leaver=leaver, account=place.account, user=user, user_arn=user.arn, user_name=user.name
    )
    assert why_over(newcomer, since=datetime.now(tz=UTC)) == ""
    assert checklists([newcomer])[0].may_be_invited


def test_the_button_stays_after_the_link_was_opened(squad: Squad) -> None:
    _, newcomer, _ = onboarded(squad)
    for _ in range(2):
        assert checklists([newcomer], body=newcomer.run.version.body)[0].may_be_invited
        used(links(newcomer)[0], "a")
