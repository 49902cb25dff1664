"""Grids of networks, data sets, sizes and seeds: declared, resumable, on any executor."""

from rnnscope.study.plan import Study, Task
from rnnscope.study.run import StudyRun, run_study, study_status
from rnnscope.study.source import DataSource

__all__ = ["DataSource", "Study", "StudyRun", "Task", "run_study", "study_status"]
