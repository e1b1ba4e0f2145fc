"""The house rules see every template, texts of mails too, and what hides in an expression."""

from __future__ import annotations

import ast

import pytest

from tests.house_rules import (
    MAX_TEMPLATE_COLUMNS,
    TEMPLATE_SUFFIXES,
    bare_code,
    days_of_reading,
    dense,
    empty_variables,
    repeated_classes,
    short_waits,
    timers,
    tracked,
    vague_module,
    wide_lines,
)


@pytest.mark.parametrize("place", ["templates/page.html", "templates/email/message.txt"])
def test_a_line_of_a_page_or_of_a_mail_that_is_too_wide_is_a_breach(place: str) -> None:
    fitting = "x" * MAX_TEMPLATE_COLUMNS
    assert list(wide_lines({place: f"{fitting}\n{fitting}x\n"})) == [
        f"{place}:2: 161 columns; 160 are the limit"
    ]


@pytest.mark.parametrize(
    ("markup", "is_breach"),
    [
        ('<pre class="code" tabindex="0">{{ text }}</pre>', True),
        ('<pre class="code wrap"\n     tabindex="0">{{ text }}</pre>', True),
        (
            '<pre class="code">{% include "components/numbered_lines.html" with lines=lines only %}</pre>',
            False,
        ),
        ('<pre class="code"><span data-n="1">{{ command }}</span></pre>', False),
        ("<pre>{{ text }}</pre>", False),
    ],
)
def test_code_has_lines_of_its_own(markup: str, *, is_breach: bool) -> None:
    """Its margin is that of the lines: text without them would touch the edge."""
    assert list(bare_code(f"<p>\n{markup}")) == ([2] if is_breach else [])


def test_every_kind_of_template_is_looked_at() -> None:
    """A template with another ending would be read by nothing; the index of the components is
    documentation.
    """
    kinds = {file.suffix for file in tracked("templates/*")}
    assert {".html", ".txt"} <= kinds
    assert kinds - {".md"} <= TEMPLATE_SUFFIXES


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("x = 1 if a else 2 if b else 3", "a choice inside a choice"),
        ("f(1 if a else 2)", "a choice as an argument: name the value before the call"),
        ("f(n=1 if a else 2)", "a choice as an argument: name the value before the call"),
        ("[1 if a else 2 for a in b]", "a choice inside a comprehension"),
        ("{a: 1 if a else 2 for a in b}", "a choice inside a comprehension"),
        ("any(c for a in b for c in a)", "a comprehension with two loops"),
    ],
)
def test_a_choice_or_loop_that_hides_is_found(line: str, what: str) -> None:
    assert [what_hides for _, what_hides in dense(ast.parse(line))] == [what]


def test_a_choice_that_has_a_name_is_no_breach() -> None:
    source = "x = 1 if a else 2\nf(x)\n[f(a) for a in b if a]"
    assert list(dense(ast.parse(source))) == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("found = f()", "found"),
        ("found: list[int] = []", "found"),
        ("def f():\n    held, user = g()", "held"),
        ("for one in users:\n    pass", "one"),
        ("[one for one in users]", "one"),
        ("with f() as given:\n    pass", "given"),
        ("if (told := f()):\n    pass", "told"),
        ("lambda said: 1", "said"),
        ("def f(*, meant): pass", "meant"),
        ("try:\n    f()\nexcept OSError as found:\n    pass", "found"),
        ("match f():\n    case [some]:\n        pass", "some"),
    ],
)
def test_a_variable_that_does_not_say_what_it_holds_is_found(source: str, name: str) -> None:
    assert [names for _, names in empty_variables(ast.parse(source))] == [name]


def test_an_attribute_and_a_use_are_no_empty_variables() -> None:
    """The attribute has a class that says what it is of; the use is not where the name was chosen."""
    source = "class Step:\n    held: int\n    found = 1\n\ndef f():\n    g(given=step.held, said=found)"
    assert list(empty_variables(ast.parse(source))) == []


@pytest.mark.parametrize("name", ["closing.py", "test_closing.py", "shown.py", "test_words.py"])
def test_a_module_named_by_a_gerund_or_a_vague_word_is_a_breach(name: str) -> None:
    assert vague_module(name)


@pytest.mark.parametrize(
    "name", ["offboarding.py", "test_onboarding.py", "account_setting.py", "reconcile.py"]
)
def test_a_module_named_by_a_noun_is_no_breach(name: str) -> None:
    assert not vague_module(name)


def test_a_class_name_of_two_modules_is_a_breach() -> None:
    sources = {
        "iam/a.py": "class Row: pass",
        "iam/b.py": "\n\nclass Row: pass",
        "iam/c.py": "class Line: pass",
    }
    assert list(repeated_classes(sources)) == ["iam/b.py:3: the class Row has a namesake in iam/a.py"]


def test_names_that_django_asks_for_and_nested_classes_are_no_breach() -> None:
    nested = "class {}:\n    class Meta: pass\n\nclass Command: pass"
    assert list(repeated_classes({"a.py": nested.format("User"), "b.py": nested.format("Team")})) == []


@pytest.mark.parametrize(
    "source",
    [
        "began = time.perf_counter()",
        "assert time.monotonic() - began < 1",
        "from time import process_time_ns",
        "began = time.thread_time()",
    ],
)
def test_a_clock_that_measures_is_no_thing_of_a_test(source: str) -> None:
    assert list(timers(ast.parse(source)))


def test_a_wait_for_another_process_has_its_clock() -> None:
    assert not list(timers(ast.parse("deadline = time.monotonic() + PATIENCE_S")))


@pytest.mark.parametrize(
    ("source", "is_short"),
    [
        ("deadline = time.monotonic() + 10", True),
        ("thread.join(10)", True),
        ("process.wait(timeout=30)", True),
        ("sqlite3.connect(file, timeout=20)", True),
        ("barrier.wait(timeout=PATIENCE_S)", False),
        ("thread.join()", False),
        ("barrier.wait(0.5)", False),
        ("lock.acquire(timeout=120)", False),
        ("', '.join('abc')", False),
    ],
)
def test_a_wait_is_as_long_as_a_busy_machine_takes(source: str, is_short: bool) -> None:
    assert bool(list(short_waits(ast.parse(source)))) == is_short


@pytest.mark.parametrize(
    ("source", "is_breach"),
    [
        ("TODAY = datetime.now(tz=UTC).date()", True),
        ("TODAY: Final = date.today()", True),
        ("SOON = timezone.now().date() + timedelta(days=1)", True),
        ("NOW = datetime.now(tz=UTC)", False),
        ("def today() -> date:\n    return datetime.now(tz=UTC).date()", False),
    ],
)
def test_a_day_is_asked_for_in_the_test(source: str, *, is_breach: bool) -> None:
    assert bool(list(days_of_reading(ast.parse(source)))) is is_breach
