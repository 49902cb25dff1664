# ruff: noqa: E501
"""Targets of the fuzzer in the dynamics half."""

from __future__ import annotations

from fuzz_target import Target

import rnnscope as rs


def dynamics() -> list[Target]:
    T = Target
    return [
        T(name="find_fixed_points", call=rs.find_fixed_points, cost=2, kinds={
            "model": "one_way", "seeds": "documents", "inputs": "inputs", "count": "count",
            "rng": "seed"}),
        T(name="FixedPointOptions", call=rs.FixedPointOptions, kinds={
            "count": "count", "tolerance": "number", "max_steps": "count", "far": "number"}),
        T(name="linearize", call=rs.linearize, kinds={
            "model": "one_way", "points": "points", "count": "count"}),
        T(name="fit_manifold", call=rs.fit_manifold, kinds={
            "points": "points", "modes": "modes", "draws": "count"}),
        T(name="jacobians", call=rs.jacobians, kinds={"model": "one_way", "points": "points"}),
        T(name="relax", call=rs.relax, kinds={
            "model": "one_way", "seeds": "documents", "steps": "count", "count": "count"}),
        T(name="find_cycles", call=rs.find_cycles, cost=2, kinds={
            "model": "one_way", "seeds": "documents", "period": "count", "settle": "count"}),
        T(name="find_continua", call=rs.find_continua, kinds={"model": "one_way", "points": "points"}),
        T(name="follow_unstable", call=rs.follow_unstable, kinds={
            "model": "one_way", "points": "points", "epsilon": "number"}),
        T(name="mode_groups", call=rs.mode_groups, kinds={
            "modes": "modes", "count": "count", "gap": "number"}),
        T(name="track_modes", call=rs.track_modes, kinds={"modes": "modes"}),
        T(name="arc_length", call=rs.arc_length, kinds={"states": "states", "neighbours": "count"}),
        T(name="estimate_dimension", call=rs.estimate_dimension, kinds={
            "states": "states", "neighbours": "neighbours", "draws": "count"}),
        T(name="class_effects", call=rs.class_effects, kinds={
            "model": "one_way", "modes": "modes", "classes": "classes", "mode": "count"}),
        T(name="word_projections", call=rs.word_projections, kinds={
            "model": "one_way", "modes": "modes", "words": "word_list", "mode": "count"}),
        T(name="word_separability", call=rs.word_separability, kinds={
            "model": "one_way", "modes": "modes", "classes": "classes", "folds": "count"}),
        T(name="delayed_effects", call=rs.delayed_effects, kinds={
            "model": "one_way", "modes": "modes", "documents": "documents", "horizon": "count"}),
        T(name="slow_position", call=rs.slow_position, kinds={
            "model": "one_way", "modes": "modes", "line": "line", "documents": "documents"}),
        T(name="one_step_error", call=rs.one_step_error, kinds={
            "model": "one_way", "points": "points", "documents": "documents", "count": "count"}),
        T(name="rollout_error", call=rs.rollout_error, cost=2, kinds={
            "model": "one_way", "points": "points", "documents": "documents", "steps": "count"}),
        T(name="linearized_network", call=rs.linearized_network, kinds={
            "model": "one_way", "points": "points", "point": "count"}),
        T(name="fit_chart", call=rs.fit_chart, kinds={
            "model": "one_way", "documents": "documents", "size": "count", "degree": "count"}),
        T(name="reduced_model", call=rs.reduced_model, kinds={
            "model": "one_way", "chart": "chart", "step": "step", "degree": "count"}),
        T(name="train_linear_rnn", call=rs.train_linear_rnn, cost=5, kinds={
            "model": "one_way", "documents": "documents", "epochs": "one"}),
        T(name="untrained_baseline", call=rs.untrained_baseline, cost=5, kinds={
            "networks": "one_way", "documents": "documents", "count": "count"}),
        T(name="line_attractor_verdict", call=rs.line_attractor_verdict, cost=2, kinds={
            "points": "points", "modes": "modes", "line": "line"}),
        T(name="development", call=rs.development, kinds={
            "checkpoints": "checkpoints", "documents": "documents", "steps": "count"}),
        T(name="lyapunov_spectrum", call=rs.lyapunov_spectrum, kinds={
            "path": "state_path", "count": "count", "discard": "count"}),
        T(name="paper_figures", call=rs.paper_figures, kinds={
            "points": "points", "modes": "modes", "line": "line"}),
        T(name="Box", call=lambda low, high, n: rs.Box(low=low, high=high, count=n),
          kinds={"low": "number", "high": "number", "n": "count"}),
        T(name="Drawn", call=lambda s, n: rs.Drawn(source=s, count=n),
          kinds={"s": "documents", "n": "count"}),
        T(name="Runs", call=lambda x: rs.Runs(inputs=x), kinds={"x": "vectors"}),
        T(name="WordClasses", call=rs.WordClasses.of_valences, kinds={"valences": "valences", "count": "count"}),
        T(name="continue_in_input", call=rs.continue_in_input, cost=2, kinds={
            "model": "one_way", "state": "root", "direction": "inputs", "inputs": "inputs",
            "step": "number", "max_points": "count"}),
        T(name="long_run", call=rs.long_run, cost=3, kinds={
            "model": "one_way", "seeds": "h", "inputs": "inputs", "max_period": "count"}),
        T(name="trace_slow_curve", call=rs.trace_slow_curve, cost=2, kinds={
            "model": "one_way", "points": "points", "start": "start", "step": "number", "max_points": "count"}),
        T(name="trace_slow_surface", call=rs.trace_slow_surface, cost=2, kinds={
            "model": "one_way", "points": "points", "start": "start", "step": "number", "max_points": "count"}),
        T(name="find_on", call=rs.find_on, cost=3, kinds={
            "model": "one_way", "seeds": "h", "shard": "count", "ahead": "count",
            "path": "out_path"}),
        T(name="mine_on", call=rs.mine_on, cost=2, kinds={
            "score": "score", "documents": "token_lists", "shard": "count", "max_length": "count"}),
        T(name="find_fixed_points_by_direction", call=rs.find_fixed_points_by_direction, cost=3,
          kinds={"model": "one_way", "seeds": "documents", "count": "count"}),
        T(name="save_result", call=rs.save_result, cost=2, kinds={
            "result": "modes", "folder": "out_path"}),
        T(name="load_result", call=rs.load_result, kinds={"folder": "result_path"}),
        T(name="study_system", call=rs.study_system, kinds={"model": "one_way", "layer": "count"}),
        T(name="System", call=rs.System.of, kinds={"network": "one_way"}),
        T(name="Rest", call=lambda i, n: rs.Rest(inputs=i, steps=n), kinds={
            "i": "inputs", "n": "count"}),
        T(name="find_modifiers", call=rs.find_modifiers, cost=3, kinds={
            "model": "one_way", "documents": "documents"}),
        T(name="lexicon_agreement", call=rs.lexicon_agreement, kinds={
            "model": "one_way", "modes": "modes", "valences": "valences"}),
        T(name="answer_gradients", call=rs.answer_gradients, cost=2, kinds={
            "model": "one_way", "documents": "documents"}),
        T(name="trajectory_modes", call=rs.trajectory_modes, cost=2, kinds={
            "model": "one_way", "documents": "documents", "count": "count"}),
        T(name="finite_time_growth", call=rs.finite_time_growth, kinds={
            "path": "state_path", "count": "count", "first": "count"}),
        T(name="non_normality", call=rs.non_normality, kinds={"modes": "modes"}),
    ]  # fmt: skip
