import django.db.models.deletion
from django.db import migrations, models

PARENT = models.OneToOneField(
    on_delete=django.db.models.deletion.CASCADE,
    parent_link=True,
    auto_created=True,
    primary_key=True,
    serialize=False,
    to="wagtailcore.page",
)


class Migration(migrations.Migration):
    initial = True
    dependencies = (("wagtailcore", "__latest__"),)
    operations = (migrations.CreateModel("TextPage", [("page_ptr", PARENT), ("body", models.TextField())], bases=("wagtailcore.page",)),)
