"""From a name to a network: an archive as the zoo's, fetched, unpacked, read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from boxwright.models.weights import zoo
from boxwright.models.weights.loading import read_pretrained
from boxwright.models.weights.zoo import Published
from misbehaving import Server, cut, tarred

pytestmark = pytest.mark.shared


@pytest.mark.parametrize("network", ["ssd_mobilenet_v1", "ssd_mobilenet_v2"])
def test_a_fetched_checkpoint_is_read(
    network: str, shared: Path, server: Server, cache: Path
) -> None:
    source = shared / f"golden/ckpt_parity_{network[-2:]}_c90"
    names = (*zoo.named(f"{network}_coco").files, "pipeline.config")
    server.content = tarred({f"net/{name}": (source / name).read_bytes() for name in names})
    server.behaviors = [cut(1_000_000)]
    checksum = hashlib.sha256(server.content).hexdigest()
    urls = (f"{server.url}/net.tar.gz",)
    wanted = Published(network, network, urls, sha256={"net.tar.gz": checksum})
    pretrained = read_pretrained(zoo.fetch(wanted))
    assert pretrained.spec.name == network
    assert pretrained.spec.num_classes == 90
