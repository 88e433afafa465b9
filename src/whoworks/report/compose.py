"""Composing the document: first page, then the sections in the order in which a reader asks."""

from __future__ import annotations

from collections.abc import Mapping

from whoworks.report.disclosure import Released
from whoworks.report.document import Document, FigureRef
from whoworks.report.front_page import compose_front_page
from whoworks.report.labels import Words, shorten
from whoworks.report.sections.caveats import compose_caveats
from whoworks.report.sections.design import compose_checks
from whoworks.report.sections.differences import compose_differences
from whoworks.report.sections.effects import compose_effects
from whoworks.report.sections.exploration import compose_exploration
from whoworks.report.sections.glossary import compose_glossary
from whoworks.report.sections.method import compose_method
from whoworks.report.sections.origin import compose_origin
from whoworks.report.sections.participants import compose_participants
from whoworks.report.sections.sites import compose_sites
from whoworks.report.selection import Selection

LONGEST_TITLE, LONGEST_RUNNING = 140, 80


def compose_document(released: Released, chosen: Selection, words: Words, figures: Mapping[str, FigureRef]) -> Document:
    """Return the document of one run."""
    plan = released.evidence.plan
    return Document(
        title=shorten(plan.study.name, LONGEST_TITLE),
        running=shorten(plan.study.name, LONGEST_RUNNING),
        description=shorten(plan.study.question or plan.study.name, 2 * LONGEST_TITLE),
        front=compose_front_page(released, chosen, words),
        sections=(
            compose_participants(released, words, figures),
            compose_checks(released, words, figures),
            compose_effects(released, chosen, words),
            compose_differences(released, chosen, words, figures),
            compose_sites(chosen, words, figures),
            compose_exploration(released, chosen, words, figures),
            compose_caveats(released, words),
            compose_method(released, words),
            compose_glossary(words),
            compose_origin(released),
        ),
    )
