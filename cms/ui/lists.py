"""Words of lists of posts and pages: what can be asked of them, and what was done to what was chosen."""

from collections.abc import Mapping

from cms.wording import phrases

VISIBLE_TO = phrases((("public", "Everybody"), ("unlisted", "Whoever has the address"), ("password", "Whoever knows the password")))

DONE: Mapping[str, tuple[str, str]] = phrases(
    {  # act → what is said of one, and of several
        "publish": ("%d is public now.", "%d are public now."),
        "withdraw": ("%d was withdrawn; its address says that it is gone.", "%d were withdrawn; their addresses say that they are gone."),
        "draft": ("%d is a draft again.", "%d are drafts again."),
        "add_tags": ("Tags were added to %d text.", "Tags were added to %d texts."),
        "remove_tags": ("Tags were taken from %d text.", "Tags were taken from %d texts."),
        "category": ("%d has another category.", "%d have another category."),
        "authors": ("%d has other authors.", "%d have other authors."),
        "trash": ("%d was moved to the trash.", "%d were moved to the trash."),
        "restore": ("%d was taken out of the trash.", "%d were taken out of the trash."),
        "delete": ("%d was deleted for good.", "%d were deleted for good."),
    }
)
WAITING = "Where it was public already, readers see it when you publish the changes."
FIELDS = frozenset({"add_tags", "remove_tags", "category", "authors"})  # acts that change what waits to be published
