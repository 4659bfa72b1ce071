#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the HL7 v2 messages of the laboratory; every place for patient data holds a canary.

usage: make-messages.py FOLDER
"""
import sys

PID = "PID|1||ZZPHI-MRN-7^^^CHU^MR||ZZPHI^CANARY^ANNA||19700101|F|||ZZPHI street 1^^ZZPHI town"


def msh(sender, receiver, kind, control):
    return (f"MSH|^~\\&|{sender[0]}|{sender[1]}|{receiver[0]}|{receiver[1]}|20260302090000|"
            f"ZZSECRET-MSH8|{kind}|ZZPHI-CTL-{control}|P|2.5.1")


ADT, EHR, LIS, MON = ("ADT1", "ADMISSIONS"), ("EHR", "CHU"), ("LIS", "LAB"), ("CIS", "ICU")
VISIT = "PV1|1|I|ZZPHI-WARD^12^A|||||ZZPHI^DOCTOR^D|||||||||||ZZPHI-VISIT-9"
ORDER = "ORC|NW|ZZPHI-ORD-1|||||||20260302090000|||ZZPHI^ORDERER"
REQUEST = "OBR|1|ZZPHI-ORD-1|ZZPHI-ACC-1|2345-7^GLUCOSE^LN|||20260302085500"

MESSAGES = {
    "adt-a01": [msh(ADT, EHR, "ADT^A01^ADT_A01", 1), "EVN|A01|20260302090000", PID, VISIT,
                "AL1|1||ZZPHI allergy"],
    "adt-a08": [msh(ADT, EHR, "ADT^A08^ADT_A01", 2), "EVN|A08|20260302090100", PID, VISIT],
    "adt-a03": [msh(ADT, EHR, "ADT^A03^ADT_A03", 3), "EVN|A03|20260302090200", PID, VISIT],
    "oru-lab": [msh(LIS, EHR, "ORU^R01^ORU_R01", 4), PID, ORDER, REQUEST,
                "OBX|1|NM|2345-7^GLUCOSE^LN||ZZPHI 5.4|mmol/L|||||F",
                "NTE|1||ZZPHI free text of a biologist"],
    "oru-vitals": [msh(MON, EHR, "ORU^R01^ORU_R01", 5), PID, "OBR|1|||182777000^monitoring^SCT",
                   "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.0.0.1|ZZPHI 61|/min|||||F"],
    "orm-order": [msh(EHR, LIS, "OML^O21^OML_O21", 6), PID, ORDER, REQUEST],
    "analyzer": [msh(("ANALYZER1", "LAB"), LIS, "ORU^R01^ORU_R01", 7), PID, REQUEST,
                 "OBX|1|NM|718-7^HGB^LN||ZZPHI 13.1|g/dL|||||F"],
    "query": [msh(("TOOL", "UNKNOWN"), EHR, "QRY^A19", 8),
              "QRD|20260302090000|R|I|ZZPHI-Q1|||10^RD|ZZPHI^CANARY|DEM"],
    "mdm": [msh(EHR, ADT, "MDM^T02^MDM_T02", 9), PID, "TXA|1|CN|TX|||||||||ZZPHI-DOC-1"] +
           [f"OBX|{n}|TX|||ZZPHI report line {n} " + "x" * 60 for n in range(1, 40)],
}

for name, segments in MESSAGES.items():
    with open(f"{sys.argv[1]}/{name}.hl7", "w", encoding="ascii") as file:
        file.write("\n".join(segments))
