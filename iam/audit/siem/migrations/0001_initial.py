from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ExportPosition",
            fields=[
                ("receiver", models.CharField(max_length=320, primary_key=True, serialize=False)),
                ("block", models.BigIntegerField(default=0)),
                ("position", models.IntegerField(default=-1)),
                ("entry", models.BigIntegerField(help_text="The number of that entry.", null=True)),
                (
                    "sent",
                    models.BigIntegerField(default=0, help_text="Entries of the chain up to that place."),
                ),
                ("sent_at", models.DateTimeField(null=True)),
                ("claim", models.BigIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(help_text="Not before, after a failure.", null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=512)),
            ],
        ),
    ]
