"""Peers on PyTorch, on the processor and in float64."""

import logging
from typing import Any

from benchmarks.adapters.base import Array, Parameters, Peer


class Pomegranate(Peer):
    """pomegranate's ``GeneralMixtureModel`` of ``Normal`` distributions."""

    name = "pomegranate"
    distributions = ("pomegranate", "torch", "numpy")
    structures = ("full", "diag")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import torch
        from pomegranate.distributions import Normal
        from pomegranate.gmm import GeneralMixtureModel

        self.tensor, self.bell, self.make = torch.tensor, Normal, GeneralMixtureModel
        self.data = torch.as_tensor(rows)

    def fit(self, passes: int) -> Any:
        starts = zip(self.means, self.covariances, strict=True)
        bells = [
            self.bell(self.tensor(mean), self.tensor(unit), covariance_type=self.structure) for mean, unit in starts
        ]
        never = -float("inf")
        return self.make(bells, priors=self.tensor(self.weights), max_iter=passes, tol=never).fit(self.data)

    def parameters(self, fitted: Any) -> Parameters:
        import torch

        means = torch.stack([bell.means for bell in fitted.distributions])
        covariances = torch.stack([bell.covs for bell in fitted.distributions])
        return fitted.priors.numpy(), means.numpy(), covariances.numpy()


class TorchGMM(Peer):
    """torchgmm's training loop, set up as its estimator does for rows that are one batch.

    The estimator itself takes means only; everything after its start is the same.
    """

    name = "torchgmm"
    distributions = ("torchgmm", "torch", "numpy")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import pytorch_lightning
        import torch
        from torchgmm.base.data import DataLoader, collate_tensor, dataset_from_tensors
        from torchgmm.bayes import gmm
        from torchgmm.bayes.gmm.lightning_module import GaussianMixtureLightningModule

        logging.disable(logging.CRITICAL)
        self.tensor, self.gmm, self.module = torch.tensor, gmm, GaussianMixtureLightningModule
        self.trainer = pytorch_lightning.Trainer
        data = dataset_from_tensors(torch.as_tensor(rows))
        self.loader = DataLoader(data, batch_size=len(rows), collate_fn=collate_tensor)

    def fit(self, passes: int) -> Any:
        shape = {"num_components": self.K, "num_features": self.d, "covariance_type": self.structure}
        model = self.gmm.GaussianMixtureModel(self.gmm.GaussianMixtureModelConfig(**shape)).double()
        model.component_probs.copy_(self.tensor(self.weights))
        model.means.copy_(self.tensor(self.means))
        model.precisions_cholesky.copy_(self.tensor(self.covariances))
        module = self.module(model, convergence_tolerance=0.0, covariance_regularization=0.0, is_batch_training=True)
        trainer = self.trainer(
            max_epochs=2 * passes,  # one for the means and one for the covariances
            accelerator="cpu",
            precision=64,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, self.loader)
        return model

    def parameters(self, fitted: Any) -> Parameters:
        return fitted.component_probs.numpy(), fitted.means.numpy(), fitted.covariances.numpy()


class TGMM(Peer):
    """tgmm's ``GaussianMixture``."""

    name = "tgmm"
    distributions = ("tgmm", "torch", "numpy")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import torch
        from tgmm import GaussianMixture

        self.tensor, self.make = torch.tensor, GaussianMixture
        self.data = torch.as_tensor(rows)

    def fit(self, passes: int) -> Any:
        return self.make(
            n_components=self.K,
            covariance_type=self.structure,
            max_iter=passes,
            tol=1e-300,  # it must be positive
            reg_covar=0.0,
            device="cpu",
            init_weights=self.tensor(self.weights),
            init_means=self.tensor(self.means),
            init_covariances=self.tensor(self.covariances),
        ).fit(self.data)

    def parameters(self, fitted: Any) -> Parameters:
        return fitted.weights_.numpy(), fitted.means_.numpy(), fitted.covariances_.numpy()
