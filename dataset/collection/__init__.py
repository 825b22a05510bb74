"""What datasets and views share: reading, staging, aggregating, fields, bulk writes and runs.

Each family of methods is a class in a file of its own; `SampleCollection` is all of them. The methods are thin: the
work is done by stages, aggregations, columns, the journal and runs.
"""

from .applying import Applying
from .batches import Batches
from .computing import Computing
from .facts import Facts
from .forms import Forms
from .relabelling import Relabelling
from .running import Running
from .staging import Staging
from .writing import SaveContext, Writing


class SampleCollection(Staging, Batches, Writing, Relabelling, Facts, Applying, Forms, Running, Computing):
    """A dataset or a view of one: samples in an order, with a schema."""


__all__ = ["SampleCollection", "SaveContext"]
