"""Terms of IAM are explained to people who don't know them, once, and where they can see them."""

from __future__ import annotations

import pytest
from django.template import Context, Template

from console.web.iam_terms import TERMS, first_sight, unexplained
from iam.directory.models import Role, Team
from iam.guard import Viewer, viewer_for
from tests import factories

POLICY = "A policy is a list of permissions."
INLINE = "An inline policy is a list of permissions that belongs to one user, group or role alone."


@pytest.mark.parametrize(
    ("words", "explained"),
    [
        ("It has an inline policy.", [INLINE]),
        ("It has an inline policy and a policy.", [INLINE, POLICY]),
        ("Policies of an office, and INLINE POLICIES", [INLINE, POLICY]),
        ("A policeman reads a politics book.", []),
        (f"It has an inline policy. {INLINE}", []),
        ("Your second factor (MFA) is missing.", []),
        ("Second factor (MFA)", []),
        ("<details><summary>How AWS names it</summary>The policy</details>", []),
        ("<details><summary>The exact policy</summary>inline policy</details>", [POLICY]),
        ('<details class="disclose" open><summary>More</summary>The policy</details>', [POLICY]),
        ("<code>iam:PutUserPolicy</code> <pre>policy</pre> <a title='policy'>it</a>", []),
    ],
)
def test_only_what_is_seen_and_not_explained_needs_a_sentence(words: str, explained: list[str]) -> None:
    assert [term.sentence for term in unexplained(words)] == explained


def test_the_explanations_need_no_explanation() -> None:
    """But a word of IAM may explain another one where it is explained itself."""
    every = " ".join(term.sentence for term in TERMS)
    assert unexplained(every) == []
    assert first_sight("<b>a</b>&amp;<i>b</i>") == "a & b"


def shown(viewer: Viewer | None, words: str, within: str = "") -> str:
    """What a reader sees of these words."""
    template = Template(f'{{% explained "{within}" %}}{words}{{% endexplained %}}')
    return template.render(Context({} if viewer is None else {"viewer": viewer}))


@pytest.mark.django_db
def test_members_and_invited_people_read_the_explanation_and_others_dont() -> None:
    explanation = f'<p class="small muted">{POLICY}</p>'
    assert shown(None, "A policy") == f"A policy{explanation}"
    team = Team.objects.create(slug="payments", name="Payments")
    for role, is_explained in (
        (None, True),
        (Role.MEMBER, True),
        (Role.TEAM_LEAD, False),
        (Role.AUDITOR, False),
        (Role.APPROVER, False),
        (Role.ADMINISTRATOR, False),
    ):
        led = {"team": team} if role == Role.TEAM_LEAD else {}
        person = factories.operator(role, name=f"{role} reader", **led).person
        words = shown(viewer_for(person), "A policy")
        assert words == f"A policy{explanation}" or not is_explained
        assert (explanation in words) is is_explained
    assert shown(None, "A policy", "card") == f'A policy<p class="small muted card-foot">{POLICY}</p>'
    assert shown(None, "Nothing of IAM’s words") != "Nothing of IAM’s words"
    assert shown(None, "Plain words") == "Plain words"


def test_what_is_explained_within_a_page_is_not_explained_again() -> None:
    inner = '{% explained "card" %}A policy{% endexplained %}'
    page = Template(f"{{% explained %}}<section>{inner}</section>{{% endexplained %}}").render(Context({}))
    assert page.count(POLICY) == 1
