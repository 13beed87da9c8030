"""What soilfuse gains in time over the way a user would go otherwise."""
