"""Each account gets the row of the section about central root access."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def add_section(apps: Any, schema_editor: Any) -> None:
    """Add the rows that are not there."""
    account, section = apps.get_model("mirror", "Account"), apps.get_model("mirror", "Section")
    rows = [section(account=one, name="root_access") for one in account.objects.all()]
    section.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0016_trails'),
    ]

    operations = [
        migrations.RunPython(add_section, migrations.RunPython.noop, elidable=True),
    ]
