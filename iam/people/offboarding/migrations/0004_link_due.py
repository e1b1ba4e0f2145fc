from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("leaving", "0003_suspension"),
    ]

    operations = [
        migrations.AddField(
            model_name="leaver",
            name="link_due_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="leaver",
            index=models.Index(
                condition=models.Q(("link_due_at__isnull", False)), fields=["link_due_at"], name="leaver_without_link"
            ),
        ),
    ]
