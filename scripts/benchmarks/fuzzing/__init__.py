"""What fuzz.py is made of: small files, how they are read, and processes that may die of it."""
