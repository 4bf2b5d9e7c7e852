"""What an import or an export has come to, in words."""

from collections.abc import Callable, Mapping

from cms.wording import Said, listed, say

_COUNTED: Mapping[str, Callable[[int], Said]] = {
    "posts": lambda number: say("{number} post", "{number} posts", number),
    "pages": lambda number: say("{number} page", "{number} pages", number),
    "drafts": lambda number: say("{number} draft", "{number} drafts", number),
    "texts": lambda number: say("{number} text", "{number} texts", number),
    "files": lambda number: say("{number} file", "{number} files", number),
    "updated": lambda number: say("{number} updated", "{number} updated", number),
    "unchanged": lambda number: say("{number} unchanged", "{number} unchanged", number),
}


def counted(numbers: Mapping[str, int]) -> Said:
    """``{"posts": 2, "files": 1}`` as “2 posts, 1 file”; of nothing, “nothing”."""
    return listed(*(_COUNTED[name](number) for name, number in numbers.items() if number)) if any(numbers.values()) else say("nothing")
