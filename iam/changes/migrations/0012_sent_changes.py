from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('changes', '0011_confidential_notes'),
        ('mirror', '0018_plain_apostrophes'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='change',
            index=models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['account', 'sent_at', 'created_at'], name='change_sent'),
        ),
    ]
