"""Template tag that explains the terms of IAM on the spot, for people who don’t know them."""

from __future__ import annotations

from django import template
from django.template import Context, NodeList
from django.template.base import FilterExpression, Parser, Token
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from console.web.access import sees_only_self
from console.web.iam_terms import unexplained

register = template.Library()


class ExplainedNode(template.Node):
    """Renders what is between the tags, and below it what its terms of IAM mean."""

    def __init__(self, nodelist: NodeList, within: FilterExpression | None) -> None:
        self.nodelist = nodelist
        self.within = within

    def render(self, context: Context) -> SafeString:
        """Render the content; only members and people without a role get the explanations."""
        content = self.nodelist.render(context)
        viewer = context.get("viewer")
        if viewer is not None and not sees_only_self(viewer):
            return content
        sentences = [term.sentence for term in unexplained(content)]
        if not sentences:
            return content
        within = self.within.resolve(context) if self.within else ""
        values = {"sentences": sentences, "within": within}
        return SafeString(content + render_to_string("components/terms.html", values))


@register.tag
def explained(parser: Parser, token: Token) -> ExplainedNode:
    """Explain the terms of IAM between this tag and `endexplained`, unless the content does it.

    `{% explained "card" %}` makes the explanation the foot of a card.
    """
    words = token.split_contents()
    within = parser.compile_filter(words[1]) if len(words) > 1 else None
    nodelist = parser.parse(("endexplained",))
    parser.delete_first_token()
    return ExplainedNode(nodelist, within)
