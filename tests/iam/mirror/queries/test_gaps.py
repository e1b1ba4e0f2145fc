"""What a list says of sections that are not complete: since when, and when they last were."""

from datetime import timedelta

import pytest

from iam.directory.models import Role
from iam.mirror.models import Section, SectionState
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.freshness import gaps
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_gap_tells_since_when_the_first_of_its_sections_is_not_complete() -> None:
    account = factories.account()
    factories.synced(account)
    first, later = (factories.FIRST_READ + timedelta(days=days) for days in (3, 5))
    for name, moment in (("users", later), ("groups", first)):
        Section.objects.filter(account=account, name=name).update(
            state=SectionState.DENIED, bad_since=moment, permission="iam:ListUsers"
        )
    [gap] = gaps(("users", "groups"), ListContext(factories.viewer(Role.AUDITOR))).shown
    assert (set(gap.sections), gap.since) == ({"users", "groups"}, first)


def test_a_gap_tells_of_no_moment_where_that_of_one_of_its_sections_is_not_known() -> None:
    account = factories.account()
    factories.synced(account)
    for name, moment in (("users", None), ("groups", factories.FIRST_READ)):
        Section.objects.filter(account=account, name=name).update(state=SectionState.DENIED, bad_since=moment)
    [gap] = gaps(("users", "groups"), ListContext(factories.viewer(Role.AUDITOR))).shown
    assert gap.since is None
