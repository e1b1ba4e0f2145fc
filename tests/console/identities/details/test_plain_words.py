"""A team lead and a member read plain words: what AWS calls things is folded away, and an administrator sees
it at once.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from iam.access.templates.queries import offered_templates
from iam.directory.models import Role
from tests import factories
from tests.console.identities.details.conftest import SignIn, Small

pytestmark = pytest.mark.django_db

JARGON = (
    "ARN",
    "arn:aws",
    "Permissions boundary",
    "Path",
    "Customer managed",
    "Managed policies",
    "Service control",
    "iam:",
)
SPOKEN = re.compile(r'(?:placeholder|aria-label)="([^"]*)"')


def at_first_sight(client: Client, address: str) -> str:
    """What a page says without anything being opened: its texts, and what fields say of themselves."""
    response = client.get(address)
    assert response.status_code == 200, address
    page = re.sub(r"<head>.*?</head>", "", response.content.decode(), flags=re.DOTALL)
    closed = re.sub(r"<details[^>]*>\s*(<summary.*?</summary>).*?</details>", r"\1", page, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", closed) + " ".join(SPOKEN.findall(closed)))


def jargon(client: Client, addresses: list[str]) -> dict[str, list[str]]:
    """The words of AWS that each page shows."""
    jargon_by_address = {a: [word for word in JARGON if word in at_first_sight(client, a)] for a in addresses}
    return {address: words for address, words in jargon_by_address.items() if words}


def test_a_team_lead_meets_no_words_of_aws(lead: Client, small: Small) -> None:
    ask = f"/changes/membership/?user={small.maya.pk}"
    pages = [
        "/",
        "/people/",
        "/groups/",
        "/search/?q=maya",
        "/search/?q=nowhere",
        "/search/",
        "/changes/",
        "/profile/",
    ]
    pages += [
        small.addresses()[name]
        for name in ("person", "credentials", "person history", "group", "group history")
    ]
    pages += [f"{ask}&do=add", f"{ask}&group={small.payments.pk}&do=remove"]
    assert jargon(lead, pages) == {}


def test_a_member_meets_no_words_of_aws(sign_in: SignIn, small: Small) -> None:
    member = sign_in(Role.MEMBER, name="Maya Okafor", arns=(small.maya.arn,))
    pages = [
        "/",
        "/changes/",
        *(small.addresses()[name] for name in ("person", "credentials", "person history")),
    ]
    assert jargon(member, pages) == {}


READS_S3 = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:List*", "s3:Get*"], "Resource": "*"}],
}
LEVEL_BAR = re.compile(r'class="(?:lvl|lv-key)\b')
LETTERS = re.compile(r">[LRWPT]<|\bPerms\b|by access level")
"""How access levels are drawn and called for those who know AWS's terms."""


def drawn(client: Client, addresses: list[str]) -> dict[str, list[str]]:
    """The access levels that each page draws or names."""
    pages = {}
    for address in addresses:
        response = client.get(address, follow=True)
        assert response.status_code == 200, address
        body = response.content.decode().partition("<main")[2] or response.content.decode()
        pages[address] = LEVEL_BAR.findall(body) + LETTERS.findall(body)
    return {address: words for address, words in pages.items() if words}


def draft_of(client: Client) -> str:
    """The page of a grant for oneself, on which one chooses what it gives."""
    return str(client.post("/ask/choose/", follow=True).request["PATH_INFO"])


def of_maya(small: Small) -> list[str]:
    """The pages of what someone can do, over all services and with one."""
    access = f"/people/{small.maya.pk}/access/"
    return [access, f"{access}s3/"]


def test_nobody_meets_access_levels_who_sees_no_account(sign_in: SignIn, lead: Client, small: Small) -> None:
    factories.inline(small.maya, "s3", body=READS_S3)
    template = offered_templates()[0].slug
    of_lead = ["/templates/", f"/templates/{template}/", "/people/", "/people/access-levels/"]
    assert drawn(lead, [*of_lead, *of_maya(small)]) == {}
    member = sign_in(Role.MEMBER, name="Maya Okafor", arns=(small.maya.arn,))
    draft = draft_of(member)
    assert drawn(member, [draft, *of_maya(small)]) == {}
    for client, address in ((lead, "/templates/"), (lead, "/people/access-levels/"), (member, draft)):
        assert "Can list" in client.get(address).content.decode(), address


def test_who_sees_the_account_has_the_bars(sign_in: SignIn, small: Small) -> None:
    factories.inline(small.maya, "s3", body=READS_S3)
    admin = sign_in(Role.ADMINISTRATOR, arns=(small.maya.arn,))
    pages = ["/templates/", draft_of(admin), "/people/access-levels/", *of_maya(small)]
    assert drawn(admin, pages).keys() == set(pages)


def test_bars_are_drawn_where_it_is_known_who_reads_them() -> None:
    drawing = {"console/web/templatetags/ui.py", "console/access/people_levels.py"}
    files = [*Path("templates").rglob("*.html"), *Path("console").rglob("*.py")]
    assert {str(path) for path in files if 'class="lvl' in path.read_text(encoding="utf-8")} == drawing


def test_the_names_that_aws_uses_are_one_click_away(lead: Client, small: Small) -> None:
    page = lead.get(small.addresses()["person"]).content.decode()
    assert small.maya.arn in re.search((r"<details.*?How AWS names it.*?</details>"), page, re.DOTALL).group()  # type: ignore[union-attr]


def test_an_administrator_reads_the_words_of_aws(sign_in: SignIn, small: Small) -> None:
    page = at_first_sight(sign_in(Role.ADMINISTRATOR), small.addresses()["person"])
    assert small.maya.arn in page
    assert "Permissions boundary" in page


def test_ones_own_users_in_aws_lead_to_their_pages(sign_in: SignIn, small: Small) -> None:
    gone = "arn:aws:iam::111111111111:user/gone"
    member = sign_in(Role.MEMBER, name="Maya Okafor", arns=(small.maya.arn, gone))
    page = member.get("/profile/").content.decode()
    assert f'<a href="/people/{small.maya.pk}/">maya.okafor</a> in production' in page
    assert gone in page


def test_whoever_has_no_role_is_told_of_their_users_without_links(small: Small) -> None:
    client = Client()
    client.force_login(factories.operator(None, name="Nina Nobody", arns=(small.maya.arn,)))
    page = client.get("/profile/").content.decode()
    assert small.maya.arn in page
    assert f"/people/{small.maya.pk}/" not in page
