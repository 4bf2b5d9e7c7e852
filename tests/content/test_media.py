"""What the library's things look like in a text."""

import re
from dataclasses import replace
from typing import Any

import html5lib
import pytest

from cms.content.context import Media, Track
from cms.content.pipeline import RenderContext, compare, render
from cms.content.quantities import duration, size
from cms.content.renditions import parse
from cms.content.responsive import COLUMN, FULL, PART, WIDE, WIDE_PART
from cms.ui.feeds import absolute_html
from tests.content import hostile

TRACK = Track("/media/9/abc/de.vtt", "de", "Deutsch")
LIBRARY = {
    "/media/1/boat.jpg": Media("/media/1/abc/boat.jpg", "picture", "image/jpeg", 4000, 3000, focus=(20, 70)),
    "/media/2/mast.png": Media("/media/2/abc/mast.png", "picture", "image/png", 900, 1200),
    "/media/3/chart.svg": Media("/media/3/abc/chart.svg", "picture", "image/svg+xml", 800, 600),
    "/media/4/wave.gif": Media("/media/4/abc/wave.gif", "picture", "image/gif", 800, 600, frames=9),
    "/media/5/dot.jpg": Media("/media/5/abc/dot.jpg", "picture", "image/jpeg", 200, 150),
    "/media/6/film.mp4": Media(
        "/media/6/abc/film.mp4", "video", "video/mp4", 1920, 1080, duration=125, poster="/media/1/abc/boat.jpg", tracks=(TRACK,)
    ),
    "/media/7/talk.mp3": Media("/media/7/abc/talk.mp3", "audio", "audio/mpeg", duration=3725, caption="A talk", tracks=(TRACK,)),
    "/media/8/plan.pdf": Media("/media/8/abc/plan.pdf", "file", "application/pdf", size=1_234_567),
    "/media/9/de.vtt": Media("/media/9/abc/de.vtt", "captions", "text/vtt", size=900),
    "/media/10/quay.avif": Media("/media/10/abc/quay.avif", "picture", "image/avif", 1000, 500),
    "/media/11/gull.webp": Media("/media/11/abc/gull.webp", "picture", "image/webp", 1000, 800, frames=3),
    "/media/12/pier.jpg": Media("/media/12/abc/pier.jpg", "picture", "image/jpeg", 3000, 2000),
}


def shown(source: str, language: str = "en", **of_boat: Any) -> Any:
    """What became of a text; it is valid, harmless, and would pass the gate unchanged."""
    library = {**LIBRARY, "/media/1/boat.jpg": replace(LIBRARY["/media/1/boat.jpg"], **of_boat)}
    made = render(source, RenderContext(media=library, language=language)).html
    assert hostile.faults(made) == []
    assert "style=" not in made
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(made)


def candidates(srcset: str) -> list[tuple[str, str]]:
    return [(address, width) for address, width in (each.split() for each in srcset.split(","))]


def flaws(source: str, **of_boat: Any) -> list[str]:
    library = {**LIBRARY, "/media/1/boat.jpg": replace(LIBRARY["/media/1/boat.jpg"], **of_boat)}
    return [flaw.code for flaw in render(source, RenderContext(media=library)).flaws]


def test_a_picture_is_offered_in_modern_formats_and_fitting_sizes_and_last_as_it_is() -> None:
    page = shown("![A boat](/media/1/boat.jpg)")
    (picture,) = page.findall("figure/picture")
    avif, webp, img = picture
    assert [(source.get("type"), source.get("sizes")) for source in (avif, webp)] == [
        ("image/avif", COLUMN.sizes), ("image/webp", COLUMN.sizes),
    ]  # fmt: skip
    widths = ["320w", "480w", "640w", "960w", "1280w"]
    assert [width for _, width in candidates(avif.get("srcset"))] == widths
    assert candidates(webp.get("srcset"))[0] == ("/media/1/abc/320/boat.webp", "320w")
    assert [width for _, width in candidates(img.get("srcset"))] == [*widths, "4000w"]
    assert candidates(img.get("srcset"))[-1][0] == img.get("src") == "/media/1/abc/boat.jpg"
    assert (img.get("width"), img.get("height"), img.get("alt"), img.get("sizes")) == ("4000", "3000", "A boat", COLUMN.sizes)
    for source in (avif, webp, img):
        for address, width in candidates(source.get("srcset")):
            name, _, file = address.removeprefix("/media/1/abc/").partition("/")
            assert width == "4000w" or parse(name, file.rpartition(".")[2]), address


@pytest.mark.parametrize(
    ("address", "sources", "src", "last"),
    [
        ("/media/2/mast.png", ["image/avif", "image/webp"], "/media/2/abc/mast.png", "/media/2/abc/mast.png 900w"),
        ("/media/10/quay.avif", ["image/avif", "image/webp"], "/media/10/abc/960/quay.jpg", "/media/10/abc/960/quay.jpg 960w"),
        ("/media/4/wave.gif", ["image/webp"], "/media/4/abc/wave.gif", None),
        ("/media/11/gull.webp", [], "/media/11/abc/gull.webp", "/media/11/abc/gull.webp 1000w"),
        ("/media/3/chart.svg", [], "/media/3/abc/chart.svg", None),
        ("/media/5/dot.jpg", [], "/media/5/abc/dot.jpg", None),
        ("https://other.example/a.jpg", [], "https://other.example/a.jpg", None),
    ],
)
def test_every_browser_gets_what_it_knows(address: str, sources: list[str], src: str, last: str | None) -> None:
    """What moves goes on moving; drawings, small pictures and those of others are as they are."""
    page = shown(f"![a]({address})")
    (img,) = page.iter("img")
    assert [source.get("type") for source in page.iter("source")] == sources
    assert img.get("src") == src
    assert (img.get("srcset") or "").rpartition(", ")[2] == (last or "")


def test_the_first_picture_is_not_waited_for() -> None:
    page = shown("![a](/media/1/boat.jpg)\n\n![a](/media/2/mast.png)\n\n<img src='/media/12/pier.jpg' alt='a'>")
    assert [(img.get("loading"), img.get("decoding")) for img in page.iter("img")] == [(None, None), *[("lazy", "async")] * 2]


@pytest.mark.parametrize(
    ("source", "sizes"),
    [
        ("a ![b](/media/1/boat.jpg)", COLUMN.sizes),
        ("![b](/media/1/boat.jpg){.wide}", WIDE.sizes),
        ("![b](/media/1/boat.jpg)\n{ .full }", FULL.sizes),
        ('<figure class="wide"><img alt="b" src="/media/1/boat.jpg"></figure>', WIDE.sizes),
        ('<img class="wide" alt="b" src="/media/1/boat.jpg">', WIDE.sizes),
        ('x <img alt="b" width="96" src="/media/1/boat.jpg">', "96px"),
        ('x <img alt="b" width="50%" src="/media/1/boat.jpg">', COLUMN.sizes),
        ("| a |\n| --- |\n| ![b](/media/1/boat.jpg) |", PART.sizes),
        ("![b](/media/1/boat.jpg)\n![b](/media/2/mast.png)", PART.sizes),
        ("![b](/media/1/boat.jpg)\n![b](/media/2/mast.png){.wide}", WIDE_PART.sizes),
        ("![b](/media/1/boat.jpg)\n![b](/media/2/mast.png)\n![b](/media/2/mast.png)", COLUMN.sizes),
    ],
)
def test_sizes_say_how_wide_it_is_where_it_stands(source: str, sizes: str) -> None:
    assert next(shown(source).iter("img")).get("sizes") == sizes


@pytest.mark.parametrize(
    ("source", "classes"),
    [
        ("![b](/media/1/boat.jpg){.wide}", ["wide"]),
        ("![b](/media/1/boat.jpg){.full}", ["full"]),
        ("[![b](/media/1/boat.jpg)](/a){.full}", ["full"]),
        ("![b](/media/6/film.mp4){.wide}", ["wide"]),
        ('<p><img class="a wide" alt="b" src="/media/1/boat.jpg"></p>', ["wide"]),
        ("![b](/media/1/boat.jpg){.narrow}", []),
        ("![b](/media/1/boat.jpg){.wide .full}", []),
        ("a ![b](/media/1/boat.jpg){.wide}", []),
    ],
)
def test_a_picture_is_wide_or_full_if_it_says_so(source: str, classes: list[str]) -> None:
    page = shown(source)
    figures = page.findall("figure")
    assert [figure.get("class") for figure in figures] == classes
    assert ("{" in "".join(page.itertext())) == (not classes)


@pytest.mark.parametrize(
    ("given", "library", "alt", "has_flaw"),
    [
        ("Mine", {"alt": "Theirs"}, "Mine", False),
        ("", {"alt": "Theirs <&>"}, "Theirs <&>", False),
        ("", {"is_decorative": True}, "", False),
        ("Mine", {"is_decorative": True}, "Mine", False),
        ("", {}, "", True),
    ],
)
def test_what_it_shows_is_told_by_the_text_else_by_the_library(given: str, library: dict[str, Any], alt: str, has_flaw: bool) -> None:
    source = f"![{given}](/media/1/boat.jpg)"
    (img,) = shown(source, **library).iter("img")
    assert img.get("alt") == alt
    assert ("alt" in flaws(source, **library)) == has_flaw


@pytest.mark.parametrize(
    ("title", "library", "caption", "small"),
    [
        (' "Mine"', {"caption": "Theirs", "credit": "Ana"}, "Mine Ana", "Ana"),
        ("", {"caption": "<b> & co", "credit": "Ana", "licence": "CC BY 4.0"}, "<b> & co Ana, CC BY 4.0", "Ana, CC BY 4.0"),
        ("", {"licence": "CC0"}, "CC0", "CC0"),
        ("", {"caption": "Theirs"}, "Theirs", None),
        ("", {}, None, None),
    ],
)
def test_captions_are_of_the_text_else_of_the_library_with_whose_it_is(
    title: str, library: dict[str, Any], caption: str | None, small: str | None
) -> None:
    page = shown(f"![a](/media/1/boat.jpg{title})", **library)
    found = page.find("figure/figcaption")
    assert (None if found is None else "".join(found.itertext())) == caption
    assert (None if found is None else found.findtext("small")) == small
    assert shown(f"a ![a](/media/1/boat.jpg{title})", **library).find(".//figcaption") is None


def test_a_gallery_of_one_proportion_shows_its_pictures_whole() -> None:
    page = shown("![a](/media/1/boat.jpg) ![b](/media/3/chart.svg)")
    (gallery,) = page.findall("div")
    assert gallery.get("class") == "gallery"
    assert [(img.get("width"), img.get("height")) for img in gallery.iter("img")] == [("4000", "3000"), ("800", "600")]
    assert [link.get("href") for link in gallery.iter("a")] == ["/media/1/abc/1920/boat.jpg", "/media/3/abc/chart.svg"]


@pytest.mark.parametrize(
    ("others", "classes", "shape", "size"),
    [
        ("![b](/media/12/pier.jpg)", "gallery landscapes", "wide-960-20-70", ("960", "540")),
        ("![b](/media/2/mast.png)", "gallery squares", "square-960-20-70", ("960", "960")),
        ("![b](/media/2/mast.png)\n{.full}", "gallery full squares", "square-1280-20-70", ("1280", "1280")),
    ],
)
def test_other_galleries_cut_alike_around_what_matters(others: str, classes: str, shape: str, size: tuple[str, str]) -> None:
    page = shown(f"![a](/media/1/boat.jpg)\n{others}")
    (gallery,) = page.findall("div")
    img = next(gallery.iter("img"))
    assert gallery.get("class") == classes
    assert (img.get("src"), img.get("width"), img.get("height")) == (f"/media/1/abc/{shape}/boat.jpg", *size)
    assert "/media/1/abc/boat.jpg" not in img.get("srcset")
    assert next(gallery.iter("a")).get("href") == "/media/1/abc/1920/boat.jpg"


def test_in_a_gallery_links_of_ones_own_stay_and_others_have_names() -> None:
    source = '[![a](/media/1/boat.jpg)](/b)\n![](/media/2/mast.png "A <mast>")\n![](/media/5/dot.jpg)\n![x](https://other.example/c.jpg)'
    page = shown(source)
    links = [(link.get("href"), link.get("aria-label")) for link in page.iter("a")]
    assert links == [("/b", None), ("/media/2/abc/mast.png", "A <mast>"), ("/media/5/abc/dot.jpg", "dot.jpg")]
    rendered = render(source, RenderContext(media=LIBRARY))
    assert rendered.links == ("/b",)
    assert [target.address for target in rendered.targets] == ["/b"]


def test_a_film_has_the_players_of_browsers() -> None:
    page = shown("![The low tide](/media/6/film.mp4)", language="de")
    (video,) = page.findall("figure/video")
    assert video.attrib == {
        "src": "/media/6/abc/film.mp4", "controls": "", "preload": "metadata", "aria-label": "The low tide",
        "poster": "/media/1/abc/boat.jpg", "width": "1920", "height": "1080",
    }  # fmt: skip
    (track,) = video.findall("track")
    assert track.attrib == {"kind": "captions", "src": TRACK.path, "srclang": "de", "label": "Deutsch"}
    assert video.find("a").get("href") == "/media/6/abc/film.mp4"
    assert page.findtext("figure/figcaption/small") == "2 Minuten 5 Sekunden"
    assert flaws("![](/media/6/film.mp4)") == []


def test_sound_too_and_its_caption_is_the_librarys() -> None:
    page = shown("![](/media/7/talk.mp3)")
    (audio,) = page.findall("figure/audio")
    assert audio.attrib == {"src": "/media/7/abc/talk.mp3", "controls": "", "preload": "metadata"}
    assert audio.find("track") is not None
    assert "".join(page.find("figure/figcaption").itertext()) == "A talk 1 hour 2 minutes"


@pytest.mark.parametrize(
    "source",
    [
        '<video src="/media/6/film.mp4" controls></video>',
        '<video controls poster="/p.png" width="320"><source src="/media/6/film.mp4" type="video/mp4"></video>',
        '<video src="/media/6/film.mp4"><track src="/t.vtt" kind="subtitles">Words</video>',
    ],
)
def test_a_film_as_html_gets_what_it_does_not_say(source: str) -> None:
    page = shown(f"<div>{source}</div>")
    (video,) = page.iter("video")
    assert video.get("poster") == ("/p.png" if "poster" in source else "/media/1/abc/boat.jpg")
    assert (video.get("width"), video.get("height")) == (("320", None) if "width" in source else ("1920", "1080"))
    assert [track.get("src") for track in video.iter("track")] == ["/t.vtt" if "track" in source else TRACK.path]
    assert "".join(video.itertext()) == ("Words" if "Words" in source else "film.mp4")


@pytest.mark.parametrize("mark", ["", "!"])
def test_a_file_alone_in_its_paragraph_is_a_card(mark: str) -> None:
    page = shown(f"{mark}[The plan & all](/media/8/plan.pdf)", language="de")
    (card,) = page.findall("p[@class='card card-file']")
    assert card.find("a").get("href") == "/media/8/abc/plan.pdf"
    assert "".join(card.itertext()) == "The plan & all PDF, 1,2 MB"
    rendered = render(f"See {mark}[the plan](/media/8/plan.pdf).", RenderContext(media=LIBRARY))
    assert rendered.html == '<p>See <a href="/media/8/abc/plan.pdf">the plan</a>.</p>'
    assert rendered.flaws == ()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("![](/media/8/plan.pdf)", "plan.pdf PDF, 1.2 MB"),
        ("</media/8/plan.pdf>", None),
        ("![words](/media/9/de.vtt)", None),
        ("[a boat](/media/1/boat.jpg)", None),
        ("[a film](/media/6/film.mp4)", None),
    ],
)
def test_only_files_are_cards(source: str, words: str | None) -> None:
    card = shown(source).find("p[@class='card card-file']")
    assert (None if card is None else "".join(card.itertext())) == words


def test_links_to_the_library_lead_to_what_is_there_now() -> None:
    rendered = render("a [boat](/media/1/boat.jpg)", RenderContext(media=LIBRARY))
    assert 'href="/media/1/abc/boat.jpg"' in rendered.html
    assert [(target.address, target.offset) for target in rendered.targets] == [("/media/1/boat.jpg", 9)], "as it stands in the text"


@pytest.mark.parametrize(
    "source",
    [
        "[![a](/media/8/plan.pdf)](/b)",
        "[![a](/media/6/film.mp4)](/b)",
        '<picture><source srcset="/a.avif"><img alt="a" src="/media/1/boat.jpg"></picture>',
        '<div class="gallery">a<!-- b --><img alt="a" src="/media/1/boat.jpg"><figure></figure></div>',
        '<div class="gallery"><figure><figcaption>a</figcaption><img alt="a" src="/media/1/boat.jpg"></figure></div>',
        '<a href="/media/1/boat.jpg"><video src="/media/6/film.mp4"></video></a>',
        '<figure class="full"><figure class="wide"><img alt="a" src="/media/1/boat.jpg"></figure></figure>',
        '<video src="/media/1/boat.jpg"></video><img src="/media/7/talk.mp3">',
        "> ![a](/media/1/boat.jpg)\n> ![a](/media/2/mast.png){.wide}",
    ],
)
def test_odd_things_are_harmless(source: str) -> None:
    made = render(source, RenderContext(media=LIBRARY)).html
    assert hostile.faults(made) == []


def test_words_of_the_library_stay_words() -> None:
    bad = '"><script>alert(1)</script>&quot;'
    media = Media(f"/media/1/abc/{bad}", "picture", "image/jpeg", 900, 600, alt=bad, caption=bad, credit=bad, licence=bad)
    film = Media("/media/2/a.mp4", "video", poster="javascript:1", tracks=(Track("javascript:1", 'x"y', bad),))
    library = {"/media/1/a.jpg": media, "/media/2/a.mp4": film, "/media/3/a.pdf": replace(media, kind="file", size=1)}
    for source in ("![](/media/1/a.jpg)", "![](/media/1/a.jpg)\n![](/media/1/a.jpg)", "![](/media/2/a.mp4)", "![](/media/3/a.pdf)"):
        made = render(source, RenderContext(media=library)).html
        assert hostile.faults(made) == []
        assert "<script" not in made
        assert "javascript" not in made


def test_what_came_and_went_is_marked_around_whole_pictures() -> None:
    context = RenderContext(media=LIBRARY)
    marked = compare("a ![a](/media/1/boat.jpg) b", "a ![b](/media/2/mast.png) b", context, "both").html
    assert re.search(r'<ins class="marked"><picture>.*</picture></ins>', marked)
    assert re.search(r'<del class="marked"><picture>.*</picture></del>', marked)


def test_feeds_have_one_picture_of_a_fitting_size_by_its_whole_address() -> None:
    made = render("![a](/media/1/boat.jpg){.wide}\n\n![b](/media/6/film.mp4)", RenderContext(media=LIBRARY)).html
    read = absolute_html(made, "https://tide.example/low")
    assert '<img alt="a" src="https://tide.example/media/1/abc/1280/boat.jpg" width="4000" height="3000">' in read
    assert 'poster="https://tide.example/media/1/abc/boat.jpg"' in read
    assert not re.search(r'<picture|<source|srcset|="/media', read)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ("1.2 MB", "1 kB", "45 kB", "1 second", "1 hour", "2 hours 1 minute")),
        ("de-AT", ("1,2 MB", "1 kbyte", "45 kB", "1 Sekunde", "1 Stunde", "2 Stunden 1 Minute")),
        ("tlh", ("1.2 MB", "1 kB", "45 kB", "1 second", "1 hour", "2 hours 1 minute")),
        ("ja", ("1.2 MB", "1 KB", "45 KB", "1 秒", "1 時間", "2 時間 1 分")),
    ],
)
def test_sizes_and_times_are_said_in_the_language_of_the_text(language: str, expected: tuple[str, ...]) -> None:
    sizes = [size(number, language) for number in (1_234_567, 12, 45_300)]
    assert (*sizes, *(duration(seconds, language) for seconds in (0.3, 3599.8, 7265))) == expected
