"""The access graph: every way of the rows, few boxes however many there are, and nothing over another."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise
from urllib.parse import urlencode

import pytest
from django.test import Client

from iam.mirror.models import EdgeKind
from tests import factories as make
from tests.console.access.who_can.conftest import ASK, World, say

BOX = re.compile(
    r'<g class="(\w*)"><title>(.*?)</title><rect class="box" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"'
)


def drawn(client: Client, **query: str) -> tuple[str, list[tuple[str, str, int, int, int]]]:
    """The SVG, and (class, title, x, y, width) of each box."""
    page = client.get(f"/access/who-can/?{urlencode(ASK | query)}").content.decode()
    svg = page[page.index('<svg class="graph"') : page.index("</svg>", page.index('<svg class="graph"'))]
    return svg, [
        (css, unescape(title), int(x), int(y), int(w)) for css, title, x, y, w, _ in BOX.findall(svg)
    ]


def test_each_identity_group_policy_and_the_resource_has_a_box(world: World, auditor: Client) -> None:
    svg, boxes = drawn(auditor)
    assert [(css, title) for css, title, *_ in boxes if css] == [
        ("denied", "jonah.weiss, user"),
        ("denied", "DenyLedger, explicit deny, statement 1"),
        ("end", "pay-ledger/*, The resource"),
    ]
    assert {title for _, title, *_ in boxes} >= {
        "maya.okafor, user",
        "platform-oncall, group, 111111111111",
        "OncallRead, statement 1",
        "Everything, statement 1",
        "pay-settle, role",
    }
    assert svg.count('class="edge deny"') == 2
    assert svg.count('class="edge maybe"') == 2
    assert "6 principals through 5 policies: pay-ledger/*. 1 principal is denied." in svg


def test_lines_go_from_left_to_right_and_no_box_lies_over_another(world: World, auditor: Client) -> None:
    svg, boxes = drawn(auditor)
    paths = re.findall(r'd="M(\d+) (\d+)C\d+ \d+ \d+ \d+ (\d+) (\d+)"', svg)
    assert paths
    ends = {(x + w, y + 20) for _, _, x, y, w in boxes}
    starts = {(x, y + 20) for _, _, x, y, w in boxes}
    for x1, y1, x2, y2 in (tuple(map(int, path)) for path in paths):
        assert x1 < x2
        assert (x1, y1) in ends
        assert (x2, y2) in starts
    places = sorted((x, y) for _, _, x, y, _ in boxes)
    for (x, y), (other, below) in pairwise(places):
        assert x != other or below - y >= 40


@pytest.mark.parametrize("shared", [True, False])
def test_many_identities_share_few_boxes(auditor: Client, shared: bool) -> None:
    account = make.account()
    group, policy = make.group(account), make.policy(account)
    make.edge(EdgeKind.ATTACHED, group, policy)
    for number in range(45):
        user = make.user(account, f"user-{number:03d}")
        if shared:
            make.edge(EdgeKind.MEMBER, user, group)
        else:
            make.inline(user, f"own-{number}", body=say("Allow", "s3:*"))
    _, boxes = drawn(auditor)
    titles = [title for _, title, *_ in boxes]
    if shared:
        assert titles[-1] == "45 principals, user-000 and others"
    else:
        assert {"34 more, identity", "34 more, policy"} <= set(titles)
    for column in {x for _, _, x, _, _ in boxes}:
        assert sum(x == column for _, _, x, _, _ in boxes) <= 12


def test_a_hostile_name_is_text(auditor: Client) -> None:
    make.inline(make.user(make.account(), "maya"), '"/><script>x</script>')
    svg, _ = drawn(auditor)
    assert "<script>" not in svg
