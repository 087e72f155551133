"""The engine: work is planned, decoded, computed and kept. Knows no network."""
