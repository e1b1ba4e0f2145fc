"""Each account gets a row for every section, so that what was never synced can be found."""

from __future__ import annotations

from typing import Any

from django.db import migrations

NAMES = (
    "users", "groups", "roles", "policies", "credential_report", "user_list", "role_list", "mfa_devices",
    "service_credentials", "instance_profiles", "providers", "server_certificates", "account", "organization",
    "instances", "access_keys", "user_mfa", "login_profiles", "ssh_keys", "signing_certificates", "tags",
)  # fmt: skip


def add_missing(apps: Any, schema_editor: Any) -> None:
    """Add the rows that are not there."""
    account, section = apps.get_model("mirror", "Account"), apps.get_model("mirror", "Section")
    rows = [section(account=one, name=name) for one in account.objects.all() for name in NAMES]
    section.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("mirror", "0010_counted_writes")]
    operations = [migrations.RunPython(add_missing, migrations.RunPython.noop, elidable=True)]
