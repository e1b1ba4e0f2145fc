"""`manage.py findings`: its lists, and what it refuses."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from iam.audit.findings.rules import all_rules
from iam.mirror.models import Account, Section, UserCredentials
from tests import factories

pytestmark = pytest.mark.django_db
NAMES = [
    "kind",
    "severity",
    "certainty",
    "status",
    "account",
    "subject",
    "related",
    "evidence",
    "first_seen",
    "last_seen",
    "fix",
]


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


def printed(*options: str) -> str:
    out = StringIO()
    call_command("findings", *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_json_list_has_the_agreed_names(account: Account) -> None:
    user = factories.user(account, "tomas", credentials={"mfa": "none"})
    rows = json.loads(printed("--json"))
    assert all(list(row) == NAMES for row in rows)
    (row,) = [row for row in rows if row["kind"] == "password-without-mfa"]
    assert (row["severity"], row["certainty"], row["status"]) == ("high", "confirmed", "open")
    assert (row["account"], row["subject"]) == (account.account_id, user.arn)


def test_what_could_not_be_judged_is_unknown_and_not_none(account: Account) -> None:
    """A time before the first sync, and a section that was not read: an empty list says nothing is wrong."""
    out, errors = StringIO(), StringIO()
    before = (factories.FIRST_READ - timedelta(days=30)).isoformat()
    call_command("findings", "--json", "--as-of", before, stdout=out, stderr=errors)
    assert json.loads(out.getvalue()) == []
    assert f"{account.name}: nothing was synced by then" in errors.getvalue()
    assert printed("--as-of", before) == ""
    unread = re.compile(rf"{account.name}: (\d+) of {len(all_rules())} kinds couldn’t be judged")
    (of_root,) = unread.findall(printed())
    Section.objects.filter(account=account, name="credential_report").update(state="denied")
    (more,) = unread.findall(printed())
    assert int(more) > int(of_root) > 0
    errors = StringIO()
    call_command("findings", "--json", stdout=StringIO(), stderr=errors)
    assert unread.findall(errors.getvalue()) == [more]


def test_a_past_time_is_of_then(account: Account) -> None:
    user = factories.user(account, "tomas", credentials={"mfa": "none"})
    then = factories.FIRST_READ + timedelta(days=1)
    factories.becomes(UserCredentials.objects.get(user=user), at=then + timedelta(days=1), mfa="virtual")
    kinds_then = {row["kind"] for row in json.loads(printed("--json", "--as-of", then.isoformat()))}
    kinds_now = {row["kind"] for row in json.loads(printed("--json"))}
    assert "password-without-mfa" in kinds_then - kinds_now


def test_only_one_account_is_listed(account: Account) -> None:
    factories.user(account, "tomas", credentials={"mfa": "none"})
    other = factories.account("222222222222", name="staging")
    factories.synced(other)
    rows = json.loads(printed("--json", "--account", other.account_id))
    assert {row["account"] for row in rows} == {other.account_id}


def test_an_account_is_named_by_its_exact_name_too(account: Account) -> None:
    factories.user(account, "tomas", credentials={"mfa": "none"})
    other = factories.account("222222222222", name="staging")
    factories.synced(other)
    for word in ("staging", "2222-2222-2222"):
        rows = json.loads(printed("--json", "--account", word))
        assert {row["account"] for row in rows} == {other.account_id}
    with pytest.raises(
        CommandError, match=r"--account stag: .* Connected: 111111111111 \(production\), 2222"
    ):
        printed("--account", "stag")


def test_a_name_of_several_accounts_needs_an_id(account: Account) -> None:
    factories.account("222222222222", name=account.name)
    with pytest.raises(CommandError, match=r"several accounts have this name\. Use an ID: 1{12}, 2{12}"):
        printed("--account", account.name)


def test_an_account_that_is_not_connected_is_named(account: Account) -> None:
    with pytest.raises(CommandError, match=f"999.*isn’t connected. Connected: {account.account_id}"):
        printed("--account", "999")


def test_kinds_are_listed_with_a_sentence_each() -> None:
    lines = printed("--kinds").splitlines()
    assert len(lines) == len(all_rules())
    assert all(line.endswith(".") for line in lines)


def test_a_table_counts_by_severity(account: Account) -> None:
    factories.user(account, "tomas", credentials={"mfa": "none"})
    last = printed().splitlines()[-1]
    counts = Counter(row["severity"] for row in json.loads(printed("--json")))
    assert counts["high"] > 0
    for severity in ("critical", "high", "medium", "low"):
        assert f"{counts[severity]} {severity}" in last
