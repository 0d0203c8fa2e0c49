"""What is known of consent: enrollment's events as they came, so that their meaning is worked out when it is asked."""

from services.projector.tables import ENROLLMENT, METADATA
from shared.known_consents import known_consents_projection, known_consents_table

known_consents = known_consents_table(METADATA)
PROJECTION = known_consents_projection(known_consents, ENROLLMENT)
