"""CDISC terms, and what they are to the trial. Upper and lower case are alike; what is missing has no entry."""

from services.loading.cdisc.files import RowUnusable, SourceRow

# SDTM COUNTRY is ISO 3166-1 alpha-3; the trial takes alpha-2.
COUNTRIES = {
    "ARG": "AR", "AUS": "AU", "AUT": "AT", "BEL": "BE", "BRA": "BR", "CAN": "CA", "CHE": "CH", "CHN": "CN",
    "CZE": "CZ", "DEU": "DE", "DNK": "DK", "ESP": "ES", "FIN": "FI", "FRA": "FR", "GBR": "GB", "HKG": "HK",
    "HUN": "HU", "IDN": "ID", "IND": "IN", "IRL": "IE", "ISR": "IL", "ITA": "IT", "JPN": "JP", "KOR": "KR",
    "MEX": "MX", "MYS": "MY", "NLD": "NL", "NOR": "NO", "NZL": "NZ", "PHL": "PH", "POL": "PL", "PRT": "PT",
    "SGP": "SG", "SWE": "SE", "THA": "TH", "TUR": "TR", "TWN": "TW", "USA": "US", "VNM": "VN", "ZAF": "ZA",
}  # fmt: skip

SCREEN_FAILURES = frozenset({"SCRNFAIL", "SCREEN FAILURE", "NOTASSGN"})  # ARMCD of SDTM 3.2, ARMNRS later

GRADES = {"MILD": 1, "MODERATE": 2, "SEVERE": 3}  # AESEV is no CTCAE grade: mapped, and marked so
DEATH_GRADE = 5
GRADE_MAPPING = "AESEV: mild 1, moderate 2, severe 3; AESDTH Y or AEOUT fatal 5"

SERIOUSNESS = {
    "AESDTH": "results-in-death",
    "AESLIFE": "life-threatening",
    "AESHOSP": "hospitalisation",
    "AESDISAB": "disability",
    "AESCONG": "congenital-anomaly",
    "AESMIE": "medically-important",
    "AESCAN": "medically-important",  # involves cancer; no criterion of ICH E2A of its own
    "AESOD": "medically-important",  # occurred with overdose; likewise
}

ATTRIBUTIONS = {
    "NONE": "unrelated",
    "UNRELATED": "unrelated",
    "NOT RELATED": "unrelated",
    "REMOTE": "unlikely",
    "UNLIKELY": "unlikely",
    "UNLIKELY RELATED": "unlikely",
    "POSSIBLE": "possible",
    "POSSIBLY RELATED": "possible",
    "PROBABLE": "probable",
    "PROBABLY RELATED": "probable",
    "DEFINITE": "definite",
    "RELATED": "definite",
}

OUTCOMES = {
    "RECOVERED/RESOLVED": "recovered",
    "RECOVERED/RESOLVED WITH SEQUELAE": "recovered-with-sequelae",
    "RECOVERING/RESOLVING": "recovering",
    "NOT RECOVERED/NOT RESOLVED": "not-recovered",
    "FATAL": "fatal",
    "UNKNOWN": "unknown",
}

MODALITIES = {
    "CT SCAN": "ct",
    "SPIRAL CT": "ct",
    "CT SCAN WITH CONTRAST": "ct",
    "MRI": "mri",
    "PET/CT SCAN": "pet-ct",
    "PET/MRI SCAN": "pet-mri",
    "SCINTIGRAPHY": "scintigraphy",
    "ULTRASOUND": "ultrasound",
    "X-RAY": "x-ray",
    "PHYSICAL EXAMINATION": "physical-examination",
}

RESPONSE_TESTS = {"OVRLRESP": "overall", "TRGRESP": "target", "NTRGRESP": "non-target"}

# RSCAT as datasets have it, where it is not already the name of the set (RECIST 1.1 is).
RESPONSE_CRITERIA = {"RECIST": "RECIST_1_1", "WHO": "WHO_1979", "RANO": "RANO_HGG_2010", "INRC": "INRC_2017"}


def coded(row: SourceRow, variable: str, terms: dict[str, str]) -> str:
    """What a variable's term is to the trial.

    Raises:
        RowUnusable: it is missing, or no term of the codelist.
    """
    found = terms.get(row.required(variable).upper())
    if found is None:
        raise RowUnusable(f"{variable} is none of: {', '.join(terms)}")
    return found


def kebab(text: str) -> str:
    return text.lower().replace(" ", "-")
