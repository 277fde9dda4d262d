import numpy as np
import pytest
import torch
from scipy.special import softmax

from skinapp.training.losses import compute_kind_loss, soften


def test_a_photo_without_a_type_loses_by_the_summed_probability_of_the_types_it_can_have() -> None:
    logits = np.random.default_rng(1).normal(size=(3, 4))
    types, malignant = np.array([True, False, True, False]), np.array([True, False, False])
    scores = softmax(logits, axis=1)
    expected = -np.log([scores[0, [0, 2]].sum(), scores[1, [1, 3]].sum(), scores[2, [1, 3]].sum()])
    loss = compute_kind_loss(*map(torch.from_numpy, (logits, types, malignant)))
    np.testing.assert_allclose(loss, expected, rtol=1e-9)


def test_its_gradient_is_finite_where_the_network_is_sure_of_the_other_kind() -> None:
    logits = torch.tensor([[80.0, 0.0, -80.0]], requires_grad=True)
    compute_kind_loss(logits, torch.tensor([True, False, False]), torch.tensor([False])).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0].tolist() == pytest.approx([1, -1, 0], abs=1e-6)


def test_a_temperature_softens_as_it_does_logits() -> None:
    logits = torch.from_numpy(np.random.default_rng(2).normal(size=(5, 8)))
    torch.testing.assert_close(soften(logits.softmax(1), 3.0), (logits / 3).softmax(1))
    assert soften(torch.tensor([[1.0, 0.0]]), 2.0).isfinite().all()
