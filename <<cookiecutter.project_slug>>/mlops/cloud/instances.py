"""What is known of SageMaker's instance types by their name: ml.<family>.<size>."""

import re

# Families with NVMe disks of their own (EC2 User Guide, "Instance store volumes"); a `d` behind the generation says so
# too: r5d, m6id, g4dn, p4de.
WITH_DISKS = {"g5", "g6", "g6e", "g7", "g7e", "p5", "p5e", "p5en", "trn1", "trn1n", "trn2"}
WITH_D = re.compile(r"[a-z]+\d+[a-z]*d[a-z]*")


def has_local_storage(instance_type: str) -> bool:
    """Tell whether an instance keeps data on disks of its own, which it encrypts itself: it takes no VolumeKmsKeyId.

    Source: CreateTrainingJob, ResourceConfig: "You can't request a VolumeKmsKeyId when using an instance type with
    local storage."
    """
    family = instance_type.split(".")[1] if instance_type.count(".") == 2 else ""
    return family in WITH_DISKS or family.startswith("p6") or WITH_D.fullmatch(family) is not None
