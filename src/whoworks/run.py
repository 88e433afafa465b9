"""Run: the results of one run of a study, and what can be written and drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from whoworks.checks.verdict import Check
from whoworks.design.design import Design
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.finding import Findings
from whoworks.findings.precision import Precision
from whoworks.findings.setting import Setting
from whoworks.forests.protocol import USE, Predictions
from whoworks.language import plural
from whoworks.panel.ledger import Ledger
from whoworks.panel.panel import Panel
from whoworks.plan.plan import Plan
from whoworks.report import plots
from whoworks.report.evidence import Evidence, peak_memory_mb
from whoworks.scores.scores import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Run:
    """The results of one run of a study. Frames here are not suppressed; what `report` writes is."""

    plan: Plan
    panel: Panel
    design: Design
    ledger: Ledger
    checks: tuple[Check, ...]
    settings: tuple[Setting, ...]
    predicted: dict[tuple[str, str], Predictions]
    findings: Findings
    caveats: tuple[Caveat, ...]
    precision: tuple[Precision, ...]
    timings: dict[str, float]

    def scores(self, outcome: str) -> Scores:
        """Return the scores of an outcome's first contrast; KeyError when there is no such outcome."""
        found = [setting.scores for setting in self.settings if setting.scores.outcome == outcome]
        if not found:
            raise KeyError(outcome)
        return found[0]

    def predictions(self) -> pd.DataFrame:
        """Return one row per unit: its predicted effect, by a model that never saw its cluster.

        Predictions rank and describe groups. None is an estimate of one student's effect.
        """
        frames = []
        for (outcome, contrast), predicted in self.predicted.items():
            scores = next(
                s.scores for s in self.settings if (s.scores.outcome, s.scores.contrast) == (outcome, contrast)
            )
            frame = pd.DataFrame({"unit_id": scores.id, "predicted_effect": predicted.tau, "fold": predicted.fold})
            frames.append(frame.assign(outcome=outcome, contrast=contrast))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def importance(self) -> pd.DataFrame:
        """Return one row per moderator: its share in the predictions, beside that under noise, largest share first.

        `noise_high` is what 95 % of shares stay under where effects do not
        differ. A rank of use in a model: no test, and no cause.
        """
        frames = [
            predicted.importance.assign(outcome=outcome, contrast=contrast)
            for (outcome, contrast), predicted in self.predicted.items()
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(USE))

    def evidence(self, command: str = "") -> Evidence:
        """Return everything a report is written from."""
        predicted = next(iter(self.predicted.values()), None)
        return Evidence(
            plan=self.plan, provenance=self.panel.provenance, variables=self.panel.variables, design=self.design,
            ledger=self.ledger, checks=self.checks, findings=self.findings, precision=self.precision,
            caveats=self.caveats, engine=predicted.engine if predicted else "",
            ignores=predicted.ignores if predicted else (),
            importance=predicted.importance if predicted else pd.DataFrame(columns=list(USE)),
            no_predictions="" if predicted else self._why_none(), command=command,
            timings=self.timings, peak_memory_mb=peak_memory_mb(),
        )  # fmt: skip

    def _why_none(self) -> str:
        """Say why no effects were predicted."""
        main = next(setting for setting in self.settings if setting.is_main)
        if self.plan.analysis.engine == "none":
            return "The plan asks for no predicted effects."
        if not self.plan.moderators and not main.outcome.baseline:
            return "The plan names no moderator and no pre-test along which effects could be predicted."
        if not main.scores.has_folds:
            return f"{main.why_no_folds[0].upper()}{main.why_no_folds[1:]}."
        word = plural(self.design.block_level or "block")
        return f"All that effects could be predicted along only names the {word}: no two of them share a value of it."

    def report(self, out: Path | str | None = None, *, command: str = "") -> Path:
        """Write PDF, findings, checks, ledger, figures and manifest to one folder, and return it."""
        from whoworks.report.write import report_folder, write_report

        evidence = self.evidence(command)
        return write_report(evidence, report_folder(evidence) if out is None else Path(out))

    def plot_subgroups(self) -> Figure:
        """Draw the planned subgroups' effects beside the average."""
        return plots.plot_subgroups(self.evidence())

    def plot_sorted_groups(self) -> Figure:
        """Draw the effects in groups sorted by prediction: description, no claim."""
        return plots.plot_sorted_groups(self.evidence())

    def plot_calibration(self) -> Figure:
        """Draw estimated against predicted effects in the sorted groups."""
        return plots.plot_calibration(self.evidence(), next(iter(self.predicted.values()), None))

    def plot_ranking(self) -> Figure:
        """Draw the targeting curve: the effect among those ranked highest beyond that of all, by how many are taken."""
        return plots.plot_ranking(self.evidence())

    def plot_curve(self, moderator: str) -> Figure:
        """Draw the effect along a moderator that is a number, with pointwise intervals."""
        return plots.plot_curve(self.evidence(), moderator)

    def plot_sites(self) -> Figure:
        """Draw the effect in each site, drawn towards the mean of all, smallest first and unnamed."""
        return plots.plot_sites(self.evidence())

    def plot_importance(self) -> Figure:
        """Draw how much the predictions use each moderator, beside what noise would do: a ranking, not causes."""
        return plots.plot_use(self.evidence())
