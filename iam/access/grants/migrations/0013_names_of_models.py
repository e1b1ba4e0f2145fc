"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("grants", "0012_text_search")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Preparation", "GrantPreparation"),
                migrations.AlterModelTable("grantpreparation", "grants_preparation"),
            ]
        )
    ]
