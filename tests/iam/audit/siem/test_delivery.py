"""Whatever breaks, each receiver gets every entry of the chain, in its order."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from iam.audit.siem import services
from iam.audit.siem.models import ExportPosition
from iam.audit.siem.receivers import HttpsReceiver, configured_receivers
from iam.audit.siem.services import entries_behind, nudge_receivers, receiver_states, send_pending
from iam.audit.siem.tasks import export_journal, send_to_receiver
from iam.journal.chain import chain_pending
from iam.journal.models import Entry, JournalLink
from iam.journal.services import record
from tests.iam.audit.siem.conftest import TOKEN, WebReceiver

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
Write = Callable[..., list[Entry]]


def numbers(web: WebReceiver) -> list[int]:
    """The entries that arrived, with repeats."""
    return [json.loads(line)["entry"] for _, _, body in web.arrived for line in body.splitlines()]


def send_all(nudged: list[str]) -> None:
    """One round of the clock, and the tasks that it queues."""
    nudged.clear()
    export_journal()
    for key in list(nudged):
        send_to_receiver(key)


def in_a_while() -> Any:
    return time_machine.travel(datetime.now(tz=UTC) + timedelta(minutes=10), tick=False)


def test_every_entry_arrives_with_its_number_and_its_hash(
    web: WebReceiver, write: Write, nudged: list[str]
) -> None:
    entries = write(3, account_id="111111111111", data={"role": "approver"})
    send_all(nudged)
    [(path, headers, body)] = web.arrived
    assert path == "/in"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in body.splitlines()]
    assert [line["entry"] for line in lines] == [entry.id for entry in entries]
    assert [line["hash"] for line in lines] == [entry.link.hash for entry in entries]
    assert lines[1] == {
        "entry": entries[1].id,
        "time": "2026-11-24T12:00:00+00:00",
        "kind": "role.assign",
        "by": "Gatehouse",
        "email": "",
        "subject": "s1",
        "account": "111111111111",
        "request": "",
        "address": "",
        "data": {"role": "approver"},
        "block": 1,
        "position": 1,
        "hash": entries[1].link.hash,
    } | {"time": lines[1]["time"]}
    assert datetime.fromisoformat(lines[1]["time"]).utcoffset() == timedelta(0)


def test_what_was_confirmed_is_not_sent_again(web: WebReceiver, write: Write, nudged: list[str]) -> None:
    first = write(2)
    send_all(nudged)
    second = write(2)
    send_all(nudged)
    send_all(nudged)
    assert numbers(web) == [entry.id for entry in [*first, *second]]


def test_an_entry_that_waits_for_its_block_waits_here_too(
    web: WebReceiver, write: Write, nudged: list[str]
) -> None:
    write(1)
    record(kind="role.assign", actor=None)
    send_all(nudged)
    assert len(numbers(web)) == 1


def test_the_order_is_that_of_the_chain_and_not_of_the_ids(
    web: WebReceiver, write: Write, nudged: list[str]
) -> None:
    [first] = write(1)
    later, late = first.id + 5, first.id + 2
    for number in (later, late):
        Entry(id=number, at=first.at, kind="role.assign", actor_label="x").save(force_insert=True)
        chain_pending()
        send_all(nudged)
    assert numbers(web) == [first.id, later, late]


def test_a_receiver_that_is_down_gets_everything_when_it_is_back(
    web: WebReceiver, write: Write, nudged: list[str]
) -> None:
    web.answers = [(503, {}), (401, {})]
    entries = write(2)
    send_all(nudged)
    [state] = receiver_states()
    assert (state.entry, state.behind, state.error) == (None, 2, "The SIEM answered 503.")
    # The pause is kept, also by a task that was queued before.
    send_all(nudged)
    assert nudged == []
    assert send_pending(configured_receivers()[0].key) == 0
    assert len(web.arrived) == 1
    with in_a_while():
        send_all(nudged)
    assert receiver_states()[0].error == "The SIEM answered 401."
    entries += write(1)
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=1), tick=False):
        send_all(nudged)
    wanted = [entry.id for entry in entries]
    assert numbers(web) == wanted[:2] * 2 + wanted
    [state] = receiver_states()
    assert (state.entry, state.behind, state.error) == (wanted[-1], 0, "")


def test_pauses_grow_and_end(web: WebReceiver, write: Write, nudged: list[str]) -> None:
    write(1)
    web.answers = [(500, {})] * 6
    pauses = []
    for day in range(6):
        with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=day), tick=False):
            send_all(nudged)
            row = ExportPosition.objects.get()
            assert row.due_at
            pauses.append((row.due_at - datetime.now(tz=UTC)).total_seconds())
    assert pauses == [10, 30, 60, 300, 300, 300]


def test_no_redirect_is_followed(web: WebReceiver, write: Write, nudged: list[str]) -> None:
    web.answers = [(307, {"Location": f"{web.url}/elsewhere"})]
    write(1)
    send_all(nudged)
    assert len(web.arrived) == 1
    [state] = receiver_states()
    assert "a redirect, which is not followed" in state.error
    assert state.behind == 1


def test_a_worker_that_is_killed_repeats_and_loses_nothing(
    web: WebReceiver, write: Write, nudged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = write(3)
    send = HttpsReceiver.send

    def killed(self: HttpsReceiver, batch: Any) -> None:
        send(self, batch)
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(HttpsReceiver, "send", killed)
        with pytest.raises(SystemExit):
            send_all(nudged)
    # Its lease lasts: nobody sends beside it.
    send_all(nudged)
    assert len(web.arrived) == 1
    with in_a_while():
        send_all(nudged)
    assert numbers(web) == [entry.id for entry in entries] * 2
    assert web.arrived[0][2] == web.arrived[1][2]
    assert entries_behind() == 0


def test_one_that_lost_its_lease_does_not_move_the_place(
    web: WebReceiver, write: Write, nudged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(1)
    send = HttpsReceiver.send

    def overtaken(self: HttpsReceiver, batch: Any) -> None:
        send(self, batch)
        monkeypatch.setattr(HttpsReceiver, "send", send)
        with in_a_while():
            write(1)
            assert send_pending(self.key) == 2
        ExportPosition.objects.update(error="as the other left it")

    monkeypatch.setattr(HttpsReceiver, "send", overtaken)
    send_all(nudged)
    row = ExportPosition.objects.get()
    assert (row.block, row.sent, row.error) == (2, 2, "as the other left it")


def test_a_lost_queue_loses_nothing(
    web: WebReceiver, write: Write, nudged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = write(1)
    with monkeypatch.context() as patched:
        patched.setattr(services.nudge, "send", lambda *_: False)
        assert nudge_receivers() == 0
    assert nudged == []
    send_all(nudged)
    assert numbers(web) == [entries[0].id]


def test_a_batch_ends_before_it_is_too_large(
    web: WebReceiver, write: Write, nudged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "BATCH_BYTES", 600)
    entries = write(1) + write(1, data={"text": "x" * 2_000}) + write(2)
    send_all(nudged)
    assert [len(body.splitlines()) for _, _, body in web.arrived] == [1, 1, 2]
    assert numbers(web) == [entry.id for entry in entries]


def test_many_batches_go_in_one_run_and_the_rest_in_the_next(
    web: WebReceiver, write: Write, nudged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "BATCH_ENTRIES", 2)
    monkeypatch.setattr(services, "BATCHES_PER_RUN", 2)
    write(5)
    send_all(nudged)
    assert entries_behind() == 1
    send_all(nudged)
    assert entries_behind() == 0
    assert numbers(web) == list(JournalLink.objects.order_by("position").values_list("entry_id", flat=True))


def test_it_costs_one_query_when_nothing_is_new_and_none_without_receivers(
    web: WebReceiver,
    write: Write,
    nudged: list[str],
    settings: Any,
    django_assert_num_queries: Any,
) -> None:
    write(3)
    send_all(nudged)
    nudged.clear()
    with django_assert_num_queries(1):
        assert nudge_receivers() == 0
    assert nudged == []
    settings.SIEM_URL = ""
    with django_assert_num_queries(0):
        assert nudge_receivers() == 0
        assert receiver_states() == []
        assert entries_behind() is None


def test_a_new_receiver_gets_the_history_or_what_comes_from_now_on(
    web: WebReceiver, write: Write, nudged: list[str], settings: Any
) -> None:
    write(2)
    settings.SIEM_HISTORY = False
    send_all(nudged)
    assert web.arrived == []
    [new] = write(1)
    send_all(nudged)
    assert numbers(web) == [new.id]
    # Another path is another receiver.
    settings.SIEM_URL, settings.SIEM_HISTORY = f"{web.url}/other", True
    send_all(nudged)
    assert len(numbers(web)) == 4


def test_an_address_that_is_no_longer_set_gets_nothing(
    web: WebReceiver, write: Write, nudged: list[str], settings: Any
) -> None:
    write(1)
    export_journal()
    settings.SIEM_URL = ""
    send_to_receiver(nudged[0])
    assert web.arrived == []


def test_no_secret_is_stored_queued_shown_or_logged(
    web: WebReceiver,
    write: Write,
    nudged: list[str],
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.SIEM_URL = f"{web.url}/secret-path?key=secret-word"
    write(1)
    web.answers = [(403, {})]
    send_all(nudged)
    [receiver], [state], row = configured_receivers(), receiver_states(), ExportPosition.objects.get()
    told = f"{receiver!r} {receiver.key} {receiver.label} {state!r} {row!r} {row.receiver} {nudged} "
    told += caplog.text
    assert "siem.not_sent" in told
    assert TOKEN not in told
    assert "secret" not in told.replace("secrets", "")
