"""One self-contained page and its figures, drawn from an account's dictionary alone; and the
figures of Maheswaranathan et al. 2019, drawn from arrays."""

from rnnscope.report.attractor_density import state_density
from rnnscope.report.attractor_figures import (
    PaperFigures,
    appendix_page,
    paper_figures,
    summary_grid,
)
from rnnscope.report.attractor_histograms import (
    alignment,
    input_projections,
    linear_error,
    relaxation,
)
from rnnscope.report.attractor_material import AttractorMaterial
from rnnscope.report.attractor_plane import points_in_plane, slow_directions, word_effects
from rnnscope.report.attractor_spectra import (
    all_time_constants,
    slow_time_constants,
    spectra,
    spectrum,
    variance_curve,
)
from rnnscope.report.attractor_traces import chosen_points, unit_traces
from rnnscope.report.comparison import render_comparison, side_by_side
from rnnscope.report.figures import (
    agreement,
    eigenvalues,
    evidence_path,
    integration,
    positions,
    pushes,
    sentence_paths,
    slow_alignment,
    state_space,
    time_constants,
    two_stories,
    valence_pushes,
)
from rnnscope.report.manifold_figures import bifurcation_diagram, drift_along
from rnnscope.report.page import render
from rnnscope.report.rule_figures import accuracy_table, heat_map, top_phrases
from rnnscope.report.study_figures import study_accuracies, study_findings, study_measures
from rnnscope.report.study_page import render_study, study_figures

__all__ = [
    "AttractorMaterial",
    "PaperFigures",
    "accuracy_table",
    "agreement",
    "alignment",
    "all_time_constants",
    "appendix_page",
    "bifurcation_diagram",
    "chosen_points",
    "drift_along",
    "eigenvalues",
    "evidence_path",
    "heat_map",
    "input_projections",
    "integration",
    "linear_error",
    "paper_figures",
    "points_in_plane",
    "positions",
    "pushes",
    "relaxation",
    "render",
    "render_comparison",
    "render_study",
    "sentence_paths",
    "side_by_side",
    "slow_alignment",
    "slow_directions",
    "slow_time_constants",
    "spectra",
    "spectrum",
    "state_density",
    "state_space",
    "study_accuracies",
    "study_figures",
    "study_findings",
    "study_measures",
    "summary_grid",
    "time_constants",
    "top_phrases",
    "two_stories",
    "unit_traces",
    "valence_pushes",
    "variance_curve",
    "word_effects",
]
