"""Agreement of scores with human judgements, in float64. Knows no network."""
