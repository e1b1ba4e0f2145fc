"""The models have other names, and tables keep theirs: nothing in the database changes."""

from django.db import migrations, models

STATES = [
    ("draft", "Draft"),
    ("asking", "Submitting"),
    ("asked", "Requested"),
    ("waiting", "Waiting for approval"),
    ("running", "In progress"),
    ("done", "Done"),
    ("partly", "Done in part"),
    ("closed", "Cancelled"),
]
ROW_STATES = [("ready", "Ready"), ("bad", "Needs fixing"), ("existing", "Has a user already")]


class Migration(migrations.Migration):

    dependencies = [
        ("leaving", "0004_link_due"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Run", "OffboardingRun"),
                migrations.AlterModelTable("OffboardingRun", "leaving_run"),
                migrations.AlterField(
                    "OffboardingRun", "state", models.CharField(choices=STATES, default="draft", max_length=8)
                ),
                migrations.AlterField(
                    "Leaver", "standing", models.CharField(choices=ROW_STATES, default="ready", max_length=8)
                ),
                migrations.RenameModel("Seat", "OffboardedUser"),
                migrations.AlterModelTable("OffboardedUser", "leaving_seat"),
            ],
        ),
    ]
