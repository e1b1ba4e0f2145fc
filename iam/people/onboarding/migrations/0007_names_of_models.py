"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0006_run_engine")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Newcomer", "OnboardedPerson"),
                migrations.AlterModelTable("onboardedperson", "onboarding_newcomer"),
            ]
        )
    ]
