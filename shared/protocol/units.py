"""The units a protocol file may use, as UCUM writes them."""

from enum import StrEnum


class Unit(StrEnum):
    """A UCUM unit. Words in braces are annotations: UCUM counts such units as plain numbers."""

    YEAR = "a"
    WEEK = "wk"
    DAY = "d"
    PERCENT = "%"
    SCORE = "{score}"
    TIMES_ULN = "{xULN}"
    MG = "mg"
    MG_PER_KG = "mg/kg"
    MG_PER_M2 = "mg/m2"
    MG_PER_M2_PER_DAY = "mg/m2/d"
    BILLION_PER_LITRE = "10*9/L"
    CELLS_PER_MICROLITRE = "/uL"
    MILLION_PER_LITRE = "10*6/L"
    PG_PER_ML = "pg/mL"
    NG_PER_L = "ng/L"
    NG_PER_ML = "ng/mL"
    UG_PER_L = "ug/L"
    FG_PER_ML = "fg/mL"
    COPIES_PER_CELL = "{copies}/{cell}"
    ENDOTOXIN_PER_KG_PER_HOUR = "[EU]/kg/h"
