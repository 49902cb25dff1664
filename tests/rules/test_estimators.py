"""The scikit-learn side: estimator checks, pipelines, and the classifier against its definition."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from rnnscope.data import tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.rules import PhraseVectorizer, RuleList, RuleListClassifier
from tests.reference import rules as naive

# No single word tells these apart.
TEXTS = ["good film", "a good , good story", "not good", "bad film", "so bad", "not bad"] * 5
LABELS = ["yes", "yes", "no", "no", "no", "yes"] * 5


@parametrize_with_checks([RuleListClassifier(), RuleListClassifier(max_rules=2, smoothing=0.1)])
def test_scikit_learn_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_mixin_order,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_set_params,
        estimator_checks.check_valid_tag_types,
    ],
)
def test_the_checks_that_need_no_matrix(check):
    """scikit-learn tests no text vectorizer with its matrices (its issue 12491)."""
    check("PhraseVectorizer", PhraseVectorizer())


def test_an_unfitted_vectorizer_says_so():
    with pytest.raises(NotFittedError):
        PhraseVectorizer().transform(["a"])
    with pytest.raises(NotFittedError):
        PhraseVectorizer().get_feature_names_out()


MATRIX = st.integers(1, 6).flatmap(
    lambda columns: st.lists(
        st.lists(st.sampled_from([0, 0, 1, 2, -1]), min_size=columns, max_size=columns),
        min_size=2,
        max_size=12,
    )
)


@given(matrix=MATRIX, seed=st.integers(0, 99), budget=st.none() | st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_the_classifier_is_its_definition(matrix, seed, budget):
    rng = np.random.default_rng(seed)
    X = np.array(matrix)
    y = np.resize(["a", "b", "c"][: 2 + seed % 2], len(X))
    rng.shuffle(y)
    names = sorted(set(y))
    rules = []
    for j in range(X.shape[1]):
        p = [
            (sum(X[d, j] > 0 for d in range(len(X)) if y[d] == c) + 1) / ((y == c).sum() + 2)
            for c in names
        ]
        s = [
            p[i] / np.prod([p[k] for k in range(len(p)) if k != i]) ** (1 / max(len(p) - 1, 1))
            for i in range(len(p))
        ]
        rules.append((max(s), (X[:, j] > 0).sum(), -j, j))
    fitted = RuleListClassifier(max_rules=budget).fit(X, y)
    order = [rule.column for rule in fitted.rules_]
    by_column = {j: s for s, _, _, j in rules}
    for rule in fitted.rules_:
        assert rule.importance == pytest.approx(by_column[rule.column], rel=1e-12)
    assert len(order) == min(budget or len(rules), len(rules))
    listed = [((str(r.column),), r.class_index) for r in fitted.rules_]
    default = names.index(fitted.default_)
    documents = [[str(j) for j in np.flatnonzero(row > 0)] for row in X]
    expected = [names[naive.decide(listed, default, d)] for d in documents]
    assert fitted.predict(X).tolist() == expected
    for sparse in (csr_matrix, csr_array):
        again = RuleListClassifier(max_rules=budget).fit(sparse(X), y)
        assert again.rules_ == fitted.rules_ or any(np.isnan(r.precision) for r in fitted.rules_)
        assert again.predict(sparse(X)).tolist() == expected


def test_the_callers_matrix_stays_as_it_is():
    """Dropping entries that are not above 0 once wrote into the indices of X itself."""
    X = csr_matrix((np.array([0, -1, 2, 1, 1, -3.0]), [0, 1, 2, 0, 1, 1], [0, 3, 6]), shape=(2, 3))
    before = [x.copy() for x in (X.data, X.indices, X.indptr)]
    fitted = RuleListClassifier().fit(X, ["no", "yes"])
    # The second row stores column 1 twice: 1 and -3 make -2, which is no occurrence.
    assert fitted.fired(X).tolist() == RuleListClassifier.fired(fitted, X.toarray()).tolist()
    for kept, now in zip(before, (X.data, X.indices, X.indptr), strict=True):
        np.testing.assert_array_equal(kept, now)


def test_importance_given_for_each_column():
    X, y = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]]), ["no", "yes", "yes"]
    given_s = RuleListClassifier(importance=[2.0, 5.0, 1.0], column_classes=["no", "yes", "no"])
    fitted = given_s.fit(X, y)
    assert [rule.column for rule in fitted.rules_] == [1, 0, 2]
    assert fitted.predict(X).tolist() == ["yes", "yes", "no"]
    assert fitted.fired(X).tolist() == [0, 0, 2]
    assert fitted.fired(np.zeros((2, 3))).tolist() == [-1, -1]
    each = RuleListClassifier(importance=[[2, 0], [0, 5], [1, 0]], min_importance=2).fit(X, y)
    assert [rule.column for rule in each.rules_] == [1, 0]
    assert each.predict(X).tolist() == ["yes", "yes", "yes"]
    assert clone(each).fit(X, y).predict(X).tolist() == ["yes", "yes", "yes"]


def test_a_threshold_that_keeps_nothing_leaves_the_default():
    X, y = np.eye(3), ["no", "yes", "yes"]
    fitted = RuleListClassifier(min_importance=1e9, default="no").fit(X, y)
    assert fitted.rules_ == ()
    assert fitted.predict(X).tolist() == ["no"] * 3
    assert fitted.to_rule_list([["a"], ["b"], ["c"]]).predict(["x"]).tolist() == [0]


def test_pipeline_grid_search_clone_and_pickle(tmp_path):
    pipeline = Pipeline(
        [("phrases", PhraseVectorizer(min_count=2)), ("rules", RuleListClassifier())]
    )
    grid = {"phrases__max_length": [1, 2], "rules__max_rules": [1, 20]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=1).fit(TEXTS, LABELS)
    assert search.best_params_["phrases__max_length"] == 2
    best = search.best_estimator_
    assert best.predict(["a good film", "not good", "not bad"]).tolist() == ["yes", "no", "yes"]
    again = clone(best).set_params(rules__max_rules=1).fit(TEXTS, LABELS)
    assert len(again["rules"].rules_) == 1
    joblib.dump(best, tmp_path / "rules.joblib")
    copy = joblib.load(tmp_path / "rules.joblib")
    assert copy.predict(TEXTS).tolist() == best.predict(TEXTS).tolist()
    rules = best["rules"].to_rule_list(best["phrases"].phrases_)
    assert [rules.classes[k] for k in rules.predict(TEXTS)] == best.predict(TEXTS).tolist()


def test_learned_phrases_are_those_of_count_vectorizer():
    counting = CountVectorizer(ngram_range=(1, 3), tokenizer=tokenize, token_pattern=None)
    theirs = counting.fit_transform(TEXTS)
    often = np.asarray(theirs.sum(axis=0)).ravel() >= 6
    vectorizer = PhraseVectorizer(min_count=6, max_length=3)
    ours = vectorizer.fit_transform(TEXTS)
    names = vectorizer.get_feature_names_out().tolist()
    assert sorted(names) == sorted(counting.get_feature_names_out()[often])
    for name, column in counting.vocabulary_.items():
        if often[column]:
            np.testing.assert_array_equal(
                ours[:, [names.index(name)]].toarray(), theirs[:, [column]].toarray()
            )


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=8), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_learned_phrases_are_the_frequent_ones(documents, least):
    parts = {tuple(d[a:b]) for d in documents for a in range(len(d)) for b in range(a + 1, a + 4)}
    parts = {part for part in parts if part}
    expected = {p for p in parts if sum(len(naive.occurs_at(p, d)) for d in documents) >= least}
    vectorizer = PhraseVectorizer(min_count=least, max_length=3).fit(documents)
    assert set(vectorizer.phrases_) == expected
    assert vectorizer.transform(documents).toarray().tolist() == naive.counts(
        vectorizer.phrases_, documents
    )


def test_phrases_from_a_list_and_from_rules():
    rules = RuleList.of([("not good", "no"), ("good", "yes")], default="no", classes=["no", "yes"])
    for phrases in (rules, ["not good", ["good"]]):
        vectorizer = PhraseVectorizer(phrases=phrases)
        counts = vectorizer.fit_transform(["Not good , good!", ["good", "not"]])
        assert counts.toarray().tolist() == [[1, 2], [0, 1]]
        assert vectorizer.get_feature_names_out().tolist() == ["not good", "good"]
    spaces = PhraseVectorizer(phrases=["a b"], tokenizer=str.split)
    assert spaces.fit_transform(["a b A"]).toarray().tolist() == [[1]]


def test_bad_input():
    X, y = np.eye(2), ["no", "yes"]
    with pytest.raises(DataError, match="among the classes of y"):
        RuleListClassifier(default="perhaps").fit(X, y)
    with pytest.raises(DataError, match="among the classes of y"):
        RuleListClassifier(column_classes=["no", "?"]).fit(X, y)
    with pytest.raises(DataError, match="give column_classes too"):
        RuleListClassifier(importance=[1, 2]).fit(X, y)
    with pytest.raises(DataError, match="1 NaN"):
        RuleListClassifier(importance=[1, np.nan], column_classes=y).fit(X, y)
    with pytest.raises(UsageError, match="max_rules"):
        RuleListClassifier(max_rules=0).fit(X, y)
    with pytest.raises(UsageError, match="Smoothing"):
        RuleListClassifier(smoothing=0).fit(X, y)
    with pytest.raises(DataError, match="one phrase for each column"):
        RuleListClassifier().fit(X, y).to_rule_list([["a"]])
    with pytest.raises(DataError, match="come as a list"):
        PhraseVectorizer().fit("one text")
    with pytest.raises(UsageError, match="min_count"):
        PhraseVectorizer(min_count=0).fit(["a"])
    with pytest.raises(UsageError, match="Phrases come as a list"):
        PhraseVectorizer(phrases="good").fit(["a"])
    with pytest.raises(DataError, match="stands once"):
        PhraseVectorizer(phrases=["good", "Good"]).fit(["a"])
    with pytest.raises(DataError, match="document 0"):
        PhraseVectorizer(phrases=["good"]).fit(["a"]).transform([3])


def test_documents_that_can_be_read_once_are_fitted_and_transformed():
    """``fit_transform`` of a generator once gave a matrix without rows."""
    expected = PhraseVectorizer(min_count=1).fit_transform(TEXTS)
    found = PhraseVectorizer(min_count=1).fit_transform(text for text in TEXTS)
    assert (found != expected).nnz == 0
    inner = PhraseVectorizer(min_count=1).fit([iter(["good", "film"])])
    assert ("good", "film") in inner.phrases_


@pytest.mark.parametrize("document", [None, float("nan"), ["good", 3]])
def test_learning_from_what_is_no_document(document):
    """A missing text in a column once ended in a TypeError."""
    with pytest.raises(DataError, match="document 1"):
        PhraseVectorizer(min_count=1).fit(["good", document])
