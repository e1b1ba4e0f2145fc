"""Who findings are for."""

from __future__ import annotations

import pytest

from iam.audit.findings.owners import owners_of
from iam.mirror.models import Entity, TagSet
from tests import factories

pytestmark = pytest.mark.django_db


def tag(entity: Entity, tags: dict[str, str]) -> None:
    moment = factories.FIRST_READ
    TagSet.objects.create(
        entity=entity, account=entity.account, tags=tags, valid_from=moment, observed_at=moment
    )


def test_a_person_a_tag_owner_and_a_tag_team_in_this_order() -> None:
    account = factories.account()
    user = factories.user(account, "tomas.lind")
    person = factories.person("Tomas Lind", arns=(user.arn,))
    tag(user, {"Owner": "someone else"})
    owned, teamed, bare = (factories.role(account, name) for name in ("a", "b", "c"))
    tag(owned, {"team": "payments", "Owner": "maya.okafor"})
    tag(teamed, {"Team": "payments", "owner": " "})
    tag(bare, {"Stage": "prod"})
    assert owners_of(row.pk for row in (user, owned, teamed, bare)) == {
        user.pk: person.name,
        owned.pk: "maya.okafor",
        teamed.pk: "payments",
    }
    assert owners_of([]) == {}
