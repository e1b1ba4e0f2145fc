"""All of the migrations up to 0007_names_of_models at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("onboarding", "0001_first"),
        ("onboarding", "0002_asking"),
        ("onboarding", "0003_users_there"),
        ("onboarding", "0004_another_invitation"),
        ("onboarding", "0005_typed_rows"),
        ("onboarding", "0006_run_engine"),
        ("onboarding", "0007_names_of_models"),
    ]

    initial = True

    dependencies = [
        ("blueprints", "0001_first"),
        ("changes", "0006_notes_of_a_set"),
        ("mirror", "0009_revisions"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='OnboardingRun',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('state', models.CharField(choices=[('draft', 'Draft'), ('asking', 'Submitting'), ('asked', 'Requested'), ('waiting', 'Waiting for approval'), ('running', 'In progress'), ('done', 'Done'), ('partly', 'Done in part'), ('closed', 'Cancelled')], default='draft', max_length=8)),
                    ('source', models.CharField(blank=True, max_length=128)),
                    ('reason', models.CharField(blank=True, max_length=1024)),
                    ('requested_by', models.UUIDField()),
                    ('requested_label', models.CharField(max_length=128)),
                    ('trials', models.PositiveSmallIntegerField(default=0)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('asked_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='blueprints.blueprintversion')),
                    ('trouble', models.CharField(blank=True, max_length=1024)),
                ],
                options={
                    'indexes': [models.Index(fields=['-created_at', '-id'], name='run_newest'), models.Index(fields=['state', 'created_at'], name='run_by_state')],
                    'db_table': 'onboarding_run',
                },
            ),
            migrations.CreateModel(
                name='OnboardedPerson',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField()),
                    ('line', models.PositiveIntegerField()),
                    ('name', models.CharField(blank=True, max_length=256)),
                    ('email', models.CharField(blank=True, max_length=256)),
                    ('typed_name', models.CharField(blank=True, help_text='The user name that somebody wrote.', max_length=64)),
                    ('user_name', models.CharField(blank=True, max_length=64)),
                    ('until', models.DateField(null=True)),
                    ('person_id', models.UUIDField(default=uuid.uuid4)),
                    ('standing', models.CharField(choices=[('ready', 'Ready'), ('bad', 'Needs fixing'), ('existing', 'Has a user already')], default='ready', max_length=8)),
                    ('problems', models.JSONField(default=list)),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='people', to='onboarding.onboardingrun')),
                    ('users', models.JSONField(default=list)),
                    ('link_for', models.UUIDField(null=True)),
                    ('wants_link_at', models.DateTimeField(null=True)),
                    ('typed_until', models.CharField(blank=True, help_text='The last day as somebody wrote it.', max_length=40)),
                    ('wrong', models.JSONField(default=dict)),
                ],
                options={
                    'ordering': ['position'],
                    'indexes': [models.Index(fields=['run', 'standing', 'position'], name='newcomer_by_standing')],
                    'constraints': [models.UniqueConstraint(fields=('run', 'position'), name='newcomer_once')],
                    'db_table': 'onboarding_newcomer',
                },
            ),
            migrations.CreateModel(
                name='ProvisionedUser',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('user_arn', models.CharField(max_length=2048)),
                    ('lane', models.PositiveSmallIntegerField()),
                    ('password_seal', models.UUIDField(null=True)),
                    ('key_seal', models.UUIDField(null=True)),
                    ('joined_at', models.DateTimeField(null=True)),
                    ('settled_at', models.DateTimeField(null=True)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.account')),
                    ('change_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.changeset')),
                    ('newcomer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='places', to='onboarding.onboardedperson')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('settled_at__isnull', True)), fields=['change_set'], name='place_unsettled')],
                    'constraints': [models.UniqueConstraint(fields=('newcomer', 'account'), name='one_user_of_newcomer'), models.UniqueConstraint(fields=('change_set', 'lane'), name='one_place_of_lane')],
                    'db_table': 'onboarding_place',
                },
            ),
        ]),
    ]
