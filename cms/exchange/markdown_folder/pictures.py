"""Files of a folder on their way into the library: whether they are taken, by their ending and size; what they are is found out there."""

from dataclasses import dataclass
from pathlib import Path

from cms.services.intake import digest_of
from cms.wording import say

LARGEST = 50_000_000  # bytes
_ALLOWED = {
    *(".apng", ".avif", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"),
    *(".m4a", ".mp3", ".mp4", ".ogg", ".wav", ".webm"),
    *(".csv", ".pdf", ".txt", ".zip"),
}


@dataclass(frozen=True, slots=True)
class File:
    """``problem``: why it stays out."""

    file: str
    digest: str = ""
    problem: str = ""


def read(folder: Path, file: str, *, is_exact: bool) -> File:
    """Slow; for a thread. Raises nothing for what a file is. ``is_exact``: a library of ours had it, so it is taken."""
    path = folder / file
    suffix = path.suffix.lower()
    if suffix not in _ALLOWED and not is_exact:
        kind = suffix or say("without an ending")
        return File(file, problem=say("files of the kind {kind} are not taken", kind=kind))
    try:
        if path.stat().st_size > LARGEST and not is_exact:
            return File(file, problem=say("is larger than {number} MB", number=LARGEST // 1_000_000))
        return File(file, digest_of(path))
    except OSError as error:
        return File(file, problem=say("cannot be read: {reason}", reason=error.strerror or error))
