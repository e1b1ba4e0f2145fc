"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("restore", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Hold", "RestoreHold"),
                migrations.AlterModelTable("restorehold", "restore_hold"),
                migrations.RenameModel("Identity", "DatabaseIdentity"),
                migrations.AlterModelTable("databaseidentity", "restore_identity"),
            ]
        )
    ]
