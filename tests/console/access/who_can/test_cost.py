"""What an answer costs does not grow with how many can: what is shown is worked out, once, and nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.access import answer_runs, answers, persons, who_can
from iam.access import denied_principals as search
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from tests import factories as make
from tests.console.access.who_can.conftest import ASK, crowd
from tests.console.access.who_can.test_page import URL, ask, summary
from tests.iam.policy.index import organisations as made

pytestmark = pytest.mark.django_db


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The principals whose policies were named, statement by statement, which takes as long as all the rest
    of the answer.
    """
    asked: list[int] = []
    whole = PolicyIndex.request_and_policies

    def counted(self: PolicyIndex, member: Any, question: AccessQuestion) -> Any:
        asked.append(member.id)
        return whole(self, member, question)

    monkeypatch.setattr(PolicyIndex, "request_and_policies", counted)
    return asked


def test_only_those_shown_are_explained_and_only_once(auditor: Client, explained: list[int]) -> None:
    crowd(120)
    first = ask(auditor, view="")
    assert len(explained) == 5, "a group shows five, and the list of all is on another page"
    explained.clear()
    assert summary(ask(auditor, view="")) == summary(first)
    assert not explained


def test_the_order_of_everybody_is_not_looked_for_again(
    auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(60)
    ask(auditor, view="")

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("everybody was sorted again")

    monkeypatch.setattr(answer_runs, "nsmallest", refuse)
    ask(auditor, view="")


def test_nobody_is_looked_for_by_name_where_no_policy_has_names_in_it(
    auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(20)

    def refuse(*_: Any) -> Any:
        raise AssertionError("all names were read")

    monkeypatch.setattr(PolicyIndex, "classes_named", refuse)
    assert "20 confirmed" in summary(ask(auditor, view=""))


def test_no_first_is_looked_for_of_ways_of_whom_none_is_shown(
    auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(20)
    monkeypatch.setattr(who_can, "GROUPS", 0)
    sizes: list[int] = []
    whole = answer_runs.PrincipalRuns.page

    def counted(self: answer_runs.PrincipalRuns, *, size: int, **more: Any) -> Any:
        sizes.append(size)
        return whole(self, size=size, **more)

    monkeypatch.setattr(answer_runs.PrincipalRuns, "page", counted)
    ask(auditor, view="")
    assert len(sizes) == 1, "the list itself"


def test_whom_a_deny_stops_is_found_without_naming_statements(explained: list[int]) -> None:
    organisation = made.Organisation()
    both = tuple((name, organisation.digest(text)) for name, text in (("yes", ALLOW), ("no", DENY)))
    people = [
        made.PrincipalRow(
            number, f"arn:aws:iam::111111111111:user/u{number}", grants=made.PolicyHoldings(inline=both)
        )
        for number in range(1, 400)
    ]
    organisation.accounts.append(made.AccountRows(people, number="111111111111"))
    index = organisation.index()
    question = AccessQuestion("s3:GetObject", "arn:aws:s3:::docs/x")
    stopped = search.stopped(index, question, index.who_can(question), most=1000)
    assert (len(stopped.members), stopped.is_whole) == (399, True)
    assert not explained


@pytest.mark.parametrize("many", [10, 4000], ids=["matches-of-all", "matches-of-each"])
def test_no_statement_has_a_parameter_for_each_of_many(
    auditor: Client, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(persons, "MANY_USERS", many)
    users = crowd(120)
    make.person("Maya", email="maya@example.com", arns=(users[7].arn, users[9].arn))
    sizes: list[int] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        sizes.append(len(params or ()))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(note):
        page = ask(auditor, view="")
    assert summary(page).startswith("120 IAM users (1 person, 118 unmatched)")
    if many == 10:
        assert max(sizes) < 110, "no more than what a page shows"


def test_people_are_counted_again_only_after_somebody_was_linked(auditor: Client) -> None:
    users = crowd(60)
    person = make.person("Maya", email="maya@example.com", arns=(users[7].arn,))
    ask(auditor, view="")
    with CaptureQueriesContext(connection) as queries:
        assert summary(ask(auditor, view="")).startswith("60 IAM users (1 person, 59 unmatched)")
    assert not any("linking_sign" in query["sql"] for query in queries)
    person.identities.create(user_arn=users[9].arn)
    assert summary(ask(auditor, view="")).startswith("60 IAM users (1 person, 58 unmatched)")


def test_reasons_are_kept_of_a_few_only(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "REASONS", 3)
    crowd(60)
    kept: list[answers.CompleteAnswer] = []
    monkeypatch.setattr(who_can, "cached_on", lambda index, key, make: kept.append(make(None)) or kept[-1])
    auditor.get(URL, ASK | {"view": "list"})
    [part] = kept[-1].parts.values()
    assert len(part.reasons) == 3


ALLOW = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
DENY = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}}'
