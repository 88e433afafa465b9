"""How far each claim may be believed."""
