"""Pilots whose truth is known, to judge every procedure on."""
