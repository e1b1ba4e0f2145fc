"""Who can use which AWS service: what the pages say, to whom, in which order, and what they cost."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.access import service_usage
from iam.access.escalation_calculation import stored_calculation
from iam.access.escalation_calculation.service_uses import count_services
from iam.access.service_usage import ServiceUserFilter
from iam.directory.models import Role, RoleAssignment
from iam.journal.models import Entry
from iam.mirror.models import Account, Section
from iam.mirror.pull.freshness import begin_sections
from iam.mirror.snapshot import snapshot
from iam.policy.catalogue import AccessLevel
from iam.policy.request import PrincipalKind
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prompt_worker")]
ONE, TWO = "111111111111", "222222222222"
WRITE_LEDGER = {
    "Effect": "Allow",
    "Action": ["s3:GetObject", "s3:PutObject"],
    "Resource": "arn:aws:s3:::ledger/*",
}
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
QUEUES = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture
def accounts(db: None) -> tuple[Account, Account]:
    """In production: ada reads and writes the ledger, bob reads, the role app sends messages, idle can do
    nothing. In data: cy reads.
    """
    account, two = factories.account(ONE), factories.account(TWO, name="data")
    factories.inline(factories.user(account, "ada.lovelace"), body=document(WRITE_LEDGER))
    factories.inline(factories.user(account, "bob"), body=document(READ))
    factories.inline(factories.role(account, "app"), body=document(QUEUES))
    factories.user(account, "idle")
    factories.inline(factories.user(two, "cy"), body=document(READ))
    return account, two


@pytest.fixture
def auditor(accounts: tuple[Account, Account]) -> Client:
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR, name="Otto Audit"))
    return client


@pytest.fixture
def of_two(accounts: tuple[Account, Account]) -> Client:
    """An auditor of the account data only."""
    operator = factories.operator(None, name="Dora Data")
    RoleAssignment.objects.create(person=operator.person, role=Role.AUDITOR, account_id=TWO)
    client = Client()
    client.force_login(operator)
    return client


def body(client: Client, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def names(prefix: str, **wanted: Any) -> list[str]:
    return [
        row.name for row in service_usage.page_of(prefix, ServiceUserFilter(None, **wanted), size=50).rows
    ]


def test_services_are_counted_by_people_roles_and_levels(accounts: tuple[Account, Account]) -> None:
    uses = service_usage.uses(None, at=None)
    assert [(use.prefix, use.users, use.roles) for use in uses.services] == [("s3", 3, 0), ("sqs", 0, 1)]
    assert (uses.users, uses.roles) == (4, 1)
    s3 = uses.services[0]
    assert (s3.levels[AccessLevel.READ], s3.levels[AccessLevel.WRITE], s3.levels[AccessLevel.LIST]) == (
        3,
        1,
        0,
    )
    only = service_usage.uses(frozenset({TWO}), at=None)
    assert [(use.prefix, use.users) for use in only.services] == [("s3", 1)]


def test_who_can_use_a_service_is_sorted_by_account_and_arn(accounts: tuple[Account, Account]) -> None:
    assert names("s3") == ["ada.lovelace", "bob", "cy"]
    assert names("sqs") == ["app"]
    assert names("ec2") == []


def test_filters_narrow_by_level_kind_and_name(accounts: tuple[Account, Account]) -> None:
    assert names("s3", levels=(AccessLevel.WRITE,)) == ["ada.lovelace"]
    assert names("s3", kind=PrincipalKind.ROLE) == []
    assert names("sqs", kind=PrincipalKind.ROLE) == ["app"]
    assert names("s3", text="ada.love") == ["ada.lovelace"]
    assert names("s3", text=":user/B") == ["bob"]


def test_a_row_counts_how_far_each_level_goes(accounts: tuple[Account, Account]) -> None:
    ada, bob, _ = service_usage.page_of("s3", ServiceUserFilter(None), size=50).rows
    assert (ada.levels[AccessLevel.WRITE].limited, ada.levels[AccessLevel.WRITE].everywhere) == (1, 0)
    assert (bob.levels[AccessLevel.READ].limited, bob.levels[AccessLevel.READ].everywhere) == (0, 1)
    assert (ada.display, bob.display) == ("ada.lovelace", "bob")


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_put_together_are_the_whole(accounts: tuple[Account, Account], size: int) -> None:
    for number in range(9):
        owner = accounts[number % 2]
        factories.inline(factories.user(owner, f"user-{number}"), body=document(READ))
    whole = [row.list_position for row in service_usage.every_row("s3", ServiceUserFilter(None))]
    places, after, more = [], ("", ""), True
    while more:
        page = service_usage.page_of("s3", ServiceUserFilter(None), after=after, size=size)
        assert (page.users, page.roles) == (12, 0)
        places += [row.list_position for row in page.rows]
        after, more = places[-1], page.has_after
    assert places == whole == sorted(whole)
    assert len(whole) == 12


def test_what_is_kept_is_dropped_when_the_mirror_changes(accounts: tuple[Account, Account]) -> None:
    account, _ = accounts
    assert names("sqs") == ["app"]
    assert service_usage.uses(None, at=None).services[1].users == 0
    late = factories.user(account, "late")
    factories.inline(late, body=document(QUEUES))
    account.revision += 1
    account.save()
    type(late).objects.filter(pk=late.pk).update(revision=account.revision)
    assert names("sqs") == ["app", "late"]
    assert service_usage.uses(None, at=None).services[1].users == 0, "as it was counted last"
    assert count_services() == 1, "of the other account nothing changed"
    assert service_usage.uses(None, at=None).services[1].users == 1


def test_what_is_counted_by_a_worker_is_what_the_index_says(accounts: tuple[Account, Account]) -> None:
    gone = factories.account("333333333333", name="gone")
    factories.inline(factories.user(gone, "left"), body=document(QUEUES))
    count_services()
    Account.objects.filter(pk=gone.pk).update(removed_at=factories.FIRST_READ)
    for numbers in (None, frozenset({ONE}), frozenset({TWO})):
        with snapshot() as index:
            fresh = service_usage.uses_in(index, numbers)
        uses = service_usage.uses(numbers, at=None)
        assert (uses.services, uses.users, uses.roles) == (fresh.services, fresh.users, fresh.roles)


def test_where_an_account_was_not_counted_yet_nothing_is_said(
    auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_calculation, "nudge", lambda: None)
    count_services()
    new = factories.account("333333333333", name="new")
    begin_sections([new])
    assert "Calculating" not in body(auditor, "/services/")
    assert "Not synced yet in 1 account: users, roles." in body(auditor, "/services/")
    Section.objects.filter(account=new).update(state="complete", observed_at=factories.FIRST_READ)
    page = body(auditor, "/services/")
    assert "Calculating who can use which service" in page
    assert "No one can use any service" not in page
    assert 'hx-get="/escalation/ready/?question=services"' in page
    assert "Who can use what" in body(auditor, f"/services/?account={ONE}")
    assert "HX-Refresh" not in auditor.get("/escalation/ready/?question=services").headers
    assert count_services() == 1
    assert auditor.get("/escalation/ready/?question=services").headers["HX-Refresh"] == "true"
    assert "Who can use what" in body(auditor, "/services/")


def test_who_uses_a_service_is_kept_until_something_changes(
    accounts: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = service_usage.uses(None, at=None), names("s3")
    monkeypatch.setattr(service_usage, "_users_and_roles", refuse())
    assert (service_usage.uses(None, at=None), names("s3")) == before


def refuse() -> Callable[..., Any]:
    def asked(*_: Any, **__: Any) -> Any:
        raise AssertionError("It was worked out again.")

    return asked


def test_few_results_are_kept(accounts: tuple[Account, Account]) -> None:
    from iam.access import index_cache

    for prefix in ("s3", "sqs", "ec2", "iam", "kms", "sns", "logs", "lambda", "sts", "rds", "ecs"):
        names(prefix)
    with snapshot() as index:
        assert len(index.derived) == index_cache.MAX_RESULTS


def test_the_list_shows_each_service_with_a_link(auditor: Client) -> None:
    shown = body(auditor, "/services/")
    assert "2 services, 4 IAM users and 1 role" in shown
    assert 'href="/services/s3"' not in shown
    assert '<a href="/services/s3/"><strong>Amazon S3</strong></a>' in shown
    assert "<b>Read</b> 3" in shown
    assert "Amazon S3" not in body(auditor, "/services/?q=sqs")
    assert "Amazon SQS" in body(auditor, "/services/?level=write")
    assert "No service matches" in body(auditor, "/services/?level=list")
    assert "isn’t an access level" in body(auditor, "/services/?level=x")


def test_a_service_lists_people_and_roles_with_links(
    auditor: Client, accounts: tuple[Account, Account]
) -> None:
    shown = body(auditor, "/services/s3/")
    assert "3 IAM users and 0 roles" in shown
    assert "ada.lovelace" in shown
    assert "/access/s3/" in shown
    assert "data" in shown
    assert "bob" not in body(auditor, "/services/s3/?level=write")
    assert "Ada" not in body(auditor, f"/services/s3/?account={TWO}")
    assert "No one matches" in body(auditor, "/services/s3/?kind=roles")
    assert "No one can use" in body(auditor, "/services/ec2/")
    assert "No more IAM users or roles" in body(auditor, f"/services/s3/?after={TWO}~z")


@pytest.mark.parametrize(
    "query", ["after=x", "after=~", "kind=x", "level=%00", "q=" + "x" * 500, "after=9~%FF"]
)
def test_what_makes_no_sense_is_passed_over(auditor: Client, query: str) -> None:
    if "%00" in query:
        assert auditor.get(f"/services/s3/?{query}").status_code == 400
    else:
        assert auditor.get(f"/services/s3/?{query}").status_code == 200


def test_unknown_services_and_unseen_accounts_are_not_there(auditor: Client, of_two: Client) -> None:
    for address in ("/services/nothing/", "/services/S3/", "/services/s3/?account=999999999999"):
        assert auditor.get(address).status_code == 404
    assert of_two.get(f"/services/s3/?account={ONE}").status_code == 404


def test_who_sees_one_account_is_told_of_that_one_only(of_two: Client, auditor: Client) -> None:
    body(auditor, "/services/s3/")
    shown = body(of_two, "/services/s3/")
    assert "cy" in shown
    assert "Ada" not in shown
    assert "1 IAM user and 0 roles" in shown
    assert "1 service, 1 IAM user and 0 roles" in body(of_two, "/services/")
    file = b"".join(of_two.get("/services/s3/export.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "ada" not in file


def test_with_htmx_only_the_table_comes(auditor: Client) -> None:
    for address in ("/services/", "/services/s3/"):
        assert body(auditor, address, HX_Request="true").startswith('<div class="stack" id="table"')


def test_a_past_moment_is_that_of_then(auditor: Client, accounts: tuple[Account, Account]) -> None:
    later = factories.FIRST_READ + timedelta(days=10)
    factories.inline(factories.user(accounts[0], "old"), body=document(QUEUES), since=later)
    then = f"{later - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    assert "old" in body(auditor, "/services/sqs/")
    assert ">old<" not in body(auditor, f"/services/sqs/?as-of={then}")
    assert f'href="/services/s3/?as-of={then.replace(":", "%3A")}"' in body(
        auditor, f"/services/?as-of={then}"
    )


def test_the_file_has_everybody_who_fits_and_is_noted(auditor: Client) -> None:
    answer = auditor.get("/services/s3/export.csv?level=write")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["name"], row["write_actions"], row["limited"], row["everywhere"]) == (
        "ada.lovelace",
        "1",
        "2",
        "0",
    )
    entry = Entry.objects.get(kind="services.export")
    assert (entry.subject, entry.data["query"]) == ("Amazon S3", "?level=write")
    assert auditor.get("/services/s3/export.xml").status_code == 404


@pytest.mark.parametrize("address", ["/services/", "/services/s3/"])
def test_fifty_rows_cost_as_many_queries_as_one(
    auditor: Client, accounts: tuple[Account, Account], address: str
) -> None:
    spent = []
    for count in (0, 50):
        for number in range(count):
            factories.inline(factories.user(accounts[1], f"user-{number}"), body=document(READ))
        from iam.mirror.snapshot import forget

        forget()
        auditor.get(address)
        with CaptureQueriesContext(connection) as captured:
            auditor.get(address)
        spent.append(len(captured))
    assert spent[0] == spent[1] <= 12


def test_without_an_account_a_service_says_that_none_is_connected() -> None:
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR, name="Otto Audit"))
    assert "No account is connected" in body(client, "/services/s3/")
