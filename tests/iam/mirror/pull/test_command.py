"""`manage.py pull`: reads in the foreground, says what it did, and fails when a section could not be read."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from iam.mirror.models import Account
from tests import factories
from tests.bench.fakeaws.world import World

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("pull", *arguments, stdout=out)
    return out.getvalue()


def test_the_summary_counts_calls_by_lane_and_rows(world: World, account: Account) -> None:
    pulls = json.loads(run("--json"))["pulls"]
    assert [p["account"] for p in pulls] == [account.account_id]
    assert pulls[0]["state"] == "complete"
    assert pulls[0]["calls"]["detail"] == 0
    assert pulls[0]["calls"]["fast"] <= 40
    assert sum(world.requests.values()) == pulls[0]["calls"]["all"]
    assert pulls[0]["sections"]["users"]["count"] == len(world.account.users)
    assert pulls[0]["seconds"] > 0


def test_people_read_a_line_per_section(world: World, account: Account) -> None:
    text = run(account.account_id)
    assert "production 111111111111: complete" in text
    assert "credential_report" in text


def test_the_exit_code_tells_of_a_section_that_could_not_be_read(world: World, account: Account) -> None:
    world.control("/_config", {"deny": "iam:ListServerCertificates"})
    with pytest.raises(SystemExit) as stopped:
        run()
    assert stopped.value.code == 1


def test_only_connected_accounts_are_read(world: World, account: Account) -> None:
    factories.account("222222222222", source="export")
    assert len(json.loads(run("--json"))["pulls"]) == 1
    with pytest.raises(CommandError, match="222222222222 isn’t connected"):
        run("222222222222")


def test_an_account_is_named_by_its_exact_name_too(world: World, account: Account) -> None:
    (pull,) = json.loads(run(account.name, account.account_id, "--json"))["pulls"]
    assert pull["account"] == account.account_id
    with pytest.raises(CommandError, match=rf"Nowhere isn’t connected. Connected: {account.account_id}"):
        run("Nowhere")
