"""Cluster-robust inference on arrays: imports nothing of whoworks."""
