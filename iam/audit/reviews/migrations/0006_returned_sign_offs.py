from django.db import migrations, models

from iam.audit.reviews import triggers


def create(apps, schema_editor):
    # The triggers compare every column; SQLite loses them where a table is rebuilt.
    triggers.create(schema_editor.connection)


def drop(apps, schema_editor):
    triggers.drop(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [("audit_reviews", "0005_frozen_campaigns")]

    operations = [
        migrations.RunPython(drop, create),
        migrations.AddField(
            model_name="reviewcampaign",
            name="returned_by",
            field=models.UUIDField(help_text="Who sent it back last, instead of acknowledging it.", null=True),
        ),
        migrations.AddField(
            model_name="reviewcampaign",
            name="returned_name",
            field=models.CharField(blank=True, default="", max_length=128),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reviewcampaign",
            name="returned_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="reviewcampaign",
            name="returned_note",
            field=models.CharField(blank=True, default="", max_length=1000),
            preserve_default=False,
        ),
        migrations.RunPython(create, drop),
    ]
