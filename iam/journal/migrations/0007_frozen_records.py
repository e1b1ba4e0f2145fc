from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("journal", "0006_retention")]

    operations = [
        migrations.AddField(
            model_name="verification",
            name="records",
            field=models.PositiveIntegerField(
                help_text="Frozen records, such as signed-off reviews, compared with the journal.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="record_problem",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The first record that isn’t as the journal says.",
                max_length=1024,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="verification",
            name="record_problems",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
