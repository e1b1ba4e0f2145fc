"""The batch of a rotation is its run; the column keeps its name."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people_rotation", "0006_runs")]

    operations = [
        migrations.RemoveIndex("Rotation", "rotation_by_batch"),
        migrations.AlterField("Rotation", "batch", models.UUIDField(db_column="batch")),
        migrations.RenameField("Rotation", "batch", "run"),
        migrations.AlterField(
            "Rotation",
            "run",
            models.ForeignKey(
                db_column="batch",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rotations",
                to="people_rotation.rotationrun",
            ),
        ),
    ]
