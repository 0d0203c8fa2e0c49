"""What a reader of a result should know of the specimen that it names, as that stands now."""

from enum import StrEnum

from shared.contracts.biomarkers_specimens import SpecimenCondition, SpecimenType


class SpecimenFlag(StrEnum):
    """What a reader of a result should know of its specimen."""

    NO_SPECIMEN = "no-specimen"  # the result names none: nothing is known of its custody
    SPECIMEN_REJECTED = "specimen-rejected"  # after the result was recorded
    SPECIMEN_LOST = "specimen-lost"
    POOR_CONDITION = "poor-condition"  # as it was received
    SPECIMEN_DIFFERS = "specimen-differs"  # its record was corrected after the result


FROM_BLOOD = frozenset({SpecimenType.SERUM, SpecimenType.PLASMA})


def suits(type_: SpecimenType, told: str) -> bool:
    """Whether a report may tell this type of a specimen: serum and plasma may be told of a tube of blood."""
    return type_ == told or (type_ is SpecimenType.BLOOD and told in FROM_BLOOD)


def flags_of(
    *, rejected: bool, lost: bool, condition: SpecimenCondition | None, differs: bool
) -> tuple[SpecimenFlag, ...]:
    """The flags of a result that names a specimen. `condition` None: no laboratory has received it."""
    raised = {
        SpecimenFlag.SPECIMEN_REJECTED: rejected,
        SpecimenFlag.SPECIMEN_LOST: lost,
        SpecimenFlag.POOR_CONDITION: condition not in {None, SpecimenCondition.ACCEPTABLE},
        SpecimenFlag.SPECIMEN_DIFFERS: differs,
    }
    return tuple(flag for flag, is_raised in raised.items() if is_raised)
