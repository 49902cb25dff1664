import json

import pytest

from rnnscope.errors import UsageError
from rnnscope.training import ARCHITECTURES, TrainingOptions


def test_the_defaults_are_json_safe_and_read_back():
    chosen = TrainingOptions()
    assert TrainingOptions(**json.loads(json.dumps(chosen.to_dict()))) == chosen


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_is_accepted(architecture):
    assert TrainingOptions(architecture=architecture).architecture == architecture


def test_an_unknown_architecture_is_told_what_exists():
    with pytest.raises(UsageError) as error:
        TrainingOptions(architecture="transformer")  # type: ignore[arg-type]
    assert all(name in str(error.value) for name in (*ARCHITECTURES, "'transformer'"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", 0),
        ("units", 6.5),
        ("units", True),
        ("units", 10**30),
        ("seed", 2**64),
        ("embedding", -1),
        ("epochs", 0),
        ("epochs", "3"),
        ("patience", 0),
        ("min_count", 0),
        ("batch", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", 2.0),
        ("clip", 0.0),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("word_dropout", 1.5),
        ("averaging", 1.0),
        ("weight_decay", -1e-5),
        ("seed", -1),
        ("seed", 0.5),
        ("dropout", None),
    ],
)
def test_out_of_range(name, value):
    with pytest.raises(UsageError, match=name):
        TrainingOptions(**{name: value})


def test_unknown_and_positional_options_are_refused():
    with pytest.raises(TypeError):
        TrainingOptions(layers=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        TrainingOptions("gru")  # type: ignore[call-arg]


def test_keyword_options_are_put_over_the_others():
    changed = TrainingOptions.of(TrainingOptions(units=8), {"embedding": 4})
    assert (changed.units, changed.embedding) == (8, 4)
    with pytest.raises(UsageError, match="no such option"):
        TrainingOptions.of(None, {"layers": 2})
    with pytest.raises(UsageError, match="dict"):
        TrainingOptions.of({"units": 8}, {})
