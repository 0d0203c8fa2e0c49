"""Which analyte a laboratory means."""

import pytest

from services.biomarkers.domain.analytes import AnalyteNotInPanel, key_of
from tests.services.biomarkers.reports import PROTOCOL

PANEL = PROTOCOL.cytokines


@pytest.mark.parametrize(
    ("name", "key"),
    [("IL2", "IL2"), ("IL-4", "IL4"), ("il 6", "IL6"), ("IL-10", "IL10"), ("TNF", "TNF"), ("TNF-alpha", "TNF"),
     ("TNFA", "TNF"), ("IFN-gamma", "IFNG"), ("IFNG", "IFNG"), ("INTLK6", "IL6"), ("26881-3", "IL6"),
     ("33939-0", "IL2"), ("27161-9", "IL4"), ("26848-2", "IL10"), ("3074-2", "TNF"), ("27415-9", "IFNG")],
)  # fmt: skip
def test_an_analyte_is_known_by_key_name_or_loinc(name: str, key: str) -> None:
    assert key_of(name, PANEL) == key


@pytest.mark.parametrize("name", ["IL8", "IL-1", "IL60", "1988-5", "268813", "CRP"])
def test_an_analyte_outside_the_panel_is_refused_with_the_panel(name: str) -> None:
    with pytest.raises(AnalyteNotInPanel, match=r"IL6 \(26881-3\)"):
        key_of(name, PANEL)
