"""The program ``cite``: results -> what they used -> BibTeX."""
