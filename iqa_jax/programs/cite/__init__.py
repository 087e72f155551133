"""The program ``cite``: from results to what they used, and on to BibTeX."""
