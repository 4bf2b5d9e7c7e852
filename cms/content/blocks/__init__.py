"""The blocks of a Markdown text: paragraphs, lists, quotations, code… found as CommonMark finds them.

``parse`` makes a tree of them, ``elements`` turns it into the element tree that Python-Markdown's inline patterns go through.
"""
