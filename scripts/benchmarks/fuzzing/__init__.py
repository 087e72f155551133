"""Parts of fuzz.py: small files, their readers, and worker processes that may crash."""
