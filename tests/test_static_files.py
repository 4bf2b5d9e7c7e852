"""What is made of a stylesheet, and that a file is what its fingerprint says."""

import re
from pathlib import Path

import pytest

from cms.content_coding import IDENTITY
from cms.errors import NotFound
from cms.static_files import StaticFiles, minify_css

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("source", "small"),
    [
        ("/* why */\n@layer reset, base;\n\na { color: red; }\n", "@layer reset,base;a{color:red}"),
        ("a :hover { b: c }", "a :hover{b:c}"),
        ("a/**/b {}", "a b{}"),
        ('a::after { content: " ; }  /* no */ "; }', 'a::after{content:" ; }  /* no */ "}'),
        ("a { content: 'it\\'s  ' }", "a{content:'it\\'s  '}"),
        ("a { width: calc(1px + 2px - var(--x)); margin: 0 -1px }", "a{width:calc(1px + 2px - var(--x));margin:0 -1px}"),
        ("@media (width >= 3rem) and (print) { a > b ~ c + d { e: f } }", "@media (width >= 3rem) and (print){a > b ~ c + d{e:f}}"),
        ("a { --empty: ; b: url(data:x;y,z) }", "a{--empty:;b:url(data:x;y,z)}"),
        ("a { b: c;; }", "a{b:c;}"),
    ],
)
def test_only_what_means_nothing_is_left_out(source: str, small: str) -> None:
    assert minify_css(source) == small
    assert minify_css(small) == small.replace(";}", "}")


@pytest.mark.parametrize("path", sorted((ROOT / "static/css").glob("*.css")), ids=lambda path: path.name)
def test_our_stylesheets_keep_their_rules(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    small = minify_css(source)
    assert len(small) < len(source)
    for sign in "{}":
        assert small.count(sign) == source.count(sign)
    assert "/*" not in small


async def test_a_file_changes_its_address_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css/a.css").write_text("a { color: red }")
    first = StaticFiles(tmp_path, {"made.css": "b{c:d}"})
    assert first.find("css/a.css").content == b"a{color:red}"
    (tmp_path / "css/a.css").write_text("a { color: blue }")
    second = StaticFiles(tmp_path, {"made.css": "b{c:d}"})
    assert first.find("css/a.css").content == b"a{color:red}", "what was read once stays with its address"
    assert first.address("css/a.css") != second.address("css/a.css")
    assert first.address("made.css") == second.address("made.css")


async def test_a_coding_that_saves_nothing_is_not_offered(tmp_path: Path) -> None:
    files = StaticFiles(tmp_path, {"short.css": "b{c:d}", "long.css": "b{c:d}" * 200})
    assert list(await files.find("short.css").codings()) == [IDENTITY]
    assert list(await files.find("long.css").codings()) == ["br", "zstd", "gzip", IDENTITY]


@pytest.mark.parametrize("name", ["", "css", "css/", "/css/a.css", "../a.css", "css/../css/a.css", "a.css"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "static/css").mkdir(parents=True)
    (tmp_path / "static/css/a.css").write_text("")
    (tmp_path / "a.css").write_text("")
    with pytest.raises(NotFound):
        StaticFiles(tmp_path / "static", {}).find(name)


SIDED = re.compile(r"[{;\s](?:(?:margin|padding|border|inset)-(?:left|right)[\w-]*|left|right|float)\s*:")
FOUR = re.compile(r"[{;\s]((?:scroll-)?(?:margin|padding)|inset|border-(?:width|style|color|radius))\s*:\s*([^;}]+)")
CHEVRON = "0 1.5px 1.5px 0"  # turned by 45 degrees it points down, whichever way people read


@pytest.mark.parametrize("sheet", sorted((ROOT / "static/css").glob("*.css")), ids=lambda sheet: sheet.name)
def test_sheets_name_no_left_and_no_right_since_some_read_from_the_right(sheet: Path) -> None:
    text = minify_css(sheet.read_text(encoding="utf-8"))
    assert SIDED.findall(text) == []
    for name, value in FOUR.findall(text):
        sides = re.findall(r"(?:[^\s(]|\((?:[^()]|\([^()]*\))*\))+", value.partition("/")[0])
        if name == "border-radius":
            assert len(set(sides)) == 1, f"{name}: {value}"
        else:
            assert len(sides) < 4 or sides[1] == sides[3] or value == CHEVRON, f"{name}: {value}"
