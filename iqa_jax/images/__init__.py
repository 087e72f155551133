"""Images: files to uint8 arrays, and what a network is shown."""
