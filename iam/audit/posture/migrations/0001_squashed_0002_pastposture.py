"""All of the migrations up to 0002_pastposture at once, for a database that is new."""

import django.db.models.deletion
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("audit_posture", "0001_initial"),
        ("audit_posture", "0002_pastposture"),
    ]

    initial = True

    dependencies = [
        ("mirror", "0016_trails"),
        ("mirror", "0017_root_access"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='PostureDay',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('day', models.DateField()),
                    ('score', models.FloatField(null=True)),
                    ('lines', models.JSONField(default=list)),
                    ('unread', models.JSONField(default=list)),
                    ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mirror.account')),
                ],
                options={
                    'indexes': [models.Index(fields=['day'], name='posture_by_day')],
                    'constraints': [models.UniqueConstraint(fields=('account', 'day'), name='one_posture_of_a_day')],
                },
            ),
            migrations.CreateModel(
                name='PastPosture',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('requested_at', models.DateTimeField()),
                    ('calculated_at', models.DateTimeField(null=True)),
                    ('score', models.FloatField(null=True)),
                    ('lines', models.JSONField(default=list)),
                    ('unread', models.JSONField(default=list)),
                    ('count', models.PositiveIntegerField(default=0)),
                    ('findings', models.JSONField(default=list)),
                    ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mirror.account')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('calculated_at__isnull', True)), fields=['requested_at'], name='past_posture_waiting')],
                    'constraints': [models.UniqueConstraint(fields=('account', 'at'), name='one_posture_of_a_moment')],
                },
            ),
        ]),
    ]
