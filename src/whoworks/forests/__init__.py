"""Causal and regression forests that know about classrooms."""
