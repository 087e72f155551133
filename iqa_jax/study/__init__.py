"""Claims about networks and people, tested on stored scores: effects, intervals and verdicts."""
