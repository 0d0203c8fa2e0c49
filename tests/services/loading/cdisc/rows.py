"""Rows that name only what matters."""

from services.loading.cdisc.files import SourceRow

SUBJECT = {"STUDYID": "CDISCPILOT01", "USUBJID": "01-701-1015"}

DM = {
    **SUBJECT, "SITEID": "701", "COUNTRY": "USA", "BRTHDTC": "1950-12-26", "SEX": "F", "DMDTC": "2013-12-26",
    "RFSTDTC": "2014-01-02", "ARMCD": "Pbo",
}  # fmt: skip
AE = {
    **SUBJECT, "AESEQ": "3", "AETERM": "DIARRHOEA", "AELLT": "DIARRHEA", "AEDECOD": "DIARRHOEA",
    "AESOC": "GASTROINTESTINAL DISORDERS", "AESEV": "MILD", "AESER": "N", "AEREL": "REMOTE",
    "AEOUT": "RECOVERED/RESOLVED", "AEDTC": "2014-01-16", "AESTDTC": "2014-01-09", "AEENDTC": "2014-01-11",
}  # fmt: skip
TU = {**SUBJECT, "TULNKID": "T01", "TUSTRESC": "TARGET", "TULOC": "BLADDER", "TUEVAL": "INVESTIGATOR", "VISITNUM": "3"}
TR = {
    **SUBJECT, "TRLNKID": "T01", "TRTESTCD": "LDIAM", "TRSTRESC": "16", "TRSTRESN": "16", "TRSTRESU": "mm",
    "TRMETHOD": "CT SCAN", "TREVAL": "INVESTIGATOR", "VISITNUM": "7", "VISIT": "WEEK 6", "TRDTC": "2014-02-12",
}  # fmt: skip


def a_row(domain: str, **values: str) -> SourceRow:
    whole = {"dm": DM, "ae": AE, "tu": TU, "tr": TR}.get(domain, SUBJECT)
    return SourceRow(domain, f"{domain}.csv line 2", {**whole, **values})


def a_diameter(label: str, test: str, millimetres: str, **values: str) -> SourceRow:
    given = {"TRLNKID": label, "TRTESTCD": test, "TRSTRESN": millimetres, "TRSTRESC": millimetres}
    return a_row("tr", **{**given, **values})


def a_state(label: str, state: str, **values: str) -> SourceRow:
    given = {"TRLNKID": label, "TRTESTCD": "TUMSTATE", "TRSTRESC": state, "TRSTRESN": "", "TRSTRESU": ""}
    return a_row("tr", **{**given, **values})
