"""All of the migrations up to 0003_words_of_channels at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('people_replacing', '0001_first'), ('people_replacing', '0002_plain_words'), ('people_replacing', '0003_words_of_channels')]

    initial = True

    dependencies = [
        ('changes', '0006_notes_of_a_set'),
        ('directory', '0002_appointments'),
        ('mirror', '0009_revisions'),
        ('people_links', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Replacement',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('waiting', 'Waiting for a second person'), ('checked', 'Identity checked'), ('refused', 'Refused'), ('expired', 'No one answered in time')], default='waiting', max_length=8)),
                ('asked_at', models.DateTimeField()),
                ('asked_over', models.CharField(choices=[('person', 'In person'), ('phone', 'By phone, at a number you already had'), ('video', 'By video, with the camera on'), ('chat', 'By chat'), ('mail', 'By email'), ('portal', 'In Gatehouse')], max_length=8)),
                ('reason', models.CharField(max_length=1000)),
                ('until', models.DateTimeField(help_text='So long a second person can make sure.')),
                ('decided_at', models.DateTimeField(null=True)),
                ('checked_over', models.CharField(blank=True, choices=[('person', 'In person'), ('phone', 'By phone, at a number you already had'), ('video', 'By video, with the camera on'), ('chat', 'By chat'), ('mail', 'By email'), ('portal', 'In Gatehouse')], max_length=8)),
                ('checked_how', models.CharField(blank=True, max_length=500)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                ('link', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people_links.link')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='replacements', to='directory.person')),
                ('removal', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.change')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('device',), name='one_replacement_of_a_device_waits'), models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(models.Q(('decided_by', models.F('asked_by')), _negated=True), models.Q(('decided_by', models.F('person')), _negated=True)), _connector='OR'), name='a_second_person_makes_sure')],
            },
        ),
    ]
