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


class Migration(migrations.Migration):

    dependencies = [
        ("onboarding", "0005_typed_rows"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Run", "OnboardingRun"),
                migrations.AlterModelTable("OnboardingRun", "onboarding_run"),
                migrations.AlterField(
                    "OnboardingRun", "state", models.CharField(choices=STATES, default="draft", max_length=8)
                ),
                migrations.RenameModel("Place", "ProvisionedUser"),
                migrations.AlterModelTable("ProvisionedUser", "onboarding_place"),
            ],
        ),
    ]
