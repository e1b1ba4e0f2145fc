"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("approval", "0002_reviews_are_reminded_of")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Ballot", "StageDecider"),
                migrations.AlterModelTable("stagedecider", "approval_ballot"),
            ]
        )
    ]
