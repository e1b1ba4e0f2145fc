"""All of the migrations up to 0003_listed_people at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether
class Migration(migrations.Migration):

    replaces = [('people_campaigns', '0001_first'), ('people_campaigns', '0002_endings_in_plain_words'), ('people_campaigns', '0003_listed_people')]

    initial = True

    dependencies = [
        ('changes', '0006_notes_of_a_set'),
        ('directory', '0002_appointments'),
        ('mirror', '0009_revisions'),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='Campaign',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=80)),
                    ('due', models.DateField()),
                    ('remind', models.JSONField(default=list)),
                    ('ending', models.CharField(choices=[('notify', 'Send me the list'), ('restrict', 'Request a policy that requires MFA'), ('disable', 'Request deletion of their console passwords')], max_length=8)),
                    ('reason', models.CharField(max_length=1000)),
                    ('state', models.CharField(choices=[('running', 'Running'), ('due', 'Due'), ('closed', 'Closed')], default='running', max_length=7)),
                    ('begun_at', models.DateTimeField()),
                    ('looked_at', models.DateTimeField(help_text='When newcomers were last looked for.', null=True)),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('trouble', models.CharField(blank=True, max_length=1024)),
                    ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='mirror.account')),
                    ('begun_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='directory.person')),
                    ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='directory.team')),
                    ('listed', models.JSONField(default=list, help_text='The numbers of the only users who take part; empty for all.')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'closed'), _negated=True), fields=['begun_at'], name='campaign_to_tend')],
                },
            ),
            migrations.CreateModel(
                name='Participant',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('joined_at', models.DateTimeField()),
                    ('invited_at', models.DateTimeField(null=True)),
                    ('told_at', models.DateTimeField(null=True)),
                    ('messages', models.PositiveSmallIntegerField(default=0)),
                    ('excused_until', models.DateField(null=True)),
                    ('excused_why', models.CharField(blank=True, max_length=300)),
                    ('excused_by', models.CharField(blank=True, max_length=128)),
                    ('handled_at', models.DateTimeField(null=True)),
                    ('asked', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.changeset')),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='participants', to='people_campaigns.campaign')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                ],
                options={
                    'indexes': [models.Index(fields=['user'], name='participant_by_user')],
                    'constraints': [models.UniqueConstraint(fields=('campaign', 'user'), name='once_in_a_campaign'), models.CheckConstraint(condition=models.Q(('excused_until__isnull', True), models.Q(('excused_why', ''), _negated=True), _connector='OR'), name='an_exception_has_a_reason')],
                },
            ),
        ]),
    ]
