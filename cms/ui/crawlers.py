"""robots.txt (RFC 9309): who may read the site, and what is of no use to anybody."""

from cms.models.site import Frame

# Those who collect texts to train models, by the names they look for in robots.txt, as their makers document them
# (https://github.com/ai-robots-txt/ai.robots.txt keeps track). Crawlers that answer a reader's question, or search, are not here.
TRAINING = (
    "AI2Bot",
    "Amazonbot",
    "anthropic-ai",
    "Applebot-Extended",
    "Bytespider",
    "CCBot",
    "ClaudeBot",
    "cohere-training-data-crawler",
    "Cotoyogi",
    "Diffbot",
    "FacebookBot",
    "Google-Extended",
    "GPTBot",
    "ICC-Crawler",
    "ImagesiftBot",
    "img2dataset",
    "Kangaroo Bot",
    "meta-externalagent",
    "omgili",
    "omgilibot",
    "PanguBot",
    "SBIntuitionsBot",
    "Timpibot",
    "webzio-extended",
)

# The desk, the door, what a signed link opens, and results of searches. Rules match beginnings: without the signs at their ends
# they would keep out a post called /searching, too.
PRIVATE = tuple(f"/{name}{end}" for name in ("admin", "login", "preview", "search") for end in ("$", "?", "/"))


def robots(frame: Frame, sitemap: str) -> str:
    """A crawler obeys the group that names it, and only that one; so those who train models get one where they are treated apart."""
    search, training = (frame.is_open and frame.allows(kind) for kind in ("search", "training"))
    groups = [_group(TRAINING, allowed=training)] if training != search else []
    groups.append(_group(("*",), allowed=search))
    return "\n".join([*groups, *([f"Sitemap: {sitemap}\n"] if search else [])])


def _group(agents: tuple[str, ...], *, allowed: bool) -> str:
    lines = [f"User-agent: {agent}" for agent in agents] + [f"Disallow: {path}" for path in (PRIVATE if allowed else ("/",))]
    return "\n".join(lines) + "\n"
