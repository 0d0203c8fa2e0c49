"""Questions about products across participants."""

from services.projector.reading import Found, Question, Readings
from services.projector.readmodels import participants, products
from services.projector.readmodels.products import AlertKey, ProductAlert, ProductStep, StepKey

_OF_PRODUCTS = (participants.PROJECTION, products.PROJECTION)


class ProductTables(Readings):
    """The queries. Each names the read models it is built from."""

    async def products(self, question: Question, after: StepKey | None, limit: int) -> Found[list[ProductStep]]:
        async with self._reading(question, *_OF_PRODUCTS) as reading:
            return reading.found(await products.steps(reading.connection, reading.scope, after, limit))

    async def alerts(self, question: Question, after: AlertKey | None, limit: int) -> Found[list[ProductAlert]]:
        async with self._reading(question, *_OF_PRODUCTS) as reading:
            return reading.found(await products.alerts(reading.connection, reading.scope, after, limit))
