"""Links of which a second person made sure who gets them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds a column; links that are under way were made before anybody asked for it."""

    dependencies = [("people_links", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="link",
            name="is_checked",
            field=models.BooleanField(default=False),
        ),
    ]
