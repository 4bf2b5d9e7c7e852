"""From what a writer typed to what a reader may be shown: text in, text out, and nothing else happens here."""
