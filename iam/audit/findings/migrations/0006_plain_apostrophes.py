"""What findings are found by has the straight apostrophe for every other."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from iam.search_words import fold_kept


def fold(apps: Any, schema_editor: Any) -> None:
    """Rewrite the rows that have another one."""
    fold_kept(apps.get_model("audit_findings", "AuditFinding").objects.all())


class Migration(migrations.Migration):
    dependencies = [("audit_findings", "0005_writes")]
    operations = [migrations.RunPython(fold, migrations.RunPython.noop, elidable=True)]
