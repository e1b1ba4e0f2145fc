"""Moves have the columns of every run: only what Django knows of them changes, nothing in the database."""

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
        ("moving", "0002_status_words"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "Move", "state", models.CharField(choices=STATES, default="waiting", max_length=8)
                ),
                migrations.AlterField("Move", "reason", models.CharField(blank=True, max_length=1024)),
            ],
        ),
    ]
