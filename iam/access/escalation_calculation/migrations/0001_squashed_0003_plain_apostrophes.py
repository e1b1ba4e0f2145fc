"""All of the migrations up to 0003_plain_apostrophes at once, for a database that is new."""

import django.db.models.deletion
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("access_escalating", "0001_first"),
        ("access_escalating", "0002_names_of_models"),
        ("access_escalating", "0003_plain_apostrophes"),
    ]

    initial = True

    dependencies = [
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='EscalationCalculation',
                fields=[
                    ('moment', models.CharField(max_length=40, primary_key=True, serialize=False)),
                    ('format', models.PositiveSmallIntegerField(default=0)),
                    ('number', models.PositiveBigIntegerField(default=0)),
                    ('inputs', models.CharField(blank=True, max_length=32)),
                    ('revisions', models.JSONField(default=dict)),
                    ('asked', models.JSONField(default=dict)),
                    ('unread', models.JSONField(default=dict)),
                    ('limitations', models.JSONField(default=list)),
                    ('calculated_at', models.DateTimeField(null=True)),
                    ('seconds', models.FloatField(default=0)),
                    ('wanted_at', models.DateTimeField(null=True)),
                    ('lease', models.CharField(blank=True, max_length=32)),
                    ('lease_until', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'access_escalating_calculation',
                },
            ),
            migrations.CreateModel(
                name='ServiceUse',
                fields=[
                    ('account', models.CharField(max_length=12, primary_key=True, serialize=False)),
                    ('revision', models.PositiveBigIntegerField()),
                    ('standing', models.CharField(max_length=32)),
                    ('format', models.PositiveSmallIntegerField()),
                    ('users', models.PositiveIntegerField()),
                    ('roles', models.PositiveIntegerField()),
                    ('services', models.JSONField()),
                    ('calculated_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='EscalationFinding',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('account', models.CharField(max_length=12)),
                    ('principal', models.BigIntegerField()),
                    ('arn', models.CharField(max_length=2048)),
                    ('aws_id', models.CharField(blank=True, max_length=128)),
                    ('is_role', models.BooleanField()),
                    ('is_conditional', models.BooleanField()),
                    ('steps', models.PositiveIntegerField()),
                    ('certainty', models.PositiveSmallIntegerField(choices=[(0, 'Confirmed'), (1, 'Unconfirmed'), (2, 'Conditional')])),
                    ('unread', models.JSONField(default=list)),
                    ('opener', models.CharField(blank=True, max_length=16)),
                    ('search', models.TextField(blank=True)),
                    ('path', models.JSONField()),
                    ('stamp', models.CharField(max_length=32)),
                    ('calculation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='access_escalating.escalationcalculation')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('steps__gt', 0)), fields=['calculation', 'is_role', 'is_conditional', 'steps', 'account', 'arn'], name='finding_by_place'), models.Index(fields=['calculation', 'opener', 'certainty'], name='finding_by_opener'), models.Index(fields=['calculation', 'account'], name='finding_by_account')],
                    'constraints': [models.UniqueConstraint(fields=('calculation', 'principal'), name='one_finding_of_a_principal')],
                    'db_table': 'access_escalating_finding',
                },
            ),
            migrations.CreateModel(
                name='EscalationOpening',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=16)),
                    ('statements', models.JSONField(default=list)),
                    ('means', models.JSONField(default=dict)),
                    ('calculation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='openings', to='access_escalating.escalationcalculation')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('calculation', 'key'), name='one_opening_of_a_key')],
                    'db_table': 'access_escalating_opening',
                },
            ),
            migrations.CreateModel(
                name='EscalationQuestion',
                fields=[
                    ('key', models.CharField(max_length=32, primary_key=True, serialize=False)),
                    ('asks', models.JSONField()),
                    ('asked_at', models.DateTimeField()),
                    ('number', models.PositiveBigIntegerField(default=0)),
                    ('answer', models.JSONField(null=True)),
                    ('answered_at', models.DateTimeField(null=True)),
                    ('has_failed', models.BooleanField(default=False)),
                    ('calculation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='questions', to='access_escalating.escalationcalculation')),
                ],
                options={
                    'indexes': [models.Index(fields=['asked_at'], name='question_by_age')],
                    'db_table': 'access_escalating_question',
                },
            ),
        ]),
    ]
