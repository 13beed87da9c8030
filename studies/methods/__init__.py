"""What was tried to fuse soil moisture better, and what came of it."""
