#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes small DICOM images of nobody: every place for patient data holds a canary.

usage: make-images.py FOLDER COUNT CT|MR|US SEED
"""
import random
import sys

from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4",
           "US": "1.2.840.10008.5.1.4.1.1.6.1"}
ROOT = "1.2.826.0.1.3680043.8.498.7"
SIDE = 64


def image(modality, seed, number):
    pixels = random.Random(f"{modality} {seed} {number}")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CLASSES[modality]
    meta.MediaStorageSOPInstanceUID = f"{ROOT}.{seed}.1.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.is_little_endian, data.is_implicit_VR = True, False
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = f"{ROOT}.{seed}", f"{ROOT}.{seed}.1"
    data.PatientName = f"ZZPHI^CANARY{seed}"
    data.PatientID = f"ZZPHI-ID-{seed}"
    data.PatientBirthDate, data.PatientSex = "19700101", "O"
    data.AccessionNumber = f"ZZPHI-ACC-{seed}"
    data.StudyID = f"ZZPHI{seed}"
    data.StudyDescription = "ZZPHI free text about a patient"
    data.ReferringPhysicianName = "ZZPHI^REFERRER"
    data.Modality, data.InstanceNumber, data.SeriesNumber = modality, number, 1
    data.StudyDate, data.StudyTime = "20260302", "090000"
    data.Rows = data.Columns = SIDE
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.PixelData = bytes(pixels.randrange(256) for _ in range(2 * SIDE * SIDE))
    return data


folder, count, modality, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
for n in range(1, count + 1):
    image(modality, seed, n).save_as(f"{folder}/ZZPHI-{modality}-{seed}-{n}.dcm",
                                     write_like_original=False)
