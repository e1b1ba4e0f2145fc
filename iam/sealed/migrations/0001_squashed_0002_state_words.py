"""All of the migrations up to 0002_state_words at once, for a database that is new."""

import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('sealed', '0001_initial'), ('sealed', '0002_state_words')]

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Secret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(max_length=64)),
                ('label', models.CharField(blank=True, max_length=512)),
                ('account_id', models.CharField(blank=True, max_length=12)),
                ('person_id', models.UUIDField(null=True)),
                ('browser', models.CharField(blank=True, max_length=64)),
                ('ciphertext', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('held', 'Waiting for AWS'), ('sealed', 'Can be shown once'), ('opened', 'Shown'), ('taken', 'Used'), ('expired', 'Expired'), ('shredded', 'Destroyed')], default='sealed', max_length=8)),
                ('sealed_at', models.DateTimeField()),
                ('released_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_by', models.CharField(blank=True, max_length=128)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ('held', 'sealed'))), fields=['expires_at'], name='secret_expiring')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state__in', ('held', 'sealed'))), models.Q(models.Q(('state__in', ('held', 'sealed')), _negated=True), ('ciphertext', ''), ('ended_at__isnull', False)), _connector='OR'), name='an_ended_secret_has_no_text')],
            },
        ),
    ]
