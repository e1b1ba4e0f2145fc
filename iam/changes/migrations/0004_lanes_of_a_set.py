from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('changes', '0003_sets_as_a_whole'),
    ]

    operations = [
        migrations.AddField(
            model_name='change',
            name='branch',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='change',
            name='lane',
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
