"""Peers that use PyTorch, on the CPU in float64."""

import logging
from typing import Any

from benchmarks.adapters.base import Array, Parameters, Peer


class Pomegranate(Peer):
    """pomegranate's ``GeneralMixtureModel`` of ``Normal`` distributions."""

    name = "pomegranate"
    package_names = ("pomegranate", "torch", "numpy")
    supported_structures = ("full", "diag")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import torch
        from pomegranate.distributions import Normal
        from pomegranate.gmm import GeneralMixtureModel

        self.tensor, self.normal_class, self.model_class = torch.tensor, Normal, GeneralMixtureModel
        self.data = torch.as_tensor(rows)

    def fit(self, n_iter: int) -> Any:
        starts = zip(self.initial_means, self.initial_covariances, strict=True)
        distributions = [
            self.normal_class(self.tensor(mean), self.tensor(covariance), covariance_type=self.structure)
            for mean, covariance in starts
        ]
        return self.model_class(
            distributions, priors=self.tensor(self.initial_weights), max_iter=n_iter, tol=-float("inf")
        ).fit(self.data)

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        import torch

        means = torch.stack([component.means for component in fitted_model.distributions])
        covariances = torch.stack([component.covs for component in fitted_model.distributions])
        return fitted_model.priors.numpy(), means.numpy(), covariances.numpy()


class TorchGMM(Peer):
    """torchgmm's training loop, with the settings of its estimator for one batch.

    The estimator accepts only initial means, so this class sets all initial parameters and runs the same loop.
    """

    name = "torchgmm"
    package_names = ("torchgmm", "torch", "numpy")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import pytorch_lightning
        import torch
        from torchgmm.base.data import DataLoader, collate_tensor, dataset_from_tensors
        from torchgmm.bayes import gmm
        from torchgmm.bayes.gmm.lightning_module import GaussianMixtureLightningModule

        logging.disable(logging.CRITICAL)
        self.tensor, self.gmm_package, self.module_class = torch.tensor, gmm, GaussianMixtureLightningModule
        self.trainer_class = pytorch_lightning.Trainer
        data = dataset_from_tensors(torch.as_tensor(rows))
        self.loader = DataLoader(data, batch_size=len(rows), collate_fn=collate_tensor)

    def fit(self, n_iter: int) -> Any:
        shape = {
            "num_components": self.n_components,
            "num_features": self.n_features,
            "covariance_type": self.structure,
        }
        model = self.gmm_package.GaussianMixtureModel(self.gmm_package.GaussianMixtureModelConfig(**shape)).double()
        model.component_probs.copy_(self.tensor(self.initial_weights))
        model.means.copy_(self.tensor(self.initial_means))
        model.precisions_cholesky.copy_(self.tensor(self.initial_covariances))
        module = self.module_class(
            model, convergence_tolerance=0.0, covariance_regularization=0.0, is_batch_training=True
        )
        trainer = self.trainer_class(
            max_epochs=2 * n_iter,  # an epoch updates either the means or the covariances
            accelerator="cpu",
            precision=64,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, self.loader)
        return model

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        return fitted_model.component_probs.numpy(), fitted_model.means.numpy(), fitted_model.covariances.numpy()


class TGMM(Peer):
    """tgmm's ``GaussianMixture``."""

    name = "tgmm"
    package_names = ("tgmm", "torch", "numpy")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import torch
        from tgmm import GaussianMixture

        self.tensor, self.estimator_class = torch.tensor, GaussianMixture
        self.data = torch.as_tensor(rows)

    def fit(self, n_iter: int) -> Any:
        return self.estimator_class(
            n_components=self.n_components,
            covariance_type=self.structure,
            max_iter=n_iter,
            tol=1e-300,  # it must be positive
            reg_covar=0.0,
            device="cpu",
            init_weights=self.tensor(self.initial_weights),
            init_means=self.tensor(self.initial_means),
            init_covariances=self.tensor(self.initial_covariances),
        ).fit(self.data)

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        return fitted_model.weights_.numpy(), fitted_model.means_.numpy(), fitted_model.covariances_.numpy()
