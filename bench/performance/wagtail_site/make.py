"""The database, with the page in it. ``python -m bench.performance.wagtail_site.make FILE_OF_HTML``"""

import sys
from pathlib import Path

import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)

from wagtail.models import Page, Site  # noqa: E402 - there is nothing to import before

from bench.performance.wagtail_site.models import TextPage  # noqa: E402

home = Page.objects.get(depth=2)
home.add_child(instance=TextPage(title="A post", slug="page", body=Path(sys.argv[1]).read_text()))
Site.objects.update(hostname="localhost")
