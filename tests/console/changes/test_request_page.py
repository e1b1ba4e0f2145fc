"""One page requests acts, credentials and memberships: the same form, in the same order, by the same view."""

from __future__ import annotations

import uuid

import pytest
from django.urls import resolve, reverse

from iam.mirror.models import EdgeKind, Kind
from tests import factories
from tests.iam.changes.site import Site

KINDS = ("act", "credential", "membership")


@pytest.fixture
def addresses(site: Site) -> dict[str, str]:
    """A request of each kind that asks nothing."""
    leaver = factories.user(site.account, "ada.l", credentials={"mfa": "none"})
    return {
        "act": f"{reverse('changes:act', args=['delete'])}?on={leaver.pk}",
        "credential": f"{reverse('changes:credential')}?do=access_key.create&user={site.user.pk}",
        "membership": site.address(),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_requested_on_the_same_page(site: Site, addresses: dict[str, str], kind: str) -> None:
    answer = site.asker.get(addresses[kind])
    text = answer.content.decode().partition('id="act"')[2].partition("</form>")[0]

    assert answer.templates[0].name == "changes/request_draft.html"
    for name in ("csrfmiddlewaretoken", "key", "seen", "reason"):
        assert text.count(f'name="{name}"') == 1, name
    assert text.index('id="rq-h"') > text.index('id="ca-h"')
    assert "Submit request" in text


def test_the_request_page_serves_each_kind_of_draft(addresses: dict[str, str]) -> None:
    views = [resolve(address.partition("?")[0]).func for address in addresses.values()]

    assert {(view.__module__, view.__qualname__) for view in views} == {
        ("console.changes.request_draft", "request_page.<locals>.page")
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_reason_stays_where_the_request_is_refused(
    site: Site, addresses: dict[str, str], kind: str
) -> None:
    factories.edge(EdgeKind.MEMBER, site.user, site.group)
    for key in ("AKIAFIRST", "AKIASECOND"):
        made = factories.entity(site.account, Kind.ACCESS_KEY, key, category="Active", arn="")
        type(made).objects.filter(pk=made.pk).update(owner=site.user)
    # An act is refused as well, since nothing of it was previewed.
    form = {"reason": "On call", "key": str(uuid.uuid4())}
    answer = site.asker.post(addresses[kind], form)

    assert answer.status_code == 422
    assert "On call" in answer.content.decode()


def test_the_risk_of_a_removed_device_is_said_before_it_is_requested(site: Site) -> None:
    device = factories.entity(site.account, Kind.MFA_DEVICE, "phone")
    type(device).objects.filter(pk=device.pk).update(owner=site.user)
    address = f"{reverse('changes:credential')}?do=mfa_device.deactivate&of={device.pk}"

    assert "Removes an MFA device" in site.asker.get(address).content.decode()
