"""Ten words for a reader who runs schools rather than regressions."""

from __future__ import annotations

from whoworks.language import plural
from whoworks.report.document import Bullets, Section
from whoworks.report.labels import STUDENT, Words


def compose_glossary(words: Words) -> Section:
    """Return the glossary."""
    cluster = words.cluster()
    return Section(title="Ten words", blocks=(Bullets(items=define(cluster)),))


def define(cluster: str) -> tuple[tuple[str, str], ...]:
    """Return the ten words and what they mean here."""
    shared = (
        f". Students of one {cluster} share much, so many students in few {plural(cluster)} tell less than their "
        "number suggests."
    )
    if cluster == STUDENT:
        shared = ": here each student, since nothing larger was assigned as a whole."
    return (
        ("Effect.", "How much higher the outcome is, on average, with the programme assigned than without it."),
        (
            "Range (interval).",
            "The effects that fit these data well. A study like this catches the true effect in its range 95 times in "
            "100, when the level is 95 %.",
        ),
        (
            f"Cluster ({cluster}).",
            f"What counts as one when we ask how sure we are{shared}",
        ),
        ("Arm.", "One of the conditions that were compared, as assigned, whoever then took part."),
        ("Block.", "A set within which arms were drawn separately, such as a school; comparisons stay inside it."),
        (
            "SD, percentile points.",
            "Standard deviation: the usual spread between students; how many places out of 100 a student in the middle "
            "would move. 0.20 SD is about 8 percentile points.",
        ),
        (
            "p, adjusted p.",
            "How often chance alone would show so large a difference, were there none; adjusted: with all questions of "
            "its kind counted. The smaller, the harder to put down to chance.",
        ),
        (
            "Moderator.",
            "Something known before assignment along which the effect may differ; it need not be the reason.",
        ),
        (
            "Planned, exploratory.",
            "Asked before outcomes were seen, or after. Only planned questions are settled here.",
        ),
        ("Credibility.", "How far a difference between groups can be trusted: high, moderate, low or very low."),
    )
