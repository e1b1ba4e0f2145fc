"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("drift", "0003_effect")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Watch", "DriftWatch"),
                migrations.AlterModelTable("driftwatch", "drift_watch"),
            ]
        )
    ]
