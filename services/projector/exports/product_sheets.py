"""Products and their alerts as flat tables."""

import json
from collections.abc import Iterable

from services.projector.exports.csv_text import Sheet
from services.projector.readmodels.products import ProductAlert, ProductStep


def products(items: Iterable[ProductStep]) -> Sheet:
    columns = tuple(ProductStep.model_fields)
    return Sheet("products", columns, ([_plain(getattr(item, column)) for column in columns] for item in items))


def alerts(items: Iterable[ProductAlert]) -> Sheet:
    columns = tuple(ProductAlert.model_fields)
    return Sheet("product-alerts", columns, ([_plain(getattr(item, column)) for column in columns] for item in items))


def _plain(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
