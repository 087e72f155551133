"""``iqa study``: the claims tested on stored scores, as tables, a document, a page and figures."""
