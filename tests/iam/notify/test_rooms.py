"""Slack and the webhook: what a room is told, how it is signed, where it may not go."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from console import env, notices
from iam.notify import outbox
from iam.notify.channels.http_post import is_public
from iam.notify.events import NotifyEvent
from iam.notify.models import MessageChannel, OutgoingMessage
from iam.notify.services import NotifyError, notify, save_preferences
from tests import factories
from tests.iam.notify.conftest import Receiver

pytestmark = pytest.mark.django_db
SECRET = "correct-horse-battery"


@pytest.fixture
def webhook(receiver: Receiver, settings: Any) -> Receiver:
    settings.WEBHOOK_URL, settings.WEBHOOK_SECRET = f"{receiver.url}/in?from=gatehouse", SECRET
    return receiver


@pytest.fixture
def slack(receiver: Receiver, settings: Any) -> Receiver:
    settings.SLACK_WEBHOOK = f"{receiver.url}/services/T0/B0/secret"
    return receiver


def told(channel: str, **more: Any) -> OutgoingMessage:
    """Something happened, and the room's message was sent, or tried."""
    message_fields = {
        "people": [],
        "subject": "CHG-1: add <kwame> & co",
        "path": "/changes/1/",
        "reference": "CHG-1",
    }
    notify(NotifyEvent.WAITING, key="1", **message_fields | more)
    message = OutgoingMessage.objects.get(channel=channel)
    outbox.deliver(message.pk)
    message.refresh_from_db()
    return message


def test_a_webhook_is_signed_over_the_time_and_the_body(webhook: Receiver) -> None:
    message = told("webhook")
    path, headers, body = webhook.arrived[0]
    moment = headers["Gatehouse-Timestamp"]
    expected = hmac.new(SECRET.encode(), f"{moment}.{body.decode()}".encode(), hashlib.sha256).hexdigest()
    assert headers["Gatehouse-Signature"] == f"v1={expected}"
    assert abs(int(moment) - time.time()) < 10
    assert path == "/in?from=gatehouse"
    assert headers["Gatehouse-Delivery"] == str(message.pk)
    assert message.state == "sent"


def test_a_room_is_told_no_names_unless_the_settings_say_so(webhook: Receiver, settings: Any) -> None:
    told("webhook", text="Because Kwame is on call")
    body = json.loads(webhook.arrived[0][2])
    assert set(body) == {"id", "event", "headline", "reference", "url", "at"}
    assert body["url"] == f"{settings.BASE_URL}/changes/1/"
    settings.NOTIFY_DETAILS = True
    OutgoingMessage.objects.all().delete()
    told("webhook", text="Because Kwame is on call")
    assert json.loads(webhook.arrived[1][2])["text"] == "Because Kwame is on call"


def test_slack_reads_the_event_and_names_who_wants_to_be_named(slack: Receiver, settings: Any) -> None:
    hana, jonas = factories.person("Hana Sato"), factories.person("Jonas Berg")
    save_preferences(
        hana.id, wanted={MessageChannel.SLACK: [NotifyEvent.WAITING]}, slack_member="u024be7lh", actor=hana
    )
    told("slack", people=[hana, jonas])
    text = json.loads(slack.arrived[0][2])["text"]
    first, second = text.splitlines()
    assert first == "<@U024BE7LH> A request is waiting for approval: CHG-1"
    assert second == f"<{settings.BASE_URL}/changes/1/|Open in Gatehouse>"


def test_what_people_typed_cannot_become_a_link_or_a_mention_in_slack(slack: Receiver, settings: Any) -> None:
    settings.NOTIFY_DETAILS = True
    told("slack", subject="<!channel> <https://evil.example|x> & more")
    text = json.loads(slack.arrived[0][2])["text"]
    assert text.startswith("&lt;!channel&gt; &lt;https://evil.example|x&gt; &amp; more\n")


@pytest.mark.parametrize(
    ("answer", "state", "error"),
    [
        ((500, {}), "waiting", "The webhook answered 500."),
        ((429, {}), "waiting", "The webhook answered 429."),
        ((404, {}), "given_up", "The webhook answered 404."),
        (
            (302, {"Location": "/elsewhere"}),
            "given_up",
            "The webhook answered 302, a redirect, which is not followed",
        ),
    ],
    ids=["broken", "busy", "gone", "redirect"],
)
def test_an_answer_decides_whether_it_is_tried_again(
    webhook: Receiver, answer: tuple[int, dict[str, str]], state: str, error: str
) -> None:
    webhook.answers.append(answer)
    message = told("webhook")
    assert message.state == state
    assert message.error.startswith(error)
    assert len(webhook.arrived) == 1


def test_a_host_of_the_own_network_is_refused_unless_the_settings_allow_it(
    webhook: Receiver, settings: Any
) -> None:
    settings.WEBHOOK_PRIVATE = False
    message = told("webhook")
    assert webhook.arrived == []
    assert message.state == "given_up"
    assert "not public" in message.error
    assert "127.0.0.1" not in message.error


def test_a_secret_address_is_in_no_row(slack: Receiver) -> None:
    slack.answers.append((500, {}))
    message = told("slack")
    assert "services/T0" not in json.dumps([str(v) for v in vars(message).values()])


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("10.1.2.3", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("192.168.0.1", False),
        ("172.16.0.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:0a00:0001::1", False),
        ("fec0::1", False),
        ("64:ff9b:1::7f00:1", False),
        ("::127.0.0.1", False),
        ("2001:0:a9fe:a9fe::1", False),
    ],
)
def test_an_address_is_public_also_where_it_stands_for_another(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_a_slack_member_is_one_person(slack: Receiver) -> None:
    hana, jonas = factories.person("Hana Sato"), factories.person("Jonas Berg")
    save_preferences(hana.id, wanted={}, slack_member="U024BE7LH", actor=hana)
    with pytest.raises(NotifyError, match="someone else"):
        save_preferences(jonas.id, wanted={}, slack_member="U024BE7LH", actor=jonas)
    with pytest.raises(NotifyError, match="looks like"):
        save_preferences(jonas.id, wanted={}, slack_member="<!channel>", actor=jonas)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"GATEHOUSE_WEBHOOK_URL": "https://x.example/"}, "GATEHOUSE_WEBHOOK_SECRET signs"),
        (
            {"GATEHOUSE_SLACK_WEBHOOK": "http://x.example/"},
            "GATEHOUSE_SLACK_WEBHOOK must start with https://",
        ),
        (
            {"GATEHOUSE_SLACK_WEBHOOK": "https://u:p@x.example/"},
            "GATEHOUSE_SLACK_WEBHOOK isn’t a web address",
        ),
        (
            {"GATEHOUSE_SLACK_WEBHOOK": "https://x.example:99999/"},
            "GATEHOUSE_SLACK_WEBHOOK isn’t a web address",
        ),
    ],
    ids=["no secret", "plain", "name and password", "port"],
)
def test_a_wrong_setting_stops_the_start_by_name(
    variables: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(env.ConfigurationError) as wrong:
        notices.notification_rooms()
    assert str(wrong.value).startswith(sentence)
    assert "example" not in str(wrong.value)


def test_the_secret_of_the_webhook_comes_from_its_file(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    monkeypatch.setenv("GATEHOUSE_WEBHOOK_URL", "https://hooks.example.com/x")
    monkeypatch.setenv("GATEHOUSE_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    assert notices.notification_rooms().secret == SECRET
