"""HL7 v2 messages as a laboratory sends them: with names and birth dates, which must never be kept."""

NAME = "KHUMDEE"


def a_message(
    *observations: str, control: str = "M1", subject: str = "CU-001", end: str = "\r", sender: str = "LUMILIS|CU"
) -> str:
    segments = [
        f"MSH|^~\\&|{sender}|CMD03|TRIAL|20260309120000||ORU^R01^ORU_R01|{control}|P|2.5.1",
        f"PID|1||{subject}^^^CMD03^PI~HN-448812^^^CU^MR||{NAME}^SOMSRI||20170314|F|||12 RAMA IV^^BANGKOK",
        f"OBR|1||F-1|CYTO^Cytokines^L|||202603090830|||||||||^DR^{NAME}",
        *observations,
    ]
    return end.join(segments) + end


def obx(code: str = "26881-3^IL-6^LN", value: str = "38.4", unit: str = "pg/mL", status: str = "F", number: int = 1,
        kind: str = "NM") -> str:  # fmt: skip
    return f"OBX|{number}|{kind}|{code}||{value}|{unit}|0-2.5|H|||{status}|||||{NAME}^TECH"
