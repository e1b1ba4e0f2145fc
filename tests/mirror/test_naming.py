"""What people call things."""

from __future__ import annotations

import pytest

from iam.mirror.naming import display_name, trusted_by


@pytest.mark.parametrize(
    ("login", "tags", "name"),
    [
        ("maya.okafor", {}, "Maya Okafor"),
        ("maya_okafor", None, "Maya Okafor"),
        ("maya.okafor@example.com", {}, "Maya Okafor"),
        ("bjorn.aasland-lund", {}, "Bjorn Aasland-Lund"),
        ("ana.maria.silva", {}, "Ana Maria Silva"),
        ("ci-release", {}, "ci-release"),
        ("maya", {}, "maya"),
        ("svc.backup2", {}, "svc.backup2"),
        ("m.okafor", {}, "m.okafor"),
        ("px042", {"DisplayName": "Priya Raman"}, "Priya Raman"),
        ("px042", {"display-name": "Priya Raman"}, "Priya Raman"),
        ("px042", {"Name": "Priya", "FullName": "Priya Raman"}, "Priya Raman"),
        ("maya.okafor", {"Name": "  "}, "Maya Okafor"),
        ("maya.okafor", {"CostCenter": "4711"}, "Maya Okafor"),
        ("", {}, ""),
    ],
)
def test_a_person_is_called_by_a_tag_or_by_what_the_login_says(
    login: str, tags: dict[str, str] | None, name: str
) -> None:
    assert display_name(login, tags) == name


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ("service:ec2", "EC2"),
        ("service:ecs-tasks", "ECS tasks"),
        ("service:brand-new", "brand-new"),
        ("cross-account", "Another account"),
        ("any", "Anyone"),
        ("", "Nobody"),
        ("unheard-of", "unheard-of"),
    ],
)
def test_who_may_assume_a_role_is_said_in_words(category: str, words: str) -> None:
    assert trusted_by(category) == words
