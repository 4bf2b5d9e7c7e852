"""Use-cases: plain async functions, ``verb(work or session, actor, subject)``. They may flush, never commit, and know nothing of HTTP."""
