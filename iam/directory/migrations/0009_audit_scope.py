"""What an auditor is limited to."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("directory", "0008_named_owners")]

    operations = [
        migrations.CreateModel(
            name="AuditScope",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="audit_scope",
                        serialize=False,
                        to="directory.person",
                    ),
                ),
                ("frameworks", models.JSONField(default=list)),
                ("packs", models.JSONField(default=list)),
                ("since", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("set_by", models.CharField(max_length=128)),
                ("set_at", models.DateTimeField()),
            ],
        ),
    ]
