"""A real blog of 384 texts (rust-lang/blog.rust-lang.org, MIT or Apache-2.0; both licences are in the archive). Its pictures are too
large for this repository: small ones stand in their places, real files of their kinds."""

import io
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ARCHIVE = Path(__file__).parent / "data" / "rust-blog.tar.xz"
DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30" viewBox="0 0 40 30"><rect width="40" height="30"/></svg>\n'


def unpack(folder: Path) -> Path:
    """The blog in a folder below this one."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # Python 3.11.4 has it
    blog = folder / "rust-blog"
    for number, name in enumerate(blog.joinpath("pictures.txt").read_text(encoding="utf-8").splitlines()):
        _draw(blog / name, number)
    return blog


def _draw(path: Path, number: int) -> None:
    """No two are the same, or they would be one file in the library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".svg":
        path.write_bytes(DRAWING.replace(b"<rect", b'<rect x="%d"' % number))
    elif path.suffix in {".png", ".jpg", ".jpeg"}:
        drawn = io.BytesIO()
        Image.new("RGB", (40, 30), (number % 256, number // 256, 99)).save(drawn, "PNG" if path.suffix == ".png" else "JPEG", quality=100)
        path.write_bytes(drawn.getvalue() + b"\n" * number)
    else:
        path.write_bytes(b"%d\n" % number)


@dataclass(frozen=True)
class Old:
    """What the old site had at some addresses."""

    file: str
    title: str
    addresses: tuple[str, ...]


def old_site(blog: Path) -> list[Old]:
    """Read with nothing of ours, from the front matter alone."""
    found = []
    for path in sorted(blog.rglob("*.md")):
        data = tomllib.loads(path.read_text(encoding="utf-8").split("+++", 2)[1])
        if "path" in data or "aliases" in data:
            addresses = tuple(filter(None, [data.get("path", ""), *data.get("aliases", [])]))
            found.append(Old(path.relative_to(blog).as_posix(), data.get("title", ""), addresses))
    return found
