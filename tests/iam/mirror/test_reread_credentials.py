"""Credentials that were read straight after a change, and reports and pulls that know less, or more, than
they do.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.aws.reads.credential_report import CredentialRow, ReportedCertificate, ReportedKey
from iam.aws.records import AccessKeyRecord, LoginProfileRecord, MfaDeviceRecord
from iam.mirror.models import Account, Cause, Entity, EntityState, Kind, UserCredentials, valid_at
from iam.mirror.pull.credentials import EvidenceTimes, LoadedReport, derive
from iam.mirror.pull.entity_cache import EntityCache
from iam.mirror.pull.facts import ObservationTimes
from iam.mirror.pull.sections import ACCESS_KEYS, LOGIN_PROFILES, USER_MFA
from iam.mirror.refresh.credentials import ReadCredentials, reread_credentials
from tests import factories

pytestmark = pytest.mark.django_db
CHANGED = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)
MADE = datetime(2026, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
NO_KEY = ReportedKey(False, None, None, None, None)
NO_CERTIFICATE = ReportedCertificate(False, None)


@pytest.fixture
def account() -> Account:
    """Where the user is."""
    return factories.account()


@pytest.fixture
def user(account: Account) -> Entity:
    """Somebody with a password, as the mirror has it."""
    return factories.user(account, "kwame.boateng", credentials={"mfa": "none", "keys": 1, "active_keys": 1})


def row(user: Entity) -> UserCredentials:
    """What the mirror says now."""
    return UserCredentials.objects.get(valid_at(None), user=user)


def read(
    user: Entity, section: str, *records: Any, at: datetime = CHANGED, spare: tuple[str, ...] = ()
) -> None:
    """AWS showed this, straight after a change."""
    reread_credentials(user.account, user, ReadCredentials(section, at, records, spare), cause_id=None)


def report(
    user: Entity, *, made_at: datetime, has_key: bool, mfa: bool = False, password: bool = True
) -> None:
    """A pull reads a report that AWS made at a moment."""
    census = EntityCache(user.account)
    line = CredentialRow(
        user=user.name,
        arn=user.arn,
        created_at=MADE,
        password_enabled=password,
        password_last_used=None,
        password_last_changed=MADE,
        password_next_rotation=None,
        mfa_active=mfa,
        keys=(ReportedKey(has_key, MADE if has_key else None, None, None, None), NO_KEY),
        certificates=(NO_CERTIFICATE, NO_CERTIFICATE),
        additional_credentials=None,
    )
    later = CHANGED + 2 * HOUR
    clock = EvidenceTimes(
        seen=ObservationTimes(later, after=None),
        born=ObservationTimes(later, after=None),
        listed_at=later,
        reported_at=made_at,
    )
    known = census.by_pk[user.pk]
    derive(census, [known], reported=LoadedReport(made_at, {user.pk: line}), clock=clock)


def key(key_id: str = "AKIAEXAMPLE", *, status: str = "Active") -> AccessKeyRecord:
    """A key as AWS lists it."""
    return AccessKeyRecord(key_id=key_id, user_name="kwame.boateng", status=status, created_at=MADE)


def test_a_report_that_is_older_than_the_reading_brings_no_key_back(user: Entity) -> None:
    read(user, ACCESS_KEYS, key(status="Inactive"))
    assert (row(user).keys, row(user).active_keys) == (1, 0)

    report(user, made_at=CHANGED - HOUR, has_key=True)
    assert (row(user).keys, row(user).active_keys) == (1, 0)

    report(user, made_at=CHANGED + HOUR, has_key=True)
    assert (row(user).keys, row(user).active_keys) == (1, 1)
    assert "access_keys_read_at" not in row(user).report, "the report is newer, so nothing else is said"


def test_a_report_that_is_older_than_the_reading_gives_no_password_back(user: Entity) -> None:
    read(user, LOGIN_PROFILES)
    assert row(user).has_password is False

    report(user, made_at=CHANGED - HOUR, has_key=False, password=True)
    assert row(user).has_password is False

    report(user, made_at=CHANGED + HOUR, has_key=False, password=True)
    assert row(user).has_password is True


def test_a_password_that_was_just_set_is_known_with_its_facts(user: Entity) -> None:
    UserCredentials.objects.filter(user=user).update(has_password=False)
    read(user, LOGIN_PROFILES, LoginProfileRecord("kwame.boateng", CHANGED, is_reset_required=True))

    assert row(user).has_password is True
    assert row(user).report["login_profile"]["PasswordResetRequired"] is True


def test_a_device_that_was_just_given_counts_before_the_report_knows_it(user: Entity) -> None:
    serial = f"arn:aws:iam::{user.account.account_id}:mfa/kwame"
    report(user, made_at=CHANGED - 2 * HOUR, has_key=False, mfa=False)
    read(user, USER_MFA, MfaDeviceRecord(serial, "kwame.boateng", CHANGED))
    assert row(user).mfa == "virtual"

    report(user, made_at=CHANGED - HOUR, has_key=False, mfa=False)
    assert row(user).mfa == "virtual"


def test_a_device_that_was_taken_away_is_there_and_belongs_to_nobody(user: Entity) -> None:
    serial = f"arn:aws:iam::{user.account.account_id}:mfa/kwame"
    read(user, USER_MFA, MfaDeviceRecord(serial, "kwame.boateng", MADE))
    read(user, USER_MFA, at=CHANGED + HOUR, spare=(serial,))

    device = Entity.objects.get(aws_id=serial)
    assert (device.owner, device.gone_at, row(user).mfa) == (None, None, "none")
    assert EntityState.objects.get(valid_at(None), entity=device).attrs["UserName"] == ""


def test_a_device_that_is_gone_ends(user: Entity) -> None:
    serial = f"arn:aws:iam::{user.account.account_id}:mfa/kwame"
    read(user, USER_MFA, MfaDeviceRecord(serial, "kwame.boateng", MADE))
    read(user, USER_MFA, at=CHANGED + HOUR)

    assert Entity.objects.get(aws_id=serial).gone_at == CHANGED + HOUR


def test_an_older_reading_steps_back_before_a_newer_one(user: Entity) -> None:
    read(user, ACCESS_KEYS, key(status="Inactive"), at=CHANGED)
    read(user, ACCESS_KEYS, key(status="Active"), at=CHANGED - HOUR)

    state = EntityState.objects.get(valid_at(None), kind=Kind.ACCESS_KEY)
    assert state.category == "Inactive"
    assert row(user).active_keys == 0


def test_other_sections_and_other_people_are_left_alone(account: Account, user: Entity) -> None:
    other = factories.user(account, "maya.okafor")
    theirs = factories.entity(account, Kind.ACCESS_KEY, "AKIATHEIRS", category="Active", arn="")
    own_ssh = factories.entity(account, Kind.SSH_KEY, "APKAOWN", category="Active", arn="")
    Entity.objects.filter(pk=theirs.pk).update(owner=other)
    Entity.objects.filter(pk=own_ssh.pk).update(owner=user)

    read(user, ACCESS_KEYS)

    assert not Entity.objects.filter(pk__in=[theirs.pk, own_ssh.pk], gone_at__isnull=False).exists()


def test_the_cause_is_told_and_unknown_where_nobody_is_known(user: Entity) -> None:
    read(user, ACCESS_KEYS, key())

    assert EntityState.objects.get(valid_at(None), kind=Kind.ACCESS_KEY).cause_kind == Cause.UNKNOWN


def test_a_password_that_a_change_has_set_is_as_old_as_the_change(user: Entity) -> None:
    profile = LoginProfileRecord("kwame.boateng", MADE, is_reset_required=True)
    report(user, made_at=CHANGED - 2 * HOUR, has_key=False)
    assert row(user).password_changed_at == MADE
    reread_credentials(
        user.account, user, ReadCredentials(LOGIN_PROFILES, CHANGED, [profile], set_at=CHANGED), cause_id=None
    )
    assert row(user).password_changed_at == CHANGED

    report(user, made_at=CHANGED - HOUR, has_key=False)
    assert row(user).password_changed_at == CHANGED
