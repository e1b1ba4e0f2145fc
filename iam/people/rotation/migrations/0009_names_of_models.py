"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("people_rotation", "0008_reason_of_run")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Happening", "RotationEvent"),
                migrations.AlterModelTable("rotationevent", "people_rotation_happening"),
            ]
        )
    ]
