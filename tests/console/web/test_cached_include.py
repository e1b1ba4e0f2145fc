"""What repeats is rendered once, and says what it would say if it were rendered each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.template import Context, Template
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe

from console.web.templatetags import cached_include


def rendered(source: str, **values: Any) -> str:
    return Template("{% load cached_include %}" + source).render(Context(values))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The values with which components were rendered, each to the text of its `x`."""
    seen: list[dict[str, Any]] = []

    def render(component: str, values: dict[str, Any]) -> str:
        seen.append(values)
        return mark_safe(f"{component}: {conditional_escape(values['x'])}")

    cached_include._rendered.cache_clear()
    monkeypatch.setattr(cached_include, "render_to_string", render)
    yield seen
    cached_include._rendered.cache_clear()


def test_a_component_is_rendered_once_for_each_set_of_values(made: list[dict[str, Any]]) -> None:
    source = '{% cached_include "a.html" x=x %}'
    assert rendered(source, x=1, other=2) == "a.html: 1"
    assert rendered(source, x=1, other=3) == "a.html: 1"
    assert rendered(source, x=True) == "a.html: True"
    assert rendered(source, x=("a", "b")) == "a.html: (&#x27;a&#x27;, &#x27;b&#x27;)"
    assert rendered('{% cached_include "b.html" x=x %}', x=1) == "b.html: 1"
    assert [values["x"] for values in made] == [1, True, ("a", "b"), 1]


def test_a_safe_text_never_stands_for_an_equal_one_that_is_to_be_escaped(made: list[dict[str, Any]]) -> None:
    source = '{% cached_include "a.html" x=x %}'
    assert rendered(source, x=mark_safe("<b>")) == "a.html: <b>"
    assert rendered(source, x="<b>") == "a.html: &lt;b&gt;"
    assert len(made) == 2


def test_while_templates_are_written_a_component_is_rendered_each_time(
    made: list[dict[str, Any]], settings: Any
) -> None:
    settings.DEBUG = True
    for _ in range(2):
        rendered('{% cached_include "a.html" x=x %}', x=1)
    assert len(made) == 2
