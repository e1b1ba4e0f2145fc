"""Each topic of an event in a history has its icon."""

from __future__ import annotations

from console.identities.details.history import EVENT_ICONS
from iam.mirror.queries.history_events import EventTopic
from tests.house_rules import ROOT


def test_every_topic_has_an_icon_of_the_sprite() -> None:
    sprite = (ROOT / "static" / "icons.svg").read_text(encoding="utf-8")
    assert set(EVENT_ICONS) == set(EventTopic)
    assert [icon for icon in EVENT_ICONS.values() if f'id="{icon}"' not in sprite] == []
