"""What the doors of the views answer."""

from __future__ import annotations

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from console.web.access import ViewerRequest, account_or_404, require
from iam.directory.models import Role
from iam.guard import Right, viewer_for
from tests import factories

pytestmark = pytest.mark.django_db


@require(Right.SEE_ACCOUNT, Right.SEE_TEAM)
def _view(request: ViewerRequest, word: str) -> HttpResponse:
    return HttpResponse(word)


def _request(viewer: object) -> HttpRequest:
    request = RequestFactory().get("/")
    request.viewer = viewer
    return request


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR])
def test_one_of_the_rights_opens_the_door(role: Role) -> None:
    assert _view(_request(factories.viewer(role)), "inside").content == b"inside"


@pytest.mark.parametrize("viewer", [None, Role.MEMBER])
def test_without_the_right_the_page_does_not_exist(viewer: Role | None) -> None:
    with pytest.raises(Http404):
        _view(_request(factories.viewer(viewer) if viewer else None), "inside")


def test_an_account_outside_the_scope_does_not_exist() -> None:
    factories.account("111111111111")
    factories.account("222222222222", name="staging")
    someone = factories.person("Rosa Lind")
    factories.assign(someone, Role.AUDITOR, account_id="222222222222")
    viewer = viewer_for(someone)
    assert account_or_404(viewer, "222222222222").name == "staging"
    for number in ("111111111111", "333333333333"):
        with pytest.raises(Http404):
            account_or_404(viewer, number)


def test_a_right_is_asked_in_that_very_account() -> None:
    factories.account("111111111111")
    factories.account("222222222222", name="staging")
    someone = factories.person("Rosa Lind")
    factories.assign(someone, Role.AUDITOR)
    factories.assign(someone, Role.ADMINISTRATOR, account_id="222222222222")
    viewer = viewer_for(someone)
    assert account_or_404(viewer, "222222222222", right=Right.MANAGE_ACCOUNTS)
    assert account_or_404(viewer, "111111111111")
    with pytest.raises(Http404):
        account_or_404(viewer, "111111111111", right=Right.MANAGE_ACCOUNTS)
