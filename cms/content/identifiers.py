"""Which ``id`` an element in somebody's text may carry without getting in the way of the page's own scripts.

An element's id becomes a property of ``window``, and inside a form one of the form; a text that brings ``id="location"``
must not be able to stand where a script expects the browser (DOM clobbering).
"""

import re

_ID = re.compile(r"[^\W_][\w:.\-]{0,127}")

# Names that scripts read from window, document, an element or a form; compared without case, because
# ``getElementById`` is exact but people are not.
CLOBBERING = frozenset(
    """
    action activeelement addeventlistener alert all anchors appendchild applets attributes base body caches characterset
    childnodes children classlist click close closed config confirm constructor contains contentwindow cookie createelement
    crypto currentscript customelements dataset defaultview dir dispatchevent document documentelement documenturi domain
    elements embeds enctype event external fetch firstchild focus form forms frames getattribute getelementbyid
    hasownproperty head history href images implementation indexeddb innerhtml innertext innerwidth insertbefore item
    lastchild lastmodified length links localstorage location matches method name namespaceuri navigation navigator nextsibling nodename
    nodetype nodevalue open opener origin outerhtml ownerdocument parent parentelement parentnode performance plugins
    postmessage print prompt propertyisenumerable prototype queryselector queryselectorall readystate referrer remove removechild
    requestanimationframe requestsubmit reset rootelement screen scripts scroll scrollingelement self sessionstorage
    setattribute settimeout src srcdoc status stop style submit tagname target textcontent title toolbar top tostring trustedtypes type
    url value valueof visualviewport window write writeln
    """.split()  # noqa: SIM905 - a list of words reads better as words
)

# Ids that the page around a text has, or will have; a test compares them with the templates.
OF_THE_PAGE = frozenset(
    {"earlier", "filed", "main", "pages-below", "pages-beside", "q", "related", "series", "unlock-error", "unlock-password"}
)
TAKEN = CLOBBERING | OF_THE_PAGE


def is_safe_id(value: str) -> bool:
    """One token of letters, digits and ``- _ : .`` that begins with a letter or digit and names nothing of the browser's
    or the page's."""
    return _ID.fullmatch(value) is not None and value.casefold() not in TAKEN


def safe_id(value: str) -> str:
    """The same id, or the one that links and targets agree on instead when the name belongs to somebody else."""
    return f"{value}-1" if value.casefold() in TAKEN else value


def as_id_part(label: str) -> str:
    """Any label (a footnote's may hold spaces and signs) in the alphabet of ids; different labels stay different."""
    return "".join(c if c.isalnum() or c in "-.:" else f"_{ord(c):x}_" for c in label)
