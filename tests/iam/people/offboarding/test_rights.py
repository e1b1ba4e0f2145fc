"""Who may restore, delete, prove again and read about somebody who left, and what a stage or a link forbids:
each guard alone. No AWS is needed.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.changes.operations.login_profile import PURPOSE
from iam.directory.models import Identity, Person, Role, Team
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, Entity
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link
from iam.people.offboarding import restore_and_delete, restore_plan, restored_sign_in
from iam.people.offboarding.certificates import matches_journal
from iam.people.offboarding.models import (
    OF_DELETION,
    OF_RETURN,
    Leaver,
    OffboardedUser,
    OffboardingCertificate,
    OffboardingStage,
)
from iam.people.offboarding.queries import run_for, visible_leavers
from iam.people.offboarding.rules import may_act
from iam.sealed.services import seal
from tests import factories
from tests.console import offboarding

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
PASSWORD = "quiet-Harbor-47-lantern"


def lead_of(slug: str) -> Viewer:
    person = factories.person(f"Lead of {slug}", email=f"{slug}@example.com")
    factories.assign(person, Role.TEAM_LEAD, team=Team.objects.create(slug=slug, name=slug.title()))
    return viewer_for(person)


@pytest.fixture
def account() -> Account:
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")


@pytest.fixture
def leaver(account: Account) -> Leaver:
    """Of the team payments, gone."""
    user = factories.user(account, "maya.okafor")
    return offboarding.left(user, factories.person("Hana Sato"), teams=("payments",))


def at_stage(leaver: Leaver, stage: OffboardingStage) -> Leaver:
    Leaver.objects.filter(pk=leaver.pk).update(stage=stage)
    leaver.refresh_from_db()
    return leaver


def test_who_leads_another_team_or_only_looks_does_nothing_of_it(leaver: Leaver) -> None:
    stranger, auditor = lead_of("data"), factories.viewer(Role.AUDITOR, name="Otto Audit")
    for viewer in (stranger, auditor):
        for act in (restore_and_delete.request_return, restore_and_delete.request_deletion):
            with pytest.raises(RefusedError, match="only for people in your own teams"):
                act(viewer, leaver=at_stage(leaver, OffboardingStage.GONE), reason="It was the wrong one")
        with pytest.raises(RefusedError, match="only for people in your own teams"):
            restore_and_delete.try_again(viewer, leaver=at_stage(leaver, OffboardingStage.OPEN))
    assert list(visible_leavers(stranger)) == []
    assert list(visible_leavers(lead_of("payments"))) == [leaver]


def test_of_two_accounts_it_takes_who_may_ask_in_both(leaver: Leaver) -> None:
    person = factories.person("Ines Duarte")
    factories.assign(person, Role.ADMINISTRATOR, account_id="111111111111")
    assert may_act(viewer_for(person), leaver)
    other = factories.user(factories.account("222222222222", name="data"), "maya.okafor")
    OffboardedUser.objects.create(
        leaver=leaver, account=other.account, user=other, user_arn=other.arn, user_name="m"
    )
    assert not may_act(viewer_for(person), leaver)
    factories.assign(person, Role.ADMINISTRATOR, account_id="222222222222")
    assert may_act(viewer_for(Person.objects.get(pk=person.pk)), leaver)


@pytest.mark.parametrize(
    "stage", [stage for stage in OffboardingStage if stage not in restore_and_delete.RESTORABLE]
)
def test_what_is_not_gone_or_is_deleted_is_neither_restored_nor_deleted(
    leaver: Leaver, stage: OffboardingStage
) -> None:
    admin = factories.viewer(Role.ADMINISTRATOR)
    leaver_now = at_stage(leaver, stage)
    for act in (restore_and_delete.request_return, restore_and_delete.request_deletion):
        with pytest.raises(RefusedError, match=stage.label.lower()):
            act(admin, leaver=leaver_now, reason="It was the wrong one")
    with pytest.raises(RefusedError, match=stage.label.lower()):
        restore_and_delete.try_again(admin, leaver=leaver_now)
    assert not ChangeSet.objects.filter(cause_kind__in=[OF_RETURN, OF_DELETION]).exists()


def test_who_is_not_proved_yet_is_not_deleted_and_who_is_gone_is_not_read_again(leaver: Leaver) -> None:
    admin = factories.viewer(Role.ADMINISTRATOR)
    with pytest.raises(RefusedError, match="removing access"):
        restore_and_delete.request_deletion(
            admin, leaver=at_stage(leaver, OffboardingStage.CLOSING), reason="Now"
        )
    with pytest.raises(RefusedError, match="access removed"):
        restore_and_delete.try_again(admin, leaver=at_stage(leaver, OffboardingStage.GONE))


def test_a_deletion_of_which_a_part_failed_is_none_and_is_not_certified(leaver: Leaver) -> None:
    first = Change.objects.filter(change_set=leaver.seats.get().change_set_id).first()
    assert first is not None
    group = ChangeSet.objects.create(title="Delete", cause_kind=OF_DELETION, cause_id=leaver.pk)
    for position, state in enumerate((ChangeState.APPLIED, ChangeState.FAILED)):
        first.pk, first._state.adding = uuid4(), True
        first.change_set, first.position, first.state = group, position, state
        first.idempotency_key = str(uuid4())
        first.save()
    at_stage(leaver, OffboardingStage.DELETING)
    restore_and_delete.settle_afterwards(leaver.pk)
    leaver.refresh_from_db()
    assert (leaver.stage, leaver.deleted_at) == (OffboardingStage.GONE, None)
    assert leaver.delete_after is not None
    assert not OffboardingCertificate.objects.filter(kind="deleted").exists()


def test_what_is_turned_back_has_the_deny_last_and_no_session_that_was_ended(leaver: Leaver) -> None:
    seat = leaver.seats.get()
    assert restore_plan.to_turn_back(seat) == []
    Change.objects.update(already_so=False)
    Change.objects.filter(position=1).update(operation="role_sessions.revoke")
    turned = [change.operation for change in restore_plan.to_turn_back(seat)]
    assert turned == ["access_key.deactivate", "inline_policy.put"]


def test_a_certificate_that_was_altered_with_its_digest_does_not_stand(leaver: Leaver) -> None:
    certificate = leaver.certificates.get()
    assert matches_journal(certificate)
    certificate.text = certificate.text.replace("maya", "nina")
    assert not matches_journal(certificate)
    certificate.digest = hashlib.sha256(certificate.text.encode()).hexdigest()
    assert not matches_journal(certificate)
    factories.viewer(Role.ADMINISTRATOR)
    assert restore_and_delete.certify(leaver, kind="ended") == leaver.certificates.get()


def back(leaver: Leaver, *, is_linked: bool = True) -> tuple[Person, OneTimeLink]:
    """They came back: a password is sealed for them, and their link is made."""
    seat = leaver.seats.get()
    person = factories.person(f"Maya {seat.user_name}")
    if is_linked:
        Identity.objects.create(person=person, user_arn=seat.user_arn)
    leaver.person_id, leaver.stage = person.pk, OffboardingStage.RETURNED
    leaver.returned_at = datetime.now(tz=UTC)
    leaver.save()
    secret_id = seal(
        PASSWORD, for_person=person.pk, purpose=PURPOSE, ttl=timedelta(hours=1), label="a password"
    )
    leaver.seats.update(password_seal=secret_id)
    cause = restored_sign_in.cause_of(leaver)
    return person, make_link(
        LinkPurpose.INVITATION, person=person, user_arn=seat.user_arn, actor=None, cause_id=cause
    )


def test_who_comes_back_takes_the_password_of_their_own_seat_by_their_own_link(
    leaver: Leaver, account: Account
) -> None:
    other = offboarding.left(factories.user(account, "kwame"), factories.person("Ines Duarte"))
    (person, link), (_, others) = back(leaver), back(other)
    for wrong, seat in ((link, other.seats.get()), (others, leaver.seats.get())):
        with pytest.raises(RefusedError, match="no password for you"):
            restored_sign_in.show_password(wrong, seat, session="here")
    elsewhere = make_link(
        LinkPurpose.INVITATION, person=person, user_arn=link.user_arn, actor=None, cause_id=uuid4()
    )
    with pytest.raises(RefusedError, match="no password for you"):
        restored_sign_in.show_password(elsewhere, leaver.seats.get(), session="here")
    assert restored_sign_in.show_password(link, leaver.seats.get(), session="here") == PASSWORD


@pytest.mark.parametrize(
    ("is_linked", "is_active", "is_sent"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_a_link_goes_once_to_whom_the_user_was_linked_by_hand_and_who_may_sign_in(
    leaver: Leaver, is_linked: bool, is_active: bool, is_sent: bool
) -> None:
    person, link = back(leaver, is_linked=is_linked)
    link.delete()
    Person.objects.filter(pk=person.pk).update(is_active=is_active)
    sent = [restored_sign_in.invite_back(leaver) for _ in range(2)]
    assert [link is not None for link in sent] == [is_sent, False]
    assert OneTimeLink.objects.count() == is_sent


def test_a_list_of_others_is_seen_by_nobody_else(account: Account) -> None:
    author, other = factories.person("Hana Sato"), factories.viewer(Role.ADMINISTRATOR)
    draft = offboarding.draft(author, factories.user(account, "maya.okafor"))
    factories.assign(author, Role.APPROVER)
    assert run_for(viewer_for(author), draft.pk) == draft
    assert run_for(other, draft.pk) is None
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Jonas Berg"))
    assert draft.source not in client.get(reverse("offboarding:leavers")).content.decode()


def test_of_one_account_somebody_reads_of_that_account_and_no_certificate_of_both(
    leaver: Leaver, account: Account
) -> None:
    elsewhere = factories.account("222222222222", name="secret-lab")
    other: Entity = factories.user(elsewhere, "m.okafor")
    OffboardedUser.objects.create(
        leaver=leaver, account=elsewhere, user=other, user_arn=other.arn, user_name="m.okafor"
    )
    client, person = Client(), factories.operator(Role.AUDITOR, name="Otto Audit")
    person.person.assignments.update(account_id=account.account_id)
    client.force_login(person)
    page = client.get(reverse("offboarding:leaver", args=[leaver.pk])).content.decode()
    assert "maya.okafor" in page
    assert "secret-lab" not in page
    for name in ("offboarding:certificate", "offboarding:certificate-export"):
        assert client.get(reverse(name, args=[leaver.pk, "ended"])).status_code == 404
