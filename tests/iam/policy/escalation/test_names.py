"""Names that anyone who escalates would choose: they fit all patterns, and there is one where there can be
one.
"""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.policy.escalation.names import common, template_of
from iam.policy.glob import compile_glob, tokens

PATTERN = st.text(alphabet="ab*?", min_size=0, max_size=5)


def parts(pattern: str) -> tuple[str, ...]:
    return tuple(tokens(pattern))


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("pay-*", "*-prod"), True),
        (("pay-*", "web-*"), False),
        (("a?c", "ab*"), True),
        (("a?c", "abd*"), False),
        (("*", "*"), True),
        (("*a*b*", "b*a", "?*"), True),
        (("a*b", "*ba"), False),
    ],
)
def test_patterns_with_a_name_in_common(patterns: tuple[str, ...], expected: bool) -> None:
    common_name = common(tuple(map(parts, patterns)))
    assert (common_name is not None) is expected
    assert common_name is None or all(compile_glob(pattern)(common_name) for pattern in patterns)


def _fit(patterns: tuple[str, ...]) -> list[bool]:
    texts = ("".join(letters) for size in range(7) for letters in product("ab", repeat=size))
    return [all(compile_glob(pattern)(text) for pattern in patterns) for text in texts]


@given(PATTERN, PATTERN)
def test_a_name_is_found_where_any_short_one_fits(pattern: str, other: str) -> None:
    common_name = common((parts(pattern), parts(other)))
    if common_name is None:
        assert not any(_fit((pattern, other)))
    else:
        assert compile_glob(pattern)(common_name)
        assert compile_glob(other)(common_name)


def test_templates_are_those_of_the_catalogue() -> None:
    template = template_of(
        "lambda:CreateFunction", "function", partition="aws-cn", region="cn-north-1", account="111111111111"
    )
    assert template == "arn:aws-cn:lambda:cn-north-1:111111111111:function:?*"
