"""A small trial written by hand. What its tables must say was worked out on paper: see `test_small_trial.py`.

It is 20 April 2026, noon in Bangkok. Study days in brackets; all instants are in Bangkok.

CU-001  infused 5 January, goes on (today is day 105).
CU-002  infused 12 January, died on 20 February (39).
SI-001  infused 30 March, goes on (today is day 21).
SI-002  enrolled, not infused.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.services.projector.chronicle import Chronicle
from tests.services.projector.dose_limiting_story import EXCESSIVE, GRADE_3, GRADE_4, Dlt, Halt, basis

BANGKOK = ZoneInfo("Asia/Bangkok")
NOW = datetime(2026, 4, 20, 12, 0, tzinfo=BANGKOK)


def at(month: int, day: int, hour: int = 9, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, 0, tzinfo=BANGKOK)


def small_trial() -> Chronicle:
    chronicle = Chronicle()
    first, second, third, fourth = (chronicle.child(number) for number in ("CU-001", "CU-002", "SI-001", "SI-002"))
    first.screened().enrolled().infused(at(1, 5))
    second.screened().enrolled().infused(at(1, 12)).died("2026-02-20")
    third.screened().enrolled().infused(at(3, 30))
    fourth.screened().enrolled()

    # Adverse events. CRS of grade 2 on day 3, grade 3 from day 8, grade 1 from day 11.
    crs = first.adverse_event(
        "Cytokine release syndrome", 2, "2026-01-08", serious=["hospitalisation"], related="probable", aware=at(1, 8)
    )
    crs.regraded(3, "2026-01-13").regraded(1, "2026-01-16").resolved("2026-01-20")
    crs.delivered(at(1, 8, 10)).acknowledged(at(1, 8, 15), by="so-nok")
    first.adverse_event("Fever", 1, "2026-01-06")
    first.adverse_event("Nausea", 3, "2026-01-07").retracted()
    first.adverse_event("Anemia", 2, "2025-12-20").regraded(3, "2026-01-20")  # worse on day 15
    first.adverse_event("Headache", 1, "2025-12-22")  # before the infusion, and no worse after it
    # CRS of grade 4 on day 3, which should have read 3; sepsis of which the child died on day 39.
    worse = second.adverse_event(
        "Cytokine release syndrome", 4, "2026-01-15", serious=["life-threatening"], related="possible", aware=at(1, 15)
    )
    worse.corrected_to_grade(3)
    death = second.adverse_event("Sepsis", 5, "2026-02-20", serious=["results-in-death"], aware=at(2, 20))
    death.judged("car-t-product", "unlikely").resolved("2026-02-20", "fatal")
    fever = third.adverse_event("Fever", 2, "2026-04")  # some day of April: day 2 at the earliest
    fourth.adverse_event("Fever", 3, "2026-01-10")

    # Responses: SD overridden to PR on day 30, CR on day 90; PD on day 30; SD on day 14, which is too early to count.
    first.assessed("2025-12-28", None)
    first.assessed("2026-02-04", "SD").overridden("PR", assigned="SD")
    first.assessed("2026-04-05", "CR")
    second.assessed("2026-01-02", None)
    second.assessed("2026-02-11", "PD")
    third.assessed("2026-03-20", None)
    third.assessed("2026-04-13", "SD")

    # CAR-T cells/uL.
    for day, cells in {7: "50.5", 14: "120", 21: "80", 30: "30.2", 60: "<", 90: "<"}.items():
        first.flow(at(1, 5) + timedelta(days=day), cells)
    second.flow(at(1, 19), "<", lloq="2")
    second.flow(at(1, 26), "10")
    third.flow(at(4, 6), None)  # a percentage, and no lymphocyte count
    wrong = third.flow(at(4, 13), "200")
    third.flow_corrected(wrong, at(4, 13), "20")
    third.flow_cancelled(third.flow(at(4, 20), "300"))

    # IL-6 in pg/mL.
    first.cytokines(at(1, 4), IL6="5.0", TNF="1.5")
    first.cytokines(at(1, 8), IL6="500")
    first.cytokines(at(1, 12), IL6="50", TNF="<1", flagged=True)
    second.cytokines(at(1, 11), IL6="<2")
    second.cytokines(at(1, 19), IL6="40")
    third.cytokines(at(3, 29), IL6="8", platform="msd")
    third.cytokines(at(4, 6), IL6="<2")

    # Dose-limiting toxicity: confirmed, and on less than it was; withdrawn, as its grade was put right; undecided.
    limiting = Dlt(first, crs.id, basis(GRADE_3, GRADE_4)).decided("confirmed")
    limiting.found(basis(GRADE_3, grade=3))
    Dlt(second, worse.id, basis(GRADE_4)).withdrawn()
    Dlt(third, fever.id, basis(GRADE_3, grade=3, since="2026-04"))
    Halt(chronicle, EXCESSIVE, [first, second], 3).counts(first, holds=False).reviewed("resume")
    return chronicle
