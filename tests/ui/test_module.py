"""Escaping: the same as Tornado's, for any text."""

from hypothesis import given
from hypothesis import strategies as st
from tornado.escape import utf8, xhtml_escape

from cms.ui.module import escape


@given(st.text() | st.text(alphabet="a<>&\"'é"))
def test_text_is_escaped_as_tornado_does(text: str) -> None:
    assert utf8(escape(text)) == utf8(escape(text.encode())) == utf8(xhtml_escape(text))
