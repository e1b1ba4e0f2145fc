"""What users and roles that can become administrator are found by has the straight apostrophe for every other."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from iam.search_words import fold_kept


def fold(apps: Any, schema_editor: Any) -> None:
    """Rewrite the rows that have another one."""
    fold_kept(apps.get_model("access_escalating", "EscalationFinding").objects.all())


class Migration(migrations.Migration):
    dependencies = [("access_escalating", "0002_names_of_models")]
    operations = [migrations.RunPython(fold, migrations.RunPython.noop, elidable=True)]
