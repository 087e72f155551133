"""Agreement: scores against what people said, in float64. Knows no network."""
