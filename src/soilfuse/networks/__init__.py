"""Generators by name, the discriminator, and VGG16 features (torch modules, no training)."""
