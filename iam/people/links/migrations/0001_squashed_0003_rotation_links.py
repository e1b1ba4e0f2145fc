"""All of the migrations up to 0003_rotation_links at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('people_links', '0001_initial'), ('people_links', '0002_checked_links'), ('people_links', '0003_rotation_links')]

    initial = True

    dependencies = [
        ('directory', '0002_appointments'),
    ]

    operations = [
        migrations.CreateModel(
            name='Link',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('mfa', 'Add an MFA device'), ('invitation', 'Invitation'), ('rotation', 'A new access key')], max_length=16)),
                ('user_arn', models.CharField(max_length=2048)),
                ('cause_id', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.UUIDField(null=True)),
                ('created_label', models.CharField(max_length=128)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('used_from', models.CharField(blank=True, max_length=45)),
                ('browser', models.CharField(blank=True, max_length=64)),
                ('session_until', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_why', models.CharField(blank=True, choices=[('revoked', 'Revoked'), ('replaced', 'Replaced by a newer link'), ('finished', 'Finished')], max_length=8)),
                ('ended_label', models.CharField(blank=True, max_length=128)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='directory.person')),
                ('is_checked', models.BooleanField(default=False)),
            ],
            options={
                'indexes': [models.Index(fields=['user_arn', '-created_at'], name='link_of_user'), models.Index(condition=models.Q(('cause_id__isnull', False)), fields=['cause_id'], name='link_by_cause')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('browser', ''), ('session_until__isnull', True), ('used_at__isnull', True)), models.Q(('session_until__isnull', False), ('used_at__isnull', False), models.Q(('browser', ''), _negated=True)), _connector='OR'), name='a_used_link_has_a_browser'), models.UniqueConstraint(condition=models.Q(('browser', ''), _negated=True), fields=('browser',), name='one_link_for_each_browser')],
            },
        ),
    ]
