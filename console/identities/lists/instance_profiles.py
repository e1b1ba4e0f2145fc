"""The list of instance profiles: which role EC2 instances get."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from console.identities.lists import views
from console.identities.lists.cells import NOT_READ, made, number, under_path
from console.identities.lists.spec import Column, Filter, Page, TabWords
from console.web.access import ViewerRequest, require
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.queries.lists.core import Lens
from iam.mirror.queries.lists.instance_profiles import INSTANCE_PROFILES


def present(rows: list[Row], lens: Lens) -> list[dict[str, Any]]:
    """What the table shows of each instance profile."""
    return [
        row
        | {
            "pk": row["entity"],
            "sub": under_path(row),
            "created": made(row),
            "used_by": number(row["instances"]) if row["instances_read"] else NOT_READ,
            "short": (
                f"Role: {row['role'] or 'none'}. Instances: "
                f"{row['instances'] if row['instances_read'] else 'not synced'}"
            ),
        }
        for row in rows
    ]


def export(lens: Lens) -> tuple[Column, ...]:
    """The columns of a file."""
    return (
        ("account_id", lambda row, _: row["number"]),
        ("account", lambda row, _: row["account_name"]),
        ("name", lambda row, _: row["name"]),
        ("arn", lambda row, _: row["arn"]),
        ("unique_id", lambda row, _: row["aws_id"]),
        ("path", lambda row, _: row["path"]),
        ("created", lambda row, _: row["created_at"]),
        ("role", lambda row, _: row["role"] or ""),
        ("instances", lambda row, _: row["instances"] if row["instances_read"] else None),
    )


PAGE = Page(
    listing=INSTANCE_PROFILES,
    title="Instance profiles",
    noun=("instance profile", "instance profiles"),
    intro="How EC2 instances use a role.",
    icon="server",
    template="identities/instance_profiles.html",
    find="Name, ARN or ID",
    tabs=(
        TabWords("all", "All"),
        TabWords("no-role", "Without a role", "warn", "without a role"),
        TabWords("unused", "Without instances", phrase="without instances"),
    ),
    filters=(Filter("role", "Role", (("yes", "With a role"), ("no", "Without"))),),
    present=present,
    export=export,
)


@require(Right.SEE_ACCOUNT)
def instance_profiles(request: ViewerRequest) -> HttpResponse:
    """The list."""
    return views.show(request, PAGE)


@require(Right.SEE_ACCOUNT)
def instance_profiles_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """The list as a file."""
    return views.files(request, PAGE, form)
