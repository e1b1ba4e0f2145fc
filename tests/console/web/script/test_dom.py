"""What other modules find elements with."""

from __future__ import annotations

import pytest

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


def test_elements_are_found_on_the_page_and_within_a_part(stage: Stage) -> None:
    page = stage.open("dom", '<p id="a"><b>1</b></p><p id="b"><b>2</b><b>3</b></p>')
    evaluate = page.evaluate(
        """async () => {
          const { $, $$, FIELD } = await import("/static/js/dom.js");
          const texts = (elements) => elements.map((element) => element.textContent);
          return [$("b").textContent, texts($$("b")), texts($$("b", $("#b"))), $$(FIELD).length];
        }"""
    )
    assert evaluate == ["1", ["1", "2", "3"], ["2", "3"], 0]
