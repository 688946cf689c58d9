from gaussmix import plots as plots
from gaussmix import report as report
from gaussmix._version import __version__ as __version__
from gaussmix.core.outcome import Outcome as Outcome
from gaussmix.covariance import DefaultPrior as DefaultPrior
from gaussmix.errors import ArchiveError as ArchiveError
from gaussmix.errors import CollapseError as CollapseError
from gaussmix.errors import DataError as DataError
from gaussmix.errors import FileProblem as FileProblem
from gaussmix.errors import GaussmixError as GaussmixError
from gaussmix.errors import MissingPackageError as MissingPackageError
from gaussmix.errors import ParameterError as ParameterError
from gaussmix.errors import SelectionError as SelectionError
from gaussmix.errors import UnrepresentableError as UnrepresentableError
from gaussmix.estimators import GaussianMixture as GaussianMixture
from gaussmix.model import Constraints as Constraints
from gaussmix.model import Gaussian as Gaussian
from gaussmix.model import Mixture as Mixture
from gaussmix.selection import Candidate as Candidate
from gaussmix.selection import Selection as Selection
from gaussmix.selection import select as select
from gaussmix.solvers import Fit as Fit

__all__: list[str]
