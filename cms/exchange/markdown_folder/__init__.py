"""Folders of Markdown that other programs make sites from: Zola, Hugo, Jekyll, and our own export.

A reader for each program turns its folder into a ``Blog`` of ``Document``s (``source``); everything after that is the same for all:
``links`` finds what the texts refer to, ``plan`` gives addresses, ``run`` brings them in, ``report`` says what became of each.
"""
