"""Training: learns which channels of a network matter to people."""
