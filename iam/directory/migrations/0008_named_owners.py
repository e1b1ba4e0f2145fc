import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("directory", "0007_ends_of_auditors")]

    operations = [
        migrations.CreateModel(
            name="NamedOwner",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("identity", "IAM user or role"), ("grant", "Grant")], max_length=8
                    ),
                ),
                ("subject", models.CharField(max_length=512)),
                ("account_id", models.CharField(blank=True, max_length=12)),
                ("name", models.CharField(max_length=512)),
                ("set_by", models.CharField(max_length=128)),
                ("set_at", models.DateTimeField(auto_now=True)),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="named_for",
                        to="directory.person",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="named_for",
                        to="directory.team",
                    ),
                ),
            ],
            options={
                "verbose_name": "owned identity or grant",
                "verbose_name_plural": "owned identities and grants",
                "constraints": [
                    models.UniqueConstraint(fields=["kind", "subject"], name="one_named_owner"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("person__isnull", True),
                            ("team__isnull", False),
                        )
                        | models.Q(("person__isnull", False), ("team__isnull", True)),
                        name="a_person_or_a_team_owns",
                    ),
                ],
            },
        ),
    ]
