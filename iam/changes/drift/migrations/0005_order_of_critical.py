"""Among critical drift, what gives most comes first: the place of what was found before."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def place(apps: Any, schema_editor: Any) -> None:
    """Give critical drift its finer place, by the effect that is kept with it and the keys that there are."""
    drifts = apps.get_model("drift", "Drift")
    states = apps.get_model("mirror", "EntityState")
    for drift in drifts.objects.filter(weight=2).only("impact", "entity").iterator():
        risks = drift.impact.get("risks", ())
        if "administrator" in risks:
            keys = states.objects.filter(
                valid_to=None, entity__kind="access-key", category="Active", entity__owner=drift.entity_id
            )
            drift.impact["has_key"] = drift.entity_id is not None and keys.exists()
            drift.weight = 5 if drift.impact["has_key"] else 4
        elif "escalation" in risks:
            drift.weight = 3
        else:
            continue
        drift.save(update_fields=["weight", "impact"])


class Migration(migrations.Migration):
    dependencies = [
        ("drift", "0004_names_of_models"),
        ("mirror", "0018_plain_apostrophes"),
    ]
    operations = [
        migrations.AlterField(
            model_name="drift",
            name="weight",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text="Place of its risk, see effect.weight_of: from 2 on it is critical."),
        ),
        migrations.RunPython(place, migrations.RunPython.noop, elidable=True),
    ]
