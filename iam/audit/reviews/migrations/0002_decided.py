from django.db import migrations, models
from django.db.models import Count

from iam.audit.reviews import triggers


def protect(apps, schema_editor):
    triggers.create(schema_editor.connection)


def expose(apps, schema_editor):
    # SQLite makes the table anew, which triggers of other tables name.
    triggers.drop(schema_editor.connection)


def count(apps, schema_editor):
    campaigns = apps.get_model("audit_reviews", "ReviewCampaign").objects
    items = apps.get_model("audit_reviews", "ReviewItem").objects.exclude(decision="")
    counts = items.order_by().values_list("campaign").annotate(number=Count("pk"))
    for pk, number in counts:
        campaigns.filter(pk=pk).update(decided=number)


class Migration(migrations.Migration):

    dependencies = [("audit_reviews", "0001_initial")]

    operations = [
        migrations.RunPython(expose, protect),
        migrations.AddField(
            model_name="reviewcampaign",
            name="decided",
            field=models.PositiveIntegerField(default=0, help_text="How many of its rows are decided."),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
        migrations.RunPython(protect, expose),
    ]
