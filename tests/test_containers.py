"""The files for containers name what is there: files, settings, commands, roles. No container engine is
needed to check that.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house_rules import ROOT, tracked
from tests.services import postgres

GUIDE = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
OF_GATEHOUSE = ("setup", "web", "worker", "beat")
STATEMENT = re.compile(r"^\s*((?:CREATE|REVOKE|GRANT|ALTER) [^;]+);", re.MULTILINE)


def instructions() -> list[tuple[str, str]]:
    """The lines of the Dockerfile, each as (instruction, the rest)."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    parted = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(name, rest) for name, _, rest in parted]


def copied() -> list[str]:
    """What the image takes from the project."""
    sources = [rest.split() for name, rest in instructions() if name == "COPY"]
    return [source for words in sources if not words[0].startswith("--") for source in words[:-1]]


def test_the_image_holds_what_git_knows_and_all_that_production_needs() -> None:
    known = {str(path.relative_to(ROOT)) for path in tracked(".")}
    for source in copied():
        assert any(name == source or name.startswith(f"{source}/") for name in known), source
    assert {"manage.py", "console", "iam", "templates", "static"} <= set(copied())


def test_the_image_leaves_out_what_production_does_not_need() -> None:
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".git", "tests", "console/demo"} <= set(left_out)


def test_no_process_of_the_image_runs_as_root() -> None:
    assert [rest for name, rest in instructions() if name == "USER"] == ["gatehouse"]


def commands() -> dict[str, str]:
    """How each service is started; `web` as the image says."""
    commands = {"web": next(rest for name, rest in instructions() if name == "CMD")}
    commands["web"] = " ".join(yaml.safe_load(commands["web"]))
    for name in ("worker", "beat"):
        commands[name] = " ".join(COMPOSE["services"][name]["command"])
    return commands


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_each_process_is_started_as_in_the_guide(name: str) -> None:
    # Only in a container may it listen on all addresses.
    command = commands()[name].replace("--host 0.0.0.0", "--host 127.0.0.1")
    assert f"\n{command} " in GUIDE


@pytest.mark.parametrize("name", OF_GATEHOUSE)
def test_each_variable_is_a_setting(name: str) -> None:
    variables = COMPOSE["services"][name]["environment"]
    ours = {each.removesuffix("_FILE") for each in variables if not each.startswith("AWS_")}
    assert ours
    assert {each for each in ours if f"`{each}`" not in GUIDE} == set()


def test_only_workers_get_variables_of_aws() -> None:
    names = {name for name in OF_GATEHOUSE if "AWS_ACCESS_KEY_ID" in COMPOSE["services"][name]["environment"]}
    assert names == {"worker"}


def test_whatever_a_service_names_is_declared() -> None:
    for name, service in COMPOSE["services"].items():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"]), name
        assert set(service.get("depends_on", ())) <= set(COMPOSE["services"]), name
        volumes = {each.partition(":")[0] for each in service.get("volumes", ())}
        assert volumes <= set(COMPOSE["volumes"]), name
        files = (
            {value for key, value in service["environment"].items() if key.endswith("_FILE")}
            if ("environment" in service)
            else set()
        )
        assert {f"/run/secrets/{secret}" for secret in service.get("secrets", ())} >= files, name


def test_the_guide_makes_each_secret() -> None:
    part = GUIDE.partition("## With containers")[2].partition("\n## ")[0]
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"secrets/{name}"
        assert name in part


def test_the_guide_takes_from_the_application_in_containers_what_it_takes_elsewhere() -> None:
    """The journal could be altered where one of these was forgotten."""
    by_hand, containers = (
        GUIDE.partition(f"## {heading}")[2].partition("\n## ")[0]
        for heading in ("Install", "With containers")
    )
    taken = [statement for statement in STATEMENT.findall(by_hand) if "ON journal_" in statement]
    assert len(taken) == 2
    assert [statement for statement in taken if f"--command '{statement}'" not in containers] == []


def script() -> str:
    """What prepares the database, as the container gets it."""
    return str(COMPOSE["configs"]["roles"]["content"]).replace("$$", "$")


def test_the_database_gets_the_roles_of_the_guide() -> None:
    def plain(text: str) -> list[str]:
        return [re.sub(r"PASSWORD \S+", "PASSWORD", matches) for matches in STATEMENT.findall(text)]

    part = GUIDE.partition("## Install")[2].partition("\n## ")[0]
    assert plain(script()) == [word for word in plain(part) if "ON journal_" not in word]


def test_the_script_makes_roles_that_can_and_cannot_what_they_should(tmp_path: Path) -> None:
    if reason := postgres.why_missing():
        pytest.skip(f"PostgreSQL ({reason})")
    for name in ("owner_password", "app_password"):
        (tmp_path / name).write_text("it's a secret\n", encoding="utf-8")
    cluster = postgres.Cluster.start()
    try:
        text = script().replace("/run/secrets", str(tmp_path)).replace("--username postgres", "")
        # The cluster of the tests has a database of this name already.
        text = text.replace("DATABASE gatehouse", "DATABASE made").replace(
            "connect gatehouse", "connect made"
        )
        programs = {"PATH": f"{cluster.programs}:{os.environ['PATH']}"}
        where = {"PGHOST": str(cluster.folder), "PGUSER": "gatehouse", "PGDATABASE": "gatehouse"}
        subprocess.run(["sh"], input=text, text=True, check=True, env=os.environ | programs | where)

        def can(user: str, statement: str) -> bool:
            command = [
                str(cluster.programs / "psql"),
                "--username",
                user,
                "--dbname",
                "made",
                "-c",
                statement,
            ]
            return not subprocess.run(
                command, env=os.environ | where, check=False, capture_output=True
            ).returncode

        assert can("gatehouse_owner", "CREATE TABLE kept (n int)")
        assert can("gatehouse_app", "INSERT INTO kept VALUES (1)")
        assert not can("gatehouse_app", "ALTER TABLE kept ADD m int")
        assert not can("gatehouse_app", "CREATE TABLE other (n int)")
    finally:
        cluster.stop()
