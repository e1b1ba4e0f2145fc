"""What documents and docstrings name is there: files, names of the code, commands, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
from django.core.management import get_commands, load_command_class

from tests.documented_names import NOTES, has_path, is_missing, is_path, sources
from tests.house_rules import ROOT, tracked

DOCUMENTS: Final = sorted(str(file.relative_to(ROOT)) for file in tracked("*.md"))
OF_THE_CODE: Final = (
    "CONTRIBUTING.md",
    "README.md",
    "docs/architecture.md",
    "docs/decisions.md",
    "docs/limits.md",
    "templates/components/README.md",
)
"""What these have between backticks are names of the code, unless they are in `NOT_OURS`."""
NOT_OURS: Final = frozenset(
    {
        *("Bool", "False", "None"),
        *("Forwarded", "Owner", "TagGroup"),
        *("NAME_FILE", "CLASS.of(entity, …)"),
    }
)
"""Python's words, names of AWS, headers and tags that the code doesn't have, and what stands for any name."""
OF_LIBRARIES: Final = frozenset({"AppConfig.ready"})
MADE: Final = frozenset({"bench.json", "css/gatehouse.css", "js/gatehouse.js"})
"""Files that a command writes."""
SPAN: Final = re.compile(r"`([^`\n]+)`")
ATTRIBUTE: Final = re.compile(r"`([A-Z][a-z]\w*\.[a-z_]+)`")
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
COMMAND: Final = re.compile(r"manage\.py ([a-z][a-z_]+)([^`\n]*)")
OF_TEST_RUNS: Final = frozenset({"GATEHOUSE_TEST_CLUSTER", "GATEHOUSE_TEST_SECONDS", "GATEHOUSE_TEST_TABLES"})
"""Set by one process of a test run for the others."""
OF_DJANGO: Final = frozenset({"check", "collectstatic", "makemigrations", "migrate"})
FOLDER: Final = ROOT / "console" / "management" / "commands"
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")


def lines_of(document: str) -> Iterator[tuple[int, str]]:
    text = (ROOT / document).read_text(encoding="utf-8")
    yield from enumerate(text.splitlines(), start=1)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_file_that_a_document_names_is_there(document: str) -> None:
    missing = []
    for number, line in lines_of(document):
        for name in SPAN.findall(line):
            if is_path(name) and name not in MADE and not has_path(name):
                missing.append(f"{document}:{number}: {name}")
    assert missing == []


@pytest.mark.parametrize("document", OF_THE_CODE)
def test_each_name_that_a_document_takes_from_the_code_is_there(document: str) -> None:
    missing = []
    for number, line in lines_of(document):
        for name in set(SPAN.findall(line)) - NOT_OURS:
            if not is_path(name) and is_missing(name, in_tests="tests/" in line):
                missing.append(f"{document}:{number}: {name}")
    assert missing == []


def test_what_is_not_there_is_found() -> None:
    """The tests above would pass if nothing were looked at."""
    assert is_path("iam/changes/no_such.py")
    for name in ("iam/changes/no_such.py", "no_such.py", "iam/no/such/", "no_such_NAME.py"):
        assert not has_path(name), name
    for name in (
        "iam/changes/models.py",
        "facts.py",
        "iam/policy/",
        "cases_RESOURCE.py",
        "console/AREA/urls.py",
    ):
        assert has_path(name), name
    for name in ("iam.changes.models.NoSuch", "Change.no_such", "NoSuchClass", "Nosuch", "no_such_name(x)"):
        assert is_missing(name), name
    for name in ("iam.changes.models.Change", "Change.position", "ChangeState", "valid_at(at)", "plain"):
        assert not is_missing(name), name


def anchors(document: str) -> set[str]:
    """The addresses of the headings of a document, as viewers of Markdown make them."""
    text = re.sub(
        r"^```.*?^```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_link_leads_somewhere(document: str) -> None:
    wrong = []
    for link in LINK.findall((ROOT / document).read_text(encoding="utf-8")):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        if not target.exists() or (anchor and anchor not in anchors(str(target.resolve().relative_to(ROOT)))):
            wrong.append(link)
    assert wrong == []


def own_commands() -> set[str]:
    return {file.stem for file in FOLDER.glob("*.py") if file.stem != "__init__"}


def options_of(command: str) -> set[str]:
    parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
    return {option for action in parser._actions for option in action.option_strings}


def test_each_command_is_in_the_readme() -> None:
    listed = set(re.findall(r"^manage\.py (\w+)", README, re.MULTILINE))
    assert listed == own_commands()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_command_of_a_document_has_its_options(document: str) -> None:
    unknown = []
    for command, rest in COMMAND.findall((ROOT / document).read_text(encoding="utf-8")):
        if command not in own_commands():
            if command not in OF_DJANGO:
                unknown.append(command)
            continue
        words = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest))
        unknown.extend(f"{command} {option}" for option in sorted(words - options_of(command)))
    assert unknown == []


def test_each_target_of_make_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    named: set[str] = set()
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        named.update(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE))
    assert {"run", "test", "check"} <= named <= targets


def test_each_variable_of_a_test_is_explained_to_those_who_run_it() -> None:
    """How many random cases are tried, and what a test writes if it is told to."""
    read: set[str] = set()
    for module, source in sources().items():
        if module.startswith("tests/") and not module.startswith("tests/bench/"):
            read.update(re.findall(r"""environ(?:\.get\(|\[)["'](GATEHOUSE_[A-Z_]+)""", source))
    explained = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(read) > len(OF_TEST_RUNS)
    assert sorted(name for name in read - OF_TEST_RUNS if f"`{name}" not in explained) == []


def test_each_service_of_aws_is_among_the_outbound_connections() -> None:
    """A firewall that allows what the guide lists would break a sync otherwise."""
    guide = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    listed = guide.partition("### Outbound connections")[2].partition("\n## ")[0].lower().replace(" ", "")
    called: set[str] = set()
    for module, source in sources().items():
        if module.startswith("iam/aws/"):
            called.update(re.findall(r"""(?:\.client\(|read_regions\(aws, )"(\w+)""", source))
    assert {"iam", "s3", "rolesanywhere"} <= called
    assert sorted(service for service in called if service not in listed) == []


def docstring_lines(module: str) -> Iterator[tuple[int, str]]:
    source = sources()[module]
    for note in NOTES.finditer(source):
        start = source.count("\n", 0, note.start()) + 1
        yield from enumerate(note.group().splitlines(), start=start)


def test_each_attribute_that_a_docstring_names_is_there() -> None:
    """`Class.attribute` of a class that was renamed sends readers to nothing."""
    missing = []
    for module in sources():
        if not module.startswith(("console/", "iam/")):
            continue
        for number, line in docstring_lines(module):
            names = set(ATTRIBUTE.findall(line)) - OF_LIBRARIES
            missing.extend(f"{module}:{number}: {name}" for name in sorted(names) if is_missing(name))
    assert missing == []
