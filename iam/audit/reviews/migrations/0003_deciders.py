from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("audit_reviews", "0002_decided")]

    operations = [
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(fields=["campaign", "decided_by"], name="review_rows_of_decider"),
        ),
    ]
