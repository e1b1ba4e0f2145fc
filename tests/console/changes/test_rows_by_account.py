"""The calls of a request over several accounts each name their account."""

import pytest

from console.changes.presenters import rows_by_account
from tests import factories

pytestmark = pytest.mark.django_db
CALL = {"service": "iam", "operation": "GetUser", "params": {"UserName": "maya"}, "sentence": "Look at maya"}


def test_the_account_is_named_where_there_are_several() -> None:
    first, second = factories.account(), factories.account("222222222222", name="data")
    rows = rows_by_account([(CALL, first), (CALL, second)])
    assert [row.place for row in rows] == [first.name, "data"]
    assert [row.place for row in rows_by_account([(CALL, first), (CALL, first)])] == ["", ""]
    assert rows_by_account([]) == []
