"""How true word scores are to the networks they were read out of.

Run: OMP_NUM_THREADS=1 python benchmarks/faithfulness.py --write

Needs the folder RNNSCOPE_SHARED and the networks that benchmarks/rules.py trained (seed 0). On test
sentences of SST-2: deletion (AOPC comprehensiveness and sufficiency, beside random words), rank
agreement with leave-one-out, correlation of summed word scores with people's labels of the phrases
in the trees, and beta's randomisation test with its rules. On IMDB's counterfactual edits (whose
originals are IMDB training reviews): how well a score finds the words people edited. Prints one
JSON object as the last line; --write puts it in docs/results/faithfulness.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import review_data as data

import rnnscope as rs
from rnnscope.fidelity import sentences, summed_scores, tree_phrases

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results" / "faithfulness.json"
METHODS = {
    "beta": rs.CellDifference,
    "gamma": rs.CellDecomposition,
    "gradient x input": rs.GradientTimesInput,
    "integrated gradients": rs.IntegratedGradients,
    "occlusion": rs.Occlusion,
    "leave one out": rs.LeaveOneOut,
    "contextual decomposition": rs.ContextualDecomposition,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/rules"))
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=150)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if not data.shared().is_dir():
        sys.exit(f"No data: {data.shared()} is not there; name the folder in RNNSCOPE_SHARED.")
    small = rs.load(arguments.folder / "sst2_0" / "model")
    long = rs.load(arguments.folder / "imdb_0" / "model")
    test = data.sst2(phrases=False).split("test").documents[: arguments.documents]
    table = pl.read_parquet(data.shared() / "sst5" / "test.parquet")
    trees = [rs.read_tree(tree) for tree in table["tree"].to_list()[: arguments.documents]]
    words = [[word.lower() for word in sentence] for sentence in sentences(trees)]
    phrases = tree_phrases(trees)
    pairs = counterfactual_pairs(arguments.pairs)
    result: dict[str, Any] = {}
    for name, method in METHODS.items():
        started = time.perf_counter()
        score = method(small)
        scores = score.score(test)
        deleted = rs.deletion(small, scores, documents=test)
        ranks = rs.rank_agreement(small, scores, documents=test)
        people = rs.phrase_correlation(summed_scores(score.score(words), phrases), phrases)
        edits = rs.counterfactual_edits(pairs, method(long))
        result[name] = {
            "comprehensiveness": deleted.aopc.comprehensiveness.to_dict(),
            "comprehensiveness_random": deleted.aopc.random_comprehensiveness.to_dict(),
            "sufficiency": deleted.aopc.sufficiency.to_dict(),
            "sufficiency_random": deleted.aopc.random_sufficiency.to_dict(),
            "leave_one_out_spearman": ranks.spearman.to_dict(),
            "people_pearson": people.overall.pearson.to_dict(),
            "edits_auc": edits.auc.to_dict(),
        }
        line = "  ".join(f"{k} {v['value']:.3f}" for k, v in result[name].items())
        print(f"{name:26} {line}  {time.perf_counter() - started:.0f} s", file=sys.stderr)
    test_of = rs.randomisation_test(
        small,
        rs.CellDifference,
        lambda scores: rs.RuleList.from_phrases(rs.mine_phrases(scores, min_count=2)),
        data.sst2(phrases=False).split("train").documents[:2000],
        judged_on=test,
    )
    print(test_of, file=sys.stderr)
    result["randomisation of beta"] = test_of.to_dict()
    if arguments.write:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


def counterfactual_pairs(count: int) -> list[tuple[list[str], list[str]]]:
    """Originals and their revisions, of 400 words at most."""
    table = pl.read_parquet(data.shared() / "imdb_counterfactual" / "test.parquet")
    found: dict[str, dict[str, list[str]]] = {}
    for row in table.iter_rows(named=True):
        text = rs.tokenize(row["text"].replace("<br />", " "))
        found.setdefault(row["pair"], {})[row["kind"]] = text
    both = [p for p in found.values() if {"orig", "revised"} <= p.keys()]
    short = [p for p in both if max(map(len, p.values())) <= data.LONGEST]
    chosen = np.random.default_rng(0).permutation(len(short))[:count]
    return [(short[k]["orig"], short[k]["revised"]) for k in chosen]


if __name__ == "__main__":
    main()
