"""Engines of predicted effects: they rank, group and describe, and carry no claim."""
