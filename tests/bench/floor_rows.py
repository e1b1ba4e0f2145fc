"""The least that a mirror must do with an account: a digest per entity, and raw rows of entities, ties and
documents.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

KINDS = (
    ("UserDetailList", "User"),
    ("GroupDetailList", "Group"),
    ("RoleDetailList", "Role"),
    ("Policies", "Policy"),
)
TABLES = {
    "entity": ("kind", "aws_id", "name", "path", "arn", "created_at", "tags", "digest"),
    "tie": ("kind", "source", "target"),
    "document": ("digest", "text"),
    "policy": ("owner", "name", "document", "is_default"),
}
Row = tuple[Any, ...]


def rows(page: dict[str, Any], *, seen: set[str]) -> dict[str, list[Row]]:
    """{table: rows} of one page; documents that were seen before are left out."""
    out: dict[str, list[Row]] = {table: [] for table in TABLES}
    for key, kind in KINDS:
        for entity in page[key]:
            text = json.dumps(entity, default=str, sort_keys=True)
            digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
            aws_id, created = entity[f"{kind}Id"], entity["CreateDate"].isoformat()
            head = (kind, aws_id, entity[f"{kind}Name"], entity["Path"], entity["Arn"], created)
            out["entity"].append((*head, json.dumps(entity.get("Tags", [])), digest))
            out["tie"] += _ties(entity, aws_id)
            for name, document, is_default in _documents(entity):
                stored_text = json.dumps(document)
                key_of = hashlib.blake2b(stored_text.encode(), digest_size=16).hexdigest()
                if key_of not in seen:
                    seen.add(key_of)
                    out["document"].append((key_of, stored_text))
                out["policy"].append((aws_id, name, key_of, is_default))
    return out


def _ties(entity: dict[str, Any], aws_id: str) -> Iterator[Row]:
    for group in entity.get("GroupList", ()):
        yield "member", aws_id, group
    for policy in entity.get("AttachedManagedPolicies", ()):
        yield "attached", aws_id, policy["PolicyArn"]
    if "PermissionsBoundary" in entity:
        yield "boundary", aws_id, entity["PermissionsBoundary"]["PermissionsBoundaryArn"]


def _documents(entity: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    for key in ("UserPolicyList", "GroupPolicyList", "RolePolicyList"):
        for policy in entity.get(key, ()):
            yield policy["PolicyName"], policy["PolicyDocument"], True
    if "AssumeRolePolicyDocument" in entity:
        yield "trust", entity["AssumeRolePolicyDocument"], True
    for version in entity.get("PolicyVersionList", ()):
        yield version["VersionId"], version["Document"], version["IsDefaultVersion"]


def into_sqlite(pages: Iterable[dict[str, Any]], *, path: Path) -> int:
    """Write all pages into a fresh SQLite file in one transaction; how many entities there were."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN")
    for table, columns in TABLES.items():
        key = f", PRIMARY KEY ({columns[0]})" if table == "document" else ""
        connection.execute(f"CREATE TABLE {table} ({', '.join(columns)}{key})")
    connection.execute("CREATE UNIQUE INDEX entity_id ON entity (kind, aws_id)")
    seen: set[str] = set()
    count = 0
    for page in pages:
        for table, row in rows(page, seen=seen).items():
            marks = ", ".join("?" * len(TABLES[table]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", row)
            count += len(row) if table == "entity" else 0
    connection.execute("COMMIT")
    connection.close()
    return count


def into_postgresql(pages: Iterable[dict[str, Any]], *, url: str) -> int:
    """COPY all pages into fresh tables of a PostgreSQL database in one transaction; how many entities there
    were.
    """
    import psycopg

    seen: set[str] = set()
    count = 0
    with psycopg.connect(url.replace("postgres://", "postgresql://")) as connection:
        for table, columns in TABLES.items():
            typed = ", ".join(f"{name} {'boolean' if name == 'is_default' else 'text'}" for name in columns)
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"CREATE TABLE {table} ({typed})")
        connection.execute("CREATE UNIQUE INDEX entity_id ON entity (kind, aws_id)")
        for page in pages:
            for table, table_rows in rows(page, seen=seen).items():
                with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    for row in table_rows:
                        copy.write_row(row)
                count += len(table_rows) if table == "entity" else 0
    return count
