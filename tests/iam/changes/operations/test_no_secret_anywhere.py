"""A whole run, from the asking to the reading, leaves the secret nowhere: not in the database, the journal, a
log line or a message.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery import Celery
from django.apps import apps
from kombu import Connection
from kombu.transport import memory

from iam.aws import writes
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.writes import CallResult
from iam.changes.operations import Operation
from iam.changes.operations.login_profile import TYPED, CreateLoginProfile, UpdateLoginProfile
from iam.changes.operations.one_time_credential import CreateAccessKey, CreateServiceCredential
from iam.changes.operations.params import Recipient
from iam.changes.operations.sealed_secret import READABLE_FOR
from iam.changes.services.secrets import read_secret
from iam.changes.states import RUN_CHANGE
from iam.journal.models import Entry
from iam.mirror.pull.sections import ACCESS_KEYS, LOGIN_PROFILES, SERVICE_CREDENTIALS
from iam.sealed import services as sealed
from tests.iam.changes.conftest import Scene, wait_over
from tests.iam.changes.operations.credentials import by_hand, pull, queued, ran
from tests.queue import catch

TRUE_SEND = Celery.send_task


class Wire:
    """What went to AWS and came back, as the network had it."""

    def __init__(self) -> None:
        self.secrets: list[str] = []

    def call(self, aws: Any, service: str, operation: str, params: Any, **more: Any) -> CallResult:
        """Stands before the true call."""
        result = writes_call(aws, service, operation, params, **more)
        answer = result.response
        secrets = (
            params.get("Password"),
            answer.get("AccessKey", {}).get("SecretAccessKey"),
            answer.get("ServiceSpecificCredential", {}).get("ServicePassword"),
        )
        self.secrets += [secret for secret in secrets if secret]
        return result


writes_call = writes.call


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """See Wire."""
    made = Wire()
    monkeypatch.setattr(writes, "call", made.call)
    return made


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """A true broker, in memory; gives what lies in it."""
    connection = Connection("memory://")
    memory.Channel.queues.clear()

    def send(app: Celery, name: str, **options: Any) -> Any:
        return TRUE_SEND(app, name, **options, connection=connection)

    monkeypatch.setattr(Celery, "send_task", send)

    def messages() -> str:
        ones = [message for lying in memory.Channel.queues.values() for message in list(lying.queue)]
        return " ".join(f"{message} {base64.b64decode(message['body']).decode()}" for message in ones)

    return messages


def everything() -> str:
    """Every row of every table, as it lies there."""
    rows = [list(model._default_manager.values()) for model in apps.get_models()]
    return repr(rows)


def access_key(scene: Scene, recipient: Recipient) -> Operation:
    """A key for the scene's user."""
    pull(scene, ACCESS_KEYS)
    return CreateAccessKey.of(scene.user, recipient=recipient, sealed_id=uuid4())


def service_credential(scene: Scene, recipient: Recipient) -> Operation:
    """A credential for CodeCommit."""
    pull(scene, SERVICE_CREDENTIALS)
    return CreateServiceCredential.of(
        scene.user, service="codecommit.amazonaws.com", recipient=recipient, sealed_id=uuid4()
    )


def first_password(scene: Scene, recipient: Recipient) -> Operation:
    """A first password."""
    pull(scene, LOGIN_PROFILES)
    return CreateLoginProfile.of(scene.user, recipient=recipient, sealed_id=uuid4())


def another_password(scene: Scene, recipient: Recipient) -> Operation:
    """A password after another."""
    by_hand(scene, "CreateLoginProfile", Password="harbour-Lantern-42!")
    pull(scene, LOGIN_PROFILES)
    return UpdateLoginProfile.of(scene.user, recipient=recipient, sealed_id=uuid4())


@pytest.mark.parametrize("make", [access_key, service_credential, first_password, another_password])
def test_the_secret_is_nowhere_but_with_its_person(
    scene: Scene,
    wire: Wire,
    queue: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    django_capture_on_commit_callbacks: Any,
    make: Callable[[Scene, Recipient], Operation],
) -> None:
    caplog.set_level("DEBUG")
    catch(monkeypatch, RUN_CHANGE, _true_nudge)
    recipient = Recipient(scene.requester.person_id, scene.requester.name)
    operation = make(scene, recipient)
    wire.secrets.clear()
    with django_capture_on_commit_callbacks(execute=True):
        change = ran(queued(scene, operation))
    assert change.state == "applied", change.error_message
    (secret,) = wire.secrets
    while_sealed = everything()

    read = read_secret(change, actor=scene.requester)

    assert read == secret
    assert secret not in while_sealed + everything()
    assert "gAAAA" not in everything(), "the ciphertext is still there"
    assert str(change.pk) in queue()
    assert secret not in queue()
    printed = capsys.readouterr()
    assert secret not in caplog.text + printed.out + printed.err
    assert Entry.objects.filter(kind="sealed.opened", actor_label="Ines Duarte").count() == 1


def _true_nudge(_: str, change_id: UUID, *, delay: float = 0) -> bool:
    from celery import current_app

    current_app.send_task(RUN_CHANGE, args=[str(change_id)], countdown=delay or None)
    return True


def test_a_password_that_was_typed_is_used_once_and_read_by_nobody(scene: Scene, wire: Wire) -> None:
    pull(scene, LOGIN_PROFILES)
    typed = "correct-Horse-battery-9-staple"
    sealed_id = sealed.seal(typed, for_person=None, purpose=TYPED, ttl=READABLE_FOR, is_held=True)
    recipient = Recipient(scene.requester.person_id, scene.requester.name)
    operation = CreateLoginProfile.of(
        scene.user, recipient=recipient, sealed_id=sealed_id, is_typed=True, must_change=False
    )

    change = ran(queued(scene, operation))

    assert change.state == "applied", change.error_message
    assert wire.secrets == [typed]
    assert typed not in everything()
    with pytest.raises(sealed.SealedError):
        sealed.read_text(sealed_id, purpose=TYPED)


def test_a_password_that_is_not_kept_any_longer_is_not_sent(scene: Scene, wire: Wire) -> None:
    pull(scene, LOGIN_PROFILES)
    sealed_id = sealed.seal(
        "typed-Password-1", for_person=None, purpose=TYPED, ttl=READABLE_FOR, is_held=True
    )
    recipient = Recipient(scene.requester.person_id, scene.requester.name)
    change = queued(
        scene,
        CreateLoginProfile.of(scene.user, recipient=recipient, sealed_id=sealed_id, is_typed=True),
    )
    sealed.destroy(sealed_id)

    ran(change)

    assert (change.state, change.error_kind, wire.secrets) == ("failed", "refused", [])
    assert "Enter it again" in change.error_message
    assert "Nothing was changed in AWS" in change.error_message


def test_a_lost_key_is_named_and_its_secret_was_never_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS has made the key, and the answer is lost on its way."""
    pull(scene, ACCESS_KEYS)
    recipient = Recipient(scene.requester.person_id, scene.requester.name)
    change = queued(scene, CreateAccessKey.of(scene.user, recipient=recipient, sealed_id=uuid4()))

    def lost(*args: Any, **options: Any) -> CallResult:
        writes_call(*args, **options)
        raise AwsError("Read timed out.", kind=ErrorKind.TIMEOUT, action="iam:CreateAccessKey")

    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", lost)
        assert ran(change).state == "queued"
    wait_over(change)
    ran(change)

    (key,) = scene.aws.iam.list_access_keys(UserName=scene.user.name)["AccessKeyMetadata"]
    assert change.state == "unknown"
    assert key["AccessKeyId"] in change.error_message
    assert "its secret is lost: deactivate it" in change.error_message


def test_a_key_that_is_asked_for_twice_by_the_same_form_is_one(scene: Scene) -> None:
    recipient = Recipient(scene.requester.person_id, scene.requester.name)
    seal = uuid4()
    first, two = (CreateAccessKey.of(scene.user, recipient=recipient, sealed_id=seal) for _ in range(2))
    assert first.params == two.params
