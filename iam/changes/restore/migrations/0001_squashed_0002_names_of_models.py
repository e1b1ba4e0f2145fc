"""All of the migrations up to 0002_names_of_models at once, for a database that is new."""

from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("restore", "0001_initial"),
        ("restore", "0002_names_of_models"),
    ]

    initial = True

    dependencies = [
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='DatabaseIdentity',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('fingerprint', models.CharField(max_length=128)),
                    ('seen_at', models.DateTimeField()),
                ],
                options={
                    'db_table': 'restore_identity',
                },
            ),
            migrations.CreateModel(
                name='RestoreHold',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('began_at', models.DateTimeField()),
                    ('cause', models.CharField(max_length=512)),
                    ('is_open', models.BooleanField(default=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('ended_label', models.CharField(blank=True, max_length=128)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('is_open', True)), fields=('is_open',), name='one_open_hold')],
                    'db_table': 'restore_hold',
                },
            ),
        ]),
    ]
