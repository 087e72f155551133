"""The engine plans the work, decodes images, runs a step and saves the values. Knows no network."""
