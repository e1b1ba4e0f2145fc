"""Requester and approver see which recorded calls a request would deny; others see none of it."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from console.changes.replay_rows import replay_shown
from iam.changes.models import Change
from iam.directory.models import Role
from iam.mirror import snapshot
from iam.mirror.models import EdgeKind
from iam.mirror.queries.entities import OpenableEntities
from tests import factories
from tests.iam.activity.events import happened, identity_of
from tests.iam.changes.site import Site, page_of, signed_in

EC2: dict[str, Any] = {
    "eventSource": "ec2.amazonaws.com",
    "eventName": "DescribeInstances",
    "requestParameters": None,
}


def _words(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


@pytest.fixture
def leaving(site: Site) -> Site:
    """The user is in the group, and its removal can be requested."""
    factories.edge(EdgeKind.MEMBER, site.user, site.group)
    snapshot.forget()
    return site


def _removal(site: Site) -> str:
    return site.address("remove")


def _requested(site: Site) -> Change:
    answer = site.asker.post(_removal(site), {"reason": "Moved", "key": str(uuid4())})
    assert answer.status_code == 302
    return Change.objects.get()


def test_the_preview_and_the_request_name_the_calls(leaving: Site) -> None:
    happened(identity_of(leaving.user), at=timezone.now() - timedelta(days=2), times=3, **EC2)
    sentence = "Of 3 calls in 90 days, 3 would be denied."
    assert sentence in _words(leaving.asker, _removal(leaving))
    change = _requested(leaving)
    for client in (leaving.asker, leaving.approver):
        words = _words(client, page_of(change))
        assert sentence in words
        assert "ec2:DescribeInstances" in words
    html = leaving.approver.get(page_of(change)).content.decode()
    (address,) = set(re.findall(r'href="(/activity/\d+/[^"]+)"', html))
    assert leaving.approver.get(address).status_code == 200


def test_what_is_not_known_is_never_none(leaving: Site) -> None:
    words = _words(leaving.asker, _removal(leaving))
    assert "It’s unknown which calls this denies." in words
    assert "No CloudTrail events are known for prod-core" in words
    assert "would be denied" not in words


def test_the_known_period_is_named_where_there_are_no_calls(leaving: Site) -> None:
    other = factories.user(leaving.account, "somebody.else")
    happened(identity_of(other), at=timezone.now() - timedelta(days=2), **EC2)
    words = _words(leaving.asker, _removal(leaving))
    assert "None of the known CloudTrail events of the last 90 days" in words
    assert "Events of prod-core are known from" in words


def test_the_known_period_of_each_account_has_a_sentence_of_its_own() -> None:
    at = timezone.now()
    known = [SimpleNamespace(account=name, first_at=at, last_at=at) for name in ("prod-core", "data")]
    replay = SimpleNamespace(is_known=True, known=known)
    page = render_to_string("changes/_replay.html", {"impact": SimpleNamespace(replay=replay)})
    words = " ".join(re.sub("<[^>]*>", " ", page).split())
    assert re.search(
        r"Events of prod-core are known from [^.]+ to [^.]+\. Events of data are known from", words
    )


def test_the_first_replayed_moment_is_named_where_older_calls_are_known(leaving: Site) -> None:
    """The last 90 days end now, while events are kept for longer: both numbers differ."""
    happened(identity_of(leaving.user), at=timezone.now() - timedelta(days=2), times=3, **EC2)
    words = _words(leaving.asker, _removal(leaving))
    assert "Of 3 calls in 90 days, 3 would be denied." in words
    assert "weren’t replayed" not in words
    just_before = timezone.now() - timedelta(days=90, minutes=1)
    happened(identity_of(leaving.user), at=just_before, **EC2)
    words = _words(leaving.asker, _removal(leaving))
    assert "Of 3 calls in 90 days, 3 would be denied." in words
    assert re.search(r"Calls before [^.]+ weren’t replayed\.", words)


def test_a_member_sees_the_replay_of_own_calls(leaving: Site) -> None:
    happened(identity_of(leaving.user), at=timezone.now() - timedelta(days=2), times=3, **EC2)
    change = _requested(leaving)
    member = factories.operator(Role.MEMBER, name="Kwame Boateng", arns=(leaving.user.arn,))
    Change.objects.filter(pk=change.pk).update(requested_by=member.person_id)
    assert "3 would be denied" in _words(signed_in(member), page_of(change))


def test_calls_of_someone_whom_the_viewer_does_not_see_are_not_shown(leaving: Site) -> None:
    happened(identity_of(leaving.user), at=timezone.now() - timedelta(days=2), times=3, **EC2)
    replay = _requested(leaving).change_set.receipt["impact"]["replay"]
    number = leaving.user.pk
    assert replay_shown(replay, open_to=OpenableEntities(whole=False, pks=frozenset({number}))) is not None
    assert replay_shown(replay, open_to=OpenableEntities(whole=False, pks=frozenset({number + 1}))) is None
