"""What an entry holds, and what it refuses to hold."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import structlog
from django.db import transaction

from iam.directory.models import Role
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE, NOT_SIGNED_IN, record
from iam.journal.withheld import WITHHELD, SecretRefusedError, withhold
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def test_a_person_is_copied_into_the_entry() -> None:
    someone = factories.person("Ines Duarte")
    entry = record(kind="role.assign", actor=someone, subject="Hana Sato")
    assert (entry.actor_id, entry.actor_label) == (someone.id, "Ines Duarte")
    assert entry.actor_email == "ines.duarte@example.com"


def test_a_viewer_acts_as_their_person() -> None:
    viewer = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    entry = record(kind="account.connect", actor=viewer, account_id="111111111111")
    assert (entry.actor_id, entry.actor_label) == (viewer.person_id, "Ines Duarte")


@pytest.mark.parametrize(
    ("actor", "label"),
    [(None, "Gatehouse"), (NOT_SIGNED_IN, "Not signed in"), (COMMAND_LINE, "Command line")],
)
def test_without_a_person_the_label_says_who_acted(actor: object, label: str) -> None:
    entry = record(kind="pull.complete", actor=actor)
    assert (entry.actor_id, entry.actor_label) == (None, label)


def test_the_entry_outlives_the_person() -> None:
    someone = factories.person("Ines Duarte")
    record(kind="role.assign", actor=someone)
    someone.delete()
    assert Entry.objects.get().actor_label == "Ines Duarte"


def test_request_and_address_come_from_the_request_that_is_answered() -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1", ip="192.0.2.7"):
        entry = record(kind="sign_in.succeeded", actor=None)
        written = record(kind="sign_in.succeeded", actor=None, request_id="r-2", ip="192.0.2.8")
    assert (entry.request_id, entry.ip) == ("r-1", "192.0.2.7")
    assert (written.request_id, written.ip) == ("r-2", "192.0.2.8")
    assert record(kind="sign_in.succeeded", actor=None).request_id == ""


def test_data_is_kept_as_json_with_moments_and_ids() -> None:
    number = uuid4()
    moment = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
    entry = record(kind="change.request", actor=None, data={"b": number, "a": moment, "n": 1.5})
    entry.refresh_from_db()
    assert entry.data == {"a": "2026-11-24T14:05:00+00:00", "b": str(number), "n": 1.5}


def test_what_was_rolled_back_is_not_in_the_journal() -> None:
    with transaction.atomic():
        record(kind="role.assign", actor=None)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()


@pytest.mark.parametrize("kind", ["", "signin", "Sign.In", "sign in.x", "a." * 40 + "b"])
def test_a_malformed_kind_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="journal kind"):
        record(kind=kind, actor=None)


SECRETS = [
    {"password": "hunter2"},
    {"deep": {"list": [{"SecretAccessKey": "x"}]}},
    {"totp_seed": "ABC"},
    {"session_token": "x"},
    {"recovery_codes": ["1", "2"]},
    {"client_secret": "x"},
]
HARMLESS = [
    {"password": True},
    {"secret_arn": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:x"},
    {"token_id": "t-1"},
    {"credential_report": "4 h old"},
    {"footprint": "x"},
    {"access_key_id": "AKIAEXAMPLE"},
]


@pytest.mark.parametrize("data", SECRETS)
def test_a_secret_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(SecretRefusedError) as refused:
        record(kind="role.assign", actor=None, data=data)
    assert "hunter2" not in str(refused.value)
    assert not Entry.objects.exists()


@pytest.mark.parametrize("data", SECRETS)
def test_in_production_a_secret_is_withheld_and_the_act_goes_on(data: dict[str, object], settings) -> None:
    settings.JOURNAL_REFUSES_SECRETS = False
    entry = record(kind="role.assign", actor=None, data=data | {"kept": "yes"})
    assert WITHHELD in entry.data_json
    assert entry.data["kept"] == "yes"


@pytest.mark.parametrize("data", HARMLESS)
def test_names_and_flags_about_secrets_are_harmless(data: dict[str, object]) -> None:
    assert record(kind="role.assign", actor=None, data=data).data == data
    assert withhold(data) == data


def test_unprintable_and_overlong_text_is_made_storable() -> None:
    entry = record(kind="role.assign", actor=None, subject="a\x00b\nc" + "d" * 3000)
    entry.refresh_from_db()
    assert entry.subject.startswith("a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}cd")
    assert len(entry.subject) == 2048
