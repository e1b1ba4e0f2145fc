"""The events of a rotation are called so."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people_rotation", "0009_names_of_models")]

    operations = [
        migrations.AlterField(
            "rotationevent",
            "rotation",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="people_rotation.rotation",
            ),
        ),
    ]
