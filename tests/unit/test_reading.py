"""A reader learns, measures itself honestly, and a report's neighbours have their say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer

from triage.letters import count_letters
from triage.reading import (
    LAYERS,
    Calibration,
    RawReadings,
    Trust,
    calibration_error,
    kappa,
    log_softmax,
    model_log_odds,
    pulled,
    read_log_odds,
    usual_chance,
    weigh,
)
from triage.reading.training import Lesson, train_reader

CAPABILITIES = ("coding", "serving")
SAYS = {
    "model": "it forgets what was asked and invents an answer",
    "serving": "the server returns broken chunks and a stack trace",
}


def lesson() -> Lesson:
    """Thirty modes of four reports: half read like the model, half like the serving."""
    chance = np.random.default_rng(0)
    texts, vectors, modes, layers = [], [], [], []
    for mode in range(30):
        layer = "model" if mode % 2 else "serving"
        own = chance.normal(scale=0.3, size=8)
        for copy in range(4):
            texts.append(f"{SAYS[layer]} in case {mode} number {copy}")
            base = np.eye(8)[0 if layer == "model" else 1]
            vectors.append(base + own + chance.normal(scale=0.2, size=8))
            modes.append(f"area:{mode}")
            layers.append(layer)
    matrix = np.array(vectors, dtype=np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    capabilities = ["coding" if layer == "model" else "serving" for layer in layers]
    return Lesson(
        texts=texts,
        vectors=matrix,
        phrases=[SAYS[layer] for layer in layers],
        phrase_vectors=matrix,
        modes=modes,
        layers=layers,
        capabilities=capabilities,
        map_texts=list(CAPABILITIES),
        map_vectors=np.eye(8, dtype=np.float32)[:2],
        map_capabilities=CAPABILITIES,
    )


def test_a_reader_reads_what_it_was_taught() -> None:
    material = lesson()
    reader = train_reader(material, embedding="test", trained_on="abc")
    assert reader.figures["kappa"] > 0.8
    read = reader.read(material.vectors, material.texts)
    assert ((model_log_odds(read.layers) > 0) == [one == "model" for one in material.layers]).all()
    named = [CAPABILITIES[place] for place in read.capabilities.argmax(axis=1)]
    assert named == list(material.capabilities)
    assert np.exp(read.layers).sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_a_reader_learns_whose_failures_are_usually_the_models() -> None:
    material = lesson()
    layers = ["serving" if place == 4 else layer for place, layer in enumerate(material.layers)]
    found = train_reader(replace(material, layers=layers), embedding="test", trained_on="abc")
    # 59 of 60 and none of 60, each with three more reports of the whole's share, 60 of 122
    usual = dict(zip(found.capability_ids, found.model_shares.tolist(), strict=True))
    assert usual["coding"] == pytest.approx((59 + 3 * 60 / 122) / 63, abs=1e-6)
    assert usual["serving"] == pytest.approx(3 * 60 / 122 / 63, abs=1e-6)


def test_a_layer_without_examples_gets_no_chance() -> None:
    material = lesson()
    reader = train_reader(material, embedding="test", trained_on="abc")
    read = reader.read(material.vectors[:1], material.texts[:1])
    assert np.exp(read.layers[0, LAYERS.index("docs")]) < 1e-6


def test_training_again_gives_the_same_reader() -> None:
    first, second = (train_reader(lesson(), embedding="t", trained_on="a") for _ in range(2))
    assert (first.layers.weights == second.layers.weights).all()
    assert first.calibration == second.calibration


def test_near_neighbours_count_more_than_far_ones() -> None:
    vectors = np.array([[1, 0], [0.96, 0.28], [0, 1]], dtype=np.float32)
    values = np.array([[0.0], [2.0], [-2.0]])
    found = pulled(values, vectors, np.array([[1, 2], [0, 2], [1, 0]]))
    assert found[0, 0] == pytest.approx(1.0)
    assert found[1, 0] < 2


def test_who_has_no_neighbour_keeps_its_own() -> None:
    vectors, values = np.eye(2, dtype=np.float32), np.array([[1.0], [2.0]])
    assert (pulled(values, vectors, np.full((2, 3), -1)) == values).all()
    assert (pulled(values, vectors, np.zeros((2, 0), dtype=np.int64)) == values).all()


NONE = np.zeros(0, dtype=np.float32)


def read(model: float) -> RawReadings:
    rest = (1 - model) / 5
    return RawReadings(np.log(np.array([[model, *[rest] * 5]])), np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("answer", "least", "most"), [("model", 2.0, 4.0), ("harness", -4.0, -2.0), (None, 0.5, 1.5)]
)
def test_an_llms_answer_outweighs_the_words_and_is_refined_by_them(
    answer: str | None, least: float, most: float
) -> None:
    words = weigh(
        read(0.7), read(0.7), np.array([False]), [answer], model_shares=NONE, shift=np.zeros(1),
        unit=np.ones((1, 1), dtype=np.float32), neighbours=np.zeros((1, 0), dtype=np.int64),
    )  # fmt: skip
    assert least < words.calibrated(Calibration())[0] < most


@given(chance=st.floats(0.001, 0.999), usual=st.floats(0, 1), concerned=st.floats(0.01, 0.99))
def test_what_a_report_concerns_speaks_beside_its_words_and_never_for_certain(
    chance: float, usual: float, concerned: float
) -> None:
    about = np.log(np.array([[concerned, 1 - concerned]]))
    material = RawReadings(read(chance).layers, about)
    shares = np.array([usual, 0.5], dtype=np.float32)
    chances = usual_chance(material, shares)
    found = read_log_odds(material.layers, chances)
    assert np.isfinite(found).all()
    assert chances[0] == pytest.approx(concerned * usual + (1 - concerned) / 2, abs=0.003)
    assert np.sign((found - model_log_odds(material.layers))[0]) == np.sign(chances[0] - 0.5)


def test_who_never_learnt_capabilities_goes_by_the_words_alone() -> None:
    chances = usual_chance(read(0.9), NONE)
    assert (read_log_odds(read(0.9).layers, chances) == model_log_odds(read(0.9).layers)).all()


def test_a_theme_of_one_report_says_half_as_much() -> None:
    many = RawReadings(np.repeat(read(0.9).layers, 9, axis=0), np.zeros((9, 2)))
    words = weigh(
        many, many, np.zeros(9, dtype=bool), [None] * 9, model_shares=NONE, shift=np.zeros(9),
        unit=np.ones((9, 1), dtype=np.float32), neighbours=np.zeros((9, 0), dtype=np.int64),
    )  # fmt: skip
    one, _ = words.of_theme(np.array([0]), Calibration())
    nine, _ = words.of_theme(np.arange(9), Calibration())
    assert one == pytest.approx(nine * 0.5 / 0.9)


def test_trust_differs_by_capability() -> None:
    trust = Trust(1.0, 1.0, (1.0, -1.0))
    assert trust.confidence(0.5, 0) > trust.confidence(0.5, None) > trust.confidence(0.5, 1)


def test_kappa_and_calibration_error_of_known_cases() -> None:
    truth = np.array([True, True, False, False])
    assert kappa(truth, truth) == 1
    assert kappa(np.array([True, False, True, False]), truth) == 0
    assert kappa(np.ones(4, dtype=bool), np.ones(4, dtype=bool)) == 0
    assert calibration_error(np.array([1.0, 1.0, 0.0, 0.0]), truth) == 0
    assert calibration_error(np.array([0.0, 0.0, 1.0, 1.0]), truth) == 1


def test_logarithms_of_chances_sum_to_one_for_any_values() -> None:
    values = np.array([[1000.0, 0.0], [-1000.0, -1000.0]])
    assert np.exp(log_softmax(values)).sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(("sizes", "buckets"), [((2, 4), 2**14), ((3, 5), 2**17)])
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_letters_are_those_that_scikit_learn_counts(
    texts: list[str], sizes: tuple[int, int], buckets: int
) -> None:
    usual = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=sizes,
        n_features=buckets,
        alternate_sign=False,
        norm=None,
    )
    found, expected = count_letters(texts, sizes, buckets), usual.transform(texts)
    assert found.shape == expected.shape
    assert (found != expected).nnz == 0
    assert np.array_equal(found.indices, expected.indices)


def test_no_text_has_no_letters() -> None:
    assert count_letters([], (2, 4), 16).shape == (0, 16)
    assert count_letters(["", " \n"], (2, 4), 16).nnz == 0
