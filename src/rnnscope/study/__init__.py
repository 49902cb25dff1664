"""Grids of networks, data sets, sizes and seeds: declared, resumable, on any executor."""

from rnnscope.study.many_roots import ManyRoots
from rnnscope.study.mining import mine_on
from rnnscope.study.page import save_study
from rnnscope.study.plan import Study, Task
from rnnscope.study.run import StudyRun, run_study, study_status
from rnnscope.study.searching import find_on
from rnnscope.study.source import DataSource
from rnnscope.study.tables import StudyTables, study_tables

__all__ = [
    "DataSource",
    "ManyRoots",
    "Study",
    "StudyRun",
    "StudyTables",
    "Task",
    "find_on",
    "mine_on",
    "run_study",
    "save_study",
    "study_status",
    "study_tables",
]
