"""The version of the rules has its own name; its column keeps its name."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("linking", "0003_names_of_models")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("matchedaccount", "ways", "rules_version"),
                migrations.AlterField(
                    "matchedaccount", "rules_version", models.PositiveIntegerField(db_column="ways", default=0)
                ),
            ]
        ),
        migrations.AlterModelOptions("matchsettings", options={"verbose_name_plural": "match settings"}),
        migrations.AlterField(
            "matchsettings",
            "people_until",
            models.DateTimeField(help_text="People added before this time have been matched.", null=True),
        ),
    ]
