"""Images: from files to uint8 arrays, and from arrays to network inputs."""
