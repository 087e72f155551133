"""The program ``report``: one HTML page from stored scores, to look at in any browser."""
