"""``iqa study``: the claims tested on stored scores, as tables, a document and figures."""
