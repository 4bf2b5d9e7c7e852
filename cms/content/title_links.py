"""Links that name a post by its title: ``[[Title]]``, ``[[Title|words]]``."""

import re

from cms.content.folding import fold

TITLE_LINK = re.compile(r"\[\[([^\[\]|\n]{1,300})(?:\|([^\[\]\n]{1,300}))?\]\]")


def titles_wanted(source: str) -> set[str]:
    """What a text calls other posts by, folded. Some may stand in code and mean nothing."""
    return {fold(found[1]) for found in TITLE_LINK.finditer(source)}
