"""The simple methods that every network must beat, fitted on training months only."""
