"""Losses, folds, the training loop and its checkpoints, pre-training, fine-tuning, the sweep."""
