"""A path whose actions were called is marked, and one that nobody took is not."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from iam.mirror.models import Entity
from tests.console.access.escalation.conftest import World
from tests.iam.activity.events import happened, identity_of

LAMBDA = {"eventSource": "lambda.amazonaws.com", "eventName": "CreateFunction20150331", "readOnly": False}


def _page(auditor: Client, dana: Entity) -> str:
    answer = auditor.get(reverse("access:escalation-path", args=[dana.pk]))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


@pytest.mark.usefixtures("world")
def test_a_path_that_was_used_is_marked_with_its_calls(auditor: Client) -> None:
    dana = Entity.objects.get(name="dana.wirth")
    assert "used this path" not in _page(auditor, dana)
    happened(identity_of(dana), errorCode="AccessDenied", **LAMBDA)
    assert "used this path" not in _page(auditor, dana)
    happened(identity_of(dana), **LAMBDA)
    page = _page(auditor, dana)
    assert "dana.wirth used this path" in page
    assert "lambda:CreateFunction 1 time, last" in page


def test_calls_of_others_mark_nothing(world: World, auditor: Client) -> None:
    happened(identity_of(Entity.objects.get(name="nobody")), **LAMBDA)
    assert "used this path" not in _page(auditor, Entity.objects.get(name="dana.wirth"))
