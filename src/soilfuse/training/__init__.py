"""Losses, folds, the training loop, its checkpoints, and the sweep; torch inside, arrays outside."""
