"""What each account adds to a requirement is kept for past moments too."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('audit_frameworks', '0002_assessment_mark')]

    operations = [
        migrations.AddField(
            model_name='frameworkassessment',
            name='moment',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='frameworkassessment',
            index=models.Index(condition=models.Q(('moment__isnull', False)), fields=['moment'], name='past_assessment'),
        ),
        # They are judged again, with what each account adds.
        migrations.RunSQL(
            "DELETE FROM audit_frameworks_frameworksummary WHERE moment IS NOT NULL", migrations.RunSQL.noop
        ),
    ]
