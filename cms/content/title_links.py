"""Links that name a post by its title: ``[[Title]]``, ``[[Title|words]]``."""

import re

TITLE_LINK = re.compile(r"\[\[([^\[\]|\n]{1,300})(?:\|([^\[\]\n]{1,300}))?\]\]")
