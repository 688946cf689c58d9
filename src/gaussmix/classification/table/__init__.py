"""From tables as people have them, with text, categories and gaps, to encoded rows that mixtures describe."""

from gaussmix.classification.table.encoded_rows import EncodedRows
from gaussmix.classification.table.schema_fitting import fit_table_schema
from gaussmix.classification.table.table_schema import TableSchema

__all__ = ["EncodedRows", "TableSchema", "fit_table_schema"]
